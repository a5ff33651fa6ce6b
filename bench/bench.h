/* SPDX-License-Identifier: MIT */
/*
 * Measurements, for `make bench`: figures to read, never a test that fails.
 *
 * Machines are noisy, so two ways of doing a thing are measured in pairs, one after the other, and
 * what is told is the median of each and the median of the pairs' ratios.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct bench_way {
    const char *name;
    void (*run)(void *context, uint64_t count); /* does the thing COUNT times */
    void *context;
};

/* A heading for the lines that follow. */
void bench_title(const char *title);

/* PAIRS times A then B, COUNT things each: prints ns a thing of both, and B / A.  Returns A's. */
double bench_compare(const struct bench_way *a, const struct bench_way *b, uint64_t count,
                     unsigned pairs);

/* One way alone, in RUNS runs: median and 99th percentile of ns a thing. */
void bench_one(const struct bench_way *way, uint64_t count, unsigned runs);

/* Starts ARGV on /dev/null; -1 when there is no process for it. */
pid_t bench_start(const char *const *argv);

/* What running a program cost. */
struct bench_cost {
    double wall_s, cpu_s;
    uint64_t peak_bytes;
    int status; /* wait status */
};

/* Runs ARGV with its output thrown away. */
struct bench_cost bench_program(const char *const *argv);
/* Likewise from the file INPUT to the file OUTPUT. */
struct bench_cost bench_filter(const char *const *argv, const char *input, const char *output);

/* A line of the caller's own: "  NAME   FIGURE UNIT". */
void bench_figure(const char *name, double figure, const char *unit);

/* The same, and whether it is no more than what was promised. */
void bench_at_most(const char *name, double figure, double most, const char *unit);

double bench_median(double *values, size_t count);
double bench_percentile(double *values, size_t count, double percent);

#endif
