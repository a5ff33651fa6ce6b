/* SPDX-License-Identifier: MIT */
/*
 * A fold: what a view or report draws from.  A profile seen through a scope, summed.
 *
 *     profile + scope ──fold_update()──► totals, rows (flat), nodes (tree), threads, waits
 *
 * One set of samples gives every number: self ≤ total, children ≤ parent, shares of one N.  A
 * function that occurs several times in a stack counts once in its total.  The folder keeps what it
 * summed, so that a live frame costs the new slices only.  Constant once made; freed whole.
 */
#ifndef PROFTOP_FOLD_H
#define PROFTOP_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/names.h"
#include "proftop/profile.h"
#include "proftop/scope.h"

typedef uint32_t node_id;
#define NODE_ROOT 0 /* its function is UINT32_MAX */
#define NODE_END UINT32_MAX

/* One function of the flat list, by self weight. */
struct fold_row {
    function_id function;
    uint64_t self, total; /* in the metric's unit */
    uint64_t self_samples, total_samples;
    uint64_t python_self; /* of self: spent while in Python code itself */
    uint32_t threads;     /* how many it ran on */
    uint32_t line;        /* where most of its self time is; 0 unknown */
};

/* One node of the tree, root first.  Children are linked by falling total. */
struct fold_node {
    function_id function;
    node_id parent, child, next;
    uint64_t self, total;
    uint64_t self_samples, total_samples;
    uint32_t depth;
    uint32_t line;    /* of the call, most frequent */
    uint32_t process; /* pid where the level is a process (several processes), else 0 */
};

struct fold_wait {
    enum wait_reason reason;
    int16_t syscall;
    uint32_t count;
    uint64_t time_ns;
    stack_id stack; /* the longest-waiting stack of this reason */
};

struct fold_thread {
    uint32_t thread; /* index in the profile */
    uint64_t running_ns, runnable_ns, waiting_ns, gil_held_ns, gil_wanted_ns;
    uint64_t weight, samples; /* in scope */
    function_id top;          /* most self weight now */
    uint64_t top_weight;
    const struct fold_wait *waits; /* longest first */
    uint32_t wait_count;
};

/* What was counted beside the samples of a function: of its self time. */
struct fold_counts {
    uint64_t of[COUNTED];
};

struct fold {
    uint64_t version;   /* goes up with every change */
    struct scope scope; /* resolved: real start and end */
    uint64_t start_ns, end_ns;
    const struct profile *profile;
    const struct names *names;

    uint64_t weight;           /* N of the metric: what every share is a share of */
    uint64_t samples;          /* N */
    double error_pt;           /* ± of the largest share, 95 % */
    double cores;              /* weight as CPUs; METRIC_TIME on CPU only */
    struct record_tally tally; /* summed over the range */

    const struct fold_row *rows; /* by falling self, then total, then name: stable */
    uint32_t row_count;
    const struct fold_node *nodes; /* nodes[NODE_ROOT] is all of it */
    uint32_t node_count;
    const struct fold_thread *threads; /* every thread of the profile alive in the range */
    uint32_t thread_count;
};

struct folder;

struct folder *folder_new(void);
/* One whose folds have no tree and no threads: half the memory, for who wants rows. */
struct folder *folder_new_rows(void);
void folder_free(struct folder *folder);

/*
 * The fold of PROFILE (kept by a reference) through SCOPE.  Costs the new slices when the scope is
 * the last one's.  A bad filter gives NULL and an error.  Freed by fold_free(); one thread a
 * folder.
 */
struct fold *fold_update(struct folder *folder, struct profile *profile, const struct scope *scope,
                         struct error *error);
void fold_free(struct fold *fold);

/* The row of FUNCTION, or NULL. */
const struct fold_row *fold_find(const struct fold *fold, function_id function);

/* What was counted of FUNCTION, of all for UINT32_MAX; NULL where nothing was. */
const struct fold_counts *fold_counts(const struct fold *fold, function_id function);

/* The whole weight by what was running: Python's own code, other native code, the kernel. */
struct fold_split {
    double python_pct, native_pct, kernel_pct; /* of N; Python without what its functions call */
};
/* False where there is no Python in FOLD, or nothing at all. */
bool fold_split(const struct fold *fold, struct fold_split *split);

/* Callers and callees of one function, by falling weight; and the tree turned over from it. */
struct fold_neighbour {
    function_id function; /* FUNCTION itself among callees: its own self part */
    uint64_t weight, samples;
};
struct fold_callers {
    struct fold_neighbour *callers, *callees;
    uint32_t caller_count, callee_count;
};
struct fold_callers *fold_callers(const struct fold *fold, function_id function);
void fold_callers_free(struct fold_callers *callers);

/*
 * The bottom-up tree (leaf first) of the whole fold, or of one function when not UINT32_MAX.  It
 * has nodes and totals; rows and threads are FOLD's alone.  Of a very large tree, ways that weigh
 * less than a ten-thousandth end early.
 */
struct fold *fold_bottom_up(const struct fold *fold, function_id function);

/* Lines of FUNCTION by weight: its self per source line. */
struct fold_line {
    uint32_t line;
    uint64_t self, samples;
};
/* The caller frees the list. */
struct fold_line *fold_lines(const struct fold *fold, function_id function, uint32_t *count);

/*
 * Share of FUNCTION (or everything: UINT32_MAX) in each of COUNT buckets of [start, end): weights
 * and samples, for sparks and lanes.
 */
void fold_series(const struct fold *fold, function_id function, uint32_t thread, uint64_t start_ns,
                 uint64_t end_ns, uint32_t count, uint64_t *weights, uint64_t *samples);

/*
 * What FOLD sums, in order of time: which thread was at which node of the tree when.  Slices are no
 * longer than RESOLUTION_NS where finer ones are still held; inside a slice there is no order.
 */
struct fold_sample {
    uint64_t start_ns, end_ns; /* of its slice */
    uint32_t thread;           /* index in the profile */
    node_id node;
    uint64_t weight;
    uint32_t samples;
};
struct fold_walk;

struct fold_walk *fold_walk_new(const struct fold *fold, uint64_t resolution_ns);
bool fold_walk_next(struct fold_walk *walk, struct fold_sample *sample);
void fold_walk_free(struct fold_walk *walk);

#endif
