/* SPDX-License-Identifier: MIT */
/* The metrics: what weights count, by what name they are asked for and in which unit they are. */
#ifndef PROFTOP_METRIC_H
#define PROFTOP_METRIC_H

#include <stdbool.h>

#include "proftop/error.h"
#include "proftop/record.h"
#include "proftop/scope.h"

enum metric_unit { METRIC_NANOSECONDS, METRIC_BYTES, METRIC_COUNT };

struct metric_info {
    const char *name;  /* --metric NAME */
    const char *label; /* N_("…") for the screen */
    enum metric_unit unit;
    enum metric metric;
    enum scope_state state; /* which samples it looks at unless told otherwise */
};

/* One for each row of the metric menu; "wait" is METRIC_TIME of waiting threads. */
extern const struct metric_info metric_table[];
extern const unsigned metric_count;

/* The row of METRIC; never NULL. */
const struct metric_info *metric_info(enum metric metric);
/* The row of what SCOPE looks at; never NULL. */
const struct metric_info *metric_of(const struct scope *scope);
/* The metric that is counted so; and the other way round, COUNTED where it never is. */
enum metric counted_metric(enum counted counted);
enum counted metric_counted(enum metric metric);
/* Sets SCOPE's metric and state by name. */
bool metric_choose(struct scope *scope, const char *name, struct error *error);

#endif
