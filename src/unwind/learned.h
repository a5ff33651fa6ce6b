/* SPDX-License-Identifier: MIT */
/*
 * Rules that a table does not have and that were found by looking at code: a bounded number of
 * them, added by any thread, never changed or taken away.
 */
#ifndef PROFTOP_UNWIND_LEARNED_H
#define PROFTOP_UNWIND_LEARNED_H

#include <stddef.h>
#include <stdint.h>

#include "rule.h"

struct learned;

struct learned *learned_new(void); /* small as long as it is empty */
void learned_free(struct learned *learned);

/* What was added for OFFSET in the module's file; NULL: nothing. */
const struct rule *learned_find(const struct learned *learned, uint32_t offset);

/* Does nothing where there is one for OFFSET, or too many others. */
void learned_add(struct learned *learned, uint32_t offset, const struct rule *rule);

size_t learned_bytes(const struct learned *learned); /* all of it */

#endif
