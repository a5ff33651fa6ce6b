/* SPDX-License-Identifier: MIT */
/*
 * The recording as one page (page.html): the tree once, and for each bucket of time which nodes of
 * it had how much, so that the page folds any range by itself.
 *
 *     DATA = { session, scope, unit, functions: [{name, …}], nodes: {parent: […], function: […]},
 *              buckets: [{t_s, length_s, cells: [node, samples, weight, …]}],
 *              lanes: [{key, label, ceiling, values: […]}], note }
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/json_writer.h"
#include "proftop/memory.h"
#include "proftop/profile.h"
#include "report_json.h"
#include "src/export/page_text.h"
#include "stacks.h"
#include "timeline.h"

/* Above this many nodes the lightest are given to their parents, to keep the page small. */
enum { NODES_MAX = 100000 };

struct page {
    const struct fold *fold;
    struct json json;
    struct timeline timeline;
    uint32_t *number; /* by node: its number on the page, or its nearest ancestor's */
    node_id *nodes;   /* by number */
    uint32_t count;
    uint64_t least; /* lighter nodes are not on the page */
};

/* The least weight that leaves at most NODES_MAX nodes, to within a quarter. */
static uint64_t choose_least(const struct fold *fold)
{
    uint64_t least = 0;

    for (;;) {
        uint32_t count = 0;

        for (node_id id = 0; id < fold->node_count; id++)
            count += fold->nodes[id].total >= least;
        if (count <= NODES_MAX)
            return least;
        least += least / 4 + 1;
    }
}

/* A fold's parents come before their children, and so they do on the page. */
static void number_nodes(struct page *page)
{
    const struct fold *fold = page->fold;

    page->least = choose_least(fold);
    page->number = xcalloc(fold->node_count, sizeof(*page->number));
    page->nodes = xcalloc(fold->node_count, sizeof(*page->nodes));
    for (node_id id = 0; id < fold->node_count; id++) {
        if (id != NODE_ROOT && fold->nodes[id].total < page->least) {
            page->number[id] = page->number[fold->nodes[id].parent];
            continue;
        }
        page->number[id] = page->count;
        page->nodes[page->count++] = id;
    }
}

static void put_function(struct page *page, const struct fold_node *node)
{
    struct json *json = &page->json;
    const struct function *function = node_function(page->fold, node);
    char buffer[512];

    json_object(json, NULL);
    json_string(json, "name", node_name(page->fold, node, buffer, sizeof(buffer)));
    json_string(json, "module", function->module);
    json_string(json, "file", function->file);
    json_unsigned(json, "line", function->line);
    json_string(json, "kind", node->process != 0 ? "process" : kind_name(function->kind));
    json_unsigned(json, "hue", function->hue & 0xffff);
    json_end(json);
}

/* Functions are written as they are met; NUMBERS[function] is 0 before that. */
static void put_nodes(struct page *page)
{
    const struct fold_node *nodes = page->fold->nodes;
    uint32_t *numbers = xcalloc((size_t)names_functions(page->fold->names) + 1, sizeof(*numbers));
    uint32_t count = 0;

    json_array(&page->json, "functions");
    for (uint32_t i = 1; i < page->count; i++) {
        const struct fold_node *node = &nodes[page->nodes[i]];

        if (numbers[node->function] != 0)
            continue;
        numbers[node->function] = ++count;
        put_function(page, node);
    }
    json_end(&page->json);
    json_object(&page->json, "nodes");
    json_array(&page->json, "parent");
    for (uint32_t i = 0; i < page->count; i++)
        json_unsigned(&page->json, NULL, page->number[nodes[page->nodes[i]].parent]);
    json_end(&page->json);
    json_array(&page->json, "function");
    for (uint32_t i = 0; i < page->count; i++)
        json_unsigned(&page->json, NULL, i > 0 ? numbers[nodes[page->nodes[i]].function] - 1 : 0);
    json_end(&page->json);
    json_end(&page->json);
    free(numbers);
}

/* What one bucket has of each node; TOUCHED are those that have something. */
struct cells {
    uint64_t *weights, *samples; /* by number */
    uint32_t *touched;
    uint32_t count;
};

static void add_cell(struct cells *cells, uint32_t number, const struct fold_sample *sample)
{
    if (cells->weights[number] == 0 && cells->samples[number] == 0)
        cells->touched[cells->count++] = number;
    cells->weights[number] += sample->weight;
    cells->samples[number] += sample->samples;
}

