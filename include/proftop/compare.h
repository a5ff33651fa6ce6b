/* SPDX-License-Identifier: MIT */
/*
 * Which functions differ between two sets of blocks of time, beyond noise: a range against the
 * rest, the seconds of a spike against the quiet ones, one recording against another.
 *
 * Samples close in time are alike (a program has phases), so that they are worth less than as many
 * independent ones.  The test measures by how much: it takes the variance between blocks, at every
 * block length that leaves enough of them, and believes the worst.  Marks are corrected for the
 * number of functions (Holm) at COMPARE_LEVEL for all of them together.
 */
#ifndef PROFTOP_COMPARE_H
#define PROFTOP_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/blocks.h"

/* The chance that a comparison of two equal sides marks anything at all. */
#define COMPARE_LEVEL 0.01

enum compare_what {
    COMPARE_SHARE, /* of the side's weight, in points of a hundred */
    COMPARE_RATE   /* weight in a second of wall time: 100 = one core */
};

struct compare_side {
    struct blocks *blocks;
    const bool *chosen; /* a flag a block; NULL: all of them */
};

struct compare_options {
    enum compare_what what;
    bool total; /* compare total weights, not self */
};

struct compare_row {
    function_id function; /* in A's and B's ids, which the caller made the same */
    double a_pct, b_pct;
    double delta_pt; /* a_pct - b_pct */
    double lo, hi;   /* 95 % interval of delta_pt, for this row alone */
    double p;        /* chance of such a difference without one, for this row alone */
    bool significant;
    uint64_t a_samples, b_samples;
};

struct comparison {
    struct compare_row *rows; /* what rose beyond noise, what fell, the rest by |delta_pt| */
    uint32_t count;
    uint32_t significant;
    uint64_t a_samples, b_samples;
    double a_seconds, b_seconds;
    bool enough; /* false: too few samples or blocks on a side for any mark */
};

/* Never NULL; freed by comparison_free(). */
struct comparison *compare_sides(const struct compare_side *a, const struct compare_side *b,
                                 const struct compare_options *options);
void comparison_free(struct comparison *comparison);

/* The row of FUNCTION, or NULL. */
const struct compare_row *comparison_find(const struct comparison *comparison,
                                          function_id function);

#endif
