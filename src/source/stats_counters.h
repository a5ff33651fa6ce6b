/* SPDX-License-Identifier: MIT */
/* Hardware counters that share the few there are in the CPU. */
#ifndef PROFTOP_SOURCE_STATS_COUNTERS_H
#define PROFTOP_SOURCE_STATS_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

/* What read() of an event with both times gives. */
struct counter_reading {
    uint64_t value, enabled_ns, running_ns;
};

/*
 * What the counter would have counted from BEFORE to NOW had it always been in the CPU; false when
 * it was not there at all.
 */
bool counter_growth(const struct counter_reading *before, const struct counter_reading *now,
                    double *growth);

#endif
