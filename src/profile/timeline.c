/* SPDX-License-Identifier: MIT */
/*
 * Readings of lanes by tick.  A tick is a moment at which some lanes were read, the end of the
 * slice that has them; a lane's value there is about the time since the lane's last value.
 *
 *     ticks    0      1      2      3
 *     us       12     15     9      ·       values[lane][tick]; what is not there is NAN
 *     vda      ·      ·      3.2    0.1
 *
 * When there are too many ticks each two become one, so that a recording of days stays small.
 */
#include "config.h"

#include "proftop/timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/hash.h"
#include "proftop/history.h"
#include "proftop/memory.h"
#include "proftop/slice.h"
#include "timeline_private.h"

enum { TICKS_MAX = 8192, TALLIES_MAX = 16384 };

/* A value is about at most this long: longer, and its device was away. */
#define GAP_MAX_NS (64 * NS_PER_S)

struct timeline *timeline_new(void)
{
    struct timeline *timeline = xcalloc(1, sizeof(*timeline));

    index_init(&timeline->index);
    return timeline;
}

static void forget(struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->lane_count; i++)
        free(timeline->values[i].values);
    timeline->lane_count = 0;
    timeline->tick_count = 0;
    timeline->tally_count = 0;
    timeline->serial = 0;
}

void timeline_free(struct timeline *timeline)
{
    if (timeline == NULL)
        return;
    forget(timeline);
    index_fini(&timeline->index);
    profile_unref(timeline->profile);
    free(timeline->values);
    free(timeline->ticks);
    free(timeline->tallies);
    free(timeline->spikes);
    free(timeline);
}

/* ---- taking in ------------------------------------------------------------------------------- */

/* The values of LANE, at least up to TICK. */
static struct lane_values *values_of(struct timeline *timeline, lane_id lane, size_t tick)
{
    struct lane_values *values;

    if (lane >= timeline->lane_count) {
        timeline->values = array_reserve(timeline->values, &timeline->lane_capacity,
                                         (size_t)lane + 1, sizeof(*timeline->values));
        memset(timeline->values + timeline->lane_count, 0,
               ((size_t)lane + 1 - timeline->lane_count) * sizeof(*timeline->values));
        timeline->lane_count = (size_t)lane + 1;
    }
    values = &timeline->values[lane];
    if (tick >= values->count) {
        values->values =
            array_reserve(values->values, &values->capacity, tick + 1, sizeof(*values->values));
        for (; values->count <= tick; values->count++)
            values->values[values->count] = NAN;
    }
    return values;
}

/* A lane of a thread says nothing where it is 0. */
static bool silent_is_zero(const struct timeline *timeline, size_t lane)
{
    const struct lane *what = lanes_get(timeline_lanes(timeline), (lane_id)lane);

    return what != NULL && what->group == LANE_THREAD;
}

static float pair_mean(float a, float b, bool zero)
{
    if (isnan(a) && isnan(b))
        return NAN;
    if (zero)
        return ((isnan(a) ? 0 : a) + (isnan(b) ? 0 : b)) / 2;
    return isnan(a) ? b : isnan(b) ? a : (a + b) / 2;
}

static void halve_ticks(struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->lane_count; i++) {
        struct lane_values *values = &timeline->values[i];
        bool zero = silent_is_zero(timeline, i);
        size_t half = (values->count + 1) / 2;

        for (size_t k = 0; k < half; k++)
            values->values[k] =
                pair_mean(values->values[2 * k],
                          2 * k + 1 < values->count ? values->values[2 * k + 1] : NAN, zero);
        values->count = half;
    }
    for (size_t k = 0; 2 * k < timeline->tick_count; k++)
        timeline->ticks[k] = timeline->ticks[2 * k + 1 < timeline->tick_count ? 2 * k + 1 : 2 * k];
    timeline->tick_count = (timeline->tick_count + 1) / 2;
}

/* The tick that ends at END_NS: the newest, or a new one.  False for what came too late. */
static bool find_tick(struct timeline *timeline, uint64_t end_ns, size_t *tick)
{
    if (timeline->tick_count > 0) {
        uint64_t newest_ns = timeline->ticks[timeline->tick_count - 1];

        *tick = timeline->tick_count - 1;
        if (end_ns <= newest_ns)
            return end_ns == newest_ns;
    }
    if (timeline->tick_count == TICKS_MAX)
        halve_ticks(timeline);
    timeline->ticks = array_reserve(timeline->ticks, &timeline->tick_capacity,
                                    timeline->tick_count + 1, sizeof(*timeline->ticks));
    *tick = timeline->tick_count;
    timeline->ticks[timeline->tick_count++] = end_ns;
    return true;
}

