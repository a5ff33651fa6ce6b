/* SPDX-License-Identifier: MIT */
/* What a row of the Threads view says: see threads.c for a drawing. */
#include "config.h"

#include "threads_row.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "proftop/gettext.h"
#include "proftop/text.h"

static bool several_processes(const struct screen_input *input)
{
    const struct profile_thread *first = profile_thread(input->profile, 0);
    uint32_t count = profile_threads(input->profile);

    for (uint32_t i = 1; i < count; i++)
        if (profile_thread(input->profile, i)->pid != first->pid)
            return true;
    return false;
}

int threads_spark_columns(int width)
{
    return width >= IO_FROM ? SPARK_COLUMNS : SPARK_NARROW;
}

struct threads_layout threads_lay_out(const struct screen_input *input, int width)
{
    struct threads_layout layout = { -1, -1, -1, -1, 0 };
    int at = TID_COLUMNS + NAME_COLUMNS + STATE_COLUMNS + CPU_COLUMNS;

    if (width >= PARTS_FROM) {
        layout.parts = at;
        at += PARTS_COLUMNS;
    }
    if (width >= SPARK_FROM) {
        layout.spark = at;
        at += threads_spark_columns(width) + 1;
    }
    if (width >= IO_FROM) {
        layout.io = at;
        at += IO_COLUMNS;
    }
    if (width >= IO_FROM && profile_threads(input->profile) > 1 && several_processes(input)) {
        layout.process = at;
        at += PROCESS_COLUMNS;
    }
    layout.top = at;
    return layout;
}

const struct profile_thread *threads_facts(const struct screen_input *input,
                                           const struct fold_thread *thread)
{
    return profile_thread(input->profile, thread->thread);
}

bool threads_gone(const struct screen_input *input, const struct fold_thread *thread)
{
    return threads_facts(input, thread)->ended_ns != UINT64_MAX;
}

/* What most of the thread's time was, in one letter. */
static char letter_of(const struct screen_input *input, const struct fold_thread *thread)
{
    if (threads_gone(input, thread))
        return 'X';
    if (thread->wait_count != 0 && thread->waiting_ns > thread->running_ns) {
        if (thread->waits[0].reason == WAIT_STOPPED)
            return 'T';
        if (thread->waits[0].reason == WAIT_DISK)
            return 'D';
    }
    return thread->running_ns + thread->runnable_ns >= thread->waiting_ns &&
                   thread->running_ns + thread->runnable_ns > 0
               ? 'R'
               : 'S';
}

/* The bar's glyphs by largest part: run, queued, wait. */
static void render_parts(const struct fold_thread *thread, struct grid *grid, int at, int column)
{
    uint64_t whole = thread->running_ns + thread->runnable_ns + thread->waiting_ns;
    int run, queued, wait;

    if (whole == 0)
        return;
    run = (int)(PARTS * (double)thread->running_ns / (double)whole + 0.5);
    queued = (int)(PARTS * (double)thread->runnable_ns / (double)whole + 0.5);
    if (run == 0 && thread->running_ns > 0)
        run = 1;
    if (run + queued > PARTS)
        queued = PARTS - run;
    wait = PARTS - run - queued;
    grid_fill(grid, at, column, run, ROLE_GOOD, "#");
    grid_fill(grid, at, column + run, queued, ROLE_WARN, ".");
    grid_fill(grid, at, column + run + queued, wait, ROLE_DIM, "-");
}

static void render_spark(const struct screen_input *input, struct grid *grid, int at, int column,
                         uint32_t thread)
{
    const struct view_extra *extra = input->extra;
    uint32_t columns = (uint32_t)threads_spark_columns(grid->columns);
    double values[SPARK_COLUMNS];

    if (extra == NULL || extra->wants.buckets != columns || extra->weights == NULL)
        return;
    for (uint32_t i = 0; i < extra->wants.series_count; i++) {
        if (extra->wants.series[i].thread != thread)
            continue;
        for (uint32_t k = 0; k < columns; k++)
            values[k] = (double)extra->weights[i * columns + k];
        grid_spark(grid, at, column, (int)columns, ROLE_BAR, values,
                   (double)(extra->end_ns - extra->start_ns) / columns);
        return;
    }
}

/* The newest value of the thread's lane called KEY, or a negative number. */
static double lane_now(const struct screen_input *input, int32_t tid, const char *key)
{
    const struct lanes *lanes = profile_lanes(input->profile);
    uint32_t count = lanes_count(lanes);
    uint64_t end_ns = profile_end_ns(input->profile);

    for (lane_id id = 0; id < count; id++) {
        const struct lane *lane = lanes_get(lanes, id);
        struct slice_cursor cursor;
        const struct slice *slice;
        double value = -1, found;

        if (lane->group != LANE_THREAD || lane->tid != tid || strcmp(lane->key, key) != 0)
            continue;
        profile_slices(input->profile, end_ns > 2 * NS_PER_S ? end_ns - 2 * NS_PER_S : 0, end_ns,
                       NS_PER_S, &cursor);
        while ((slice = profile_next_slice(&cursor)) != NULL)
            if (slice_lane(slice, id, &found))
                value = found;
        return value;
    }
    return -1;
}

