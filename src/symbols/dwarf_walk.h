/* SPDX-License-Identifier: MIT */
/*
 * One walk over the entries of a unit, for the functions in it and the calls inlined into them:
 *
 *     subprogram outer   [10,90)         scopes   0 outer   1 middle, in 0   2 innermost, in 1
 *       inlined middle   [20,60)         ranges   [10,20)→0 [20,30)→1 [30,40)→2 [40,60)→1 [60,90)→0
 *         inlined innermost [30,40)
 */
#ifndef SYMBOLS_DWARF_WALK_H
#define SYMBOLS_DWARF_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "dwarf_abbrev.h"
#include "dwarf_entry.h"
#include "dwarf_tree.h"
#include "ranges.h"

#define SCOPE_NONE UINT32_MAX

struct dwarf_scope {
    uint64_t origin; /* where its name is told; the same for all calls of a function */
    uint32_t parent; /* SCOPE_NONE: a real function */
    uint32_t call_file, call_line; /* of an inlined call */
    uint32_t known;                /* for the caller; 0 */
};

struct dwarf_scopes {
    struct dwarf_scope *items;
    size_t count, capacity;
};

/* Adds what is in TREE, whose ABBREVS were read, its scopes' numbers as values of RANGES. */
void dwarf_walk(const struct dwarf_tree *tree, const struct dwarf_abbrevs *abbrevs,
                struct dwarf_scopes *scopes, struct ranges *ranges);

#endif
