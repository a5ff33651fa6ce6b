/* SPDX-License-Identifier: MIT */
/* Who calls a function and whom it calls. */
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
