/* SPDX-License-Identifier: MIT */
/*
 * Exports: one file a format in src/export/, one line in export_table.  Each writes a fold (the
 * scope already applied) to a stream; untranslated and locale-free.
 */
#ifndef PROFTOP_EXPORT_H
#define PROFTOP_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "proftop/error.h"
#include "proftop/fold.h"

struct export_options {
    const char *const *views; /* which tables, NULL-terminated; NULL: the format's own choice */
    unsigned top;             /* rows; 0: all */
};

struct export_ops {
    const char *name;      /* --format NAME */
    const char *extension; /* ".pb.gz" */
    const char *label;     /* N_("…") for the save dialog */
    bool binary;           /* not to a terminal */
    bool (*write)(const struct fold *fold, const struct export_options *options, FILE *stream,
                  struct error *error);
};

extern const struct export_ops *const export_table[];
extern const unsigned export_count;
const struct export_ops *export_find(const char *name);

/* Folded stacks or perf-script text as a profile, so that people can bring what they have. */
struct profile *import_file(const char *path, struct error *error);

#endif
