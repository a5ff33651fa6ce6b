/* SPDX-License-Identifier: MIT */
/* The table of metrics. */
#include "config.h"

#include "proftop/metric.h"

#include <string.h>

#include "proftop/gettext.h"

const struct metric_info metric_table[] = {
    { "cpu", N_("CPU time"), METRIC_NANOSECONDS, METRIC_TIME, SCOPE_ON_CPU },
    { "wait", N_("waiting"), METRIC_NANOSECONDS, METRIC_TIME, SCOPE_WAITING },
    { "event", N_("events"), METRIC_COUNT, METRIC_EVENT, SCOPE_ON_CPU },
    { "faults", N_("page faults"), METRIC_COUNT, METRIC_FAULTS, SCOPE_ALL },
    { "read", N_("bytes read"), METRIC_BYTES, METRIC_READ, SCOPE_ALL },
    { "write", N_("bytes written"), METRIC_BYTES, METRIC_WRITE, SCOPE_ALL },
    { "syscalls", N_("system calls"), METRIC_COUNT, METRIC_SYSCALLS, SCOPE_ALL },
    { "lock", N_("waiting for locks"), METRIC_NANOSECONDS, METRIC_LOCK, SCOPE_ALL },
    { "mapped", N_("memory mapped"), METRIC_BYTES, METRIC_MAPPED, SCOPE_ALL },
    { "cycles", N_("cycles"), METRIC_COUNT, METRIC_CYCLES, SCOPE_ON_CPU },
    { "instructions", N_("instructions"), METRIC_COUNT, METRIC_INSTRUCTIONS, SCOPE_ON_CPU },
    { "cache-misses", N_("cache misses"), METRIC_COUNT, METRIC_CACHE_MISSES, SCOPE_ON_CPU },
    { "branch-misses", N_("branch misses"), METRIC_COUNT, METRIC_BRANCH_MISSES, SCOPE_ON_CPU },
};

static const enum metric counted_metrics[COUNTED] = {
    [COUNTED_CYCLES] = METRIC_CYCLES,
    [COUNTED_INSTRUCTIONS] = METRIC_INSTRUCTIONS,
    [COUNTED_CACHE_MISSES] = METRIC_CACHE_MISSES,
    [COUNTED_BRANCH_MISSES] = METRIC_BRANCH_MISSES,
    [COUNTED_FAULTS] = METRIC_FAULTS,
};

const unsigned metric_count = sizeof(metric_table) / sizeof(metric_table[0]);

const struct metric_info *metric_info(enum metric metric)
{
    for (unsigned i = 0; i < metric_count; i++) {
        if (metric_table[i].metric == metric)
            return &metric_table[i];
    }
    return &metric_table[0];
}

const struct metric_info *metric_of(const struct scope *scope)
{
    if (scope->metric == METRIC_TIME)
        return &metric_table[scope->state == SCOPE_WAITING];
    return metric_info(scope->metric);
}

enum metric counted_metric(enum counted counted)
{
    return counted_metrics[counted];
}

enum counted metric_counted(enum metric metric)
{
    unsigned counted = 0;

    while (counted < COUNTED && counted_metrics[counted] != metric)
        counted++;
    return (enum counted)counted;
}

bool metric_choose(struct scope *scope, const char *name, struct error *error)
{
    for (unsigned i = 0; i < metric_count; i++) {
        if (strcmp(metric_table[i].name, name) != 0)
            continue;
        scope->metric = metric_table[i].metric;
        scope->state = metric_table[i].state;
        return true;
    }
    error_set(error, STATUS_USAGE, _("there is no metric called “%s”"), name);
    error_hint(error, _("the metrics are cpu, wait, event, faults, read, write, syscalls, lock, "
                        "mapped, cycles, instructions, cache-misses and branch-misses"));
    return false;
}
