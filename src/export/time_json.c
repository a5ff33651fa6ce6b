/* SPDX-License-Identifier: MIT */
/* The timeline of a report as JSON: keys of lanes nest at their dots. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/profile.h"
#include "report_json.h"
#include "timeline.h"

enum { KEY_PART_MAX = 128 };

/* The first bucket may begin a little before the recording did. */
static double seconds_from_start(const struct fold *fold, uint64_t time_ns)
{
    uint64_t start_ns = profile_start_ns(fold->profile);

    return time_ns > start_ns ? (double)(time_ns - start_ns) / (double)NS_PER_S : 0;
}

/* How many leading components, dots included, A and B share: closes and opens follow from it. */
static size_t shared_prefix(const char *a, const char *b)
{
    size_t shared = 0;

    for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++)
        if (a[i] == '.')
            shared = i + 1;
    return shared;
}

static unsigned dots_from(const char *key, size_t at)
{
    unsigned dots = 0;

    for (; key[at] != '\0'; at++)
        dots += key[at] == '.';
    return dots;
}

/* Opens the objects of KEY from byte AT on; the last component is the value's own key. */
static const char *open_parts(struct json *json, const char *key, size_t at)
{
    const char *dot;

    while ((dot = strchr(key + at, '.')) != NULL) {
        char part[KEY_PART_MAX];

        snprintf(part, sizeof(part), "%.*s", (int)(dot - (key + at)), key + at);
        json_object(json, part);
        at = (size_t)(dot - key) + 1;
    }
    return key + at;
}

static void put_group(struct json *json, const struct timeline *timeline, size_t bucket,
                      enum lane_group group, const char *name)
{
    const char *last = "";
    unsigned open = 0;

    json_object(json, name);
    for (size_t i = 0; i < timeline->lane_count; i++) {
        const char *key = timeline->lanes[i]->key;
        double value = timeline_value(timeline, bucket, i);
        size_t shared;

        if (timeline->lanes[i]->group != group || isnan(value))
            continue;
        shared = shared_prefix(last, key);
        for (unsigned close = dots_from(last, shared); close > 0; close--, open--)
            json_end(json);
        open += dots_from(key, shared);
        json_number(json, open_parts(json, key, shared), value);
        last = key;
    }
    for (; open > 0; open--)
        json_end(json);
    json_end(json);
}

static void put_time(struct json *json, const struct fold *fold, const struct timeline *timeline)
{
    json_array(json, "time");
    for (size_t i = 0; i < timeline->count; i++) {
        const struct bucket *bucket = &timeline->buckets[i];

        json_object(json, NULL);
        json_number(json, "t_s", seconds_from_start(fold, bucket->start_ns));
        json_number(json, "length_s",
                    (double)(bucket->end_ns - bucket->start_ns) / (double)NS_PER_S);
        json_unsigned(json, "samples", bucket->samples);
        json_unsigned(json, "expected", bucket->tally.expected);
        json_unsigned(json, "lost", bucket->tally.lost);
        put_group(json, timeline, i, LANE_TARGET, "target");
        put_group(json, timeline, i, LANE_SYSTEM, "system");
        json_end(json);
    }
    json_end(json);
}

static void put_others(struct json *json, const struct fold *fold, const struct timeline *timeline)
{
    json_array(json, "others");
    for (size_t i = 0; i < timeline->count; i++) {
        for (uint32_t j = 0; j < timeline->buckets[i].other_count; j++) {
            const struct other_process *other = &timeline->buckets[i].others[j];

            json_object(json, NULL);
            json_number(json, "t_s", seconds_from_start(fold, timeline->buckets[i].start_ns));
            json_integer(json, "pid", other->pid);
            json_string(json, "name", other->name);
            json_number(json, "cpu_pct", other->cpu_pct);
            json_unsigned(json, "read_bytes", other->read_bytes);
            json_unsigned(json, "write_bytes", other->write_bytes);
            json_unsigned(json, "majflt", other->majflt);
            json_end(json);
        }
    }
    json_end(json);
}

void json_timeline(struct json *json, const struct fold *fold)
{
    struct timeline timeline;

    timeline_of(fold, &timeline);
    put_others(json, fold, &timeline);
    put_time(json, fold, &timeline);
    timeline_fini(&timeline);
}
