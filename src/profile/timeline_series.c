/* SPDX-License-Identifier: MIT */
/* Lanes and tallies in buckets of any length, means, deciles; and who else was busy. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "proftop/slice.h"
#include "timeline_private.h"

/* Buckets and what was put into them: WEIGHT is the time known, or SETTLED. */
struct buckets {
    uint64_t start_ns, bucket_ns;
    uint32_t count;
    double *values, *weights;
};

#define SETTLED (-1.0)

/* A reading as long as a bucket or longer is shown in the buckets whose middle it covers. */
static void settle(struct buckets *buckets, const struct reading *reading)
{
    uint64_t middle_ns = buckets->start_ns + buckets->bucket_ns / 2, first = 0;

    if (reading->start_ns >= middle_ns)
        first = (reading->start_ns - middle_ns) / buckets->bucket_ns + 1;
    for (uint64_t i = first; i < buckets->count; i++) {
        if (middle_ns + i * buckets->bucket_ns > reading->end_ns)
            break;
        buckets->values[i] = reading->value;
        buckets->weights[i] = SETTLED;
    }
}

/* A shorter one counts in each bucket by the time it is in it. */
static void spread(struct buckets *buckets, const struct reading *reading)
{
    uint64_t first = 0;

    if (reading->start_ns > buckets->start_ns)
        first = (reading->start_ns - buckets->start_ns) / buckets->bucket_ns;
    for (uint64_t i = first; i < buckets->count; i++) {
        uint64_t start_ns = buckets->start_ns + i * buckets->bucket_ns;
        uint64_t end_ns = start_ns + buckets->bucket_ns;
        uint64_t from_ns = reading->start_ns > start_ns ? reading->start_ns : start_ns;
        uint64_t to_ns = reading->end_ns < end_ns ? reading->end_ns : end_ns;

        if (from_ns >= reading->end_ns)
            break;
        if (to_ns <= from_ns || buckets->weights[i] == SETTLED)
            continue;
        buckets->values[i] += reading->value * (double)(to_ns - from_ns);
        buckets->weights[i] += (double)(to_ns - from_ns);
    }
}

void timeline_series(const struct timeline *timeline, lane_id lane, uint64_t start_ns,
                     uint64_t bucket_ns, uint32_t count, double *values)
{
    struct buckets buckets = { start_ns, bucket_ns, count, values, NULL };
    uint64_t end_ns = start_ns + bucket_ns * count;
    struct readings readings;
    struct reading reading;

    buckets.weights = xcalloc((size_t)count + 1, sizeof(*buckets.weights));
    memset(values, 0, count * sizeof(*values));
    readings_from(timeline, lane, start_ns, &readings);
    while (readings_next(&readings, &reading) && reading.start_ns < end_ns) {
        /* Readings are never quite as long as they are meant to be. */
        if ((reading.end_ns - reading.start_ns) >= bucket_ns - bucket_ns / 20)
            settle(&buckets, &reading);
        else
            spread(&buckets, &reading);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (buckets.weights[i] == 0)
            values[i] = NAN;
        else if (buckets.weights[i] > 0)
            values[i] /= buckets.weights[i];
    }
    free(buckets.weights);
}

double timeline_mean(const struct timeline *timeline, lane_id lane, uint64_t start_ns,
                     uint64_t end_ns)
{
    double sum = 0, weight = 0;
    struct readings readings;
    struct reading reading;

    readings_from(timeline, lane, start_ns, &readings);
    while (readings_next(&readings, &reading) && reading.start_ns < end_ns) {
        uint64_t from_ns = reading.start_ns > start_ns ? reading.start_ns : start_ns;
        uint64_t to_ns = reading.end_ns < end_ns ? reading.end_ns : end_ns;

        if (to_ns <= from_ns)
            continue;
        sum += reading.value * (double)(to_ns - from_ns);
        weight += (double)(to_ns - from_ns);
    }
    return weight > 0 ? sum / weight : NAN;
}

