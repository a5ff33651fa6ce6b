/* SPDX-License-Identifier: MIT */
/* The range of a fold cut into equal pieces of time. */
#include "config.h"

#include "buckets.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/figures.h"
#include "proftop/memory.h"
#include "proftop/profile.h"

enum { BUCKETS_MAX = 7200 };

/* Components of a key in order, so that neighbours share their objects in JSON. */
static int compare_keys(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (*a == '.' ? 1 : (unsigned char)*a) - (*b == '.' ? 1 : (unsigned char)*b);
}

static int by_group_and_key(const void *a, const void *b)
{
    const struct lane *first = *(const struct lane *const *)a;
    const struct lane *second = *(const struct lane *const *)b;

    if (first->group != second->group)
        return first->group < second->group ? -1 : 1;
    return compare_keys(first->key, second->key);
}

static void choose_lanes(struct buckets *buckets, const struct lanes *lanes)
{
    uint32_t count = lanes != NULL ? lanes_count(lanes) : 0;

    buckets->lanes = xcalloc((size_t)count + 1, sizeof(buckets->lanes[0]));
    for (uint32_t i = 0; i < count; i++) {
        const struct lane *lane = lanes_get(lanes, i);

        if (lane->group != LANE_THREAD && lane->pid == 0 && lane->tid == 0 &&
            timeline_has(buckets->timeline, i))
            buckets->lanes[buckets->lane_count++] = lane;
    }
    qsort(buckets->lanes, buckets->lane_count, sizeof(buckets->lanes[0]), by_group_and_key);
}

static void fill_values(struct buckets *buckets)
{
    buckets->values = xcalloc(buckets->lane_count * buckets->count + 1, sizeof(double));
    for (size_t i = 0; i < buckets->lane_count; i++)
        timeline_series(buckets->timeline, buckets->lanes[i]->id, buckets->start_ns,
                        buckets->bucket_ns, buckets->count, buckets->values + i * buckets->count);
}

static void fill_tallies(struct buckets *buckets)
{
    struct timeline_tally *tallies = xcalloc(buckets->count, sizeof(*tallies));

    timeline_tallies(buckets->timeline, buckets->start_ns, buckets->bucket_ns, buckets->count,
                     tallies);
    for (uint32_t i = 0; i < buckets->count; i++)
        buckets->buckets[i].tally = tallies[i];
    free(tallies);
}

static void fill_samples(struct buckets *buckets, const struct fold *fold)
{
    struct slice_cursor cursor;
    const struct slice *slice;

    profile_slices(fold->profile, fold->start_ns, fold->end_ns, buckets->bucket_ns, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL) {
        uint64_t middle_ns = slice_start_ns(slice) / 2 + slice_end_ns(slice) / 2;

        buckets->buckets[buckets_at(buckets, middle_ns)].samples += slice_running(slice);
    }
}

/* A second, or as often as counters were read, in tenths of a second: readings come a bit late. */
static uint64_t period_of_lanes(const struct timeline *timeline)
{
    const uint64_t tenth_ns = NS_PER_S / 10;
    lane_id lane = timeline_find(timeline, LANE_SYSTEM, "us", 0, 0);
    uint64_t period_ns = timeline_mean_period_ns(timeline, lane) + tenth_ns / 2;

    if (period_ns >= NS_PER_S || period_ns < tenth_ns)
        return NS_PER_S;
    return period_ns - period_ns % tenth_ns;
}

void buckets_init(struct buckets *buckets, const struct fold *fold, uint64_t bucket_ns)
{
    uint64_t range_ns = fold->end_ns > fold->start_ns ? fold->end_ns - fold->start_ns : 1;

    memset(buckets, 0, sizeof(*buckets));
    buckets->timeline = timeline_new();
    timeline_update(buckets->timeline, (struct profile *)fold->profile);
    if (bucket_ns == 0)
        bucket_ns = period_of_lanes(buckets->timeline);
    if (range_ns / bucket_ns >= BUCKETS_MAX)
        bucket_ns = (range_ns / BUCKETS_MAX / NS_PER_S + 1) * NS_PER_S;
    buckets->start_ns = fold->start_ns;
    buckets->bucket_ns = bucket_ns;
    buckets->count = (uint32_t)((range_ns + bucket_ns - 1) / bucket_ns);
    buckets->buckets = xcalloc(buckets->count, sizeof(struct bucket));
    for (uint32_t i = 0; i < buckets->count; i++)
        buckets->buckets[i].start_ns = buckets->start_ns + i * bucket_ns;
    choose_lanes(buckets, profile_lanes(fold->profile));
    fill_values(buckets);
    fill_tallies(buckets);
    fill_samples(buckets, fold);
}

void buckets_fini(struct buckets *buckets)
{
    timeline_free(buckets->timeline);
    free(buckets->buckets);
    free(buckets->lanes);
    free(buckets->values);
}

int buckets_lane(const struct buckets *buckets, enum lane_group group, const char *key)
{
    for (size_t i = 0; i < buckets->lane_count; i++)
        if (buckets->lanes[i]->group == group && strcmp(buckets->lanes[i]->key, key) == 0)
            return (int)i;
    return -1;
}

double buckets_value(const struct buckets *buckets, size_t bucket, size_t lane)
{
    return buckets->values[lane * buckets->count + bucket];
}

uint32_t buckets_at(const struct buckets *buckets, uint64_t time_ns)
{
    uint64_t bucket =
        time_ns > buckets->start_ns ? (time_ns - buckets->start_ns) / buckets->bucket_ns : 0;

    return bucket < buckets->count ? (uint32_t)bucket : buckets->count - 1;
}

double buckets_seconds(const struct buckets *buckets, const struct fold *fold, size_t bucket)
{
    uint64_t from_start_ns = buckets->start_ns - profile_start_ns(fold->profile);

    return (double)(from_start_ns + bucket * buckets->bucket_ns) / (double)NS_PER_S;
}
