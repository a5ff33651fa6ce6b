/* SPDX-License-Identifier: MIT */
/* What a row of the Threads view says: see threads.c for a drawing. */
#include "config.h"

#include "threads_row.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "proftop/gettext.h"
#include "proftop/text.h"
#include "proftop/timeline.h"

enum { TOP_MIN = 20, PARTS_FROM = 52 };

bool threads_have_gil(const struct screen_input *input)
{
    const struct fold *fold = input->fold;

    for (uint32_t i = 0; i < fold->thread_count; i++)
        if (fold->threads[i].gil_held_ns + fold->threads[i].gil_wanted_ns != 0)
            return true;
    return false;
}

/* Gives COLUMNS from AT on to a part, where the name of the top function keeps room behind it. */
static int place(int *at, int width, int columns)
{
    int here = *at;

    if (here + columns + TOP_MIN > width)
        return -1;
    *at += columns;
    return here;
}

/* What says most comes first: with a lock of an interpreter, who holds it. */
struct threads_layout threads_lay_out(const struct screen_input *input, int width)
{
    struct threads_layout layout = { .parts = -1, .gil = -1, .spark = -1, .io = -1 };
    int at = TID_COLUMNS + NAME_COLUMNS + STATE_COLUMNS + CPU_COLUMNS;

    layout.spark_columns = width >= SPARK_WIDE_FROM ? SPARK_COLUMNS : SPARK_NARROW;
    if (width >= PARTS_FROM) {
        layout.parts = at;
        at += PARTS_COLUMNS;
    }
    if (input->fold != NULL && threads_have_gil(input))
        layout.gil = place(&at, width, GIL_COLUMNS);
    layout.spark = place(&at, width, layout.spark_columns + 1);
    if (input->timeline != NULL && timeline_lanes(input->timeline) != NULL)
        layout.io = place(&at, width, IO_COLUMNS);
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
        if (thread->waits[0].reason == WAIT_STOPPED && (!input->live || input->stopped))
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

/* "19.0  64.1": the share of the time in which it held the interpreter's lock, and wanted it. */
static void render_gil(struct grid *grid, int at, int column, const struct fold_thread *thread,
                       uint64_t span_ns)
{
    const uint64_t times_ns[] = { thread->gil_held_ns, thread->gil_wanted_ns };

    for (int i = 0; i < 2; i++)
        if (times_ns[i] != 0 && span_ns != 0)
            grid_printf(grid, at, column + 7 * i, 6, i == 0 ? ROLE_NORMAL : ROLE_WARN, "%6.1f",
                        100 * (double)times_ns[i] / (double)span_ns);
}

static void render_spark(const struct screen_input *input, struct grid *grid, int at,
                         const struct threads_layout *layout, uint32_t thread)
{
    const struct view_extra *extra = input->extra;
    uint32_t columns = (uint32_t)layout->spark_columns;
    double values[SPARK_COLUMNS];

    if (extra == NULL || extra->wants.buckets != columns || extra->weights == NULL)
        return;
    for (uint32_t i = 0; i < extra->wants.series_count; i++) {
        if (extra->wants.series[i].thread != thread)
            continue;
        for (uint32_t k = 0; k < columns; k++)
            values[k] = (double)extra->weights[i * columns + k];
        grid_spark(grid, at, layout->spark, (int)columns, ROLE_BAR, values,
                   (double)(extra->end_ns - extra->start_ns) / columns);
        return;
    }
}

static void render_io(const struct screen_input *input, struct grid *grid, int at, int column,
                      const struct profile_thread *facts)
{
    static const char *const keys[] = { "read_bytes", "write_bytes" };

    for (int i = 0; i < 2; i++) {
        lane_id lane = timeline_find(input->timeline, LANE_THREAD, keys[i], facts->pid, facts->tid);
        double value = lane != UINT32_MAX ? timeline_newest(input->timeline, lane) : NAN;
        char text[16];

        if (!isnan(value))
            grid_text_right(grid, at, column + 7 * i, 6, value > 0 ? ROLE_NORMAL : ROLE_DIM,
                            text_bytes(text, value));
    }
}

/* False: there is nothing to say. */
static bool render_top(const struct screen_input *input, struct grid *grid, int at, int column,
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
        return false;
    }
    grid_printf(grid, at, grid->columns - 5, 5, ROLE_NORMAL, "%3.0f%%", share > 100 ? 100 : share);
    return true;
}

