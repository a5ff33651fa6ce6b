/* SPDX-License-Identifier: MIT */
/*
 * Instructions, cycles, cache and branch misses of the target by perf_event_open(), one event a
 * counter and thread, inherited by what these threads start.  Where there are no hardware counters
 * (most virtual machines), or they are not permitted, the lanes say so.
 *
 * Events are opened for the threads there are at the start: later ones inherit.  A group would be
 * read more exactly, but inherited events cannot be read as a group.
 */
#include "config.h"

#include "stats_counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "stats.h"

enum { COUNTERS = 4, THREADS_MAX = 64 };
enum { COUNTER_INSTRUCTIONS, COUNTER_CYCLES, COUNTER_CACHE_MISSES, COUNTER_BRANCH_MISSES };

static const struct counter {
    uint64_t config;
    struct lane_kind kind;
} counters[COUNTERS] = {
    { PERF_COUNT_HW_INSTRUCTIONS,
      { "instructions", N_("instructions"), LANE_TARGET, UNIT_PER_SECOND, 0, false } },
    { PERF_COUNT_HW_CPU_CYCLES,
      { "cycles", N_("cycles"), LANE_TARGET, UNIT_PER_SECOND, 0, false } },
    { PERF_COUNT_HW_CACHE_MISSES,
      { "cache_misses", N_("cache misses"), LANE_TARGET, UNIT_PER_SECOND, 0, true } },
    { PERF_COUNT_HW_BRANCH_MISSES,
      { "branch_misses", N_("branch misses"), LANE_TARGET, UNIT_PER_SECOND, 0, true } },
};
static const struct lane_kind kind_ipc = { "ipc", N_("IPC"), LANE_TARGET, UNIT_RATIO, 0, false };

struct event {
    int fd, counter;
    struct counter_reading last;
};

struct counters_state {
    struct event *events;
    size_t count, capacity;
    struct gauge gauges[COUNTERS], ipc;
};

bool counter_growth(const struct counter_reading *before, const struct counter_reading *now,
                    double *growth)
{
    uint64_t enabled_ns = now->enabled_ns - before->enabled_ns;
    uint64_t running_ns = now->running_ns - before->running_ns;

    if (now->value < before->value || now->enabled_ns < before->enabled_ns ||
        now->running_ns < before->running_ns || running_ns == 0)
        return false;
    *growth = (double)(now->value - before->value);
    if (enabled_ns > running_ns)
        *growth *= (double)enabled_ns / (double)running_ns;
    return true;
}

static int open_event(int32_t tid, uint64_t config)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attr),
        .config = config,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
        .inherit = 1,
    };
    int fd = (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);

    if (fd < 0 && (errno == EACCES || errno == EPERM)) {
        attr.exclude_kernel = 1;
        fd = (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    }
    return fd;
}

static const char *reason_of(int saved_errno, char *text, size_t size)
{
    if (saved_errno == ENOENT || saved_errno == ENODEV || saved_errno == EOPNOTSUPP)
        return _("not available here: this CPU or virtual machine offers no such counter");
    if (saved_errno == EACCES || saved_errno == EPERM)
        return _("not permitted: see kernel.perf_event_paranoid");
    snprintf(text, size, _("not available here: perf_event_open: %s"), strerror(saved_errno));
    return text;
}

/* False, after the first failure: what one thread lacks, all lack. */
static bool open_thread(struct counters_state *state, struct round *round, int32_t tid)
{
    bool any = false;

    for (int i = 0; i < COUNTERS; i++) {
        int fd = open_event(tid, counters[i].config);
        char text[256];

        if (fd < 0) {
            if (errno != ESRCH)
                lane_absent(round, &counters[i].kind, reason_of(errno, text, sizeof(text)));
            continue;
        }
        any = true;
        state->events = array_reserve(state->events, &state->capacity, state->count + 1,
                                      sizeof(*state->events));
        state->events[state->count++] = (struct event){ .fd = fd, .counter = i };
    }
    return any;
}

static void *counters_open(struct round *round)
{
    struct counters_state *state = xcalloc(1, sizeof(*state));
    struct target_process processes[THREADS_MAX];
    size_t count = target_processes(round->target, processes, THREADS_MAX, false);
    struct proc_ids tids = { 0 };

    for (size_t i = 0; i < count && i < THREADS_MAX; i++)
        proc_tids(round->proc_root, processes[i].pid, &tids);
    for (size_t i = 0; i < tids.count && round->live; i++) {
        if (i == THREADS_MAX || !open_thread(state, round, tids.ids[i]))
            break;
    }
    if (state->count == 0)
        lane_absent(round, &kind_ipc, _("not available here: it needs instructions and cycles"));
    proc_ids_fini(&tids);
    return state;
}

static void counters_read(void *opaque, struct round *round)
{
    struct counters_state *state = opaque;
    double sums[COUNTERS] = { 0 };
    bool any[COUNTERS] = { false };

    for (size_t i = 0; i < state->count; i++) {
        struct event *event = &state->events[i];
        struct counter_reading now;
        double growth;

        if (read(event->fd, &now, sizeof(now)) != (ssize_t)sizeof(now))
            continue;
        if (round->number > 0 && counter_growth(&event->last, &now, &growth)) {
            sums[event->counter] += growth;
            any[event->counter] = true;
        }
        event->last = now;
    }
    for (int i = 0; i < COUNTERS; i++)
        if (any[i])
            gauge_put(round, &state->gauges[i], &counters[i].kind, NULL, sums[i] / round->seconds);
    if (any[COUNTER_INSTRUCTIONS] && sums[COUNTER_CYCLES] > 0)
        gauge_put(round, &state->ipc, &kind_ipc, NULL,
                  sums[COUNTER_INSTRUCTIONS] / sums[COUNTER_CYCLES]);
}

static void counters_close(void *opaque)
{
    struct counters_state *state = opaque;

    for (size_t i = 0; i < state->count; i++)
        close(state->events[i].fd);
    free(state->events);
    free(state);
}

const struct stats_reader stats_counters = { counters_open, counters_read, counters_close };