static void put_bucket(struct page *page, const struct bucket *bucket, struct cells *cells)
{
    struct json *json = &page->json;
    uint64_t start_ns = profile_start_ns(page->fold->profile);

    json_object(json, NULL);
    json_number(
        json, "t_s",
        bucket->start_ns > start_ns ? (double)(bucket->start_ns - start_ns) / (double)NS_PER_S : 0);
    json_number(json, "length_s", (double)(bucket->end_ns - bucket->start_ns) / (double)NS_PER_S);
    json_array(json, "cells");
    for (uint32_t i = 0; i < cells->count; i++) {
        uint32_t number = cells->touched[i];

        json_unsigned(json, NULL, number);
        json_unsigned(json, NULL, cells->samples[number]);
        json_unsigned(json, NULL, cells->weights[number]);
        cells->samples[number] = cells->weights[number] = 0;
    }
    json_end(json);
    json_end(json);
    cells->count = 0;
}

/* Samples come in order of time, and so do the buckets. */
static void put_buckets(struct page *page)
{
    struct fold_walk *walk = fold_walk_new(page->fold, page->timeline.bucket_ns);
    struct cells cells = {
        .weights = xcalloc(page->count, sizeof(uint64_t)),
        .samples = xcalloc(page->count, sizeof(uint64_t)),
        .touched = xcalloc(page->count, sizeof(uint32_t)),
    };
    struct fold_sample sample;
    size_t at = 0;

    json_array(&page->json, "buckets");
    while (fold_walk_next(walk, &sample)) {
        while (at + 1 < page->timeline.count &&
               page->timeline.buckets[at + 1].start_ns <= sample.start_ns)
            put_bucket(page, &page->timeline.buckets[at++], &cells);
        add_cell(&cells, page->number[sample.node], &sample);
    }
    for (; at < page->timeline.count; at++)
        put_bucket(page, &page->timeline.buckets[at], &cells);
    json_end(&page->json);
    fold_walk_free(walk);
    free(cells.weights);
    free(cells.samples);
    free(cells.touched);
}

static void begin_lane(struct json *json, const char *group, const char *key, double ceiling)
{
    char whole[256];

    snprintf(whole, sizeof(whole), "%s%s", group, key);
    json_object(json, NULL);
    json_string(json, "key", whole);
    json_string(json, "label", whole);
    json_number(json, "ceiling", ceiling);
    json_array(json, "values");
}

static void put_lanes(struct page *page)
{
    const struct timeline *timeline = &page->timeline;
    struct json *json = &page->json;

    json_array(json, "lanes");
    begin_lane(json, "", "samples", 0);
    for (size_t i = 0; i < timeline->count; i++)
        json_unsigned(json, NULL, timeline->buckets[i].samples);
    json_end(json);
    json_end(json);
    for (size_t lane = 0; lane < timeline->lane_count; lane++) {
        const struct lane *what = timeline->lanes[lane];

        begin_lane(json, what->group == LANE_SYSTEM ? "system." : "target.", what->key,
                   what->ceiling);
        for (size_t i = 0; i < timeline->count; i++)
            json_number(json, NULL, timeline_value(timeline, i, lane));
        json_end(json);
        json_end(json);
    }
    json_end(json);
}

static void put_data(struct page *page, FILE *stream)
{
    char note[128] = "";

    if (page->count < page->fold->node_count)
        snprintf(note, sizeof(note), "%" PRIu32 " light branches are part of their callers.",
                 page->fold->node_count - page->count);
    json_begin(&page->json, stream);
    page->json.compact = page->json.inside_html = true;
    json_object(&page->json, NULL);
    json_session(&page->json, page->fold);
    json_scope(&page->json, page->fold);
    json_string(&page->json, "unit", weight_of(page->fold).unit);
    json_string(&page->json, "note", note);
    put_nodes(page);
    put_buckets(page);
    put_lanes(page);
    json_end(&page->json);
}

static bool write_html(const struct fold *fold, const struct export_options *options, FILE *stream,
                       struct error *error)
{
    static const char mark[] = "@DATA@";
    const char *split = strstr(page_text, mark);
    struct page page = { .fold = fold };

    (void)options;
    (void)error;
    timeline_of(fold, &page.timeline);
    number_nodes(&page);
    fwrite(page_text, 1, (size_t)(split - page_text), stream);
    put_data(&page, stream);
    fputs(split + sizeof(mark) - 1, stream);
    timeline_fini(&page.timeline);
    free(page.number);
    free(page.nodes);
    return true;
}

const struct export_ops export_html = {
    .name = "html",
    .extension = ".html",
    .label = N_("a page with flame graph and timeline (HTML)"),
    .write = write_html,
};
