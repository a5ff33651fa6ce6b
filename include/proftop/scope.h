/* SPDX-License-Identifier: MIT */
/*
 * The scope: which samples a view or a report is about.  A plain value, the one argument that every
 * view and report shares; every number on a screen obeys it.
 */
#ifndef PROFTOP_SCOPE_H
#define PROFTOP_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/record.h"

enum { SCOPE_THREADS_MAX = 16, SCOPE_TEXT_MAX = 128 };

/* What --state and the o key choose. */
enum scope_state { SCOPE_ON_CPU, SCOPE_WAITING, SCOPE_GIL, SCOPE_ALL, SCOPE_STATES };

struct scope {
    uint64_t start_ns, end_ns; /* [start, end); 0 and UINT64_MAX leave that end open */
    uint64_t last_ns;          /* not 0: the last so many ns before the profile's end, live */
    int32_t processes[SCOPE_THREADS_MAX]; /* 0-terminated; none: all */
    int32_t threads[SCOPE_THREADS_MAX];   /* tids, 0-terminated; none: all */
    char thread_name[SCOPE_TEXT_MAX];     /* or by name (a glob); "" is all */
    enum scope_state state;
    enum metric metric;
    char filter[SCOPE_TEXT_MAX]; /* extended regex on function, module and file: stacks with a match
                                  */
    bool hide_kernel, hide_user; /* frames left out, their weight going to the caller */
    bool fold_libraries;         /* runs of library frames become one "[N hidden: …]" */
    bool show_internal;          /* interpreter shims and trampolines */
    char only_module[SCOPE_TEXT_MAX]; /* frames of other modules are folded away; "" is all */
};

void scope_init(struct scope *scope); /* all of the recording, on CPU, time */
bool scope_equal(const struct scope *a, const struct scope *b);

/* "A..B": seconds from the start or HH:MM:SS clock times, either end may be left out. */
bool scope_parse_range(struct scope *scope, const char *text, uint64_t profile_start_ns,
                       int64_t realtime_offset_ns, struct error *error);

#endif
