/* SPDX-License-Identifier: MIT */
/* One row of the Threads view, and where its columns stand. */
#ifndef VIEW_THREADS_ROW_H
#define VIEW_THREADS_ROW_H

#include "proftop/clock.h"
#include "proftop/view.h"

enum {
    TID_COLUMNS = 7,
    NAME_COLUMNS = 11,
    STATE_COLUMNS = 2,
    CPU_COLUMNS = 7,
    PARTS = 10, /* glyphs of the run/queued/wait bar */
    PARTS_COLUMNS = 16,
    GIL_COLUMNS = 14, /* held and waited for */
    SPARK_COLUMNS = 20,
    SPARK_NARROW = 10, /* columns where the view is less than SPARK_WIDE_FROM wide */
    SPARK_WIDE_FROM = 116,
    IO_COLUMNS = 14
};

#define SPARK_NS (20 * NS_PER_S)

struct threads_layout {
    int parts, gil, spark, spark_columns, io, top; /* where they begin; -1: none */
};

struct threads_layout threads_lay_out(const struct screen_input *input, int width);

/* What the profile knows of THREAD, and whether it has ended. */
const struct profile_thread *threads_facts(const struct screen_input *input,
                                           const struct fold_thread *thread);
bool threads_gone(const struct screen_input *input, const struct fold_thread *thread);
/* Any of them has to do with an interpreter's lock. */
bool threads_have_gil(const struct screen_input *input);

/* INDENT: below its process. */
void threads_draw_row(const struct screen_input *input, struct grid *grid, int at,
                      const struct fold_thread *thread, const struct threads_layout *layout,
                      int indent);
/* A process: its COUNT threads' times together, OPEN when they are shown below it. */
void threads_draw_process(const struct screen_input *input, struct grid *grid, int at,
                          const struct fold_thread *sum, uint32_t count, bool open,
                          const struct threads_layout *layout);

#endif
