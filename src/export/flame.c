/* SPDX-License-Identifier: MIT */
/* The layout of a flame graph. */
#include "config.h"

#include "flame.h"

#include <stdlib.h>

#include "proftop/memory.h"

static uint32_t count_from(const struct fold *fold, uint64_t least)
{
    uint32_t count = 0;

    for (node_id id = 0; id < fold->node_count; id++)
        count += fold->nodes[id].total >= least;
    return count;
}

/* The least width that gives at most LIMIT boxes, to within a quarter. */
static uint64_t choose_least(const struct fold *fold, uint32_t limit)
{
    uint64_t least = 1;

    while (count_from(fold, least) > limit)
        least += least / 4 + 1;
    return least;
}

static void add_box(struct flame *flame, const struct fold *fold, node_id node, uint64_t start)
{
    flame->boxes[flame->count++] = (struct flame_box){ node, start };
    if (fold->nodes[node].depth > flame->depth)
        flame->depth = fold->nodes[node].depth;
}

/* Boxes are their own queue: each one's children are appended behind those that wait. */
void flame_init(struct flame *flame, const struct fold *fold, uint32_t limit)
{
    *flame = (struct flame){ .least = choose_least(fold, limit) };
    flame->boxes = xcalloc((size_t)limit + 1, sizeof(flame->boxes[0]));
    if (fold->weight == 0)
        return;
    add_box(flame, fold, NODE_ROOT, 0);
    for (uint32_t i = 0; i < flame->count; i++) {
        uint64_t start = flame->boxes[i].start;
        node_id child = fold->nodes[flame->boxes[i].node].child;

        for (; child != NODE_END; child = fold->nodes[child].next) {
            if (fold->nodes[child].total >= flame->least)
                add_box(flame, fold, child, start);
            start += fold->nodes[child].total;
        }
    }
    flame->left_out = fold->node_count - flame->count;
}

void flame_fini(struct flame *flame)
{
    free(flame->boxes);
}
