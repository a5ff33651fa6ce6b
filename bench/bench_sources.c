/* SPDX-License-Identifier: MIT */
/*
 * What sampling costs: one busy thread 60 calls deep, with each source at several rates, beside
 * perf record on the same target; one on each CPU; a thousand and five thousand threads that sleep.
 * And what it sees of threads and processes that live for less than a millisecond.
 */
#include "config.h"

#include "bench/bench.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/source_run.h"
#include "proftop/clock.h"
#include "src/source/perf_private.h"

enum { DEPTH = 60, RUN_MS = 2000, SETTLE_MS = 2000, LIVES_MS = 15000 };

#define LIFE_NS (800 * NS_PER_US)

static volatile uint64_t sink;
static volatile bool over; /* never: it is killed */

static __attribute__((noinline)) void burn(void)
{
    while (!over)
        sink = sink * 6364136223846793005u + 1442695040888963407u;
}

static __attribute__((noinline)) void descend(unsigned depth)
{
    if (depth == 0)
        burn();
    else
        descend(depth - 1);
    sink++; /* keeps the call from becoming a jump */
}

static void *sleep_for_ever(void *unused)
{
    pause();
    return unused;
}

static void burn_deep(void *unused)
{
    (void)unused;
    descend(DEPTH);
}

static void *burn_too(void *unused)
{
    burn_deep(unused);
    return unused;
}

/* One on each CPU. */
static void start_burners(void *unused)
{
    pthread_t thread;

    (void)unused;
    for (long i = 1; i < sysconf(_SC_NPROCESSORS_ONLN); i++)
        pthread_create(&thread, NULL, burn_too, NULL);
}

static void *live(void *unused)
{
    uint64_t end_ns = clock_now_ns() + LIFE_NS;

    while (clock_now_ns() < end_ns)
        sink++;
    return unused;
}

static void live_as_threads(void *unused)
{
    pthread_t thread;

    while (!over && pthread_create(&thread, NULL, live, unused) == 0)
        pthread_join(thread, NULL);
}

