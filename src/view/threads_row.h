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
    SPARK_COLUMNS = 20,
    SPARK_NARROW = 10, /* columns where the view has less than IO_FROM */
    IO_COLUMNS = 14,
    PARTS_FROM = 52,
    SPARK_FROM = 76,
    IO_FROM = 100,
    PROCESS_COLUMNS = 16
};

#define SPARK_NS (20 * NS_PER_S)

struct threads_layout {
    int process, parts, spark, io, top; /* where they begin; -1: none */
};

struct threads_layout threads_lay_out(const struct screen_input *input, int width);
/* The columns of the spark where the view is WIDTH wide. */
int threads_spark_columns(int width);

/* What the profile knows of THREAD, and whether it has ended. */
const struct profile_thread *threads_facts(const struct screen_input *input,
                                           const struct fold_thread *thread);
bool threads_gone(const struct screen_input *input, const struct fold_thread *thread);

void threads_draw_row(const struct screen_input *input, struct grid *grid, int at,
                      const struct fold_thread *thread, const struct threads_layout *layout);

#endif
