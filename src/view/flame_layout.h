/* SPDX-License-Identifier: MIT */
/*
 * Where the boxes of a flame graph stand, root on top: a box a node, as wide as its share.
 *
 *     column 0                                     columns
 *     | root                                             |   row 0
 *     | main                                       |…    |   row 1
 *     | sum              | hash1  | insert |…      |         row 2
 *
 * Widths are shared out by largest remainder, so that a row never is wider than its parent and
 * equal shares get equal widths.  What is narrower than a column goes together into one "…" box,
 * which counts them.  Siblings stand in the order of their names: a box stays where it is while the
 * numbers move.
 */
#ifndef VIEW_FLAME_LAYOUT_H
#define VIEW_FLAME_LAYOUT_H

#include <stdint.h>

#include "proftop/fold.h"

struct flame_box {
    node_id node;    /* NODE_END: a "…" box */
    uint32_t hidden; /* "…": how many nodes are in it, their descendants left out */
    uint64_t path;   /* a hash of the functions from the root: the same from fold to fold */
    int parent;      /* the box above, -1 for the root */
    int row, column, width;
};

struct flame_layout {
    struct flame_box *boxes; /* by row, then by column */
    int count, rows;
    uint32_t hidden; /* in all "…" boxes */
    size_t room;
};

/* Lays out the part of FOLD below ROOT (whose path is PATH), at most ROWS deep. */
void flame_layout(struct flame_layout *layout, const struct fold *fold, node_id root, uint64_t path,
                  int columns, int rows);
void flame_layout_fini(struct flame_layout *layout);

/* The path of a node of FUNCTION below a node of path PARENT. */
uint64_t flame_path(uint64_t parent, const struct fold *fold, node_id node);

#endif
