/* SPDX-License-Identifier: MIT */
/* The timeline of a report: in text the lanes that tell most, in CSV all of them. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "buckets.h"
#include "proftop/clock.h"
#include "proftop/memory.h"
#include "report_view.h"

/* The lanes a person sees, where they are there. */
static const struct {
    enum lane_group group;
    const char *key, *heading;
    double scale;
    int decimals;
} text_lanes[] = {
    { LANE_TARGET, "cpu_pct", "CPU%", 1, 1 },
    { LANE_TARGET, "rss_bytes", "RSS MB", 1e-6, 1 },
    { LANE_TARGET, "minflt", "MINFLT/s", 1, 0 },
    { LANE_TARGET, "majflt", "MAJFLT/s", 1, 0 },
    { LANE_TARGET, "read_bytes", "READ kB/s", 1e-3, 0 },
    { LANE_TARGET, "write_bytes", "WRITE kB/s", 1e-3, 0 },
    { LANE_TARGET, "vcsw", "VCSW/s", 1, 0 },
    { LANE_TARGET, "ivcsw", "IVCSW/s", 1, 0 },
    { LANE_SYSTEM, "us", "us%", 1, 0 },
    { LANE_SYSTEM, "sy", "sy%", 1, 0 },
    { LANE_SYSTEM, "id", "id%", 1, 0 },
    { LANE_SYSTEM, "wa", "wa%", 1, 0 },
    { LANE_SYSTEM, "st", "st%", 1, 0 },
    { LANE_SYSTEM, "run_queue", "RUNQ", 1, 0 },
    { LANE_SYSTEM, "blocked", "BLKD", 1, 0 },
};

enum { TEXT_LANES = sizeof(text_lanes) / sizeof(text_lanes[0]), FIXED_COLUMNS = 4 };

static const struct column fixed_columns[FIXED_COLUMNS] = {
    { .key = "t_s", .heading = "T", .decimals = 1 },
    { .key = "samples", .heading = "SAMPLES" },
    { .key = "expected", .heading = "DUE" },
    { .key = "lost", .heading = "LOST" },
};

/* Columns have to live as long as the table: in its arena. */
static struct column *new_columns(struct table *table, size_t lanes)
{
    struct column *columns = arena_zalloc(table->texts, (FIXED_COLUMNS + lanes) * sizeof(*columns));

    memcpy(columns, fixed_columns, sizeof(fixed_columns));
    table->columns = columns;
    return columns;
}

/* "system.disks.vda.read_bytes" */
static void add_csv_columns(struct table *table, const struct buckets *buckets)
{
    struct column *columns = new_columns(table, buckets->lane_count);

    for (size_t i = 0; i < buckets->lane_count; i++) {
        const struct lane *lane = buckets->lanes[i];

        columns[FIXED_COLUMNS + i].key = arena_printf(
            table->texts, "%s.%s", lane->group == LANE_SYSTEM ? "system" : "target", lane->key);
    }
    table->column_count = FIXED_COLUMNS + buckets->lane_count;
}

/* Which lane each of the text's columns shows: CHOSEN[column] is an index of text_lanes. */
static size_t add_text_columns(struct table *table, const struct buckets *buckets,
                               size_t chosen[TEXT_LANES], int lanes[TEXT_LANES])
{
    struct column *columns = new_columns(table, TEXT_LANES);
    size_t count = 0;

    for (size_t i = 0; i < TEXT_LANES; i++) {
        int lane = buckets_lane(buckets, text_lanes[i].group, text_lanes[i].key);

        if (lane < 0)
            continue;
        columns[FIXED_COLUMNS + count].heading = text_lanes[i].heading;
        columns[FIXED_COLUMNS + count].decimals = text_lanes[i].decimals;
        chosen[count] = i;
        lanes[count++] = lane;
    }
    table->column_count = FIXED_COLUMNS + count;
    return count;
}

static void put_value(struct table *table, double value, double scale)
{
    if (isnan(value))
        table_empty(table);
    else
        table_number(table, value * scale);
}

static void put_fixed(struct table *table, const struct fold *fold, const struct buckets *buckets,
                      uint32_t at)
{
    table_number(table, buckets_seconds(buckets, fold, at));
    table_number(table, (double)buckets->buckets[at].samples);
    table_number(table, buckets->buckets[at].tally.expected);
    table_number(table, buckets->buckets[at].tally.lost);
}

static void fill_time(struct table *table, const struct fold *fold,
                      const struct export_options *options, bool csv)
{
    size_t chosen[TEXT_LANES], count = 0;
    int lanes[TEXT_LANES];
    struct buckets buckets;

    buckets_init(&buckets, fold, 0);
    table_init(table, NULL, 0);
    if (csv)
        add_csv_columns(table, &buckets);
    else
        count = add_text_columns(table, &buckets, chosen, lanes);
    for (uint32_t i = 0; i < buckets.count && (options->top == 0 || i < options->top); i++) {
        put_fixed(table, fold, &buckets, i);
        for (size_t j = 0; csv && j < buckets.lane_count; j++)
            put_value(table, buckets_value(&buckets, i, j), 1);
        for (size_t j = 0; j < count; j++)
            put_value(table, buckets_value(&buckets, i, (size_t)lanes[j]),
                      text_lanes[chosen[j]].scale);
    }
    buckets_fini(&buckets);
}

static void about_time(const struct fold *fold, const struct export_options *options, FILE *stream)
{
    (void)fold;
    (void)options;
    fprintf(stream, "T: seconds from the start.  SAMPLES of running threads, all of them; DUE: "
                    "how many there should be.\nCPU%%: of the target, 100 is one core.  us sy id "
                    "wa st: shares of the whole machine's CPU time.\n");
}

const struct report_view view_time = { .name = "time", .fill = fill_time, .about = about_time };
