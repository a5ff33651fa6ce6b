/* SPDX-License-Identifier: MIT */
/*
 * The tree from the leaves: who ran, by whom it was called, and so on outwards.
 *
 *     fold             turned              parts of "f" under the root: the nodes 3 and 5,
 *     main ─ a ─ f     f ─ a ─ main        each with its self weight; a step outwards they are
 *          └ b ─ f       └ b ─ main        in "a" (node 2) and in "b" (node 4)
 *
 * It is made level by level.  A turned node keeps the nodes of the fold that it has reached, and
 * what weight came along.  Of a large tree, what weighs next to nothing goes no further outwards:
 * nobody could see it, and it is most of the nodes.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fold_private.h"
#include "proftop/memory.h"

enum {
    LARGE_NODES = 20000, /* a fold with more is cut short … */
    SMALL_PART = 10000,  /* … where less than that part of its weight is left */
};

/* A node of the fold on the way outwards. */
struct part {
    node_id node;
    uint64_t weight, samples;
};

struct parts {
    struct part *list;
    size_t count, capacity;
};

struct turning {
    const struct fold *fold;
    uint64_t least; /* weight of a turned node that goes on */
    struct raw_node *raw;
    size_t count, capacity;
    size_t *first; /* by turned node of a level: where its parts begin */
    size_t first_capacity;
    struct parts parts, next; /* of this level and of the next one out */
    struct parts met;         /* of the node that is being expanded, each outer node once */
    uint32_t *met_at;         /* by node of the fold: its place in met, if it is in it */
    uint32_t *child_of;       /* by function: the turned child, if it is one of these */
};

static void push_part(struct parts *parts, const struct part *part)
{
    parts->list =
        array_reserve(parts->list, &parts->capacity, parts->count + 1, sizeof(*parts->list));
    parts->list[parts->count++] = *part;
}

static uint32_t push_turned(struct turning *turning, uint32_t parent, function_id function)
{
    turning->raw =
        array_reserve(turning->raw, &turning->capacity, turning->count + 1, sizeof(*turning->raw));
    turning->raw[turning->count] = (struct raw_node){
        .function = function,
        .parent = parent,
        .depth = turning->count == 0 ? 0 : turning->raw[parent].depth + 1,
    };
    return (uint32_t)turning->count++;
}

/* Collects what is in MET by function, as children of TURNED with their parts in NEXT. */
static void spread(struct turning *turning, uint32_t turned)
{
    const struct fold_node *nodes = turning->fold->nodes;
    size_t begin = turning->count, at = turning->next.count;

    for (size_t i = 0; i < turning->met.count; i++) {
        const struct part *part = &turning->met.list[i];
        function_id function = nodes[part->node].function;
        uint32_t child = turning->child_of[function];
        struct raw_node *raw;

        if (child < begin || child >= turning->count || turning->raw[child].function != function)
            child = turning->child_of[function] = push_turned(turning, turned, function);
        raw = &turning->raw[child];
        raw->total += part->weight;
        raw->total_samples += part->samples;
        raw->line++; /* how many parts, for now */
    }
    turning->first = array_reserve(turning->first, &turning->first_capacity, turning->count + 1,
                                   sizeof(*turning->first));
    for (size_t child = begin; child < turning->count; child++) {
        turning->first[child] = at;
        at += turning->raw[child].line;
        turning->raw[child].line = 0;
    }
    turning->next.list =
        array_reserve(turning->next.list, &turning->next.capacity, at, sizeof(struct part));
    turning->next.count = at;
    for (size_t i = 0; i < turning->met.count; i++) {
        uint32_t child = turning->child_of[nodes[turning->met.list[i].node].function];

        turning->next.list[turning->first[child] + turning->raw[child].line++] =
            turning->met.list[i];
    }
}

