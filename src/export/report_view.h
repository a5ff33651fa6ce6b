/* SPDX-License-Identifier: MIT */
/*
 * The tables of a report, for text and CSV alike: --view NAME.  One line a view in report_views[],
 * its columns and its filling in views_*.c.
 */
#ifndef EXPORT_REPORT_VIEW_H
#define EXPORT_REPORT_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "proftop/export.h"
#include "proftop/table.h"

struct report_view {
    const char *name;
    /* Makes TABLE, columns and all; CSV: no indentation, nothing left out. */
    void (*fill)(struct table *table, const struct fold *fold, const struct export_options *options,
                 bool csv);
    /* Sentences for a person: what the numbers are shares of. */
    void (*about)(const struct fold *fold, const struct export_options *options, FILE *stream);
};

extern const struct report_view view_top, view_tree, view_callers;       /* views_functions.c */
extern const struct report_view view_threads, view_waits, view_syscalls; /* views_threads.c */
extern const struct report_view view_time;                               /* views_time.c */

const struct report_view *report_view_find(const char *name);

/* "33.21 s of CPU time", "1234 page faults": WEIGHT of FOLD's metric in words. */
const char *weight_text(char buffer[80], const struct fold *fold, uint64_t weight);

/* The row that OPTIONS ask the callers of, or the first; NULL when there is none. */
const struct fold_row *options_row(const struct fold *fold, const struct export_options *options);

#endif
