/* SPDX-License-Identifier: MIT */
/*
 * Spikes, and values as people read them.
 *
 *     ▁▁▁▁▁▁▁▂▁▁▁▅▆▇▆▁▁▁▁▁▁▁▂▁▁   usual: the median; deviation: 1.48 × the median distance from it
 *                └──┘             an episode: above usual + 6 deviations, and by enough to matter
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/text.h"
#include "statistics.h"
#include "timeline_private.h"

enum { DEVIATIONS = 6, FEWEST = 5 };

/* Beside the highest spike, one of less than this part of it is no news. */
#define BESIDE_HIGHEST 0.05

/* From the median distance to the standard deviation of a normal distribution. */
#define DEVIATION_OF_MEDIAN 1.4826

/* A rise smaller than this is no news, however quiet the lane is. */
static double floor_of(const struct lane *lane, double usual)
{
    switch (lane->unit) {
    case UNIT_PERCENT:
        return 8;
    case UNIT_COUNT:
        return 2 + usual / 2;
    case UNIT_PER_SECOND:
        return 20 + usual / 2;
    case UNIT_BYTES:
        return 1e6 + usual / 10;
    case UNIT_BYTES_PER_SECOND:
        return 4 << 20;
    case UNIT_MS:
        return 5;
    case UNIT_RATIO:
        return 0.25;
    }
    return 0;
}

/* All readings of a lane, for a moment. */
struct list {
    struct reading *readings;
    double *values;
    size_t count, capacity, value_capacity;
};

static void list_add(struct list *list, const struct reading *reading)
{
    list->readings =
        array_reserve(list->readings, &list->capacity, list->count + 1, sizeof(*list->readings));
    list->values =
        array_reserve(list->values, &list->value_capacity, list->count + 1, sizeof(*list->values));
    list->readings[list->count++] = *reading;
}

static double median_of(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        list->values[i] = list->readings[i].value;
    return statistics_median(list->values, list->count);
}

static double deviation_of(struct list *list, double usual)
{
    for (size_t i = 0; i < list->count; i++)
        list->values[i] = fabs(list->readings[i].value - usual);
    return DEVIATION_OF_MEDIAN * statistics_median(list->values, list->count);
}

static struct timeline_spike *add_spike(struct timeline *timeline)
{
    timeline->spikes = array_reserve(timeline->spikes, &timeline->spike_capacity,
                                     timeline->spike_count + 1, sizeof(*timeline->spikes));
    return &timeline->spikes[timeline->spike_count++];
}

/* The runs of readings above THRESHOLD; one reading below does not end a run. */
static void find_episodes(struct timeline *timeline, lane_id lane, const struct list *list,
                          double usual, double threshold)
{
    struct timeline_spike *spike = NULL;
    size_t last = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct reading *reading = &list->readings[i];

        if (reading->value <= threshold)
            continue;
        if (spike == NULL || i - last > 2) {
            spike = add_spike(timeline);
            *spike = (struct timeline_spike){
                .lane = lane, .start_ns = reading->start_ns, .usual = usual, .peak = -INFINITY
            };
        }
        spike->end_ns = reading->end_ns;
        if (reading->value > spike->peak) {
            spike->peak = reading->value;
            spike->peak_ns = reading->start_ns + (reading->end_ns - reading->start_ns) / 2;
        }
        last = i;
    }
}

static void find_in_lane(struct timeline *timeline, const struct lane *lane, struct list *list)
{
    struct readings readings;
    struct reading reading;
    double usual, rise, floor, highest = 0;

    list->count = 0;
    readings_from(timeline, lane->id, 0, &readings);
    while (readings_next(&readings, &reading)) {
        list_add(list, &reading);
        highest = fmax(highest, reading.value);
    }
    if (list->count < FEWEST)
        return;
    usual = median_of(list);
    rise = DEVIATIONS * deviation_of(list, usual);
    floor = fmax(floor_of(lane, usual), (highest - usual) * BESIDE_HIGHEST);
    find_episodes(timeline, lane->id, list, usual, usual + fmax(rise, floor));
}