static void take_lanes(struct timeline *timeline, const struct slice *slice)
{
    uint32_t count;
    const struct lane_sum *lanes = slice_lanes(slice, &count);
    size_t tick;

    if (count == 0 || !find_tick(timeline, slice_end_ns(slice), &tick))
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct lane_values *values = values_of(timeline, lanes[i].lane, tick);

        values->values[tick] = (float)(lanes[i].sum / lanes[i].parts);
    }
}

static void halve_tallies(struct timeline *timeline)
{
    for (size_t k = 0; 2 * k < timeline->tally_count; k++) {
        struct tally *to = &timeline->tallies[k];

        *to = timeline->tallies[2 * k];
        if (2 * k + 1 < timeline->tally_count) {
            const struct tally *from = &timeline->tallies[2 * k + 1];

            to->end_ns = from->end_ns;
            to->sums.expected += from->sums.expected;
            to->sums.received += from->sums.received;
            to->sums.lost += from->sums.lost;
        }
    }
    timeline->tally_count = (timeline->tally_count + 1) / 2;
}

/* A tally is of what was sampled since the one before it, and comes twice a second. */
static uint64_t tally_start_ns(const struct timeline *timeline, const struct slice *slice)
{
    uint64_t last_ns = timeline->tally_count > 0
                           ? timeline->tallies[timeline->tally_count - 1].end_ns
                           : profile_start_ns(timeline->profile);

    return last_ns < slice_start_ns(slice) && slice_start_ns(slice) - last_ns < NS_PER_S
               ? last_ns
               : slice_start_ns(slice);
}

static void take_tally(struct timeline *timeline, const struct slice *slice)
{
    const struct record_tally *from = slice_tally(slice);
    struct tally *tally;

    if (from == NULL)
        return;
    if (timeline->tally_count == TALLIES_MAX)
        halve_tallies(timeline);
    timeline->tallies = array_reserve(timeline->tallies, &timeline->tally_capacity,
                                      timeline->tally_count + 1, sizeof(*timeline->tallies));
    /* A late slice counts with the newest: a list out of order could not be searched. */
    tally = &timeline->tallies[timeline->tally_count];
    if (timeline->tally_count > 0 && slice_start_ns(slice) < tally[-1].end_ns)
        tally--;
    else {
        *tally = (struct tally){ .start_ns = tally_start_ns(timeline, slice),
                                 .end_ns = slice_end_ns(slice) };
        timeline->tally_count++;
    }
    tally->sums.expected += from->expected;
    tally->sums.received += from->received;
    tally->sums.lost += from->lost;
}

static void take_slice(struct timeline *timeline, const struct slice *slice)
{
    take_lanes(timeline, slice);
    take_tally(timeline, slice);
    timeline->version++;
}

static void take_all(struct timeline *timeline, struct profile *profile)
{
    struct slice_cursor cursor;
    const struct slice *slice;

    profile_slices(profile, profile_start_ns(profile), UINT64_MAX, NS_PER_S, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL)
        take_slice(timeline, slice);
}

static uint64_t lane_hash(enum lane_group group, const char *key, int32_t pid, int32_t tid)
{
    uint64_t hash = hash_bytes(group, key, strlen(key));

    return hash_pair(hash, (uint64_t)(uint32_t)pid << 32 | (uint32_t)tid);
}

static void index_lanes(struct timeline *timeline)
{
    const struct lanes *lanes = timeline_lanes(timeline);

    for (; timeline->indexed < lanes_count(lanes); timeline->indexed++) {
        const struct lane *lane = lanes_get(lanes, timeline->indexed);

        index_add(&timeline->index, lane_hash(lane->group, lane->key, lane->pid, lane->tid),
                  timeline->indexed);
    }
}

void timeline_update(struct timeline *timeline, struct profile *profile)
{
    bool known = timeline->profile != NULL && profile_same_history(timeline->profile, profile);
    struct fresh_cursor cursor;
    const struct slice *slice;
    struct profile *old = timeline->profile;

    if (!known) {
        forget(timeline);
        index_fini(&timeline->index);
        index_init(&timeline->index);
        timeline->indexed = 0;
    }
    timeline->profile = profile_ref(profile);
    if (known && profile_fresh(profile, timeline->serial, &cursor)) {
        while ((slice = profile_next_fresh(&cursor)) != NULL)
            take_slice(timeline, slice);
    } else {
        forget(timeline);
        take_all(timeline, profile);
    }
    timeline->serial = profile_serial(profile);
    index_lanes(timeline);
    profile_unref(old);
}

/* ---- facts ----------------------------------------------------------------------------------- */

uint64_t timeline_version(const struct timeline *timeline)
{
    return timeline->version;
}

uint64_t timeline_start_ns(const struct timeline *timeline)
{
    return timeline->profile != NULL ? profile_start_ns(timeline->profile) : 0;
}

uint64_t timeline_end_ns(const struct timeline *timeline)
{
    return timeline->profile != NULL ? profile_end_ns(timeline->profile) : 0;
}

