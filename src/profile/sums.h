/* SPDX-License-Identifier: MIT */
/*
 * What a scope selects of a profile, summed by stack and by thread, before it is drawn.
 *
 *     slices in the range ─► entries of the state, metric and threads ─► weight per stack
 *                                                                   └──► by thread, and more
 *
 * Weights per stack stay right whatever the stacks are called.  What is summed by function or by
 * display node has to be summed again when known stacks lead elsewhere.
 *
 * A wide range has millions of entries, so most profiles take the short way: where there is one
 * process with at most 64 threads, a bit a thread and a matrix of function and thread do.  Others
 * have sums by (thread, display node) in a hash table.
 */
#ifndef PROFTOP_PROFILE_SUMS_H
#define PROFTOP_PROFILE_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "cells.h"
#include "display.h"
#include "proftop/fold.h"
#include "proftop/history.h"
#include "selection.h"

/* A stack that the filter leaves out; one that ends in no function has leaf 0. */
#define LEAF_EXCLUDED UINT32_MAX

struct stack_sum {
    uint64_t weight;
    uint64_t threads; /* short way: a bit a thread */
    uint32_t samples;
    uint32_t leaf; /* 1 + the function that its self weight is shown as */
};

struct thread_sum {
    uint64_t running_ns, runnable_ns, waiting_ns, gil_held_ns, gil_wanted_ns;
    uint64_t weight, samples;
};

struct sums {
    bool short_way;
    struct stack_sum *stacks;
    size_t stack_count, stack_capacity;
    struct fold_counts *counts; /* by stack; NULL: nothing was counted beside the samples */
    size_t counts_count, counts_capacity;
    struct thread_sum *threads;
    size_t thread_count, thread_capacity;
    uint64_t *matrix; /* short way: weight by leaf, then thread */
    size_t leaf_count, leaf_capacity;
    unsigned stride;          /* threads of a row of the matrix, a power of two */
    struct cells tops;        /* long way: (thread, display node) */
    struct cells waits;       /* (thread, reason, system call) */
    struct cells wait_stacks; /* (cell of waits, stack) */
    double square_sum;        /* of weights, for the effective number of samples */
    uint64_t weight, samples;
    struct record_tally tally;
};

void sums_init(struct sums *sums);
void sums_fini(struct sums *sums);

/* Whether PROFILE's threads are few enough for the short way. */
bool sums_can_be_short(const struct profile *profile);

/* All zero, for what PROFILE and DISPLAY have now. */
void sums_start(struct sums *sums, const struct profile *profile, const struct display *display);
/* Room for what is new since; false when the sums cannot go on and have to be started again. */
bool sums_grow(struct sums *sums, const struct profile *profile, const struct display *display);
/* Adds what SELECTION takes of SLICE. */
void sums_add(struct sums *sums, const struct slice *slice, const struct selection *selection,
              const struct display *display);

/* The same for what depends on how stacks are shown, alone. */
void sums_start_leaves(struct sums *sums, const struct display *display);
void sums_add_leaves(struct sums *sums, const struct slice *slice,
                     const struct selection *selection, const struct display *display);

#endif
