/* SPDX-License-Identifier: MIT */
/*
 * Callgrind's profile format, version 1, for callgrind_annotate and kcachegrind.
 *
 *     fn=(1) main          self cost:  line samples metric
 *     12 3 30000000
 *     cfn=(2) work         a call:     calls=COUNT line / line, inclusive cost
 *     calls=9 40
 *     12 9 90000000
 *
 * Readers take the costs of the calls to a function together as its inclusive cost, which counts
 * recursion several times.  So that they arrive at the same total as we do, a stack is charged to
 * one call of each of its functions, the outermost; and what nobody calls is called by "all".
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats.h"
#include "proftop/gettext.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"
#include "proftop/profile.h"
#include "stacks.h"

struct cost {
    uint64_t samples, weight;
};

/* Costs of one function at one line: its own (callee NO_CALLEE) or of a call. */
struct edge {
    uint32_t function, callee; /* numbers of names, see name_number() */
    uint32_t line;
    uint64_t calls;
    struct cost cost;
};

#define NO_CALLEE UINT32_MAX

struct writer {
    const struct fold *fold;
    FILE *stream;
    struct edge *edges;
    size_t count, capacity;
    struct index index;
    bool *named; /* by number: written in full already */
    uint32_t functions;
    int32_t *processes; /* numbers above the functions */
    size_t process_count, process_capacity;
};

/* Functions count from 0; "all" follows, then processes, where they are a level. */
static uint32_t name_number(struct writer *writer, node_id id)
{
    const struct fold_node *node = &writer->fold->nodes[id];

    if (id == NODE_ROOT)
        return writer->functions;
    if (node->process == 0)
        return node->function;
    for (size_t i = 0; i < writer->process_count; i++)
        if (writer->processes[i] == (int32_t)node->process)
            return writer->functions + 1 + (uint32_t)i;
    writer->processes = array_reserve(writer->processes, &writer->process_capacity,
                                      writer->process_count + 1, sizeof(int32_t));
    writer->processes[writer->process_count] = (int32_t)node->process;
    return writer->functions + 1 + (uint32_t)writer->process_count++;
}

static struct edge *edge_of(struct writer *writer, uint32_t function, uint32_t callee,
                            uint32_t line)
{
    uint64_t hash = hash_pair((uint64_t)function << 32 | callee, line);
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&writer->index, hash, &cursor);
    while ((item = index_next(&writer->index, &cursor)) != INDEX_END) {
        struct edge *edge = &writer->edges[item];

        if (edge->function == function && edge->callee == callee && edge->line == line)
            return edge;
    }
    item = (uint32_t)writer->count;
    writer->edges =
        array_reserve(writer->edges, &writer->capacity, writer->count + 1, sizeof(struct edge));
    writer->edges[writer->count++] =
        (struct edge){ .function = function, .callee = callee, .line = line };
    index_add(&writer->index, hash, item);
    return &writer->edges[item];
}

/* Whether the function of the path's node I is nearer to the root too. */
static bool came_before(const struct writer *writer, const struct path *path, size_t i)
{
    const struct fold_node *nodes = writer->fold->nodes;

    for (size_t j = 0; j < i; j++)
        if (nodes[path->nodes[j]].process == 0 &&
            nodes[path->nodes[j]].function == nodes[path->nodes[i]].function)
            return true;
    return false;
}

/* Edges from "all" along PATH to its leaf, whose own cost this is. */
static void charge(struct writer *writer, const struct path *path, struct cost cost)
{
    const struct fold_node *nodes = writer->fold->nodes;
    node_id caller = NODE_ROOT;
    struct edge *edge;

    for (size_t i = 0; i < path->count; i++) {
        node_id callee = path->nodes[i];

        /* A call happens on the line where the caller was: the node's own line. */
        edge = edge_of(writer, name_number(writer, caller), name_number(writer, callee),
                       nodes[caller].line);
        edge->calls += cost.samples > 0 ? cost.samples : 1;
        if (!came_before(writer, path, i)) {
            edge->cost.samples += cost.samples;
            edge->cost.weight += cost.weight;
        }
        caller = callee;
    }
    edge = edge_of(writer, name_number(writer, caller), NO_CALLEE, nodes[caller].line);
    edge->cost.samples += cost.samples;
    edge->cost.weight += cost.weight;
}

static int by_function(const void *a, const void *b)
{
    const struct edge *first = a, *second = b;

    if (first->function != second->function)
        return first->function < second->function ? -1 : 1;
    /* Own costs come first: NO_CALLEE + 1 is 0. */
    if (first->callee != second->callee)
        return first->callee + 1 < second->callee + 1 ? -1 : 1;
    return first->line < second->line ? -1 : first->line > second->line;
}

