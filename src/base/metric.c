/* SPDX-License-Identifier: MIT */
/* What can be measured. */
#include "config.h"

#include "proftop/metric.h"

#include <stddef.h>
#include <string.h>

#include "proftop/gettext.h"

const struct metric_info metric_table[] = {
    { "cpu", N_("CPU time"), METRIC_TIME, SCOPE_ON_CPU, METRIC_NS },
    { "wait", N_("waiting"), METRIC_TIME, SCOPE_WAITING, METRIC_NS },
    { "gil", N_("holding the GIL"), METRIC_TIME, SCOPE_GIL, METRIC_NS },
    { "wall", N_("all time"), METRIC_TIME, SCOPE_ALL, METRIC_NS },
    { "event", N_("events"), METRIC_EVENT, SCOPE_STATES, METRIC_COUNT },
    { "faults", N_("page faults"), METRIC_FAULTS, SCOPE_STATES, METRIC_COUNT },
    { "read", N_("bytes read"), METRIC_READ, SCOPE_STATES, METRIC_BYTES },
    { "write", N_("bytes written"), METRIC_WRITE, SCOPE_STATES, METRIC_BYTES },
    { "syscalls", N_("system calls"), METRIC_SYSCALLS, SCOPE_STATES, METRIC_COUNT },
    { "lock", N_("waiting for locks"), METRIC_LOCK, SCOPE_STATES, METRIC_NS },
    { "mapped", N_("memory mapped"), METRIC_MAPPED, SCOPE_STATES, METRIC_BYTES },
};

const unsigned metric_count = sizeof(metric_table) / sizeof(metric_table[0]);

const struct metric_info *metric_find(const char *name)
{
    for (unsigned i = 0; i < metric_count; i++)
        if (strcmp(metric_table[i].name, name) == 0)
            return &metric_table[i];
    return NULL;
}

const struct metric_info *metric_of(const struct scope *scope)
{
    for (unsigned i = 0; i < metric_count; i++)
        if (metric_table[i].metric == scope->metric &&
            (metric_table[i].state == SCOPE_STATES || metric_table[i].state == scope->state))
            return &metric_table[i];
    return &metric_table[0];
}

const char *metric_unit_name(enum metric_unit unit)
{
    static const char *const names[] = {
        [METRIC_NS] = "nanoseconds",
        [METRIC_BYTES] = "bytes",
        [METRIC_COUNT] = "count",
    };

    return names[unit];
}
