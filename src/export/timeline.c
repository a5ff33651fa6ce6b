/* SPDX-License-Identifier: MIT */
/* The range of a fold second by second. */
#include "config.h"

#include "timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/figures.h"
#include "proftop/memory.h"
#include "proftop/profile.h"

/* Longer ranges get longer buckets. */
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

static void choose_lanes(struct timeline *timeline, const struct lanes *lanes)
{
    uint32_t count = lanes != NULL ? lanes_count(lanes) : 0;

    timeline->lanes = xcalloc((size_t)count + 1, sizeof(timeline->lanes[0]));
    for (uint32_t i = 0; i < count; i++) {
        const struct lane *lane = lanes_get(lanes, i);

        if (lane->group != LANE_THREAD && lane->pid == 0 && lane->tid == 0 && lane->absent == NULL)
            timeline->lanes[timeline->lane_count++] = lane;
    }
    qsort(timeline->lanes, timeline->lane_count, sizeof(timeline->lanes[0]), by_group_and_key);
}

/* The bucket that begins at START_NS: the newest one, or a new one behind it. */
static struct bucket *bucket_at(struct timeline *timeline, uint64_t start_ns)
{
    struct bucket *bucket = timeline->count > 0 ? &timeline->buckets[timeline->count - 1] : NULL;

    if (bucket != NULL && bucket->start_ns >= start_ns)
        return bucket;
    timeline->buckets = array_reserve(timeline->buckets, &timeline->capacity, timeline->count + 1,
                                      sizeof(timeline->buckets[0]));
    timeline->values =
        array_reserve(timeline->values, &timeline->value_capacity,
                      (timeline->count + 1) * timeline->lane_count + 1, sizeof(double));
    for (size_t i = 0; i < timeline->lane_count; i++)
        timeline->values[timeline->count * timeline->lane_count + i] = NAN;
    bucket = &timeline->buckets[timeline->count++];
    *bucket = (struct bucket){
        .start_ns = start_ns,
        .end_ns = start_ns + timeline->bucket_ns,
    };
    return bucket;
}

static void keep_others(struct bucket *bucket, const struct slice *slice)
{
    uint32_t count;
    const struct other_process *others = slice_others(slice, &count);

    if (count > BUCKET_OTHERS_MAX)
        count = BUCKET_OTHERS_MAX;
    if (count > 0)
        memcpy(bucket->others, others, count * sizeof(others[0]));
    if (count > 0)
        bucket->other_count = count;
}

/* PARTS[lane]: how many values are in it so far. */
static void add_lanes(struct timeline *timeline, const struct slice *slice, uint32_t *parts)
{
    double *values = timeline->values + (timeline->count - 1) * timeline->lane_count;

    for (size_t i = 0; i < timeline->lane_count; i++) {
        double value;

        if (!slice_lane(slice, timeline->lanes[i]->id, &value))
            continue;
        values[i] = parts[i] == 0 ? value : values[i] + (value - values[i]) / (parts[i] + 1);
        parts[i]++;
    }
}

void timeline_of(const struct fold *fold, struct timeline *timeline)
{
    uint64_t range_ns = fold->end_ns - fold->start_ns;
    struct slice_cursor cursor;
    const struct slice *slice;
    uint32_t *parts;

    memset(timeline, 0, sizeof(*timeline));
    timeline->bucket_ns = (range_ns / BUCKETS_MAX / NS_PER_S + 1) * NS_PER_S;
    choose_lanes(timeline, profile_lanes(fold->profile));
    parts = xcalloc(timeline->lane_count + 1, sizeof(*parts));
    profile_slices(fold->profile, fold->start_ns, fold->end_ns, timeline->bucket_ns, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL) {
        size_t before = timeline->count;
        uint64_t start_ns = slice_start_ns(slice);
        struct bucket *bucket = bucket_at(timeline, start_ns - start_ns % timeline->bucket_ns);

        if (timeline->count > before)
            memset(parts, 0, timeline->lane_count * sizeof(*parts));
        if (bucket->end_ns < slice_end_ns(slice))
            bucket->end_ns = slice_end_ns(slice);
        bucket->samples += figures_running(slice);
        if (slice_tally(slice) != NULL)
            tally_add(&bucket->tally, slice_tally(slice));
        keep_others(bucket, slice);
        add_lanes(timeline, slice, parts);
    }
    free(parts);
}

void timeline_fini(struct timeline *timeline)
{
    free(timeline->buckets);
    free(timeline->lanes);
    free(timeline->values);
}

int timeline_lane(const struct timeline *timeline, enum lane_group group, const char *key)
{
    for (size_t i = 0; i < timeline->lane_count; i++)
        if (timeline->lanes[i]->group == group && strcmp(timeline->lanes[i]->key, key) == 0)
            return (int)i;
    return -1;
}

double timeline_value(const struct timeline *timeline, size_t bucket, size_t lane)
{
    return timeline->values[bucket * timeline->lane_count + lane];
}
