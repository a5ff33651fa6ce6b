/* SPDX-License-Identifier: MIT */
/* The distributions that comparing needs. */
#ifndef PROFTOP_STATISTICS_H
#define PROFTOP_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

/* Chance that Student's t with DEGREES of freedom is farther from 0 than T. */
double statistics_student(double t, double degrees);
/* The T that it passes with chance P: the width of an interval. */
double statistics_student_quantile(double p, double degrees);

/*
 * Fisher's exact test, two-sided by doubling: HIT_A of N_A against HIT_B of N_B.  Exact where
 * counts are small and a normal approximation would see differences that are none.
 */
double statistics_fisher(uint64_t hit_a, uint64_t n_a, uint64_t hit_b, uint64_t n_b);

/* Median of VALUES, which are reordered; 0 when there are none. */
double statistics_median(double *values, size_t count);

#endif
