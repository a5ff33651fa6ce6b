/* SPDX-License-Identifier: MIT */
/* The distributions that comparing needs, by their textbook series. */
#include "config.h"

#include "statistics.h"

#include <math.h>
#include <stdlib.h>

/* The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), fraction;

    d = 1 / (fabs(d) < tiny ? tiny : d);
    fraction = d;
    for (int m = 1; m < 500; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double step;

        d = 1 + even * d;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = 1 + even / c;
        c = fabs(c) < tiny ? tiny : c;
        fraction *= d * c;

        d = 1 + odd * d;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = 1 + odd / c;
        c = fabs(c) < tiny ? tiny : c;
        step = d * c;
        fraction *= step;
        if (fabs(step - 1) < 1e-12)
            break;
    }
    return fraction;
}

/* The regularised incomplete beta function. */
static double beta(double a, double b, double x)
{
    double front;

    if (x <= 0)
        return 0;
    if (x >= 1)
        return 1;
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double statistics_student(double t, double degrees)
{
    return degrees <= 0 ? 1 : beta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

double statistics_student_quantile(double p, double degrees)
{
    double low = 0, high = 1;

    if (degrees <= 0)
        return INFINITY;
    while (statistics_student(high, degrees) > p && high < 1e9)
        high *= 2;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;

        if (statistics_student(middle, degrees) > p)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static double log_choose(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* Chance of HIT or more hits in N_A, when HITS of N_A + N_B are spread blindly. */
static double hypergeometric_tail(uint64_t hit, uint64_t n_a, uint64_t hits, uint64_t n_b)
{
    uint64_t most = hits < n_a ? hits : n_a;
    double term, sum;

    if (hit > most)
        return 0;
    if (hits > n_b && hit <= hits - n_b)
        return 1;
    term =
        exp(log_choose((double)n_a, (double)hit) + log_choose((double)n_b, (double)(hits - hit)) -
            log_choose((double)(n_a + n_b), (double)hits));
    sum = term;
    for (uint64_t k = hit; k < most && term > sum * 1e-12; k++) {
        term *= (double)(n_a - k) / (double)(k + 1) * (double)(hits - k) /
                ((double)n_b - (double)(hits - k) + 1);
        sum += term;
    }
    return sum < 1 ? sum : 1;
}

double statistics_fisher(uint64_t hit_a, uint64_t n_a, uint64_t hit_b, uint64_t n_b)
{
    double more, tail;

    if (n_a == 0 || n_b == 0)
        return 1;
    more = (double)hit_a * (double)n_b - (double)hit_b * (double)n_a;
    tail = more >= 0 ? hypergeometric_tail(hit_a, n_a, hit_a + hit_b, n_b)
                     : hypergeometric_tail(hit_b, n_b, hit_a + hit_b, n_a);
    return tail < 0.5 ? 2 * tail : 1;
}

static void swap(double *a, double *b)
{
    double kept = *a;

    *a = *b;
    *b = kept;
}

/*
 * Puts the value of RANK where sorting would, smaller ones before it: Hoare's selection, the pivot
 * from the middle so that sorted values are no worst case.
 */
static double select_rank(double *values, size_t count, size_t rank)
{
    size_t low = 0, high = count - 1;

    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        size_t i = low, k = high;

        for (;;) {
            while (values[i] < pivot)
                i++;
            while (values[k] > pivot)
                k--;
            if (i >= k)
                break;
            swap(&values[i++], &values[k--]);
        }
        /* All up to K are at most the pivot, or K is where it stands. */
        if (rank <= k)
            high = k < high ? k : high - 1;
        else
            low = k + 1;
    }
    return values[rank];
}

double statistics_median(double *values, size_t count)
{
    double upper, lower;

    if (count == 0)
        return 0;
    upper = select_rank(values, count, count / 2);
    if (count % 2 == 1)
        return upper;
    lower = values[0];
    for (size_t i = 1; i < count / 2; i++)
        lower = values[i] > lower ? values[i] : lower;
    return (lower + upper) / 2;
}
