/* SPDX-License-Identifier: MIT */
/*
 * A source takes samples or counters and pushes them as records into its ring.  Each runs on a
 * thread of its own: open, step and stop are called on that thread only (ptrace binds to it).
 *
 * Implementations, the smallest first: source/stats.c (system counters), source/perf.c,
 * source/ptrace.c, source/waiting.c.
 */
#ifndef PROFTOP_SOURCE_H
#define PROFTOP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/record.h"

struct codes;
struct lanes;
struct modules;
struct ring;
struct target;
struct unwinder;

struct source_config {
    uint32_t rate_hz;
    const char *event;  /* NULL: CPU time */
    bool kernel;        /* kernel frames wanted */
    bool python;        /* Python frames wanted */
    bool hands_over;    /* may give SOURCE_HANDS_OVER */
    bool waiting;       /* waiting samples wanted */
    uint64_t period_ns; /* of counters */
    struct modules *modules;
    struct codes *codes;
    struct lanes *lanes;
    struct unwinder *unwinder;
    int wake_fd; /* an eventfd to poll along: readable means step() should return soon */
};

struct source;

/* What step() gives when the target has become one for SUCCESSOR, which is to be opened instead. */
enum { SOURCE_HANDS_OVER = 1 };

struct source_ops {
    const char *name;
    const struct source_ops *successor; /* or NULL */
    /* Whether it could work here; if not, why not, in words, and the way on. */
    bool (*probe)(const struct target *target, const struct source_config *config,
                  struct error *error);
    struct source *(*open)(struct target *target, const struct source_config *config,
                           struct error *error);
    /*
     * Waits for work, 250 ms or until wake_fd, does it, emits records.  0; SOURCE_HANDS_OVER; or
     * -errno: it ended.
     */
    int (*step)(struct source *source, struct ring *ring);
    /*
     * The last on its thread, before close(): takes what there is left to take.  With the thread,
     * which should end soon, goes the hold that ptrace has of the target.
     */
    void (*stop)(struct source *source);
    /* Emits what is left, if there was a step, and frees it; best when its thread has ended. */
    void (*close)(struct source *source);
};

extern const struct source_ops source_perf;
extern const struct source_ops source_ptrace;
extern const struct source_ops source_stats;
/* The counters alone, in place of a source that samples: needs no privilege; ends with TARGET. */
extern const struct source_ops source_system;

/* What samples that EVENT drives are counted as: METRIC_TIME for NULL, for clocks and cycles. */
enum metric source_metric(const char *event);

/* The source to use for TARGET and, in REASON, one sentence why.  NULL when none works. */
const struct source_ops *source_choose(const struct target *target,
                                       const struct source_config *config, char *reason,
                                       unsigned reason_size, struct error *error);

#endif
