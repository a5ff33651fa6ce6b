/* SPDX-License-Identifier: MIT */
/* What the parts of the timeline share: timeline.c keeps, timeline_series.c resamples, … */
#ifndef PROFTOP_PROFILE_TIMELINE_PRIVATE_H
#define PROFTOP_PROFILE_TIMELINE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/index.h"
#include "proftop/timeline.h"

struct lane_values {
    float *values; /* by tick */
    size_t count, capacity;
};

struct tally {
    uint64_t start_ns, end_ns;
    struct timeline_tally sums;
};

struct timeline {
    struct profile *profile;
    uint64_t serial, version;
    struct index index; /* lanes by group, key, pid and tid … */
    uint32_t indexed;   /* … so many of them */
    uint64_t *ticks;    /* when each ended */
    size_t tick_count, tick_capacity;
    struct lane_values *values; /* by lane_id */
    size_t lane_count, lane_capacity;
    struct tally *tallies; /* in order of time */
    size_t tally_count, tally_capacity;
    struct timeline_spike *spikes; /* what timeline_spikes() found … */
    size_t spike_count, spike_capacity;
    size_t spike_ticks, spike_tallies; /* … when there were so many of them */
};

/* The first tick that ends after TIME_NS. */
size_t timeline_tick_after(const struct timeline *timeline, uint64_t time_ns);

/* A lane's values one after the other, each with the time it is about. */
struct reading {
    uint64_t start_ns, end_ns;
    double value;
};

struct readings {
    const struct timeline *timeline;
    lane_id lane;
    bool zero; /* no value means 0 */
    size_t tick;
    uint64_t last_ns; /* where the one before ended; 0: none */
};

/* From the reading that TIME_NS lies in. */
void readings_from(const struct timeline *timeline, lane_id lane, uint64_t time_ns,
                   struct readings *readings);
bool readings_next(struct readings *readings, struct reading *reading);

#endif
