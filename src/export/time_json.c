/* SPDX-License-Identifier: MIT */
/* The timeline of a report as JSON: keys of lanes nest at their dots. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/profile.h"
#include "report_json.h"
#include "buckets.h"

enum { KEY_PART_MAX = 128 };

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

static void put_group(struct json *json, const struct buckets *buckets, size_t bucket,
                      enum lane_group group, const char *name)
{
    const char *last = "";
    unsigned open = 0;

    json_object(json, name);
    for (size_t i = 0; i < buckets->lane_count; i++) {
        const char *key = buckets->lanes[i]->key;
        double value = buckets_value(buckets, bucket, i);
        size_t shared;

        if (buckets->lanes[i]->group != group || isnan(value))
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

static void put_time(struct json *json, const struct fold *fold, const struct buckets *buckets)
{
    json_array(json, "time");
    for (uint32_t i = 0; i < buckets->count; i++) {
        const struct bucket *bucket = &buckets->buckets[i];

        json_object(json, NULL);
        json_number(json, "t_s", buckets_seconds(buckets, fold, i));
        json_unsigned(json, "samples", bucket->samples);
        json_number(json, "expected", bucket->tally.expected);
        json_number(json, "lost", bucket->tally.lost);
        put_group(json, buckets, i, LANE_TARGET, "target");
        put_group(json, buckets, i, LANE_SYSTEM, "system");
        json_end(json);
    }
    json_end(json);
}

static void put_other(struct json *json, double t_s, const struct timeline_other *other)
{
    json_object(json, NULL);
    json_number(json, "t_s", t_s);
    json_integer(json, "pid", other->pid);
    json_string(json, "name", other->name);
    json_number(json, "cpu_pct", other->cpu_pct);
    json_unsigned(json, "read_bytes", other->read_bytes);
    json_unsigned(json, "write_bytes", other->write_bytes);
    json_unsigned(json, "majflt", other->majflt);
    json_end(json);
}

static void put_others(struct json *json, const struct fold *fold, const struct buckets *buckets)
{
    json_array(json, "others");
    for (uint32_t i = 0; i < buckets->count; i++) {
        uint64_t start_ns = buckets->buckets[i].start_ns;
        uint32_t count;
        struct timeline_other *others =
            timeline_others(fold->profile, start_ns, start_ns + buckets->bucket_ns, &count);

        for (uint32_t j = 0; j < count; j++)
            put_other(json, buckets_seconds(buckets, fold, i), &others[j]);
        free(others);
    }
    json_end(json);
}

void json_timeline(struct json *json, const struct fold *fold)
{
    struct buckets buckets;

    buckets_init(&buckets, fold, 0);
    put_others(json, fold, &buckets);
    put_time(json, fold, &buckets);
    buckets_fini(&buckets);
}
