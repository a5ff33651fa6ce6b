/* SPDX-License-Identifier: MIT */
/*
 * Inside the stats source: a round is one reading of everything, a gauge is a lane that shows a
 * value as it is, a meter is a lane that shows how fast a counter grows.
 *
 *     reader ──read──► file ──► meter_put(counter) ─┐ rate
 *                          └──► gauge_put(value) ───┼──► round: {lane, value}[] ──► RECORD_LANES
 *
 * Lanes are described when the first value comes, or by lane_absent() when none will, with the
 * reason.  All of it runs on the source's thread.
 */
#ifndef PROFTOP_SOURCE_STATS_H
#define PROFTOP_SOURCE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/lane.h"
#include "proftop/record.h"
#include "proftop/target.h"

struct ring;

/* Where things are and when it is. */
struct round {
    struct target *target;
    struct lanes *lanes;
    const char *proc_root, *files_root; /* "/proc", ""; elsewhere in tests */
    bool live;       /* proc_root is this machine's own: clocks and counters of it may be asked */
    uint64_t now_ns; /* of this round */
    double seconds;  /* since the last one; 0 in the first */
    uint64_t number; /* 0, 1, 2… */
    struct lane_value *values;
    size_t count, capacity;
    struct record_others *others; /* or NULL: none this round.  Freed by who takes the round */
};

/* What a lane is, without its ids: tables of these describe the readers' lanes. */
struct lane_kind {
    const char *key;
    const char *label; /* N_() */
    enum lane_group group;
    enum lane_unit unit;
    double ceiling;
    bool alarming;
};

struct gauge {
    uint32_t lane_plus_1; /* 0: not described yet */
};

struct meter {
    struct gauge gauge;
    uint64_t last, last_ns;
    bool has_last;
};

/* A lane whose key has a place ("disks.%s.read_bytes") is filled in with NAME, which may be NULL.
 */
uint32_t round_lane(struct round *round, const struct lane_kind *kind, const char *name,
                    int32_t pid, int32_t tid);
void round_put(struct round *round, uint32_t lane, double value);
/* The lane stays empty here, because of REASON (translated). */
void lane_absent(struct round *round, const struct lane_kind *kind, const char *reason);

void gauge_put(struct round *round, struct gauge *gauge, const struct lane_kind *kind,
               const char *name, double value);
/* COUNTER's growth a second, times SCALE. */
void meter_put(struct round *round, struct meter *meter, const struct lane_kind *kind,
               const char *name, uint64_t counter, double scale);
/* How far COUNTER went since the last round; false in the first and where it went back. */
bool meter_advance(struct round *round, struct meter *meter, uint64_t counter, uint64_t *advance);

/*
 * A reader of one subject.  open() never fails: what cannot be read here becomes absent lanes.
 */
struct stats_reader {
    void *(*open)(struct round *round);
    void (*read)(void *state, struct round *round);
    void (*close)(void *state);
};

extern const struct stats_reader stats_cpu;      /* stat, loadavg */
extern const struct stats_reader stats_memory;   /* meminfo, vmstat */
extern const struct stats_reader stats_devices;  /* diskstats, net/dev */
extern const struct stats_reader stats_pressure; /* pressure/ */
extern const struct stats_reader stats_cgroup;
extern const struct stats_reader stats_target;   /* the target's processes and their threads */
extern const struct stats_reader stats_counters; /* perf_event_open() */
extern const struct stats_reader stats_others;

/* The stats source with its own roots, for tests: a round of every reader into RING. */
struct source;
struct source *stats_open_at(struct target *target, struct lanes *lanes, const char *proc_root,
                             const char *files_root, uint64_t period_ns);
void stats_round(struct source *source, struct ring *ring, uint64_t now_ns);

#endif
