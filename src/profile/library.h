/* SPDX-License-Identifier: MIT */
/*
 * Which functions are libraries' or an interpreter's own, and the rows that stand for runs of them:
 * "[91 hidden: requests, urllib3]".
 */
#ifndef PROFTOP_PROFILE_LIBRARY_H
#define PROFTOP_PROFILE_LIBRARY_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/names.h"

/* An interpreter's shim or trampoline. */
bool function_is_internal(const struct function *function);
/* Not the program's own code, as far as names and paths tell. */
bool function_is_library(const struct function *function);

/* What is hidden behind each run, while the runs are found. */
struct runs;

struct runs *runs_new(void);
void runs_free(struct runs *runs);
void runs_add(struct runs *runs, uint32_t node, function_id id, const struct function *function);
function_id runs_function(struct runs *runs, uint32_t node, struct names *names);

#endif
