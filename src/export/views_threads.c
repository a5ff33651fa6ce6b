/* SPDX-License-Identifier: MIT */
/* Threads, waits and system calls of a report. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "proftop/clock.h"
#include "proftop/figures.h"
#include "proftop/profile.h"
#include "proftop/syscall.h"
#include "report_view.h"
#include "syscalls.h"

static double seconds(uint64_t time_ns)
{
    return (double)time_ns / (double)NS_PER_S;
}

/* How long THREAD lived inside the range. */
static uint64_t lifetime_ns(const struct fold *fold, const struct profile_thread *thread)
{
    uint64_t start_ns = thread->began_ns > fold->start_ns ? thread->began_ns : fold->start_ns;
    uint64_t end_ns = thread->ended_ns < fold->end_ns ? thread->ended_ns : fold->end_ns;

    return end_ns > start_ns ? end_ns - start_ns : 0;
}

/* ---- threads --------------------------------------------------------------------------------- */

static const struct column threads_columns[] = {
    { .key = "tid", .heading = "TID" },
    { .key = "name", .heading = "NAME", .left = true },
    { .key = "pid", .use = COLUMN_CSV },
    { .key = "cpu_pct", .heading = "CPU%", .decimals = 1 },
    { .key = "running_s", .heading = "RUNNING", .decimals = 2 },
    { .key = "runnable_s", .heading = "QUEUED", .decimals = 2 },
    { .key = "waiting_s", .heading = "WAITING", .decimals = 2 },
    { .key = "samples", .heading = "SAMPLES" },
    { .key = "ended", .heading = "END", .left = true },
    { .key = "top", .heading = "TOP FUNCTION", .left = true },
    { .key = "top_pct", .heading = "%", .decimals = 1 },
};

static void fill_threads(struct table *table, const struct fold *fold,
                         const struct export_options *options, bool csv)
{
    (void)csv;
    table_init(table, threads_columns, sizeof(threads_columns) / sizeof(threads_columns[0]));
    for (uint32_t i = 0; i < fold->thread_count; i++) {
        const struct fold_thread *thread = &fold->threads[i];
        const struct profile_thread *who = profile_thread(fold->profile, thread->thread);

        if (options->top > 0 && i >= options->top)
            return;
        table_number(table, who->tid);
        table_text(table, who->name);
        table_number(table, who->pid);
        table_number(table, percent(thread->running_ns, fold->end_ns - fold->start_ns));
        table_number(table, seconds(thread->running_ns));
        table_number(table, seconds(thread->runnable_ns));
        table_number(table, seconds(thread->waiting_ns));
        table_number(table, (double)thread->samples);
        table_text(table, who->ended_ns != UINT64_MAX ? "ended" : "");
        if (thread->top_weight > 0) {
            table_text(table, names_get(fold->names, thread->top)->name);
            table_number(table, percent(thread->top_weight, thread->weight));
        } else {
            table_text(table, "");
            table_empty(table);
        }
    }
}

static void about_threads(const struct fold *fold, const struct export_options *options,
                          FILE *stream)
{
    (void)options;
    fprintf(stream,
            "CPU%%: 100 is one core for the whole range of %.2f s.  RUNNING, QUEUED and WAITING "
            "are seconds.\n%% of a top function is a share of the thread's own samples in scope.\n",
            seconds(fold->end_ns - fold->start_ns));
}

const struct report_view view_threads = {
    .name = "threads",
    .fill = fill_threads,
    .about = about_threads,
};

/* ---- waits ----------------------------------------------------------------------------------- */

static const struct column waits_columns[] = {
    { .key = "tid", .heading = "TID" },
    { .key = "name", .heading = "NAME", .left = true },
    { .key = "pct", .heading = "%", .decimals = 1 },
    { .key = "seconds", .heading = "SECONDS", .decimals = 3 },
    { .key = "count", .heading = "COUNT" },
    { .key = "reason", .heading = "REASON", .left = true },
    { .key = "syscall", .heading = "SYSCALL", .left = true },
    { .key = "stack", .heading = "LONGEST AT (innermost first)", .left = true },
};

enum { STACK_TEXT_MAX = 2048, STACK_FRAMES_TEXT = 6 };

