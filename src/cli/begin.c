/* SPDX-License-Identifier: MIT */
/* From options to a target and what the engine needs. */
#include "config.h"

#include "begin.h"

#include <string.h>

#include "proftop/clock.h"
#include "proftop/source.h"

static const struct source_ops *source_named(const char *name)
{
    if (strcmp(name, "perf") == 0)
        return &source_perf;
    if (strcmp(name, "ptrace") == 0)
        return &source_ptrace;
    return NULL;
}

struct engine_config begin_config(const struct options *options)
{
    return (struct engine_config){
        .source = source_named(options->source),
        .rate_hz = options->rate_hz,
        .event = options->event,
        .kernel = options->kernel,
        .python = options->python,
        .waiting = options->waiting,
        .inlines = options->inlines,
        .debuginfod = options->debuginfod,
        .stats = true,
        .stats_period_ns = (uint64_t)(options->lanes_period_s * (double)NS_PER_S),
        .session_max_bytes = options->max_bytes,
        .force = options->force,
    };
}

struct target *begin_target(const struct options *options, const struct target_terminal *terminal,
                            struct error *error)
{
    struct target_options wanted = { .children = options->children };

    if (options->launch != NULL)
        return target_launch(options->launch, terminal, &wanted, error);
    return target_attach(options->pids, options->pid_count, &wanted, error);
}
