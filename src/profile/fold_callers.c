/* SPDX-License-Identifier: MIT */
/* Who calls a function and whom it calls, and the tree from the leaves. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fold_private.h"
#include "proftop/memory.h"

/* ---- callers and callees --------------------------------------------------------------------- */

static int compare_neighbours(const void *left, const void *right)
{
    const struct fold_neighbour *a = left, *b = right;

    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    if (a->samples != b->samples)
        return a->samples > b->samples ? -1 : 1;
    return (a->function > b->function) - (a->function < b->function);
}

/* The cells that have something left, by falling weight. */
static struct fold_neighbour *sorted_neighbours(const struct cells *cells, uint32_t *count)
{
    struct fold_neighbour *list = xcalloc(cells->count + 1, sizeof(*list));

    *count = 0;
    for (size_t i = 0; i < cells->count; i++) {
        const struct cell *cell = &cells->cells[i];

        if (cell->samples != 0)
            list[(*count)++] =
                (struct fold_neighbour){ (function_id)cell->key, cell->weight, cell->samples };
    }
    qsort(list, *count, sizeof(*list), compare_neighbours);
    return list;
}

/*
 * A stack in which the function occurs more than once counts once: for its caller at the outermost
 * place, for its callee at the innermost.
 *
 *     main ─ f ─ g ─ f ─ h      caller main, callee h
 */
struct fold_callers *fold_callers(const struct fold *fold, function_id function)
{
    struct fold_callers *result = xcalloc(1, sizeof(*result));
    /* By node: 0, or 1 + the innermost node of FUNCTION on the way to it, itself included. */
    node_id *inside = xcalloc((size_t)fold->node_count + 1, sizeof(*inside));
    struct cells callers, callees;

    cells_init(&callers);
    cells_init(&callees);
    for (node_id i = 1; i < fold->node_count; i++) {
        const struct fold_node *node = &fold->nodes[i];
        const struct fold_node *parent = &fold->nodes[node->parent];
        node_id outer = inside[node->parent];

        inside[i] = outer;
        if (node->function != function) {
            if (outer == node->parent + 1)
                cells_add(&callees, node->function, node->total, node->total_samples);
            continue;
        }
        inside[i] = i + 1;
        cells_add(&callees, function, node->self, node->self_samples);
        if (outer == 0) {
            if (node->parent != NODE_ROOT && parent->process == 0)
                cells_add(&callers, parent->function, node->total, node->total_samples);
            continue;
        }
        if (outer !=
            node->parent + 1) { /* counted under the callee that leads here: take it back */
            node_id callee = node->parent;

            while (fold->nodes[callee].parent + 1 != outer)
                callee = fold->nodes[callee].parent;
            cells_add(&callees, fold->nodes[callee].function, -node->total, -node->total_samples);
        }
    }
    result->callers = sorted_neighbours(&callers, &result->caller_count);
    result->callees = sorted_neighbours(&callees, &result->callee_count);
    cells_fini(&callers);
    cells_fini(&callees);
    free(inside);
    return result;
}

void fold_callers_free(struct fold_callers *callers)
{
    if (callers == NULL)
        return;
    free(callers->callers);
    free(callers->callees);
    free(callers);
}

/* ---- bottom up ------------------------------------------------------------------------------- */

struct turned {
    struct cells index; /* (turned node, function) → turned node, in the order they came */
    struct raw_node *raw;
    size_t capacity;
};

/* The child of PARENT for FUNCTION, with WEIGHT and SAMPLES more in its total. */
static uint32_t turn_into(struct turned *turned, uint32_t parent, function_id function,
                          uint64_t weight, uint64_t samples)
{
    size_t known = turned->index.count, item;
    struct raw_node *raw;

    item = cells_add(&turned->index, (uint64_t)parent << 32 | function, 0, 0) + 1;
    if (turned->index.count != known) {
        turned->raw = array_reserve(turned->raw, &turned->capacity, item + 1, sizeof(*turned->raw));
        turned->raw[item] = (struct raw_node){ .function = function,
                                               .parent = parent,
                                               .depth = turned->raw[parent].depth + 1 };
    }
    raw = &turned->raw[item];
    raw->total += weight;
    raw->total_samples += samples;
    return (uint32_t)item;
}

/* Adds the way from NODE to the root; its self part ends where the way ends. */
static void turn_path(struct turned *turned, const struct fold *fold, node_id node, uint64_t weight,
                      uint64_t samples)
{
    uint32_t at = 0;

    turned->raw[0].total += weight;
    turned->raw[0].total_samples += samples;
    for (; node != NODE_ROOT; node = fold->nodes[node].parent)
        at = turn_into(turned, at, fold->nodes[node].function, weight, samples);
    turned->raw[at].self += weight;
    turned->raw[at].self_samples += samples;
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

struct fold *fold_bottom_up(const struct fold *fold, function_id function)
{
    const struct whole_fold *whole = (const struct whole_fold *)fold;
    struct turned turned = { 0 };
    struct selection selection;
    struct whole_fold *result;

    cells_init(&turned.index);
    turned.raw = array_reserve(NULL, &turned.capacity, 1, sizeof(*turned.raw));
    turned.raw[0] = (struct raw_node){ .function = FUNCTION_ROOT };
    for (node_id i = 1; i < fold->node_count; i++) {
        const struct fold_node *node = &fold->nodes[i];

        if (function == UINT32_MAX) {
            if (node->self_samples != 0)
                turn_path(&turned, fold, i, node->self, node->self_samples);
        } else if (node->function == function && !below_same(fold, i)) {
            turn_path(&turned, fold, i, node->total, node->total_samples);
        }
    }
    selection_copy(&selection, &whole->selection);
    result = fold_new(whole->profile, whole->display, &selection);
    result->fold = *fold;
    result->fold.rows = NULL; /* the other fold's, which may go first */
    result->fold.row_count = 0;
    result->fold.threads = NULL;
    result->fold.thread_count = 0;
    fold_set_tree(result, turned.raw, (uint32_t)turned.index.count + 1);
    cells_fini(&turned.index);
    free(turned.raw);
    return &result->fold;
}
