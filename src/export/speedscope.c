/* SPDX-License-Identifier: MIT */
/*
 * speedscope's file format: functions once, then a "sampled" profile of stacks and weights.
 *
 *     shared.frames      one a function
 *     profiles[0]        samples: [[frame, frame, …], …]  weights: [n, …]
 *
 * Samples are in order of time, to the length of a slice; all threads are in one profile.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "formats.h"
#include "proftop/gettext.h"
#include "proftop/json_writer.h"
#include "proftop/memory.h"
#include "proftop/profile.h"
#include "stacks.h"

/* NUMBERS[node]: the frame of each node; the frames are written as they are met. */
static void put_frames(struct json *json, const struct fold *fold, uint32_t *numbers)
{
    uint32_t functions = names_functions(fold->names), next = 0;
    uint32_t *known = xcalloc((size_t)functions + 1, sizeof(*known));

    json_array(json, "frames");
    for (node_id id = 1; id < fold->node_count; id++) {
        const struct fold_node *node = &fold->nodes[id];
        const struct function *function;
        char buffer[512];

        if (node->process == 0 && known[node->function] != 0) {
            numbers[id] = known[node->function] - 1;
            continue;
        }
        numbers[id] = next++;
        json_object(json, NULL);
        if (node->process != 0) {
            json_string(json, "name", node_name(fold, node, buffer, sizeof(buffer)));
            json_end(json);
            continue;
        }
        known[node->function] = next;
        function = node_function(fold, node);
        json_string(json, "name", function->name);
        if (function->file[0] != '\0')
            json_string(json, "file", function->file);
        else if (function->module[0] != '\0')
            json_string(json, "file", function->module);
        if (function->line != 0)
            json_unsigned(json, "line", function->line);
        json_end(json);
    }
    json_end(json);
    free(known);
}

/* A stack for some time: neighbours with the same stack are one. */
struct run {
    node_id node;
    uint64_t value;
};

struct runs {
    struct run *runs;
    size_t count, capacity;
};

/* Long recordings are cut into so many pieces of time at most. */
enum { PIECES_MAX = 5000 };

static void gather(struct runs *runs, const struct fold *fold, const struct measure *measure)
{
    struct fold_walk *walk = fold_walk_new(fold, (fold->end_ns - fold->start_ns) / PIECES_MAX);
    struct fold_sample sample;

    while (fold_walk_next(walk, &sample)) {
        uint64_t value = measure->samples ? sample.samples : sample.weight;

        if (value == 0)
            continue;
        if (runs->count > 0 && runs->runs[runs->count - 1].node == sample.node) {
            runs->runs[runs->count - 1].value += value;
            continue;
        }
        runs->runs =
            array_reserve(runs->runs, &runs->capacity, runs->count + 1, sizeof(struct run));
        runs->runs[runs->count++] = (struct run){ sample.node, value };
    }
    fold_walk_free(walk);
}

static void put_runs(struct json *json, const struct fold *fold, const uint32_t *numbers,
                     const struct runs *runs)
{
    struct path path = { 0 };

    json_array(json, "samples");
    for (size_t i = 0; i < runs->count; i++) {
        path_to(&path, fold, runs->runs[i].node);
        json_array(json, NULL);
        for (size_t j = 0; j < path.count; j++)
            json_unsigned(json, NULL, numbers[path.nodes[j]]);
        json_end(json);
    }
    json_end(json);
    json_array(json, "weights");
    for (size_t i = 0; i < runs->count; i++)
        json_unsigned(json, NULL, runs->runs[i].value);
    json_end(json);
    path_fini(&path);
}

static const char *unit_of(const struct measure *measure)
{
    if (strcmp(measure->unit, "count") == 0)
        return "none";
    return measure->unit;
}

static bool write_speedscope(const struct fold *fold, const struct export_options *options,
                             FILE *stream, struct error *error)
{
    const struct profile_info *info = profile_info(fold->profile);
    const char *name = info->command != NULL ? info->command : "proftop";
    struct measure measure = measure_of(fold);
    uint32_t *numbers = xcalloc(fold->node_count, sizeof(*numbers));
    struct runs runs = { 0 };
    struct json json;

    (void)options;
    (void)error;
    gather(&runs, fold, &measure);
    json_begin(&json, stream);
    json.compact = true;
    json_object(&json, NULL);
    json_string(&json, "$schema", "https://www.speedscope.app/file-format-schema.json");
    json_string(&json, "name", name);
    json_string(&json, "exporter", PACKAGE_STRING);
    json_unsigned(&json, "activeProfileIndex", 0);
    json_object(&json, "shared");
    put_frames(&json, fold, numbers);
    json_end(&json);
    json_array(&json, "profiles");
    json_object(&json, NULL);
    json_string(&json, "type", "sampled");
    json_string(&json, "name", name);
    json_string(&json, "unit", unit_of(&measure));
    json_unsigned(&json, "startValue", 0);
    json_unsigned(&json, "endValue", measure_total(&measure, &fold->nodes[NODE_ROOT]));
    put_runs(&json, fold, numbers, &runs);
    json_end(&json);
    json_end(&json);
    json_end(&json);
    free(numbers);
    free(runs.runs);
    return true;
}

const struct export_ops export_speedscope = {
    .name = "speedscope",
    .extension = ".speedscope.json",
    .label = N_("speedscope"),
    .write = write_speedscope,
};