struct profile *timeline_profile(const struct timeline *timeline)
{
    return timeline->profile;
}

const struct lanes *timeline_lanes(const struct timeline *timeline)
{
    return timeline->profile != NULL ? profile_lanes(timeline->profile) : NULL;
}

lane_id timeline_find(const struct timeline *timeline, enum lane_group group, const char *key,
                      int32_t pid, int32_t tid)
{
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&timeline->index, lane_hash(group, key, pid, tid), &cursor);
    while ((item = index_next(&timeline->index, &cursor)) != INDEX_END) {
        const struct lane *lane = lanes_get(timeline_lanes(timeline), item);

        if (lane->group == group && lane->pid == pid && lane->tid == tid &&
            strcmp(lane->key, key) == 0)
            return item;
    }
    return UINT32_MAX;
}

bool timeline_has(const struct timeline *timeline, lane_id lane)
{
    return lane < timeline->lane_count && timeline->values[lane].count > 0;
}

/* ---- readings -------------------------------------------------------------------------------- */

size_t timeline_tick_after(const struct timeline *timeline, uint64_t time_ns)
{
    size_t low = 0, high = timeline->tick_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (timeline->ticks[middle] > time_ns)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void readings_from(const struct timeline *timeline, lane_id lane, uint64_t time_ns,
                   struct readings *readings)
{
    size_t tick = timeline_tick_after(timeline, time_ns);

    *readings = (struct readings){ .timeline = timeline, .lane = lane };
    readings->zero = silent_is_zero(timeline, lane);
    if (!timeline_has(timeline, lane))
        return;
    /* The value before says where the first one begins. */
    while (tick > 0 && readings->last_ns == 0) {
        tick--;
        if (tick < timeline->values[lane].count && !isnan(timeline->values[lane].values[tick]))
            readings->last_ns = timeline->ticks[tick];
    }
    readings->tick = readings->last_ns != 0 ? tick + 1 : 0;
}

bool readings_next(struct readings *readings, struct reading *reading)
{
    const struct timeline *timeline = readings->timeline;
    const struct lane_values *values;

    if (!timeline_has(timeline, readings->lane))
        return false;
    values = &timeline->values[readings->lane];
    for (; readings->tick < (readings->zero ? timeline->tick_count : values->count);
         readings->tick++) {
        float value = readings->tick < values->count ? values->values[readings->tick] : (float)NAN;
        uint64_t end_ns = timeline->ticks[readings->tick];

        if (isnan(value) && !(readings->zero && readings->last_ns != 0))
            continue;
        reading->value = isnan(value) ? 0 : value;
        reading->end_ns = end_ns;
        reading->start_ns = end_ns > NS_PER_S ? end_ns - NS_PER_S : 0;
        if (readings->last_ns != 0 && end_ns - readings->last_ns <= GAP_MAX_NS)
            reading->start_ns = readings->last_ns;
        readings->last_ns = end_ns;
        readings->tick++;
        return true;
    }
    return false;
}

uint64_t timeline_period_ns(const struct timeline *timeline, lane_id lane)
{
    const struct lane_values *values;
    struct readings readings;
    struct reading reading;

    if (!timeline_has(timeline, lane))
        return 0;
    values = &timeline->values[lane];
    for (size_t tick = values->count; tick-- > 0;) {
        if (isnan(values->values[tick]) || tick == 0)
            continue;
        readings_from(timeline, lane, timeline->ticks[tick] - 1, &readings);
        if (readings_next(&readings, &reading))
            return reading.end_ns - reading.start_ns;
    }
    return 0;
}

uint64_t timeline_mean_period_ns(const struct timeline *timeline, lane_id lane)
{
    uint64_t first_ns = 0, last_ns = 0, count = 0;

    if (!timeline_has(timeline, lane))
        return 0;
    for (size_t tick = 0; tick < timeline->values[lane].count; tick++) {
        if (isnan(timeline->values[lane].values[tick]))
            continue;
        if (count++ == 0)
            first_ns = timeline->ticks[tick];
        last_ns = timeline->ticks[tick];
    }
    return count > 1 ? (last_ns - first_ns) / (count - 1) : 0;
}

double timeline_newest(const struct timeline *timeline, lane_id lane)
{
    const struct lane_values *values;

    if (!timeline_has(timeline, lane))
        return NAN;
    values = &timeline->values[lane];
    if (silent_is_zero(timeline, lane) && values->count < timeline->tick_count)
        return 0;
    /* A lane that is silent since long has no newest value. */
    for (size_t tick = values->count; tick-- > 0;)
        if (!isnan(values->values[tick]))
            return timeline->ticks[timeline->tick_count - 1] - timeline->ticks[tick] <= GAP_MAX_NS
                       ? values->values[tick]
                       : NAN;
    return NAN;
}
