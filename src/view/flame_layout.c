/* SPDX-License-Identifier: MIT */
/* The boxes of a flame graph, row by row: the children of each box share out its columns. */
#include "config.h"

#include "flame_layout.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/hash.h"
#include "proftop/memory.h"

/* One child while its parent's columns are shared out. */
struct part {
    node_id node;
    const char *name;
    uint64_t hue;
    double wanted; /* columns, with a fraction */
    int width;
};

struct parts {
    struct part *parts;
    size_t count, room;
    uint32_t hidden; /* children under a column */
    double hidden_wanted;
};

uint64_t flame_path(uint64_t parent, const struct fold *fold, node_id node)
{
    const struct fold_node *at = &fold->nodes[node];

    return hash_pair(parent,
                     at->process != 0 ? at->process : names_get(fold->names, at->function)->hue);
}

static int by_name(const void *left, const void *right)
{
    const struct part *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    if (order != 0)
        return order;
    return a->hue < b->hue ? -1 : a->hue > b->hue;
}

static void collect(struct parts *parts, const struct fold *fold, const struct flame_box *box)
{
    const struct fold_node *parent = &fold->nodes[box->node];

    parts->count = 0;
    parts->hidden = 0;
    parts->hidden_wanted = 0;
    for (node_id node = parent->child; node != NODE_END; node = fold->nodes[node].next) {
        const struct fold_node *child = &fold->nodes[node];
        const struct function *function =
            child->process != 0 ? NULL : names_get(fold->names, child->function);
        double wanted = (double)child->total * box->width / (double)parent->total;

        if (child->total == 0)
            continue;
        if (wanted < 1) {
            parts->hidden++;
            parts->hidden_wanted += wanted;
            continue;
        }
        parts->parts =
            array_reserve(parts->parts, &parts->room, parts->count + 1, sizeof(*parts->parts));
        parts->parts[parts->count++] = (struct part){
            .node = node,
            .name = function != NULL ? function->name : "",
            .hue = function != NULL ? function->hue : child->process,
            .wanted = wanted,
        };
    }
}

/* Whole columns for each part: the floor, then one more by falling remainder while some are left.
 */
static void share_out(struct parts *parts, int columns)
{
    double wanted = parts->hidden_wanted;
    int left;

    for (size_t i = 0; i < parts->count; i++)
        wanted += parts->parts[i].wanted;
    left = (int)(wanted + 0.5) < columns ? (int)(wanted + 0.5) : columns;
    for (size_t i = 0; i < parts->count; i++) {
        parts->parts[i].width = (int)parts->parts[i].wanted;
        left -= parts->parts[i].width;
    }
    left -= parts->hidden != 0;
    while (left > 0) {
        struct part *best = NULL;

        for (size_t i = 0; i < parts->count; i++) {
            struct part *part = &parts->parts[i];

            if (part->wanted - part->width > 0 &&
                (best == NULL || part->wanted - part->width > best->wanted - best->width))
                best = part;
        }
        if (best == NULL)
            break;
        best->width++;
        left--;
    }
}

static void add(struct flame_layout *layout, const struct flame_box *box)
{
    layout->boxes = array_reserve(layout->boxes, &layout->room, (size_t)layout->count + 1,
                                  sizeof(*layout->boxes));
    layout->boxes[layout->count++] = *box;
    if (box->row >= layout->rows)
        layout->rows = box->row + 1;
}

static void place_children(struct flame_layout *layout, const struct fold *fold, int at,
                           struct parts *parts)
{
    struct flame_box parent = layout->boxes[at];
    int column = parent.column;

    collect(parts, fold, &parent);
    share_out(parts, parent.width);
    if (parts->count > 1)
        qsort(parts->parts, parts->count, sizeof(*parts->parts), by_name);
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->parts[i];

        add(layout, &(struct flame_box){ .node = part->node,
                                         .path = flame_path(parent.path, fold, part->node),
                                         .parent = at,
                                         .row = parent.row + 1,
                                         .column = column,
                                         .width = part->width });
        column += part->width;
    }
    if (parts->hidden == 0)
        return;
    layout->hidden += parts->hidden;
    if (column < parent.column + parent.width)
        add(layout, &(struct flame_box){ .node = NODE_END,
                                         .hidden = parts->hidden,
                                         .path = hash_pair(parent.path, 1),
                                         .parent = at,
                                         .row = parent.row + 1,
                                         .column = column,
                                         .width = 1 });
}

void flame_layout(struct flame_layout *layout, const struct fold *fold, node_id root, uint64_t path,
                  int columns, int rows)
{
    struct parts parts = { 0 };

    layout->count = layout->rows = 0;
    layout->hidden = 0;
    if (columns < 1 || rows < 1 || fold->nodes[root].total == 0)
        return;
    add(layout, &(struct flame_box){
                    .node = root, .path = path, .parent = -1, .row = 0, .width = columns });
    for (int i = 0; i < layout->count; i++) {
        if (layout->boxes[i].node != NODE_END && layout->boxes[i].row + 1 < rows)
            place_children(layout, fold, i, &parts);
    }
    free(parts.parts);
}

void flame_layout_fini(struct flame_layout *layout)
{
    free(layout->boxes);
    *layout = (struct flame_layout){ 0 };
}
