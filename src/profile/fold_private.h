/* SPDX-License-Identifier: MIT */
/*
 * What the parts of folding share.
 *
 *     folder.c ─ sums, display ─► fold_build.c ─► fold_process.c ─ raw nodes ─► fold_tree.c
 *                                             └► fold_rows.c, fold_threads.c
 *                                                fold_callers.c, fold_turn.c, fold_detail.c:
 *                                                from a fold
 */
#ifndef PROFTOP_PROFILE_FOLD_PRIVATE_H
#define PROFTOP_PROFILE_FOLD_PRIVATE_H

#include "display.h"
#include "proftop/arena.h"
#include "proftop/fold.h"
#include "selection.h"
#include "sums.h"

/* A fold with what it holds on to. */
struct whole_fold {
    struct fold fold; /* first: a struct fold * is one of these */
    struct profile *profile;
    struct display *display;
    struct selection selection; /* NULL threads are all */
    struct arena *arena;        /* of every table */
    uint32_t *row_of;           /* by function: row + 1 */
    uint32_t function_count;
    struct fold_counts *counts; /* by row, then of all; NULL: nothing was counted */
};

struct whole_fold *fold_new(struct profile *profile, struct display *display,
                            const struct selection *selection);

/* A node before the tree is put in order; a parent comes before its children, the root first. */
struct raw_node {
    function_id function;
    uint32_t parent, depth, line, process;
    uint64_t self, total, self_samples, total_samples;
};

/* Sets FOLD's nodes from those of RAW that have a total: parents first, siblings by weight. */
void fold_set_tree(struct whole_fold *whole, const struct raw_node *raw, uint32_t count);

/* What is summed by display node; the same index as the display's. */
struct node_sum {
    function_id function; /* drawn; FUNCTION_ROOT for the root */
    uint64_t self, total, self_samples, total_samples, python;
    uint64_t threads; /* short way: a bit a thread */
    uint32_t line;
    uint64_t votes; /* how far ahead LINE is, by the majority vote of Boyer and Moore */
};

struct build {
    struct whole_fold *whole;
    const struct sums *sums;
    const struct display *display;
    struct node_sum *nodes;
    uint32_t node_count;
};

/* Fills rows, and unless ROWS_ONLY tree, threads and waits, of a new fold. */
void fold_build(struct whole_fold *whole, const struct sums *sums, bool rows_only);
void fold_build_tree(struct build *build);
void fold_build_rows(struct build *build);
void fold_build_threads(struct whole_fold *whole, const struct sums *sums);

/* Sums by (thread, node) grouped by thread: first[thread] … first[thread + 1] in order. */
struct grouped {
    uint32_t *first;
    const struct cell **order;
};
void group_by_thread(struct grouped *grouped, const struct cells *tops, uint32_t threads);
void grouped_fini(struct grouped *grouped);

#endif
