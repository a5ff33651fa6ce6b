/* SPDX-License-Identifier: MIT */
/*
 * One compilation unit of DWARF, indexed the first time an address in it is asked for.
 *
 *     subprogram outer   [10,90)         scopes   0 outer   1 middle, in 0   2 innermost, in 1
 *       inlined middle   [20,60)         ranges   [10,20)→0 [20,30)→1 [30,40)→2 [40,60)→1 [60,90)→0
 *         inlined innermost [30,40)
 *
 * A chain is then one binary search and a walk along the parents.  What a scope is called is looked
 * up when it is first met.
 */
#ifndef SYMBOLS_DWARF_UNIT_H
#define SYMBOLS_DWARF_UNIT_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "intern.h"
#include "proftop/symbols.h"
#include "ranges.h"

struct dwarf_scope {
    Dwarf_Off offset;
    uint32_t parent; /* UINT32_MAX: a real function */
    uint32_t known;  /* index + 1 among the scopes looked up; 0: not yet */
};

struct dwarf_unit {
    Dwarf_Die die;   /* has the lines and the folder */
    Dwarf_Die inner; /* has the functions: the same, or what is in the .dwo file */
    bool indexed;
    struct dwarf_scope *scopes;
    size_t scopes_count, scopes_capacity;
    struct dwarf_known *known; /* scopes looked up */
    size_t known_count, known_capacity;
    struct ranges ranges;
    const char *folder;
    struct dwarf_path *paths; /* of files met lately */
};

void dwarf_unit_init(struct dwarf_unit *unit, const Dwarf_Die *die);
void dwarf_unit_fini(struct dwarf_unit *unit);

/*
 * Innermost call first, the real function last, at most LIMIT; 0 when nothing is known.  A name
 * that is not known is NULL; kind and module are left to the caller.
 */
size_t dwarf_unit_chain(struct dwarf_unit *unit, struct intern *intern, uint64_t address,
                        struct symbol *chain, size_t limit);

size_t dwarf_unit_bytes(const struct dwarf_unit *unit);

#endif
