/* SPDX-License-Identifier: MIT */
/*
 * What can be measured, one table: the words of --metric and of files, the labels of the menu, and
 * what a weight counts.  Time is two choices, on a CPU and waiting, because the two are never
 * summed into one share.
 */
#ifndef PROFTOP_METRIC_H
#define PROFTOP_METRIC_H

#include "proftop/record.h"
#include "proftop/scope.h"

enum metric_unit { METRIC_NS, METRIC_BYTES, METRIC_COUNT };

struct metric_info {
    const char *name;  /* stable: "cpu" */
    const char *label; /* N_("CPU time") */
    enum metric metric;
    enum scope_state state; /* what choosing it sets; SCOPE_STATES: leaves the state alone */
    enum metric_unit unit;
};

extern const struct metric_info metric_table[];
extern const unsigned metric_count;

/* NULL when there is none of that name. */
const struct metric_info *metric_find(const char *name);
/* The one that SCOPE shows. */
const struct metric_info *metric_of(const struct scope *scope);
/* "nanoseconds", "bytes", "count" */
const char *metric_unit_name(enum metric_unit unit);

#endif
