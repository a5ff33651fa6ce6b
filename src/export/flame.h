/* SPDX-License-Identifier: MIT */
/*
 * The layout of a flame graph: a node's place is its share of the whole.
 *
 *     depth 0   [ all                                   ]
 *     depth 1   [ main                    ][ start      ]
 *     depth 2   [ work        ][ read ]    [ …
 */
#ifndef EXPORT_FLAME_H
#define EXPORT_FLAME_H

#include "proftop/fold.h"

struct flame_box {
    node_id node;
    uint64_t start; /* in the unit of totals, from the left */
};

struct flame {
    struct flame_box *boxes; /* parents before their children */
    uint32_t count;
    uint32_t depth;    /* of the deepest box */
    uint64_t least;    /* narrower nodes are left out … */
    uint32_t left_out; /* … so many of them */
};

/* At most LIMIT boxes: the narrowest are left out. */
void flame_init(struct flame *flame, const struct fold *fold, uint32_t limit);
void flame_fini(struct flame *flame);

#endif
