/* SPDX-License-Identifier: MIT */
/*
 * The compiled unwind table of one module: immutable, shared by all threads once built.
 *
 *     pages   one entry for every 2^shift bytes of code: its first row
 *        │
 *        ▼
 *     keys    where each row's code starts, as an offset in the file     4 bytes
 *     names   which rule holds there                                     2 bytes
 *        │
 *        ▼
 *     rules   the few thousand different ones                           28 bytes
 */
#ifndef PROFTOP_UNWIND_TABLE_H
#define PROFTOP_UNWIND_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rule.h"

struct image;
struct module;
struct table;

/*
 * Never fails: a module without unwind information has a table without rows.  The table refers to
 * MODULE, to look at code that has no rows.
 */
struct table *table_build(const struct module *module);

/* The same from sections that are in memory already, and without a look at code. */
struct table *table_from_image(const struct image *image);
void table_free(struct table *table);

/*
 * The rule for a return address, or, when EXACT, for the instruction at OFFSET in the module's
 * file; RULE_NONE where nothing is known.  Never NULL.
 */
const struct rule *table_find(const struct table *table, uint64_t offset, bool exact);

/*
 * Remembers, as long as the cache does, that the code without rows around the return address OFFSET
 * keeps a frame pointer.
 */
void table_learn_frame(const struct table *table, uint64_t offset);

/* What was found by looking at the code at OFFSET, which has no rows; or NULL. */
const struct rule *table_learned(const struct table *table, uint64_t offset);
void table_learn(const struct table *table, uint64_t offset, const struct rule *rule);

unsigned table_machine(const struct table *table); /* EM_X86_64 …; EM_NONE without an ELF file */
/* Whether most of the module's code is without rows. */
bool table_sparse(const struct table *table);
uint32_t table_rows(const struct table *table);
size_t table_bytes(const struct table *table); /* all of it */

#endif
