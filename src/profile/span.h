/* SPDX-License-Identifier: MIT */
/*
 * A span: a minute of slices in levels of detail.  Constant while more than one holds it; the
 * history clones it before it changes one that a profile holds.
 *
 *     span    |<──────────── 60 s ────────────>|
 *     fine    |·|·|·|·|·|·|·|·|·|·|·|·|·|·|·|·|     100 ms each
 *     second                                        only after the fine level was given up,
 *     tenth                                         10 s each, after that one was
 *     whole   |                                |    once the minute is complete
 *
 * Every level that is held has all of the data before its until_ns: what comes late enters each.
 */
#ifndef PROFTOP_PROFILE_SPAN_H
#define PROFTOP_PROFILE_SPAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/history.h"

#define SPAN_NS (60 * UINT64_C(1000000000))

struct level {
    struct slice **slices; /* by start, then as they came */
    size_t count, capacity;
    uint64_t until_ns; /* has everything before that */
    bool held;
};

struct span {
    _Atomic uint32_t refs;
    uint64_t start_ns, end_ns;
    uint64_t max_serial;
    size_t bytes; /* as the history has counted it */
    struct level levels[LEVELS];
};

struct span *span_new(uint64_t start_ns, uint64_t end_ns);
struct span *span_ref(struct span *span);
void span_unref(struct span *span);
struct span *span_clone(const struct span *span);
bool span_shared(const struct span *span);

/* Bytes of its slices and of the lists of them, counted anew. */
size_t span_bytes(const struct span *span);

/* The stretch a slice of LEVEL covers in SPAN. */
uint64_t span_unit_ns(const struct span *span, unsigned level, uint64_t slice_ns);

/* The first slice of LEVEL that starts at TIME or later. */
size_t level_find(const struct level *level, uint64_t time_ns);
/* Takes over SLICE. */
void level_insert(struct level *level, struct slice *slice);
void level_drop(struct level *level);

/* A fine slice enters the levels that should already have it. */
void span_add(struct span *span, struct slice *slice);
/* Detail finer than LEVEL was given up: LEVEL is the finest now, and has SLICE. */
void span_add_coarse(struct span *span, unsigned level, struct slice *slice);
/* Makes the whole, once the span is complete. */
void span_complete(struct span *span, struct slice_draft *scratch);
/* Gives up detail, the finest first; false when only the whole is left. */
bool span_thin(struct span *span, struct slice_draft *scratch);

#endif
