/* SPDX-License-Identifier: MIT */
/*
 * A profile held ready for comparing: its samples in scope by blocks of time, brought up to date as
 * it grows, so that each new range costs milliseconds and no fold.
 *
 *     profile ──contrast_update()──► blocks ──► a range against the rest     (Time view)
 *                                          ├──► a range against another      (diff --range)
 *                                          ├──► one profile against another  (diff)
 *                                          └──► a lane's high seconds against the others (lift)
 *
 * One thread at a time.  What the words say: functions that ran during a range, not because of it.
 */
#ifndef PROFTOP_CONTRAST_H
#define PROFTOP_CONTRAST_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/blocks.h"
#include "proftop/compare.h"
#include "proftop/error.h"
#include "proftop/lane.h"
#include "proftop/profile.h"
#include "proftop/scope.h"

struct timeline;
struct contrast;

struct contrast *contrast_new(void);
void contrast_free(struct contrast *contrast);

/* PROFILE through SCOPE, whose range makes no difference here.  False for a bad filter. */
bool contrast_update(struct contrast *contrast, struct profile *profile, const struct scope *scope,
                     struct error *error);
const struct blocks *contrast_blocks(const struct contrast *contrast);

/*
 * The comparisons; each is freed by comparison_free().  Ranges are [start, end) of the profile's
 * clock, 0 and UINT64_MAX for all of it; a block counts as inside when its middle is.
 */
struct comparison *contrast_rest(const struct contrast *contrast, uint64_t start_ns,
                                 uint64_t end_ns, const struct compare_options *options);

struct contrast_range {
    struct contrast *contrast;
    uint64_t start_ns, end_ns;
};

/*
 * A against B.  Where they are of different profiles, functions of the same kind, name and module
 * are the same, and rows hold A's ids; functions that only B has get ids among A's names.
 */
struct comparison *contrast_ranges(const struct contrast_range *a, const struct contrast_range *b,
                                   const struct compare_options *options);

/* The seconds in LANE's top decile against the others; NULL when the lane does not move enough. */
struct comparison *contrast_lift(const struct contrast *contrast, const struct timeline *timeline,
                                 lane_id lane, const struct compare_options *options);

/*
 * The cores that FUNCTION (its self time, or its total) kept busy in each of COUNT buckets: where
 * it ran.
 */
void contrast_series(const struct contrast *contrast, function_id function, bool total,
                     uint64_t start_ns, uint64_t bucket_ns, uint32_t count, double *cores);

#endif
