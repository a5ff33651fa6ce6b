/* SPDX-License-Identifier: MIT */
/*
 * What sampling costs: one busy thread 60 calls deep, with each source at several rates, beside
 * perf record on the same target; and a thousand threads that sleep.
 */
#include "config.h"

#include "bench/bench.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/code.h"
#include "proftop/lane.h"
#include "proftop/memory.h"
#include "proftop/module.h"
#include "proftop/record.h"
#include "proftop/ring.h"
#include "proftop/source.h"
#include "proftop/target.h"
#include "proftop/unwind.h"

enum { DEPTH = 60, IDLE_THREADS = 1000, RUN_MS = 2000 };

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

/* A child that does as asked until it is killed; BUSY: burns, else sleeps in a thousand threads. */
static pid_t start_target(bool busy)
{
    int told[2];
    char byte = 'r';
    pid_t pid;

    if (pipe(told) != 0)
        die("no pipe");
    pid = fork();
    if (pid == 0) {
        pthread_t thread;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int i = 0; !busy && i < IDLE_THREADS; i++)
            pthread_create(&thread, NULL, sleep_for_ever, NULL);
        if (write(told[1], &byte, 1) != 1)
            _exit(1);
        if (busy)
            descend(DEPTH);
        pause();
        _exit(0);
    }
    close(told[1]);
    if (read(told[0], &byte, 1) != 1)
        die("the target of a measurement did not start");
    close(told[0]);
    return pid;
}

struct run {
    const struct source_ops *ops;
    struct source_config config;
    pid_t pid;
    uint64_t open_ns, cpu_ns, wall_ns;
    uint64_t complete;
    struct record_tally total;
    bool failed;
};

static void take_all(struct run *run, struct ring *ring)
{
    const struct record *record;

    while ((record = ring_peek(ring)) != NULL) {
        if (record->type == RECORD_TALLY)
            tally_add(&run->total, (const struct record_tally *)record);
        else if (record->type == RECORD_SAMPLE)
            run->complete += ((const struct record_sample *)record)->end == STACK_COMPLETE;
        ring_pop(ring);
    }
}

/* On a thread of its own: what was traced is let go when that ends. */
static void *run_source(void *context)
{
    struct run *run = context;
    static const struct target_options options = { .children = false };
    struct ring *ring = ring_new(32 << 20);
    struct target *target = target_attach(&run->pid, 1, &options, NULL);
    uint64_t start_ns = clock_now_ns(), start_cpu_ns;
    struct source *source = NULL;

    if (target != NULL)
        source = run->ops->open(target, &run->config, NULL);
    run->failed = source == NULL;
    if (!run->failed) {
        run->ops->step(source, ring); /* the first finds the threads and reads the maps */
        run->open_ns = clock_now_ns() - start_ns;
        start_ns = clock_now_ns();
        start_cpu_ns = clock_thread_cpu_ns();
        while (clock_now_ns() - start_ns < RUN_MS * NS_PER_MS && run->ops->step(source, ring) == 0)
            take_all(run, ring);
        run->wall_ns = clock_now_ns() - start_ns;
        run->cpu_ns = clock_thread_cpu_ns() - start_cpu_ns;
        run->ops->close(source);
    }
    target_free(target);
    ring_free(ring);
    return NULL;
}

static void run_one(struct run *run, const struct source_ops *ops, pid_t pid, uint32_t rate_hz)
{
    pthread_t thread;

    memset(run, 0, sizeof(*run));
    run->ops = ops;
    run->pid = pid;
    run->config = (struct source_config){ .rate_hz = rate_hz,
                                          .kernel = true,
                                          .waiting = true,
                                          .modules = modules_new(),
                                          .codes = codes_new(),
                                          .lanes = lanes_new(),
                                          .unwinder = unwinder_new(),
                                          .wake_fd = -1 };
    if (pthread_create(&thread, NULL, run_source, run) == 0)
        pthread_join(thread, NULL);
    unwinder_free(run->config.unwinder);
    lanes_free(run->config.lanes);
    codes_free(run->config.codes);
    modules_free(run->config.modules);
}

/* Below how many microseconds PERCENT of the holds were, to a power of two. */
static double held_below_us(const struct record_tally *tally, unsigned percent)
{
    uint64_t wanted = (uint64_t)tally->stops * percent / 100, seen = 0;
    size_t bucket = 0;

    while (bucket < 23 && (seen += tally->stopped_log2[bucket]) < wanted)
        bucket++;
    return (double)(UINT64_C(2) << bucket) / 10;
}

static void measure_busy(pid_t pid, const struct source_ops *ops, uint32_t rate_hz)
{
    struct run run;
    char title[64];

    snprintf(title, sizeof(title), "%s, one busy thread %d deep, %u Hz", ops->name, DEPTH, rate_hz);
    bench_title(title);
    run_one(&run, ops, pid, rate_hz);
    if (run.failed || run.total.received == 0) {
        printf("  not possible here\n");
        return;
    }
    bench_figure("profiler CPU a sample", (double)run.cpu_ns / 1e3 / run.total.received, "us");
    bench_figure("profiler CPU", (double)run.cpu_ns * 100 / (double)run.wall_ns, "% of a core");
    bench_figure("samples", (double)run.total.received * 1e9 / (double)run.wall_ns, "/s");
    bench_figure("lost", run.total.lost, "samples");
    if (run.total.stops == 0)
        return;
    bench_figure("held, median, below", held_below_us(&run.total, 50), "us");
    bench_figure("held, 99 %, below", held_below_us(&run.total, 99), "us");
}

static void measure_idle(const struct source_ops *ops)
{
    pid_t pid = start_target(false);
    struct run run;
    char title[64];

    snprintf(title, sizeof(title), "%s, %d sleeping threads, 99 Hz", ops->name, IDLE_THREADS);
    bench_title(title);
    run_one(&run, ops, pid, 99);
    if (run.failed) {
        printf("  not possible here\n");
    } else {
        bench_figure("attached in", (double)run.open_ns / 1e6, "ms");
        bench_figure("profiler CPU", (double)run.cpu_ns * 100 / (double)run.wall_ns, "% of a core");
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, __WALL);
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
    pid_t pid = start_target(true);

    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
        measure_busy(pid, &source_perf, rates[i]);
    measure_busy(pid, &source_ptrace, 99);
    measure_busy(pid, &source_ptrace, 999);
    measure_perf_record(pid, "99");
    measure_perf_record(pid, "999");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, __WALL);
    measure_idle(&source_perf);
    measure_idle(&source_ptrace);
    return 0;
}
