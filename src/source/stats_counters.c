/* SPDX-License-Identifier: MIT */
/*
 * Instructions, cycles, cache and branch misses of the target's threads by perf_event_open().  The
 * counters of a thread are a group, so that they count during the same time and their ratios are
 * true ones even when the CPU has too few of them and groups take turns:
 *
 *     thread 101   instructions ◄─ cycles, cache misses, branch misses    a read() of the leader
 *     thread 102   instructions ◄─ cycles                                 gives all of a group;
 *                  cache misses ◄─ branch misses                          what does not fit leads
 *                                                                         a group of its own
 *
 * What threads did before the first round that sees them is not counted.  Where there are no
 * hardware counters (most virtual machines), or they are not permitted, the lanes say so.
 */
#include "config.h"

#include "stats_counters.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/proc.h"
#include "stats.h"

enum { THREADS_MAX = 64, PROCESSES_MAX = 64, LANES = COUNTERS + 1 };

static const struct counter {
    uint64_t config;
    struct lane_kind kind;
} counters[COUNTERS] = {
    [COUNTER_INSTRUCTIONS] = { PERF_COUNT_HW_INSTRUCTIONS,
                               { "instructions", N_("instructions"), LANE_TARGET, UNIT_PER_SECOND,
                                 0, false } },
    [COUNTER_CYCLES] = { PERF_COUNT_HW_CPU_CYCLES,
                         { "cycles", N_("cycles"), LANE_TARGET, UNIT_PER_SECOND, 0, false } },
    [COUNTER_CACHE_MISSES] = { PERF_COUNT_HW_CACHE_MISSES,
                               { "cache_misses", N_("cache misses"), LANE_TARGET, UNIT_PER_SECOND,
                                 0, true } },
    [COUNTER_BRANCH_MISSES] = { PERF_COUNT_HW_BRANCH_MISSES,
                                { "branch_misses", N_("branch misses"), LANE_TARGET,
                                  UNIT_PER_SECOND, 0, true } },
};
static const struct lane_kind kind_ipc = { "ipc", N_("IPC"), LANE_TARGET, UNIT_RATIO, 0, false };

/* Counters that are read in one go. */
struct group {
    int fds[COUNTERS]; /* the leader's first */
    enum counter_id ids[COUNTERS];
    uint32_t count;
};

struct thread {
    int32_t pid, tid;
    uint64_t seen; /* round + 1 */
    char name[PROC_NAME_MAX];
    struct group groups[COUNTERS];
    uint32_t group_count;
    struct counter_reading last[COUNTERS];
    bool has_last[COUNTERS];
    struct gauge gauges[LANES];
};

struct counters_state {
    struct thread *threads;
    size_t count, capacity;
    bool none;           /* there are none here: not tried again */
    bool told[COUNTERS]; /* why this one is absent */
    struct gauge gauges[LANES];
};

/* ---- reading --------------------------------------------------------------------------------- */

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

bool counter_starved(const struct counter_reading *before, const struct counter_reading *now)
{
    return now->enabled_ns > before->enabled_ns && now->running_ns == before->running_ns;
}

bool counter_group_parse(const uint64_t *words, size_t size_bytes, uint32_t count,
                         struct counter_reading *readings)
{
    enum { NUMBER, ENABLED, RUNNING, VALUES };

    if (size_bytes < VALUES * sizeof(*words) || words[NUMBER] != count ||
        size_bytes != (VALUES + (size_t)count) * sizeof(*words))
        return false;
    for (uint32_t i = 0; i < count; i++)
        readings[i] = (struct counter_reading){ words[VALUES + i], words[ENABLED], words[RUNNING] };
    return true;
}

