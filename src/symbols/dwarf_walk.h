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

#include <elfutils/libdw.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dwarf_abbrev.h"
#include "dwarf_bytes.h"
#include "ranges.h"

#define SCOPE_NONE UINT32_MAX

struct dwarf_scope {
    Dwarf_Off origin; /* where its name is told; the same for all calls of a function */
    uint32_t parent;  /* SCOPE_NONE: a real function */
    uint32_t call_file, call_line; /* of an inlined call */
    uint32_t known;                /* for the caller; 0 */
};

struct dwarf_scopes {
    struct dwarf_scope *items;
    size_t count, capacity;
};

/* Where the entries of a unit are. */
struct dwarf_tree {
    const struct dwarf_sections *sections;
    Dwarf_Die *die; /* the first */
    bool split;     /* in a .dwo file */
    uint8_t version, address_size, offset_size;
    uint64_t unit, first, next, abbrev; /* in .debug_info, and in .debug_abbrev */
    pthread_mutex_t *libdw;             /* to be held while libdw is asked */
};

/* Asks libdw for the entries of the unit that begins with DIE; false when they make no sense. */
bool dwarf_walk_locate(struct dwarf_tree *tree, const struct dwarf_sections *sections,
                       Dwarf_Die *die, bool split);
/*
 * Adds what is in TREE, its scopes' numbers as values of RANGES.  ABBREVS is scratch, to be used
 * for the next tree again.
 */
void dwarf_walk(const struct dwarf_tree *tree, struct dwarf_abbrevs *abbrevs,
                struct dwarf_scopes *scopes, struct ranges *ranges);

#endif