/* "futex_wait < pthread_cond_wait < worker"; in CSV all of it. */
static void put_stack(struct table *table, const struct fold *fold, stack_id stack, bool csv)
{
    char text[STACK_TEXT_MAX] = "";
    size_t used = 0;
    int frames = 0;

    for (; stack != STACK_ROOT; stack = names_parent(fold->names, stack)) {
        const struct naming *naming = names_of(fold->names, names_location(fold->names, stack));

        for (unsigned i = 0; i < naming->count && used < sizeof(text); i++) {
            if (frames++ == STACK_FRAMES_TEXT && !csv) {
                snprintf(text + used, sizeof(text) - used, " …");
                goto done;
            }
            used +=
                (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? " < " : "",
                                 names_get(fold->names, naming->frames[i].function)->name);
        }
    }
done:
    table_text(table, text);
}

static void fill_waits(struct table *table, const struct fold *fold,
                       const struct export_options *options, bool csv)
{
    unsigned rows = 0;

    table_init(table, waits_columns, sizeof(waits_columns) / sizeof(waits_columns[0]));
    for (uint32_t i = 0; i < fold->thread_count; i++) {
        const struct fold_thread *thread = &fold->threads[i];
        const struct profile_thread *who = profile_thread(fold->profile, thread->thread);

        for (uint32_t j = 0; j < thread->wait_count; j++) {
            const struct fold_wait *wait = &thread->waits[j];
            const char *name = syscall_name(wait->syscall);

            if (options->top > 0 && rows++ >= options->top)
                return;
            table_number(table, who->tid);
            table_text(table, who->name);
            table_number(table, percent(wait->time_ns, lifetime_ns(fold, who)));
            table_number(table, seconds(wait->time_ns));
            table_number(table, wait->count);
            table_text(table, wait_reason_name(wait->reason));
            table_text(table, name != NULL ? name : "");
            put_stack(table, fold, wait->stack, csv);
        }
    }
}

static void about_waits(const struct fold *fold, const struct export_options *options, FILE *stream)
{
    (void)fold;
    (void)options;
    fprintf(stream, "%% is a share of the time that the thread lived in the range.\n");
}

const struct report_view view_waits = { .name = "waits", .fill = fill_waits, .about = about_waits };

/* ---- system calls ---------------------------------------------------------------------------- */

static const struct column syscalls_columns[] = {
    { .key = "name", .heading = "SYSCALL", .left = true },
    { .key = "thread", .heading = "THREAD", .left = true },
    { .key = "count", .heading = "COUNT" },
    { .key = "errors", .heading = "ERRORS" },
    { .key = "total_s", .heading = "SECONDS", .decimals = 3 },
    { .key = "p99_us", .heading = "P99 us", .decimals = 1 },
    { .key = "exact", .heading = "COUNTED", .left = true },
    { .key = "function", .heading = "FUNCTION", .left = true },
};

static void fill_syscalls(struct table *table, const struct fold *fold,
                          const struct export_options *options, bool csv)
{
    struct syscall_rows rows;

    (void)csv;
    table_init(table, syscalls_columns, sizeof(syscalls_columns) / sizeof(syscalls_columns[0]));
    syscall_rows_of(fold, &rows);
    for (size_t i = 0; i < rows.count && (options->top == 0 || i < options->top); i++) {
        const struct syscall_row *row = &rows.rows[i];

        table_text(table, row->name);
        table_text(table, row->thread_name);
        table_number(table, (double)row->count);
        if (row->exact)
            table_number(table, (double)row->errors);
        else
            table_empty(table);
        table_number(table, seconds(row->total_ns));
        if (row->p99_ns > 0)
            table_number(table, (double)row->p99_ns / 1000);
        else
            table_empty(table);
        table_text(table, row->exact ? "yes" : "no");
        table_text(table, row->function);
    }
    syscall_rows_fini(&rows);
}

static void about_syscalls(const struct fold *fold, const struct export_options *options,
                           FILE *stream)
{
    (void)fold;
    (void)options;
    fprintf(stream, "COUNTED no: COUNT is samples that lay inside the call, SECONDS the time "
                    "they stand for.\n");
}

const struct report_view view_syscalls = {
    .name = "syscalls",
    .fill = fill_syscalls,
    .about = about_syscalls,
};