static void render_io(const struct screen_input *input, struct grid *grid, int at, int column,
                      int32_t tid)
{
    static const char *const keys[] = { "read_bytes", "write_bytes" };

    for (int i = 0; i < 2; i++) {
        double value = lane_now(input, tid, keys[i]);
        char text[16];

        if (value >= 0)
            grid_text_right(grid, at, column + 7 * i, 6, value > 0 ? ROLE_NORMAL : ROLE_DIM,
                            text_bytes(text, value));
    }
}

static void render_top(const struct screen_input *input, struct grid *grid, int at, int column,
                       const struct fold_thread *thread)
{
    uint64_t whole = thread->running_ns + thread->runnable_ns + thread->waiting_ns;
    int width = grid->columns - column;
    char name[NAME_MAX_BYTES];
    double share;

    if (thread->wait_count != 0 && thread->waiting_ns > whole - thread->waiting_ns) {
        const struct fold_wait *wait = &thread->waits[0];

        share = whole != 0 ? 100 * (double)wait->time_ns / (double)whole : 0;
        grid_printf(grid, at, column, width - 5, ROLE_DIM, _("wait %s"),
                    wait_reason_text(wait->reason));
    } else if (thread->weight != 0 && thread->top != FUNCTION_NONE) {
        const struct function *function = names_get(input->fold->names, thread->top);

        share = 100 * (double)thread->top_weight / (double)thread->weight;
        format_name(name, input, function, width - 6);
        grid_text(grid, at, column, width - 6, format_role(input, function), name);
    } else {
        return;
    }
    grid_printf(grid, at, grid->columns - 5, 5, ROLE_NORMAL, "%3.0f%%", share > 100 ? 100 : share);
}

static void render_gone(const struct screen_input *input, struct grid *grid, int at, int column,
                        const struct fold_thread *thread)
{
    uint64_t ended_ns = threads_facts(input, thread)->ended_ns,
             start = profile_start_ns(input->profile);
    char elapsed[24];

    text_elapsed(elapsed, ended_ns > start ? ended_ns - start : 0);
    grid_printf(grid, at, column, grid->columns - column, ROLE_DIM,
                ngettext("gone at %s, its %llu sample is kept",
                         "gone at %s, its %llu samples are kept", thread->samples),
                elapsed, (unsigned long long)thread->samples);
}

void threads_draw_row(const struct screen_input *input, struct grid *grid, int at,
                      const struct fold_thread *thread, const struct threads_layout *layout)
{
    const struct profile_thread *facts = threads_facts(input, thread);
    bool gone = threads_gone(input, thread);
    uint64_t span = input->fold->end_ns - input->fold->start_ns;
    double cpu = span != 0 ? 100 * (double)thread->running_ns / (double)span : 0;
    int left = TID_COLUMNS;
    char letter[2] = { letter_of(input, thread), '\0' }, process[NAME_MAX_BYTES];

    grid_printf(grid, at, 0, TID_COLUMNS - 1, gone ? ROLE_DIM : ROLE_NORMAL, "%6d", facts->tid);
    grid_text(grid, at, left, NAME_COLUMNS - 1, gone ? ROLE_DIM : ROLE_NORMAL, facts->name);
    left += NAME_COLUMNS;
    grid_text(grid, at, left, 1,
              letter[0] == 'R'   ? ROLE_GOOD
              : letter[0] == 'D' ? ROLE_WARN
              : letter[0] == 'T' ? ROLE_ALARM
                                 : ROLE_DIM,
              letter);
    left += STATE_COLUMNS;
    if (gone && layout->parts >= 0) {
        render_gone(input, grid, at, layout->spark >= 0 ? layout->spark : layout->parts, thread);
        return;
    }
    grid_printf(grid, at, left, CPU_COLUMNS - 1, cpu >= 0.05 ? ROLE_NORMAL : ROLE_DIM, "%6.1f",
                cpu);
    if (layout->parts >= 0)
        render_parts(thread, grid, at, layout->parts);
    if (layout->spark >= 0)
        render_spark(input, grid, at, layout->spark, thread->thread);
    if (layout->io >= 0)
        render_io(input, grid, at, layout->io, facts->tid);
    if (layout->process >= 0)
        grid_text(grid, at, layout->process, PROCESS_COLUMNS - 1, ROLE_DIM,
                  format_process(process, input->profile, facts->pid));
    render_top(input, grid, at, layout->top, thread);
}
