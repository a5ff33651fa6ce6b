/* SPDX-License-Identifier: MIT */
/*
 * A table on its way to paper: made once by a view, printed aligned for a person or as CSV for a
 * program.
 *
 *     columns   key "self_pct", heading "SELF%", decimals 1 …
 *     cells     row by row: a text, a number, or nothing
 */
#ifndef PROFTOP_TABLE_H
#define PROFTOP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "proftop/arena.h"

enum column_use { COLUMN_BOTH, COLUMN_TEXT, COLUMN_CSV };

struct column {
    const char *key;     /* in CSV */
    const char *heading; /* in text */
    int decimals;        /* of numbers, in text */
    bool left;           /* aligned left: texts */
    bool optional;       /* not in text where no row has it */
    enum column_use use;
};

struct table_cell;

struct table {
    const struct column *columns;
    size_t column_count;
    struct table_cell *cells;
    size_t count, capacity;
    struct arena *texts;
};

/* COLUMNS are borrowed. */
void table_init(struct table *table, const struct column *columns, size_t column_count);
void table_fini(struct table *table);

/* The next cell; after the last column the next row begins. */
void table_text(struct table *table, const char *text);
void table_number(struct table *table, double value);
void table_empty(struct table *table);

void table_print_text(const struct table *table, FILE *stream);
void table_print_csv(const struct table *table, FILE *stream);

#endif