void counter_growths_put(struct round *round, struct gauge *gauges, const char *name, int32_t pid,
                         int32_t tid, const struct counter_growths *growths)
{
    for (int i = 0; i < LANES; i++) {
        struct lane_kind kind = i < COUNTERS ? counters[i].kind : kind_ipc;
        bool known = i < COUNTERS ? growths->known[i]
                                  : growths->known[COUNTER_INSTRUCTIONS] &&
                                        growths->values[COUNTER_CYCLES] > 0;

        if (!known)
            continue;
        if (gauges[i].lane_plus_1 == 0 && tid != 0) {
            kind.group = LANE_THREAD;
            kind.label = name;
            kind.alarming = false;
        }
        if (gauges[i].lane_plus_1 == 0)
            gauges[i].lane_plus_1 = round_lane(round, &kind, NULL, pid, tid) + 1;
        round_put(round, gauges[i].lane_plus_1 - 1,
                  i < COUNTERS
                      ? growths->values[i] / round->seconds
                      : growths->values[COUNTER_INSTRUCTIONS] / growths->values[COUNTER_CYCLES]);
    }
}

static void read_group(struct thread *thread, const struct group *group,
                       struct counter_growths *growths)
{
    uint64_t words[3 + COUNTERS];
    struct counter_reading now[COUNTERS];
    ssize_t got = read(group->fds[0], words, sizeof(words));

    if (got < 0 || !counter_group_parse(words, (size_t)got, group->count, now))
        return;
    for (uint32_t i = 0; i < group->count; i++) {
        enum counter_id id = group->ids[i];
        double growth;

        if (thread->has_last[id] && counter_growth(&thread->last[id], &now[i], &growth)) {
            growths->values[id] += growth;
            growths->known[id] = true;
        } else if (thread->has_last[id]) {
            growths->starved[id] |= counter_starved(&thread->last[id], &now[i]);
        }
        thread->last[id] = now[i];
        thread->has_last[id] = true;
    }
}

/* ---- which threads --------------------------------------------------------------------------- */

static int open_event(int32_t tid, uint64_t config, int leader)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attr),
        .config = config,
        .read_format =
            PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
    };
    int fd = (int)syscall(SYS_perf_event_open, &attr, tid, -1, leader, PERF_FLAG_FD_CLOEXEC);

    if (fd < 0 && (errno == EACCES || errno == EPERM)) {
        attr.exclude_kernel = 1;
        fd = (int)syscall(SYS_perf_event_open, &attr, tid, -1, leader, PERF_FLAG_FD_CLOEXEC);
    }
    return fd;
}

static const char *reason_of(int saved_errno, char *text, size_t size)
{
    if (saved_errno == ENOENT || saved_errno == ENODEV || saved_errno == EOPNOTSUPP)
        return _("not available here: this CPU or virtual machine offers no such counter");
    if (saved_errno == EACCES || saved_errno == EPERM)
        return _("not permitted: see kernel.perf_event_paranoid");
    if (saved_errno == ENOSPC)
        return _("no counter of the CPU is free: the samples of this recording, or somebody else, "
                 "have them");
    snprintf(text, size, _("not available here: perf_event_open: %s"), strerror(saved_errno));
    return text;
}

static void tell_absent(struct counters_state *state, struct round *round, enum counter_id id,
                        int saved_errno)
{
    char text[256];

    if (!state->told[id])
        lane_absent(round, &counters[id].kind, reason_of(saved_errno, text, sizeof(text)));
    state->told[id] = true;
}

/* A counter joins the newest group, or begins one when it does not fit in there. */
static bool open_counter(struct thread *thread, enum counter_id id)
{
    struct group *group = &thread->groups[thread->group_count > 0 ? thread->group_count - 1 : 0];
    int fd = -1;

    if (group->count > 0)
        fd = open_event(thread->tid, counters[id].config, group->fds[0]);
    if (fd < 0 && (group->count == 0 || errno == EINVAL || errno == ENOSPC)) {
        fd = open_event(thread->tid, counters[id].config, -1);
        if (fd >= 0)
            group = &thread->groups[thread->group_count++];
    }
    if (fd < 0)
        return false;
    group->ids[group->count] = id;
    group->fds[group->count++] = fd;
    return true;
}

