/* SPDX-License-Identifier: MIT */
/*
 * The tree of a fold: level by level, siblings side by side and by falling weight.
 *
 *     nodes  | root | its children, heaviest first | children of the first | …
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fold_private.h"
#include "proftop/memory.h"

struct ordered {
    uint64_t total, self;
    uint32_t raw;
    function_id function;
};

static int compare_siblings(const void *left, const void *right)
{
    const struct ordered *a = left, *b = right;

    if (a->total != b->total)
        return a->total > b->total ? -1 : 1;
    if (a->self != b->self)
        return a->self > b->self ? -1 : 1;
    return (a->function > b->function) - (a->function < b->function);
}

/* The children of each raw node, side by side in CHILDREN from first[node] on. */
static void gather_children(const struct raw_node *raw, uint32_t count, uint32_t *first,
                            struct ordered *children)
{
    memset(first, 0, ((size_t)count + 2) * sizeof(*first));
    for (uint32_t i = 1; i < count; i++) {
        if (raw[i].total_samples != 0)
            first[raw[i].parent + 2]++;
    }
    for (uint32_t i = 2; i < count + 2; i++)
        first[i] += first[i - 1];
    for (uint32_t i = 1; i < count; i++) {
        if (raw[i].total_samples != 0)
            children[first[raw[i].parent + 1]++] =
                (struct ordered){ raw[i].total, raw[i].self, i, raw[i].function };
    }
}

static struct fold_node make_node(const struct raw_node *raw, node_id parent)
{
    return (struct fold_node){ .function = raw->function,
                               .parent = parent,
                               .child = NODE_END,
                               .next = NODE_END,
                               .self = raw->self,
                               .total = raw->total,
                               .self_samples = raw->self_samples,
                               .total_samples = raw->total_samples,
                               .depth = raw->depth,
                               .line = raw->line,
                               .process = raw->process };
}

/* Sorts the children of the raw node behind NODE and appends them. */
static node_id append_children(struct fold_node *nodes, uint32_t *raw_of, node_id node,
                               node_id count, const struct raw_node *raw, const uint32_t *first,
                               struct ordered *children)
{
    uint32_t from = first[raw_of[node]], to = first[raw_of[node] + 1];

    if (to - from > 1)
        qsort(&children[from], to - from, sizeof(*children), compare_siblings);
    for (uint32_t i = from; i < to; i++, count++) {
        raw_of[count] = children[i].raw;
        nodes[count] = make_node(&raw[children[i].raw], node);
        if (i == from)
            nodes[node].child = count;
        else
            nodes[count - 1].next = count;
    }
    return count;
}

void fold_set_tree(struct whole_fold *whole, const struct raw_node *raw, uint32_t count)
{
    uint32_t *first = xmalloc(((size_t)count + 2) * sizeof(*first));
    uint32_t *raw_of = xmalloc((size_t)count * sizeof(*raw_of));
    struct ordered *children = xmalloc((size_t)count * sizeof(*children));
    struct fold_node *nodes;
    node_id used = 1;

    gather_children(raw, count, first, children);
    nodes = arena_alloc(whole->arena, ((size_t)first[count] + 1) * sizeof(*nodes));
    nodes[0] = make_node(&raw[0], NODE_ROOT);
    raw_of[0] = 0;
    for (node_id i = 0; i < used; i++)
        used = append_children(nodes, raw_of, i, used, raw, first, children);
    whole->fold.nodes = nodes;
    whole->fold.node_count = used;
    free(first);
    free(raw_of);
    free(children);
}
