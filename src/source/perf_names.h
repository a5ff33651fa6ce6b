/* SPDX-License-Identifier: MIT */
/* The events -e knows by name: perf list's software and hardware ones.  Private to source/. */
#ifndef PROFTOP_SOURCE_PERF_NAMES_H
#define PROFTOP_SOURCE_PERF_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/record.h"

struct perf_name {
    const char *name; /* as perf list shows it */
    uint32_t type;    /* of perf_event_attr */
    uint64_t config;
    enum metric metric; /* METRIC_TIME: a sample stands for CPU time */
    bool in_kernel;     /* happens in the kernel alone: needs the right to sample there */
};

/* Fills NAME's event, or says in ERROR that there is none and what is like it. */
bool perf_name_find(const char *name, struct perf_name *found, struct error *error);

/* What is sampled when nothing is asked for, with a PMU and without. */
extern const struct perf_name perf_name_cycles, perf_name_cpu_clock;

#endif
