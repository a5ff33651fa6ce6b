/* SPDX-License-Identifier: MIT */
/* A sampling source at work: see source_run.h. */
#include "config.h"

#include "bench/source_run.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "proftop/clock.h"
#include "proftop/code.h"
#include "proftop/lane.h"
#include "proftop/memory.h"
#include "proftop/module.h"
#include "proftop/ring.h"
#include "proftop/target.h"
#include "proftop/unwind.h"

enum { RING_BYTES = 32 << 20 };

void bench_bind(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

pid_t bench_target(void (*prepare)(void *context), void (*work)(void *context), void *context)
{
    int told[2];
    char byte = 'r';
    pid_t pid;

    if (pipe(told) != 0)
        die("no pipe");
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (prepare != NULL)
            prepare(context);
        if (write(told[1], &byte, 1) == 1)
            work(context);
        _exit(1);
    }
    close(told[1]);
    if (read(told[0], &byte, 1) != 1)
        die("the target of a measurement did not start");
    close(told[0]);
    return pid;
}

void bench_target_end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, __WALL);
}

static void take_all(struct source_run *run, struct ring *ring)
{
    const struct record *record;

    while ((record = ring_peek(ring)) != NULL) {
        const struct record_sample *sample = (const struct record_sample *)record;

        if (record->type == RECORD_TALLY) {
            tally_add(&run->total, (const struct record_tally *)record);
        } else if (record->type == RECORD_SAMPLE && sample->state == STATE_RUNNING) {
            run->samples++;
            run->weight_ns += sample->weight;
            run->complete += sample->end == STACK_COMPLETE;
            if (run->on_sample != NULL)
                run->on_sample(run->context, sample);
        }
        ring_pop(ring);
    }
}

/* Steps for MS or until the target is over; returns the CPU time that took. */
static uint64_t step_for(struct source_run *run, struct source *source, struct ring *ring,
                         uint32_t ms)
{
    uint64_t start_ns = clock_now_ns(), start_cpu_ns = clock_thread_cpu_ns();

    while (clock_now_ns() - start_ns < ms * NS_PER_MS && run->ops->step(source, ring) == 0) {
        if (run->on_step != NULL)
            run->on_step(run->context, run, source);
        take_all(run, ring);
    }
    return clock_thread_cpu_ns() - start_cpu_ns;
}

static void step_until_over(struct source_run *run, struct source *source, struct ring *ring)
{
    uint64_t start_ns;

    run->ops->step(source, ring); /* the first finds the threads and reads the maps */
    run->open_ns = clock_now_ns() - run->open_ns;
    run->settle_cpu_ns = step_for(run, source, ring, run->settle_ms);
    run->samples = run->complete = run->weight_ns = 0;
    run->total = (struct record_tally){ 0 };
    start_ns = clock_now_ns();
    run->cpu_ns = step_for(run, source, ring, run->run_ms);
    run->wall_ns = clock_now_ns() - start_ns;
    run->ops->stop(source);
    run->ops->close(source);
    take_all(run, ring); /* with the last tally */
}

/* On a thread of its own: what was traced is let go when that ends. */
static void *run_source(void *context)
{
    struct source_run *run = context;
    const struct target_options options = { .children = run->children };
    struct ring *ring = ring_new(RING_BYTES);
    struct target *target = target_attach(&run->pid, 1, &options, NULL);
    struct source *source = NULL;

    if (run->cpu >= 0)
        bench_bind(run->cpu);
    run->open_ns = clock_now_ns();
    if (target != NULL)
        source = run->ops->open(target, &run->config, NULL);
    run->failed = source == NULL;
    if (!run->failed)
        step_until_over(run, source, ring);
    target_free(target);
    ring_free(ring);
    return NULL;
}

void source_run(struct source_run *run)
{
    pthread_t thread;

    run->config = (struct source_config){ .rate_hz = run->rate_hz,
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

void source_run_print(const struct source_run *run)
{
    if (run->failed || run->samples == 0) {
        printf("  not possible here\n");
        return;
    }
    bench_figure("profiler CPU a sample", (double)run->cpu_ns / 1e3 / (double)run->samples, "us");
    bench_figure("profiler CPU", (double)run->cpu_ns * 100 / (double)run->wall_ns, "% of a core");
    bench_figure("samples", (double)run->samples * 1e9 / (double)run->wall_ns, "/s");
    bench_figure("whole stacks", (double)run->complete * 100 / (double)run->samples, "%");
    bench_figure("lost", run->total.lost, "samples");
}
