/* SPDX-License-Identifier: MIT */
/* A table, printed aligned or as CSV (RFC 4180). */
#include "config.h"

#include "proftop/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/json_writer.h"
#include "proftop/memory.h"
#include "proftop/text.h"

/* A longer text moves what follows it, in its own line only. */
enum { ALIGNED_MAX = 60 };

struct table_cell {
    const char *text; /* NULL: a number */
    double value;
};

void table_init(struct table *table, const struct column *columns, size_t column_count)
{
    *table = (struct table){
        .columns = columns,
        .column_count = column_count,
        .texts = arena_new(),
    };
}

void table_fini(struct table *table)
{
    free(table->cells);
    arena_free(table->texts);
}

static void add(struct table *table, struct table_cell cell)
{
    table->cells =
        array_reserve(table->cells, &table->capacity, table->count + 1, sizeof(table->cells[0]));
    table->cells[table->count++] = cell;
}

void table_text(struct table *table, const char *text)
{
    add(table, (struct table_cell){ .text = arena_strdup(table->texts, text) });
}

void table_number(struct table *table, double value)
{
    add(table, (struct table_cell){ .value = value });
}

void table_empty(struct table *table)
{
    add(table, (struct table_cell){ .text = "" });
}

/* ---- for a person ---------------------------------------------------------------------------- */

static const char *cell_text(const struct table *table, const struct table_cell *cell,
                             size_t column, char buffer[64])
{
    if (cell->text != NULL)
        return cell->text;
    snprintf(buffer, 64, "%.*f", table->columns[column].decimals, cell->value);
    return buffer;
}

static void put_printable(FILE *stream, const char *text)
{
    char character[32];

    while (text_next(&text, character, sizeof(character), false) >= 0)
        fputs(character, stream);
}

static void put_cell(FILE *stream, const struct column *column, const char *text, int width,
                     bool last)
{
    int blanks = width - text_width(text);

    if (blanks > 0 && !column->left)
        fprintf(stream, "%*s", blanks, "");
    put_printable(stream, text);
    if (blanks > 0 && column->left && !last)
        fprintf(stream, "%*s", blanks, "");
}

/* 0: not shown. */
static void measure_columns(const struct table *table, int *widths)
{
    char buffer[64];

    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->column_count;
        int width = text_width(cell_text(table, &table->cells[i], column, buffer));

        if (width > ALIGNED_MAX)
            width = ALIGNED_MAX;
        if (table->columns[column].use != COLUMN_CSV && width > widths[column])
            widths[column] = width;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];

        if (column->use == COLUMN_CSV || (column->optional && widths[i] == 0))
            continue;
        if (widths[i] < text_width(column->heading))
            widths[i] = text_width(column->heading);
    }
}

/* The last column that has something to show, so that no line ends in blanks. */
static size_t last_filled(const struct table *table, const struct table_cell *cells, size_t last)
{
    while (cells != NULL && last > 0 &&
           (table->columns[last].use == COLUMN_CSV ||
            (cells[last].text != NULL && cells[last].text[0] == '\0')))
        last--;
    return last;
}

/* A row of CELLS, or of the headings where that is NULL. */
static void print_row(const struct table *table, const struct table_cell *cells, const int *widths,
                      size_t last, FILE *stream)
{
    last = last_filled(table, cells, last);
    for (size_t i = 0; i <= last; i++) {
        const struct column *column = &table->columns[i];
        char buffer[64];

        if (widths[i] == 0)
            continue;
        put_cell(stream, column,
                 cells != NULL ? cell_text(table, &cells[i], i, buffer) : column->heading,
                 widths[i], i == last);
        if (i < last)
            fputs("  ", stream);
    }
    putc('\n', stream);
}

void table_print_text(const struct table *table, FILE *stream)
{
    int *widths = xcalloc(table->column_count, sizeof(*widths));
    size_t last = table->column_count - 1;

    assert(table->count % table->column_count == 0);
    while (last > 0 && table->columns[last].use == COLUMN_CSV)
        last--;
    measure_columns(table, widths);
    print_row(table, NULL, widths, last, stream);
    for (size_t row = 0; row < table->count; row += table->column_count)
        print_row(table, table->cells + row, widths, last, stream);
    free(widths);
}

/* ---- for a program --------------------------------------------------------------------------- */

static void put_quoted(FILE *stream, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, stream);
        return;
    }
    putc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putc('"', stream);
        putc(*text, stream);
    }
    putc('"', stream);
}

/* True when a comma is due before the next column. */
static bool separate(const struct column *column, bool after, FILE *stream)
{
    if (column->use == COLUMN_TEXT)
        return after;
    if (after)
        putc(',', stream);
    return true;
}

void table_print_csv(const struct table *table, FILE *stream)
{
    bool after = false;
    char buffer[40];

    for (size_t i = 0; i < table->column_count; i++) {
        after = separate(&table->columns[i], after, stream);
        if (table->columns[i].use != COLUMN_TEXT)
            fputs(table->columns[i].key, stream);
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct column *column = &table->columns[i % table->column_count];
        const struct table_cell *cell = &table->cells[i];

        if (i % table->column_count == 0) {
            fputs("\r\n", stream);
            after = false;
        }
        after = separate(column, after, stream);
        if (column->use == COLUMN_TEXT)
            continue;
        if (cell->text != NULL)
            put_quoted(stream, cell->text);
        else
            fputs(plain_number(buffer, cell->value), stream);
    }
    fputs("\r\n", stream);
}
