/* SPDX-License-Identifier: MIT */
/*
 * The range of a fold cut into equal pieces of time, with what the machine and the target did in
 * each: the rows of the time view, the members of the JSON report, the columns of the page.
 *
 *     buckets   [start, end)  samples, tally, others
 *     values    one a bucket and lane; NAN where the lane has none
 */
#ifndef EXPORT_BUCKETS_H
#define EXPORT_BUCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "proftop/fold.h"
#include "proftop/timeline.h"

struct bucket {
    uint64_t start_ns;
    uint64_t samples; /* of running threads */
    struct timeline_tally tally;
};

struct buckets {
    uint64_t start_ns, bucket_ns;
    struct bucket *buckets;
    uint32_t count;
    const struct lane **lanes; /* of the system and of the whole target, by group then key */
    size_t lane_count;
    double *values; /* [lane * count + bucket] */
    struct timeline *timeline;
};

/*
 * Buckets of BUCKET_NS, or longer where that would be too many; 0: a second, or as often as lanes
 * were read.
 */
void buckets_init(struct buckets *buckets, const struct fold *fold, uint64_t bucket_ns);
void buckets_fini(struct buckets *buckets);
/* The lane of GROUP and KEY, or -1. */
int buckets_lane(const struct buckets *buckets, enum lane_group group, const char *key);
double buckets_value(const struct buckets *buckets, size_t bucket, size_t lane);
/* The bucket of TIME_NS, the last one for what lies behind it. */
uint32_t buckets_at(const struct buckets *buckets, uint64_t time_ns);
/* When BUCKET begins, in seconds from the start of the recording. */
double buckets_seconds(const struct buckets *buckets, const struct fold *fold, size_t bucket);

#endif
