/* SPDX-License-Identifier: MIT */
/* Measuring in pairs: see bench.h. */
#include "config.h"

#include "bench/bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/memory.h"

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

double bench_percentile(double *values, size_t count, double percent)
{
    size_t at = (size_t)(percent / 100 * (double)(count - 1) + 0.5);

    qsort(values, count, sizeof(*values), compare_doubles);
    return values[at];
}

double bench_median(double *values, size_t count)
{
    return bench_percentile(values, count, 50);
}

void bench_title(const char *title)
{
    printf("\n%s\n", title);
}

void bench_figure(const char *name, double figure, const char *unit)
{
    printf("  %-44s %12.4g %s\n", name, figure, unit);
    fflush(stdout);
}

void bench_at_most(const char *name, double figure, double most, const char *unit)
{
    printf("  %-44s %12.4g %s, %s %g\n", name, figure, unit, figure <= most ? "within" : "ABOVE",
           most);
    fflush(stdout);
}

static double time_one(const struct bench_way *way, uint64_t count)
{
    uint64_t begin = clock_now_ns();

    way->run(way->context, count);
    return (double)(clock_now_ns() - begin) / (double)count;
}

void bench_one(const struct bench_way *way, uint64_t count, unsigned runs)
{
    double *each = xcalloc(runs, sizeof(*each));
    double median, p99;

    time_one(way, count);
    for (unsigned i = 0; i < runs; i++)
        each[i] = time_one(way, count);
    median = bench_median(each, runs);
    p99 = bench_percentile(each, runs, 99);
    printf("  %-44s %12.4g ns, p99 %.4g\n", way->name, median, p99);
    fflush(stdout);
    free(each);
}

double bench_compare(const struct bench_way *a, const struct bench_way *b, uint64_t count,
                     unsigned pairs)
{
    double *left = xcalloc(pairs, sizeof(*left)), *right = xcalloc(pairs, sizeof(*right));
    double *ratio = xcalloc(pairs, sizeof(*ratio));
    double median;

    time_one(a, count);
    time_one(b, count);
    for (unsigned i = 0; i < pairs; i++) {
        left[i] = time_one(a, count);
        right[i] = time_one(b, count);
        ratio[i] = right[i] / left[i];
    }
    median = bench_median(left, pairs);
    bench_figure(a->name, median, "ns");
    bench_figure(b->name, bench_median(right, pairs), "ns");
    bench_figure("  the second over the first", bench_median(ratio, pairs), "times");
    free(left);
    free(right);
    free(ratio);
    return median;
}

/* In the child: ARGV on these two; not a word about errors. */
static void become(const char *const *argv, const char *input, const char *output)
{
    dup2(open(input, O_RDONLY), STDIN_FILENO);
    dup2(open(output, O_WRONLY | O_CREAT | O_TRUNC, 0666), STDOUT_FILENO);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

pid_t bench_start(const char *const *argv)
{
    pid_t child = fork();

    if (child == 0)
        become(argv, "/dev/null", "/dev/null");
    return child;
}

struct bench_cost bench_filter(const char *const *argv, const char *input, const char *output)
{
    struct bench_cost cost = { 0 };
    uint64_t begin = clock_now_ns();
    struct rusage used;
    pid_t child = fork();

    if (child == 0)
        become(argv, input, output);
    if (child < 0 || wait4(child, &cost.status, 0, &used) != child)
        die("cannot run %s", argv[0]);
    cost.wall_s = (double)(clock_now_ns() - begin) / 1e9;
    cost.cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    cost.peak_bytes = (uint64_t)used.ru_maxrss * 1024;
    return cost;
}

struct bench_cost bench_program(const char *const *argv)
{
    return bench_filter(argv, "/dev/null", "/dev/null");
}