/* Where nothing else is told of a thread that has ended: when that was. */
static void render_gone(const struct screen_input *input, struct grid *grid, int at, int column,
                        const struct fold_thread *thread)
{
    uint64_t ended_ns = threads_facts(input, thread)->ended_ns,
             start = profile_start_ns(input->profile);
    char elapsed[24];

    text_elapsed(elapsed, ended_ns > start ? ended_ns - start : 0);
    grid_printf(grid, at, column, IO_COLUMNS, ROLE_DIM, _("until %s"), elapsed);
}

/* The columns that threads and processes have: id, name, state, shares. */
static void render_shares(const struct screen_input *input, struct grid *grid, int at,
                          const struct fold_thread *thread, const struct threads_layout *layout,
                          char letter)
{
    uint64_t span = input->fold->end_ns - input->fold->start_ns;
    double cpu = span != 0 ? 100 * (double)thread->running_ns / (double)span : 0;
    int left = TID_COLUMNS + NAME_COLUMNS;

    grid_printf(grid, at, left, 1,
                letter == 'R'   ? ROLE_GOOD
                : letter == 'D' ? ROLE_WARN
                : letter == 'T' ? ROLE_ALARM
                                : ROLE_DIM,
                "%c", letter);
    left += STATE_COLUMNS;
    grid_printf(grid, at, left, CPU_COLUMNS - 1, cpu >= 0.05 ? ROLE_NORMAL : ROLE_DIM, "%6.1f",
                cpu);
    if (layout->parts >= 0)
        render_parts(thread, grid, at, layout->parts);
    if (layout->gil >= 0)
        render_gil(grid, at, layout->gil, thread, span);
}

static void render_name(struct grid *grid, int at, int32_t id, const char *name, int indent,
                        enum role role)
{
    grid_printf(grid, at, 0, TID_COLUMNS - 1, role, "%6d", (int)id);
    grid_text(grid, at, TID_COLUMNS + indent, NAME_COLUMNS - 1 - indent, role, name);
}

void threads_draw_row(const struct screen_input *input, struct grid *grid, int at,
                      const struct fold_thread *thread, const struct threads_layout *layout,
                      int indent)
{
    const struct profile_thread *facts = threads_facts(input, thread);
    bool gone = threads_gone(input, thread), said;

    render_name(grid, at, facts->tid, facts->name, indent, gone ? ROLE_DIM : ROLE_NORMAL);
    render_shares(input, grid, at, thread, layout, letter_of(input, thread));
    if (layout->spark >= 0)
        render_spark(input, grid, at, layout, thread->thread);
    if (layout->io >= 0 && !gone)
        render_io(input, grid, at, layout->io, facts);
    said = render_top(input, grid, at, layout->top, thread);
    if (gone && (layout->io >= 0 || !said))
        render_gone(input, grid, at, layout->io >= 0 ? layout->io : layout->top, thread);
}

void threads_draw_process(const struct screen_input *input, struct grid *grid, int at,
                          const struct fold_thread *sum, uint32_t count, bool open,
                          const struct threads_layout *layout)
{
    const struct profile_thread *facts = threads_facts(input, sum);

    render_name(grid, at, facts->pid, facts->name, 0, ROLE_TITLE);
    render_shares(input, grid, at, sum, layout, letter_of(input, sum));
    grid_printf(grid, at, layout->top, grid->columns - layout->top, ROLE_DIM,
                ngettext("%s process of %u thread", "%s process of %u threads", count),
                open ? "-" : "+", count);
}
