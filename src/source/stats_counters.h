/* SPDX-License-Identifier: MIT */
/* Hardware counters that share the few there are in the CPU. */
#ifndef PROFTOP_SOURCE_STATS_COUNTERS_H
#define PROFTOP_SOURCE_STATS_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gauge;
struct round;

enum counter_id {
    COUNTER_INSTRUCTIONS,
    COUNTER_CYCLES,
    COUNTER_CACHE_MISSES,
    COUNTER_BRANCH_MISSES,
    COUNTERS
};

/* One counter, and for how long it has been wanted and in the CPU. */
struct counter_reading {
    uint64_t value, enabled_ns, running_ns;
};

/*
 * What read() of a group of COUNT counters gave, SIZE_BYTES of it; false when it is not that: the
 * kernel gives nothing of a group that had an error.
 */
bool counter_group_parse(const uint64_t *words, size_t size_bytes, uint32_t count,
                         struct counter_reading *readings);

/*
 * What the counter would have counted from BEFORE to NOW had it always been in the CPU; false when
 * it was not there at all.
 */
bool counter_growth(const struct counter_reading *before, const struct counter_reading *now,
                    double *growth);

/* Whether it was wanted all the while and never got into the CPU: others have the counters. */
bool counter_starved(const struct counter_reading *before, const struct counter_reading *now);

/* What was counted in a round, by counter_id. */
struct counter_growths {
    double values[COUNTERS];
    bool known[COUNTERS];
    bool starved[COUNTERS];
};

/*
 * The lanes of GROWTHS: rates, and instructions by cycles.  A thread's are called NAME; TID 0 is
 * the whole target.  GAUGES: COUNTERS + 1 of them, which belong to these lanes.
 */
void counter_growths_put(struct round *round, struct gauge *gauges, const char *name, int32_t pid,
                         int32_t tid, const struct counter_growths *growths);

#endif
