/* SPDX-License-Identifier: MIT */
/*
 * The range of a fold second by second: what the machine and the target did in each bucket.
 *
 *     buckets   [start, end)  samples, tally, others
 *     values    one a bucket and lane; NAN where the lane has none
 */
#ifndef EXPORT_TIMELINE_H
#define EXPORT_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "proftop/fold.h"

enum { BUCKET_OTHERS_MAX = 8 };

struct bucket {
    uint64_t start_ns, end_ns;
    uint64_t samples; /* of running threads */
    struct record_tally tally;
    struct other_process others[BUCKET_OTHERS_MAX];
    uint32_t other_count;
};

struct timeline {
    uint64_t bucket_ns;
    struct bucket *buckets;
    size_t count, capacity;
    const struct lane **lanes; /* of the system and of the whole target, by group then key */
    size_t lane_count;
    double *values; /* [bucket * lane_count + lane] */
    size_t value_capacity;
};

void timeline_of(const struct fold *fold, struct timeline *timeline);
void timeline_fini(struct timeline *timeline);
/* The lane of GROUP and KEY, or -1. */
int timeline_lane(const struct timeline *timeline, enum lane_group group, const char *key);
double timeline_value(const struct timeline *timeline, size_t bucket, size_t lane);

#endif
