/* SPDX-License-Identifier: MIT */
/* What the files of the perf source share: perf.c, perf_take.c, perf_watch.c. */
#ifndef PROFTOP_SOURCE_PERF_PRIVATE_H
#define PROFTOP_SOURCE_PERF_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emit.h"
#include "pending.h"
#include "perf_events.h"
#include "perf_record.h"
#include "proftop/source.h"
#include "rate.h"
#include "roster.h"
#include "waiting.h"

/* Counts since the last check of how well it goes. */
struct perf_watch {
    uint64_t checked_ns, scanned_ns, jittered_ns;
    uint64_t scan_every_ns;
    uint64_t target_cpu_ns;      /* at the last check */
    uint64_t thread_cpu_ns;      /* our own, at the last check */
    uint64_t received, lost;     /* since the last check */
    uint64_t told_ns;            /* what samples weighed, likewise */
    uint64_t kernel_unseen_ns;   /* time in the kernel that could not be sampled, likewise */
    uint64_t covered_ns, due_ns; /* over the last seconds: what samples stood for, what was used */
    bool all_seen;               /* since the last check the whole machine is sampled */
    struct short_lives lives;
    uint32_t rounds; /* checks since covered_ns and due_ns began */
    struct rate rate;
    uint32_t blind_rounds; /* so often in a row most was unseen */
    bool told_unseen;
    bool checked;                        /* at least once */
    struct proc_ids strangers, suspects; /* tids that nobody told about: this scan's, the last's */
};

/* What was counted and is to be told by samples: perf_counted.c. */
struct perf_counted {
    uint64_t total;            /* at the last look */
    uint64_t owed;             /* by samples to come */
    uint64_t fast, slow;       /* growth since … */
    uint64_t fast_ns, slow_ns; /* … these moments */
    uint64_t lost;             /* not told yet */
    double scale, carry;       /* of this step's weights */
};

struct leaving {
    int32_t tid; /* 0: it stayed */
    uint64_t exit_ns;
};

/* Threads whose exit was told and whose memory is still taken apart, the oldest first. */
struct perf_leaving {
    struct leaving *threads;
    size_t count, capacity;
};

struct perf {
    struct source_config config;
    struct target *target;
    struct emit emit;
    struct perf_events events;
    int ready_fd; /* an epoll of the rings, wake_fd and exit_fd; poll() would ask each every time */
    int exit_fd;  /* becomes readable when the target's first process ends; or -1 */
    struct roster roster;
    struct pending pending;
    struct waiting waiting;
    struct perf_watch watch;
    struct perf_counted counted;
    struct perf_leaving leaving;
    bool started; /* the first step has run */
    bool system_allowed;
    bool show_kernel;
    int32_t python_pid;       /* a process whose Python frames are missed; 0: none */
    bool blind;               /* most of the target's time is in lives too short to be seen … */
    unsigned unseen_pct;      /* … so much of it */
    uint64_t last_record_ns;  /* where the watermark may go */
    bool beside_dropped;      /* not all that was wanted is counted */
    uint64_t beside_since_ns; /* what is counted beside samples is told by events opened then */
    struct frame kernel[128];
};

/* perf_take.c: reads what is in the rings, in the order of time. */
void perf_take(struct perf *perf, uint64_t now_ns);
/*
 * Compares what was told of the threads just looked at with what schedstat says: the next samples
 * are corrected, and time in the kernel that may not be sampled is told as such.
 */
void perf_settle(struct perf *perf, uint64_t now_ns);

/* perf_watch.c: new threads nobody told about, coverage, rate, stack size; at most twice a second.
 */
void perf_watch_start(struct perf *perf, uint64_t now_ns);
void perf_watch(struct perf *perf, uint64_t now_ns);
/* Sends the tally; returns our own CPU time since the last one. */
uint64_t perf_watch_tally(struct perf *perf, uint64_t now_ns);
void perf_watch_fini(struct perf *perf);
/* Opens events for PROCESS, which has lost its own; if that is refused the next scan tries again.
 */
void perf_watch_attach_again(struct perf *perf, struct tracked *process);
/* Opens all events anew, as the wish is now. */
void perf_watch_reopen(struct perf *perf);

/*
 * perf_counted.c, for events that are not time: around each perf_take().  Begin finds the weights
 * of the samples up to NOW_NS; end changes the period where it no longer fits.
 */
void perf_counted_begin(struct perf *perf, uint64_t now_ns);
uint64_t perf_counted_weight(struct perf *perf, const struct perf_sample *sample);
void perf_counted_end(struct perf *perf, uint64_t now_ns);

/*
 * perf_beside.c: puts into COUNTED what came to THREAD's counters since its last sample in that
 * ring.  All begin anew when the events do; stop is for events that are opened anew thereafter.
 */
void perf_beside_take(const struct perf *perf, struct thread *thread, size_t ring,
                      const struct perf_sample *sample, uint64_t counted[COUNTED]);
void perf_beside_restart(struct perf *perf);
void perf_beside_stop(struct perf *perf, uint64_t now_ns, const char *why);

/* perf_hand_over.c: counts time of PROCESS, which may run Python that this source cannot show. */
void perf_python_count(struct perf *perf, struct tracked *process, uint64_t weight_ns);
/* Says, once, how much is missed. */
void perf_tell_unseen(struct perf *perf, uint64_t now_ns);
/* Whether the ptrace source is to take over; says why. */
bool perf_hand_over(struct perf *perf, uint64_t now_ns);

#endif
