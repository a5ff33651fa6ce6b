/* SPDX-License-Identifier: MIT */
/*
 * What a scope selects of a profile, summed by stack and by thread, before it is given names.
 *
 *     slices in the range ─► entries of the state, metric and threads ─► weight per stack
 *                                                                   └──► by (thread, node), …
 *
 * Weights per stack stay right whatever the stacks are called.  What is kept by display node has to
 * be summed again when known stacks lead elsewhere.
 */
#ifndef PROFTOP_PROFILE_SUMS_H
#define PROFTOP_PROFILE_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "cells.h"
#include "display.h"
#include "proftop/history.h"
#include "selection.h"

struct stack_sum {
    uint64_t weight, samples;
};

struct thread_sum {
    uint64_t running_ns, runnable_ns, waiting_ns, gil_held_ns, gil_wanted_ns;
    uint64_t weight, samples;
};

struct sums {
    struct stack_sum *stacks;
    size_t stack_count, stack_capacity;
    struct thread_sum *threads;
    size_t thread_count, thread_capacity;
    struct cells waits;       /* (thread, reason, system call) */
    struct cells wait_stacks; /* (cell of waits, stack) */
    struct cells tops;        /* (thread, display node) */
    double square_sum;        /* of weights, for the effective number of samples */
    uint64_t weight, samples;
    struct record_tally tally;
};

void sums_init(struct sums *sums);
void sums_fini(struct sums *sums);
void sums_clear(struct sums *sums);

/* Room for the stacks and threads that exist now. */
void sums_fit(struct sums *sums, uint32_t stacks, uint32_t threads);
/* Adds what SELECTION takes of SLICE. */
void sums_add(struct sums *sums, const struct slice *slice, const struct selection *selection,
              const struct display *display);
/* The sums by display node alone, from their beginning. */
void sums_clear_nodes(struct sums *sums);
void sums_add_nodes(struct sums *sums, const struct slice *slice, const struct selection *selection,
                    const struct display *display);

#endif
