/* SPDX-License-Identifier: MIT */
/* Which native functions are an interpreter's own machinery rather than work that a program asked
 * for. */
#ifndef PROFTOP_PROFILE_INTERPRETER_H
#define PROFTOP_PROFILE_INTERPRETER_H

#include <stdbool.h>

#include "proftop/names.h"

/*
 * A function of CPython that evaluates, calls, allocates or computes on behalf of the Python frame
 * below it.  What a module or a built-in does under a name of its own (sorted(), zlib, json) is
 * not.
 */
bool function_is_interpreter(const struct function *function);

#endif
