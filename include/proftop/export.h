/* SPDX-License-Identifier: MIT */
/*
 * Exports: one file a format in src/export/, one line in export_table.  Each writes a fold (the
 * scope already applied) to a stream; untranslated and locale-free, every name escaped for the
 * format.
 *
 * Formats with one number a stack (folded, speedscope) count samples when the scope is time on a
 * CPU, and sum the metric otherwise: a wait is one sample however long it was.  Formats with
 * several (pprof, callgrind, svg, html, json) hold both.
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
    function_id function;     /* whose callers; UINT32_MAX: the first row's */
};

struct export_ops {
    const char *name;      /* --format NAME */
    const char *extension; /* ".pb.gz" */
    const char *label;     /* N_("…") for the save dialog */
    bool binary;           /* not to a terminal */
    bool secret;           /* mode 0600 */
    bool (*write)(const struct fold *fold, const struct export_options *options, FILE *stream,
                  struct error *error);
};

extern const struct export_ops *const export_table[];
extern const unsigned export_count;
const struct export_ops *export_find(const char *name);

/* Writes to STREAM and flushes it. */
bool export_stream(const struct export_ops *ops, const struct fold *fold,
                   const struct export_options *options, FILE *stream, struct error *error);

/*
 * Writes PATH whole or not at all; an existing file is left alone unless FORCE.  A terminal, pipe
 * or device is written to in place.
 */
bool export_file(const struct export_ops *ops, const struct fold *fold,
                 const struct export_options *options, const char *path, bool force,
                 struct error *error);

/* Fills ERROR: PATH is there already and stays as it is.  Returns false. */
bool export_refuse_existing(const char *path, struct error *error);

/*
 * Folded stacks or perf-script text as a profile, so that people can bring what they have.  "-" is
 * standard input.
 */
struct profile *import_file(const char *path, struct error *error);
/* Several as one, each from its own beginning. */
struct profile *import_files(const char *const *paths, unsigned count, struct error *error);
/* A session file, or what once was one: not for import_file(). */
bool import_is_session(const char *path);

#endif
