/* SPDX-License-Identifier: MIT */
/* How far a share that was sampled may lie from the true one. */
#ifndef PROFTOP_SHARE_H
#define PROFTOP_SHARE_H

/* A 95 % interval, as shares of 1. */
struct interval {
    double low, high;
};

/*
 * Wilson's interval of a share that SAMPLES independent samples gave; samples of different weight
 * count as effective_samples().
 */
struct interval share_interval(double share, double samples);
/* How far it reaches from the share at most, in percentage points: the ± beside it. */
double share_error_pt(double share, double samples);

/* As many equal samples as tell as much: (Σ weight)² / Σ weight². */
double effective_samples(double weight_sum, double weight_square_sum);

#endif