static void meet(struct turning *turning, const struct part *part)
{
    uint32_t at = turning->met_at[part->node];

    if (at < turning->met.count && turning->met.list[at].node == part->node) {
        turning->met.list[at].weight += part->weight;
        turning->met.list[at].samples += part->samples;
        return;
    }
    turning->met_at[part->node] = (uint32_t)turning->met.count;
    push_part(&turning->met, part);
}

/* One step outwards from TURNED, whose parts are COUNT from FIRST on; those at the end stay. */
static void expand(struct turning *turning, uint32_t turned, size_t first, size_t count)
{
    bool small = turning->raw[turned].total < turning->least;

    turning->met.count = 0;
    for (size_t i = first; i < first + count; i++) {
        struct part part = turning->parts.list[i];

        part.node = turning->fold->nodes[part.node].parent;
        if (part.node == NODE_ROOT || small) {
            turning->raw[turned].self += part.weight;
            turning->raw[turned].self_samples += part.samples;
        } else {
            meet(turning, &part);
        }
    }
    if (turning->met.count > 0)
        spread(turning, turned);
}

/* Level by level; the children of a level's nodes lie behind it. */
static void turn(struct turning *turning)
{
    size_t from = 0, to = 1;

    while (from < to) {
        struct parts spent = turning->parts;

        turning->parts = turning->next;
        turning->next = spent;
        turning->next.count = 0;
        from = to;
        to = turning->count;
        for (size_t turned = from; turned < to; turned++) {
            size_t parts = turning->raw[turned].line;

            turning->raw[turned].line = 0;
            expand(turning, (uint32_t)turned, turning->first[turned], parts);
        }
    }
}

static bool below_same(const struct fold *fold, node_id node)
{
    function_id function = fold->nodes[node].function;

    while ((node = fold->nodes[node].parent) != NODE_ROOT) {
        if (fold->nodes[node].function == function)
            return true;
    }
    return false;
}

/* What the turned tree begins with: self weights, or all that is in one function. */
static void begin(struct turning *turning, function_id function)
{
    const struct fold *fold = turning->fold;

    push_turned(turning, 0, FUNCTION_ROOT);
    for (node_id i = 1; i < fold->node_count; i++) {
        const struct fold_node *node = &fold->nodes[i];
        struct part part = { i, node->self, node->self_samples };

        if (function != UINT32_MAX) {
            if (node->function != function || below_same(fold, i))
                continue;
            part.weight = node->total;
            part.samples = node->total_samples;
        }
        if (part.samples == 0)
            continue;
        turning->raw[0].total += part.weight;
        turning->raw[0].total_samples += part.samples;
        meet(turning, &part);
    }
    if (turning->met.count > 0)
        spread(turning, 0);
}

static void turning_fini(struct turning *turning)
{
    free(turning->raw);
    free(turning->first);
    free(turning->parts.list);
    free(turning->next.list);
    free(turning->met.list);
    free(turning->met_at);
    free(turning->child_of);
}

struct fold *fold_bottom_up(const struct fold *fold, function_id function)
{
    const struct whole_fold *whole = (const struct whole_fold *)fold;
    struct turning turning = { .fold = fold };
    struct selection selection;
    struct whole_fold *result;

    turning.least = fold->node_count > LARGE_NODES ? fold->weight / SMALL_PART : 0;
    turning.met_at = xcalloc((size_t)fold->node_count + 1, sizeof(*turning.met_at));
    turning.child_of = xcalloc((size_t)names_functions(fold->names) + 1, sizeof(*turning.child_of));
    begin(&turning, function);
    turn(&turning);
    selection_copy(&selection, &whole->selection);
    result = fold_new(whole->profile, whole->display, &selection);
    result->fold = *fold;
    result->fold.rows = NULL; /* the other fold's, which may go first */
    result->fold.row_count = 0;
    result->fold.threads = NULL;
    result->fold.thread_count = 0;
    fold_set_tree(result, turning.raw, (uint32_t)turning.count);
    turning_fini(&turning);
    return &result->fold;
}
