/* SPDX-License-Identifier: MIT */
/* The events -e knows by name: perf list's software and hardware ones.  Private to source/. */
#ifndef PROFTOP_SOURCE_PERF_NAMES_H
#define PROFTOP_SOURCE_PERF_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/record.h"

struct perf_name {
    char name[32]; /* as perf list shows it */
    uint32_t type; /* of perf_event_attr */
    uint64_t config;
    enum metric metric; /* METRIC_TIME: a sample stands for CPU time */
    bool in_kernel;     /* happens in the kernel alone: needs the right to sample there */
};

/* Fills NAME's event, or says in ERROR that there is none and what is like it. */
bool perf_name_find(const char *name, struct perf_name *found, struct error *error);

/* As what NAME is counted beside samples; COUNTED when it cannot be. */
enum counted perf_name_counted(const struct perf_name *name);

/* "cpu-clock,page-faults": the first drives the samples, the others are counted beside them. */
enum { PERF_LIST_MAX = 1 + COUNTED };
struct perf_list {
    struct perf_name names[PERF_LIST_MAX];
    unsigned count;
};
bool perf_list_parse(const char *text, struct perf_list *list, struct error *error);

/* What is counted when nothing is asked for, beside samples of cycles. */
enum { PERF_NAMES_BESIDE = 3 };
extern const struct perf_name perf_names_beside[PERF_NAMES_BESIDE];

/* What is sampled when nothing is asked for, with a PMU and without. */
extern const struct perf_name perf_name_cycles, perf_name_cpu_clock;

#endif