static void live_as_processes(void *unused)
{
    pid_t pid;

    while (!over && (pid = fork()) >= 0) {
        if (pid == 0) {
            live(unused);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
}

static void start_sleepers(void *context)
{
    const unsigned *count = context;
    pthread_t thread;

    for (unsigned i = 0; i < *count; i++)
        pthread_create(&thread, NULL, sleep_for_ever, NULL);
}

static void sleep_too(void *unused)
{
    sleep_for_ever(unused);
}

/* How perf's events were opened. */
struct perf_mode {
    size_t ring_bytes, stack_bytes;
    bool system;
};

static void note_mode(void *context, const struct source_run *run, struct source *source)
{
    const struct perf_events *events = &((const struct perf *)source)->events;

    (void)run;
    *(struct perf_mode *)context = (struct perf_mode){ .ring_bytes = events->rings[0].size,
                                                       .stack_bytes = events->wish.stack_bytes,
                                                       .system = events->system };
}

static void print_mode(const struct perf_mode *mode)
{
    bench_figure("ring of a CPU", (double)mode->ring_bytes / 1024, "KiB");
    bench_figure("stack copied, at most", (double)mode->stack_bytes / 1024, "KiB");
    printf("  events of %s\n", mode->system ? "every CPU" : "each thread on every CPU");
}

static void measure_busy(pid_t pid, const char *threads, const struct source_ops *ops,
                         uint32_t rate_hz)
{
    struct source_run run = { .ops = ops,
                              .rate_hz = rate_hz,
                              .settle_ms = SETTLE_MS,
                              .run_ms = 2 * RUN_MS,
                              .pid = pid,
                              .cpu = -1 };
    struct perf_mode mode = { 0 };
    char title[96];

    snprintf(title, sizeof(title), "%s, %s %d deep, %u Hz", ops->name, threads, DEPTH, rate_hz);
    bench_title(title);
    if (ops == &source_perf) {
        run.on_step = note_mode;
        run.context = &mode;
    }
    source_run(&run);
    source_run_print(&run);
    if (mode.ring_bytes > 0)
        print_mode(&mode);
}

static void measure_idle(const struct source_ops *ops, unsigned threads)
{
    struct source_run run = {
        .ops = ops, .rate_hz = 99, .settle_ms = SETTLE_MS, .run_ms = 2 * RUN_MS, .cpu = -1
    };
    char title[64];

    snprintf(title, sizeof(title), "%s, %u sleeping threads, 99 Hz", ops->name, threads);
    bench_title(title);
    run.pid = bench_target(start_sleepers, sleep_too, &threads);
    source_run(&run);
    bench_target_end(run.pid);
    if (run.failed) {
        printf("  not possible here\n");
    } else {
        bench_figure("attached in", (double)run.open_ns / 1e6, "ms");
        bench_figure("profiler CPU in the first 2 s",
                     (double)run.settle_cpu_ns * 100 / (SETTLE_MS * (double)NS_PER_MS),
                     "% of a core");
        bench_figure("  and then", (double)run.cpu_ns * 100 / (double)run.wall_ns, "% of a core");
    }
}

/* From the start, when it is not known yet that they are missed otherwise. */
static void measure_lives(const char *lives, void (*work)(void *unused), uint32_t rate_hz)
{
    struct source_run run = {
        .ops = &source_perf, .rate_hz = rate_hz, .run_ms = LIVES_MS, .children = true, .cpu = -1
    };
    char title[96];

    snprintf(title, sizeof(title), "perf, %s of 0.8 ms one after the other, %u Hz", lives, rate_hz);
    bench_title(title);
    run.pid = bench_target(NULL, work, NULL);
    source_run(&run);
    bench_target_end(run.pid);
    if (run.failed || run.total.expected == 0) {
        printf("  not possible here\n");
        return;
    }
    bench_figure("samples, of those due",
                 (double)run.total.received * 100 / (double)run.total.expected, "%");
    bench_figure("CPU time told, of that used",
                 (double)run.weight_ns * 100 / (double)run.total.target_cpu_ns, "%");
}

/* Its own CPU time alone: the unwinding of its samples comes later, in perf script. */
static void measure_perf_record(pid_t pid, const char *rate)
{
    char number[16], title[64];
    const char *const argv[] = { "perf",         "record",      "-q", "-F",        rate, "-g",
                                 "--call-graph", "dwarf,16384", "-o", "/dev/null", "-p", number,
                                 "--",           "sleep",       "2",  NULL };
    struct bench_cost cost;

    snprintf(number, sizeof(number), "%d", (int)pid);
    snprintf(title, sizeof(title), "perf record --call-graph dwarf, the same, %s Hz", rate);
    bench_title(title);
    cost = bench_program(argv);
    if (cost.status != 0) {
        printf("  not possible here\n");
        return;
    }
    bench_figure("profiler CPU, its start included", cost.cpu_s * 100 / cost.wall_s, "% of a core");
}

int main(void)
{
    static const uint32_t rates[] = { 99, 999, 4999 };
    pid_t pid = bench_target(NULL, burn_deep, NULL);

    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
        measure_busy(pid, "one busy thread", &source_perf, rates[i]);
    measure_busy(pid, "one busy thread", &source_ptrace, 99);
    measure_busy(pid, "one busy thread", &source_ptrace, 999);
    measure_perf_record(pid, "99");
    measure_perf_record(pid, "999");
    bench_target_end(pid);
    pid = bench_target(start_burners, burn_deep, NULL);
    measure_busy(pid, "a busy thread on each CPU", &source_perf, 4999);
    bench_target_end(pid);
    for (size_t i = 0; i < 2; i++) {
        measure_lives("threads", live_as_threads, rates[i]);
        measure_lives("processes", live_as_processes, rates[i]);
    }
    for (unsigned threads = 1000; threads <= 5000; threads += 4000) {
        measure_idle(&source_perf, threads);
        measure_idle(&source_ptrace, threads);
    }
    return 0;
}
