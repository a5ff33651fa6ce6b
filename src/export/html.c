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

#include "buckets.h"
#include "formats.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/json_writer.h"
#include "proftop/memory.h"
#include "proftop/profile.h"
#include "report_json.h"
#include "src/export/page_text.h"
#include "stacks.h"

/* Above this many nodes the lightest are given to their parents, to keep the page small. */
enum { NODES_MAX = 100000 };

struct page {
    const struct fold *fold;
    struct json json;
    struct buckets buckets;
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

static void put_bucket(struct page *page, uint32_t at, struct cells *cells)
{
    struct json *json = &page->json;

    json_object(json, NULL);
    json_number(json, "t_s", buckets_seconds(&page->buckets, page->fold, at));
    json_number(json, "length_s", (double)page->buckets.bucket_ns / (double)NS_PER_S);
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
    struct fold_walk *walk = fold_walk_new(page->fold, page->buckets.bucket_ns);
    struct cells cells = {
        .weights = xcalloc(page->count, sizeof(uint64_t)),
        .samples = xcalloc(page->count, sizeof(uint64_t)),
        .touched = xcalloc(page->count, sizeof(uint32_t)),
    };
    struct fold_sample sample;
    uint32_t at = 0;

    json_array(&page->json, "buckets");
    while (fold_walk_next(walk, &sample)) {
        uint32_t wanted = buckets_at(&page->buckets, sample.start_ns / 2 + sample.end_ns / 2);

        while (at < wanted)
            put_bucket(page, at++, &cells);
        add_cell(&cells, page->number[sample.node], &sample);
    }
    while (at < page->buckets.count)
        put_bucket(page, at++, &cells);
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
    const struct buckets *buckets = &page->buckets;
    struct json *json = &page->json;

    json_array(json, "lanes");
    begin_lane(json, "", "samples", 0);
    for (size_t i = 0; i < buckets->count; i++)
        json_unsigned(json, NULL, buckets->buckets[i].samples);
    json_end(json);
    json_end(json);
    for (size_t lane = 0; lane < buckets->lane_count; lane++) {
        const struct lane *what = buckets->lanes[lane];

        begin_lane(json, what->group == LANE_SYSTEM ? "system." : "target.", what->key,
                   what->ceiling);
        for (size_t i = 0; i < buckets->count; i++)
            json_number(json, NULL, buckets_value(buckets, i, lane));
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

/* Fine enough to see a short recording's course, coarse enough to keep a long one's page small. */
static uint64_t bucket_length_ns(const struct fold *fold)
{
    uint64_t range_ns = fold->end_ns - fold->start_ns;

    return range_ns <= 120 * NS_PER_S   ? NS_PER_S / 10
           : range_ns <= 600 * NS_PER_S ? NS_PER_S / 2
                                        : NS_PER_S;
}

static bool write_html(const struct fold *fold, const struct export_options *options, FILE *stream,
                       struct error *error)
{
    static const char mark[] = "@DATA@";
    const char *split = strstr(page_text, mark);
    struct page page = { .fold = fold };

    (void)options;
    (void)error;
    buckets_init(&page.buckets, fold, bucket_length_ns(fold));
    number_nodes(&page);
    fwrite(page_text, 1, (size_t)(split - page_text), stream);
    put_data(&page, stream);
    fputs(split + sizeof(mark) - 1, stream);
    buckets_fini(&page.buckets);
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