/* False when there is no such counter for a thread that lives. */
static bool open_thread(struct counters_state *state, struct round *round, struct thread *thread)
{
    bool gone = false;
    struct proc_stat stat;

    if (proc_stat(round->proc_root, thread->pid, thread->tid, &stat))
        memcpy(thread->name, stat.name, sizeof(thread->name));
    for (int id = 0; id < COUNTERS; id++) {
        if (open_counter(thread, (enum counter_id)id))
            continue;
        gone |= errno == ESRCH;
        if (errno != ESRCH)
            tell_absent(state, round, (enum counter_id)id, errno);
    }
    return thread->group_count > 0 || gone;
}

static void close_thread(struct thread *thread)
{
    for (uint32_t i = 0; i < thread->group_count; i++)
        for (uint32_t k = 0; k < thread->groups[i].count; k++)
            close(thread->groups[i].fds[k]);
}

static void see_thread(struct counters_state *state, struct round *round, int32_t pid, int32_t tid)
{
    struct thread thread = { .pid = pid, .tid = tid, .seen = round->number + 1 };

    for (size_t i = 0; i < state->count; i++) {
        if (state->threads[i].tid == tid) {
            state->threads[i].seen = round->number + 1;
            return;
        }
    }
    if (state->count == THREADS_MAX || state->none)
        return;
    if (!open_thread(state, round, &thread))
        state->none = true;
    if (thread.group_count == 0)
        return;
    state->threads =
        array_reserve(state->threads, &state->capacity, state->count + 1, sizeof(*state->threads));
    state->threads[state->count++] = thread;
}

static void forget_ended(struct counters_state *state, uint64_t seen)
{
    size_t kept = 0;

    for (size_t i = 0; i < state->count; i++) {
        if (state->threads[i].seen != seen)
            close_thread(&state->threads[i]);
        else
            state->threads[kept++] = state->threads[i];
    }
    state->count = kept;
}

static void see_threads(struct counters_state *state, struct round *round)
{
    struct target_process processes[PROCESSES_MAX];
    size_t count = target_processes(round->target, processes, PROCESSES_MAX, false);

    for (size_t i = 0; i < count && i < PROCESSES_MAX; i++) {
        struct proc_ids tids = { 0 };

        proc_tids(round->proc_root, processes[i].pid, &tids);
        for (size_t k = 0; k < tids.count; k++)
            see_thread(state, round, processes[i].pid, tids.ids[k]);
        proc_ids_fini(&tids);
    }
    forget_ended(state, round->number + 1);
}

/* ---- the reader ------------------------------------------------------------------------------ */

static void *counters_open(struct round *round)
{
    struct counters_state *state = xcalloc(1, sizeof(*state));

    if (round->live)
        see_threads(state, round);
    state->none |= !round->live;
    if (state->none)
        lane_absent(round, &kind_ipc, _("not available here: it needs instructions and cycles"));
    return state;
}

static void counters_read(void *opaque, struct round *round)
{
    struct counters_state *state = opaque;
    struct counter_growths sums = { 0 };

    if (state->none)
        return;
    see_threads(state, round);
    for (size_t i = 0; i < state->count; i++) {
        struct thread *thread = &state->threads[i];
        struct counter_growths growths = { 0 };

        for (uint32_t k = 0; k < thread->group_count; k++)
            read_group(thread, &thread->groups[k], &growths);
        if (round->seconds <= 0)
            continue;
        counter_growths_put(round, thread->gauges, thread->name, thread->pid, thread->tid,
                            &growths);
        for (int id = 0; id < COUNTERS; id++) {
            sums.values[id] += growths.values[id];
            sums.known[id] |= growths.known[id];
            sums.starved[id] |= growths.starved[id];
        }
    }
    for (int id = 0; id < COUNTERS; id++)
        if (sums.starved[id] && !sums.known[id])
            tell_absent(state, round, (enum counter_id)id, ENOSPC);
    if (round->seconds > 0)
        counter_growths_put(round, state->gauges, NULL, 0, 0, &sums);
}

static void counters_close(void *opaque)
{
    struct counters_state *state = opaque;

    for (size_t i = 0; i < state->count; i++)
        close_thread(&state->threads[i]);
    free(state->threads);
    free(state);
}

const struct stats_reader stats_counters = { counters_open, counters_read, counters_close };