static void put_text(FILE *stream, const char *text)
{
    for (; *text != '\0'; text++)
        putc((unsigned char)*text < ' ' ? '?' : *text, stream);
}

/* The function of a number; NULL for "all" and processes, whose name is put into BUFFER. */
static const struct function *named_by(const struct writer *writer, uint32_t number, char *buffer,
                                       size_t size_bytes)
{
    struct fold_node process = { 0 };

    if (number < writer->functions)
        return names_get(writer->fold->names, number);
    if (number == writer->functions) {
        snprintf(buffer, size_bytes, "all");
        return NULL;
    }
    process.process = (uint32_t)writer->processes[number - writer->functions - 1];
    node_name(writer->fold, &process, buffer, size_bytes);
    return NULL;
}

/* Where it is and "fn=(7) name", the name the first time only. */
static void put_name(struct writer *writer, bool callee, uint32_t number)
{
    char buffer[128];
    const struct function *function = named_by(writer, number, buffer, sizeof(buffer));

    fputs(callee ? "cob=" : "ob=", writer->stream);
    put_text(writer->stream,
             function != NULL && function->module[0] != '\0' ? function->module : "???");
    fputs(callee ? "\ncfi=" : "\nfl=", writer->stream);
    put_text(writer->stream,
             function != NULL && function->file[0] != '\0' ? function->file : "???");
    fprintf(writer->stream, "\n%s=(%" PRIu32 ")", callee ? "cfn" : "fn", number + 1);
    if (!writer->named[number]) {
        putc(' ', writer->stream);
        put_text(writer->stream, function != NULL ? function->name : buffer);
        writer->named[number] = true;
    }
    putc('\n', writer->stream);
}

static void put_edges(struct writer *writer)
{
    qsort(writer->edges, writer->count, sizeof(struct edge), by_function);
    for (size_t i = 0; i < writer->count; i++) {
        const struct edge *edge = &writer->edges[i];

        if (i == 0 || writer->edges[i - 1].function != edge->function) {
            putc('\n', writer->stream);
            put_name(writer, false, edge->function);
        }
        if (edge->callee != NO_CALLEE) {
            put_name(writer, true, edge->callee);
            fprintf(writer->stream, "calls=%" PRIu64 " %" PRIu32 "\n", edge->calls,
                    edge->callee < writer->functions
                        ? names_get(writer->fold->names, edge->callee)->line
                        : 0);
        }
        fprintf(writer->stream, "%" PRIu32 " %" PRIu64 " %" PRIu64 "\n", edge->line,
                edge->cost.samples, edge->cost.weight);
    }
}

static void put_header(struct writer *writer)
{
    const struct fold *fold = writer->fold;
    const struct profile_info *info = profile_info(fold->profile);
    struct measure weight = weight_of(fold);

    fprintf(writer->stream, "# callgrind format\nversion: 1\ncreator: " PACKAGE_STRING "\n");
    if (info->pid > 0)
        fprintf(writer->stream, "pid: %d\n", (int)info->pid);
    fputs("cmd: ", writer->stream);
    put_text(writer->stream, info->command != NULL ? info->command : "");
    fprintf(writer->stream,
            "\npositions: line\nevent: Samples : samples\nevent: Weight : %s, %s\n"
            "events: Samples Weight\nsummary: %" PRIu64 " %" PRIu64 "\n",
            weight.name, weight.unit, fold->samples, fold->weight);
}

static bool write_callgrind(const struct fold *fold, const struct export_options *options,
                            FILE *stream, struct error *error)
{
    struct writer writer = { .fold = fold, .stream = stream };
    struct path path = { 0 };

    (void)options;
    (void)error;
    writer.functions = names_functions(fold->names);
    index_init(&writer.index);
    for (node_id id = 0; id < fold->node_count; id++) {
        const struct fold_node *node = &fold->nodes[id];

        if (node->self == 0 && node->self_samples == 0)
            continue;
        path_to(&path, fold, id);
        charge(&writer, &path, (struct cost){ node->self_samples, node->self });
    }
    writer.named = xcalloc(writer.functions + writer.process_count + 2, sizeof(bool));
    put_header(&writer);
    put_edges(&writer);
    fprintf(stream, "\ntotals: %" PRIu64 " %" PRIu64 "\n", fold->samples, fold->weight);
    path_fini(&path);
    index_fini(&writer.index);
    free(writer.named);
    free(writer.edges);
    free(writer.processes);
    return true;
}

const struct export_ops export_callgrind = {
    .name = "callgrind",
    .extension = ".callgrind",
    .label = N_("callgrind, for kcachegrind"),
    .write = write_callgrind,
};