void timeline_tallies(const struct timeline *timeline, uint64_t start_ns, uint64_t bucket_ns,
                      uint32_t count, struct timeline_tally *tallies)
{
    uint64_t end_ns = start_ns + bucket_ns * count;

    memset(tallies, 0, count * sizeof(*tallies));
    for (size_t i = 0; i < timeline->tally_count; i++) {
        const struct tally *from = &timeline->tallies[i];
        double length = (double)(from->end_ns - from->start_ns);

        if (from->end_ns <= start_ns || from->start_ns >= end_ns || length <= 0)
            continue;
        for (uint64_t at_ns = from->start_ns > start_ns ? from->start_ns : start_ns;
             at_ns < from->end_ns && at_ns < end_ns;) {
            struct timeline_tally *to = &tallies[(at_ns - start_ns) / bucket_ns];
            uint64_t next_ns = start_ns + ((at_ns - start_ns) / bucket_ns + 1) * bucket_ns;
            uint64_t until_ns = next_ns < from->end_ns ? next_ns : from->end_ns;
            double part = (double)(until_ns - at_ns) / length;

            to->expected += from->sums.expected * part;
            to->received += from->sums.received * part;
            to->lost += from->sums.lost * part;
            at_ns = until_ns;
        }
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

bool timeline_top_decile(const struct timeline *timeline, lane_id lane, double *threshold)
{
    enum { FEWEST = 10 };
    double *values = NULL;
    size_t count = 0, capacity = 0;
    struct readings readings;
    struct reading reading;
    bool moves;

    readings_from(timeline, lane, 0, &readings);
    while (readings_next(&readings, &reading)) {
        values = array_reserve(values, &capacity, count + 1, sizeof(*values));
        values[count++] = reading.value;
    }
    if (count > 0)
        qsort(values, count, sizeof(*values), by_value);
    *threshold = count > 0 ? values[count - 1 - (count - 1) / 10] : 0;
    /* Some must lie below; a lane that rose more rarely than that has fewer high seconds. */
    for (size_t i = 0; i < count && *threshold <= values[0]; i++)
        *threshold = values[i];
    moves = count >= FEWEST && *threshold > values[0];
    free(values);
    return moves;
}

static int by_cpu(const void *a, const void *b)
{
    const struct timeline_other *x = a, *y = b;

    if (x->cpu_pct != y->cpu_pct)
        return x->cpu_pct < y->cpu_pct ? 1 : -1;
    if (x->read_bytes + x->write_bytes != y->read_bytes + y->write_bytes)
        return x->read_bytes + x->write_bytes < y->read_bytes + y->write_bytes ? 1 : -1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static struct timeline_other *find_other(struct timeline_other **list, size_t *count,
                                         size_t *capacity, const struct other_process *what)
{
    for (size_t i = 0; i < *count; i++)
        if ((*list)[i].pid == what->pid &&
            strncmp((*list)[i].name, what->name, sizeof(what->name)) == 0)
            return &(*list)[i];
    *list = array_reserve(*list, capacity, *count + 1, sizeof(**list));
    (*list)[*count] = (struct timeline_other){ .pid = what->pid };
    memcpy((*list)[*count].name, what->name, sizeof(what->name));
    (*list)[*count].name[sizeof(what->name) - 1] = '\0';
    return &(*list)[(*count)++];
}

struct timeline_other *timeline_others(const struct profile *profile, uint64_t start_ns,
                                       uint64_t end_ns, uint32_t *count)
{
    struct timeline_other *list = NULL;
    size_t found = 0, capacity = 0;
    struct slice_cursor cursor;
    const struct slice *slice;
    double parts = 0;

    profile_slices(profile, start_ns, end_ns, UINT64_MAX, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL) {
        uint32_t others;
        const struct other_process *from = slice_others(slice, &others);
        double weight = slice_other_parts(slice);

        parts += weight;
        for (uint32_t i = 0; i < others; i++) {
            struct timeline_other *to = find_other(&list, &found, &capacity, &from[i]);

            to->cpu_pct += from[i].cpu_pct * weight;
            to->read_bytes += from[i].read_bytes;
            to->write_bytes += from[i].write_bytes;
            to->majflt += from[i].majflt;
        }
    }
    for (size_t i = 0; i < found; i++)
        list[i].cpu_pct /= parts > 0 ? parts : 1;
    if (found > 0)
        qsort(list, found, sizeof(*list), by_cpu);
    else if (parts > 0)
        list = xcalloc(1, sizeof(*list));
    *count = (uint32_t)found;
    return list;
}
