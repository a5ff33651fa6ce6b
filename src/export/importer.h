/* SPDX-License-Identifier: MIT */
/*
 * Inside importing: a reader of a text format gives samples by name, the importer makes a profile
 * of them.
 *
 *     folded, perf script ─► importer_frame()… importer_sample() ─► drafts by time ─► history
 *
 * Everything read is hostile: lines, stacks and spans of time are bounded.
 */
#ifndef EXPORT_IMPORTER_H
#define EXPORT_IMPORTER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proftop/error.h"
#include "proftop/names.h"
#include "proftop/profile.h"

enum { IMPORT_LINE_MAX = 1 << 20, IMPORT_FRAMES_MAX = 8192 };

/* Of one sample, so that sums of billions of them stay right. */
#define IMPORT_WEIGHT_MAX (UINT64_C(1) << 50)

struct importer;

/* NAME is what the profile is called. */
struct importer *importer_new(const char *name);
void importer_free(struct importer *importer);

/* A file begins: its times count from its own first sample. */
void importer_begin_file(struct importer *importer);
/* What its samples so far count: a bit for each metric. */
unsigned importer_file_metrics(const struct importer *importer);
/* Before the first frame: what was counted.  The first file's event names the profile's. */
void importer_begin(struct importer *importer, const char *event);

/* A frame of the next sample, in the order the format has them. */
void importer_frame(struct importer *importer, const struct function *function, uint32_t line);
void importer_clear(struct importer *importer);

struct import_sample {
    int32_t pid, tid;
    const char *thread_name;
    uint64_t time_ns; /* 0 where the format has none */
    uint64_t weight;
    uint32_t count;
    enum metric metric;
    bool leaf_first; /* the order of the frames */
};

/* Takes the frames given since the last one.  False when the file claims to span too much time. */
bool importer_sample(struct importer *importer, const struct import_sample *sample,
                     struct error *error);

/* The next line without its end, or NULL; what is beyond IMPORT_LINE_MAX of it is left out. */
char *importer_line(struct importer *importer, FILE *stream);

/* The profile of everything taken; NULL when that is nothing. */
struct profile *importer_finish(struct importer *importer);

/* The formats.  Each reads STREAM to its end. */
bool import_folded(struct importer *importer, FILE *stream, struct error *error);
bool import_perf_script(struct importer *importer, FILE *stream, struct error *error);
/* Whether LINE, the first that is not empty, begins such a file. */
bool looks_folded(const char *line);
bool looks_perf_script(const char *line);

#endif