/* Seconds in which a fifth of the samples or more did not come. */
static void find_in_samples(struct timeline *timeline, struct list *list)
{
    const double most_missed = 0.2;
    uint64_t start_ns = timeline_start_ns(timeline);
    uint32_t count = (uint32_t)((timeline_end_ns(timeline) - start_ns) / NS_PER_S);
    struct timeline_tally *tallies = xcalloc((size_t)count + 1, sizeof(*tallies));
    size_t first = timeline->spike_count;

    list->count = 0;
    timeline_tallies(timeline, start_ns, NS_PER_S, count, tallies);
    for (uint32_t i = 0; i < count; i++) {
        struct reading reading = { .start_ns = start_ns + i * NS_PER_S,
                                   .end_ns = start_ns + (i + 1) * NS_PER_S };

        if (tallies[i].expected >= 10)
            reading.value = 1 - tallies[i].received / tallies[i].expected;
        list_add(list, &reading);
    }
    if (list->count >= FEWEST)
        find_episodes(timeline, TIMELINE_SAMPLES, list, median_of(list),
                      fmax(most_missed, 2 * median_of(list)));
    for (size_t i = first; i < timeline->spike_count; i++) {
        timeline->spikes[i].peak = 1 - timeline->spikes[i].peak;
        timeline->spikes[i].usual = 1 - timeline->spikes[i].usual;
    }
    free(tallies);
}

static int by_start(const void *a, const void *b)
{
    const struct timeline_spike *x = a, *y = b;

    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    return (x->lane > y->lane) - (x->lane < y->lane);
}

const struct timeline_spike *timeline_spikes(struct timeline *timeline, uint32_t *count)
{
    const struct lanes *lanes = timeline_lanes(timeline);
    struct list list = { 0 };

    /* Looking again is worth it only when a lane was read again. */
    if (lanes != NULL && (timeline->spike_ticks != timeline->tick_count ||
                          timeline->spike_tallies / 10 != timeline->tally_count / 10)) {
        timeline->spike_count = 0;
        for (lane_id id = 0; id < lanes_count(lanes); id++) {
            const struct lane *lane = lanes_get(lanes, id);

            if (lane->alarming && lane->tid == 0 && lane->pid == 0 && timeline_has(timeline, id))
                find_in_lane(timeline, lane, &list);
        }
        find_in_samples(timeline, &list);
        if (timeline->spike_count > 0)
            qsort(timeline->spikes, timeline->spike_count, sizeof(*timeline->spikes), by_start);
        timeline->spike_ticks = timeline->tick_count;
        timeline->spike_tallies = timeline->tally_count;
        free(list.readings);
        free(list.values);
    }
    *count = (uint32_t)timeline->spike_count;
    return timeline->spikes;
}

const char *timeline_text(char buffer[24], const struct lane *lane, double value)
{
    char number[16];

    if (isnan(value)) {
        snprintf(buffer, 24, "-");
        return buffer;
    }
    switch (lane->unit) {
    case UNIT_PERCENT:
        snprintf(buffer, 24, value > 0 && value < 9.95 ? "%.1f%%" : "%.0f%%", value);
        break;
    case UNIT_COUNT:
        if (value < 100)
            snprintf(buffer, 24, value == floor(value) ? "%.0f" : "%.1f", value);
        else
            snprintf(buffer, 24, "%s", text_count(number, value));
        break;
    case UNIT_PER_SECOND:
        if (value > 0 && value < 9.95)
            snprintf(buffer, 24, _("%.1f/s"), value);
        else
            snprintf(buffer, 24, _("%s/s"), text_count(number, value));
        break;
    case UNIT_BYTES:
        snprintf(buffer, 24, "%s", text_bytes(number, value));
        break;
    case UNIT_BYTES_PER_SECOND:
        snprintf(buffer, 24, _("%s/s"), text_bytes(number, value));
        break;
    case UNIT_MS:
        snprintf(buffer, 24, value < 9.95 ? _("%.1fms") : _("%.0fms"), value);
        break;
    case UNIT_RATIO:
        snprintf(buffer, 24, "%.2f", value);
        break;
    }
    return buffer;
}
