/* SPDX-License-Identifier: MIT */
/*
 * Code without unwind information → rules, by what it will do: wherever it goes from here, it must
 * come to its return with the stack pointer at the return address and the frame pointer restored.
 */
#ifndef PROFTOP_UNWIND_AHEAD_H
#define PROFTOP_UNWIND_AHEAD_H

#include <stddef.h>
#include <stdint.h>

#include "rule.h"

enum { AHEAD_RULES_MAX = 8 };

/* Reads up to SIZE bytes of code at ADDRESS; how many. */
typedef size_t ahead_reader(const void *context, uint64_t address, void *to, size_t size);

/*
 * The rules for the instruction at ADDRESS, likeliest first; how many.  Several where what looks
 * like a path is none: behind calls that never return.
 */
unsigned ahead_rules(ahead_reader *read, const void *context, uint64_t address,
                     struct rule rules[AHEAD_RULES_MAX]);

#endif
