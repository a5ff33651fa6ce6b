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
#include "proftop/sorting.h"

/* The nodes that have something, heaviest first; how many. */
static uint32_t sort_nodes(const struct raw_node *raw, uint32_t count, struct sort_key *keys)
{
    uint64_t largest = raw[0].total;
    uint32_t used = 0;

    for (uint32_t i = 1; i < count; i++) {
        if (raw[i].total_samples != 0)
            keys[used++] = (struct sort_key){ largest - raw[i].total, i };
    }
    sort_keys(keys, used);
    return used;
}

/*
 * The children of each raw node side by side in CHILDREN, from first[node] to first[node + 1],
 * heaviest first.
 */
static void gather_children(const struct raw_node *raw, uint32_t count, uint32_t *first,
                            uint32_t *children)
{
    struct sort_key *keys = xmalloc((size_t)count * sizeof(*keys));
    uint32_t used = sort_nodes(raw, count, keys);

    memset(first, 0, ((size_t)count + 2) * sizeof(*first));
    for (uint32_t i = 0; i < used; i++)
        first[raw[keys[i].item].parent + 2]++;
    for (uint32_t i = 2; i < count + 2; i++)
        first[i] += first[i - 1];
    for (uint32_t i = 0; i < used; i++)
        children[first[raw[keys[i].item].parent + 1]++] = keys[i].item;
    free(keys);
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

/* Appends the children of the raw node behind NODE. */
static node_id append_children(struct fold_node *nodes, uint32_t *raw_of, node_id node,
                               node_id count, const struct raw_node *raw, const uint32_t *first,
                               const uint32_t *children)
{
    uint32_t from = first[raw_of[node]], to = first[raw_of[node] + 1];

    for (uint32_t i = from; i < to; i++, count++) {
        raw_of[count] = children[i];
        nodes[count] = make_node(&raw[children[i]], node);
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
    uint32_t *children = xmalloc((size_t)count * sizeof(*children));
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
