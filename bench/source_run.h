/* SPDX-License-Identifier: MIT */
/* A sampling source at work for a while on a thread of its own, and what that cost. */
#ifndef BENCH_SOURCE_RUN_H
#define BENCH_SOURCE_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proftop/record.h"
#include "proftop/source.h"

struct source_run {
    /* set by the caller */
    const struct source_ops *ops;
    uint32_t rate_hz, run_ms;
    uint32_t
        settle_ms; /* from the first step on, measured apart: what is found is looked at once */
    pid_t pid;
    bool children;
    int cpu; /* the source is bound to it; -1: it goes where it likes */
    void (*on_sample)(void *context, const struct record_sample *sample);
    void (*on_step)(void *context, const struct source_run *run, struct source *source);
    void *context;
    /* found */
    struct source_config config;
    uint64_t open_ns, settle_cpu_ns, cpu_ns, wall_ns;
    uint64_t samples, complete; /* of running threads */
    uint64_t weight_ns;         /* what those samples stand for */
    struct record_tally total;
    bool failed;
};

void source_run(struct source_run *run);

/* Binds the calling thread to one CPU. */
void bench_bind(int cpu);

/* Its CPU time a sample, share of a core, and rate. */
void source_run_print(const struct source_run *run);

/* A child that does WORK until it is killed; back when PREPARE (may be NULL) is done there. */
pid_t bench_target(void (*prepare)(void *context), void (*work)(void *context), void *context);
void bench_target_end(pid_t pid);

#endif
