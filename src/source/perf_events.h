/* SPDX-License-Identifier: MIT */
/*
 * The kernel's events of the perf source and the rings they write into.
 *
 *     threads mode   thread × CPU events, inherited by what the thread starts; each may lead a
 *                    group of others that are counted and told with its samples
 *     system mode    one event a CPU that sees every task; the source keeps the target's
 *
 * All events of a CPU share its ring.  Private to source/; the source's thread.
 */
#ifndef PROFTOP_SOURCE_PERF_EVENTS_H
#define PROFTOP_SOURCE_PERF_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf_names.h"
#include "perf_ring.h"
#include "proftop/target.h"

enum { PERF_EVENTS_MAX = 4096 };

struct perf_wish {
    struct perf_name event;
    uint32_t rate_hz;
    uint64_t period;                  /* of software events that are counted; 0: not such a one */
    uint32_t stack_bytes;             /* of each sample */
    bool kernel;                      /* sample in the kernel, with its call chain */
    bool children;                    /* processes that are forked belong to it */
    bool groups;                      /* samples tell what is counted */
    struct perf_name beside[COUNTED]; /* what is counted beside EVENT, in the order of a group */
    unsigned beside_count;
};

struct perf_events {
    struct perf_wish wish;
    bool system;
    struct perf_ring *rings; /* one a CPU that is online */
    size_t ring_count;
    int *fds;
    size_t count, capacity;
    size_t most;          /* of them and their members together */
    struct perf_members { /* what is counted beside them */
        int *fds;
        size_t count, capacity;
    } members;
    size_t jittered;           /* which of them got another period last */
    uint64_t jitter_passed_ns; /* since another was due, times their count */
    uint64_t random;
};

/* Whether so many threads can have an event each on every CPU. */
bool perf_events_have_room(size_t threads);

/* What a sample holds: PERF_SAMPLE_* bits. */
uint64_t perf_wish_layout(const struct perf_wish *wish);
/*
 * Opens one event on TID as a trial and closes it.  0 or -errno; clears WISH->kernel where only
 * that is refused.
 */
int perf_events_try(struct perf_wish *wish, int32_t tid);
/*
 * The same with what is counted beside it.  *REFUSED: which of those failed; 0 also where none can
 * be, because samples do not tell what is counted before Linux 6.13.
 */
int perf_events_try_beside(const struct perf_wish *wish, int32_t tid, unsigned *refused);
/* Whether system-wide events are permitted. */
bool perf_events_system_allowed(const struct perf_wish *wish);

/* Opens the rings; no events yet.  -errno on failure. */
int perf_events_init(struct perf_events *events, const struct perf_wish *wish);
void perf_events_fini(struct perf_events *events);

/* Adds the events of TID.  -ESRCH when it is gone, -EMFILE when there would be too many. */
int perf_events_attach(struct perf_events *events, int32_t tid);
/* Replaces all events by system-wide ones. */
int perf_events_go_system(struct perf_events *events);
/*
 * Opens the events of TIDS anew as the wish says now, then closes the old ones: what a thread has
 * inherited cannot be changed otherwise.
 */
int perf_events_reopen(struct perf_events *events, const int32_t *tids, size_t count);

/* What a sample stands for: nanoseconds for METRIC_TIME without a PMU. */
uint64_t perf_events_period(const struct perf_events *events);
/*
 * Gives the events, one after the other, a period off by up to an eighth, which what they start
 * from now on inherits: a program whose rounds are as long as a slice of CPU time, or a few, is
 * common, and must not run in step with its samples.  ELAPSED_NS is since the last call.
 */
void perf_events_jitter(struct perf_events *events, uint64_t elapsed_ns);
/* What the events have counted together, ended threads included. */
uint64_t perf_events_total(const struct perf_events *events);

#endif
