/* SPDX-License-Identifier: MIT */
/*
 * One compilation unit of DWARF, indexed (dwarf_index.h) the first time an address in it is asked
 * for: its scopes (dwarf_walk.h) and its lines (dwarf_lines.h).  A chain is then two binary
 * searches and a walk along the parents.  What a scope is called is looked up when it is first met.
 */
#ifndef SYMBOLS_DWARF_UNIT_H
#define SYMBOLS_DWARF_UNIT_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dwarf_lines.h"
#include "dwarf_walk.h"
#include "intern.h"
#include "proftop/index.h"
#include "proftop/symbols.h"
#include "ranges.h"

struct dwarf_unit {
    Dwarf_Die die;   /* has the lines and the folder */
    Dwarf_Die inner; /* has the functions: the same, or what is in the .dwo file */
    const struct dwarf_sections *sections; /* of its file */
    bool indexed, split;
    bool chosen;        /* to be indexed; for the caller */
    const char *folder; /* that relative paths are below; NULL: unknown */
    struct dwarf_lines lines;
    struct dwarf_lines inner_files; /* of a split unit that has a table of its own */
    struct dwarf_scopes scopes;
    struct ranges ranges;      /* value: which scope */
    struct dwarf_known *known; /* functions looked up */
    size_t known_count, known_capacity;
    struct index known_index; /* by origin */
};

void dwarf_unit_init(struct dwarf_unit *unit, const Dwarf_Die *die,
                     const struct dwarf_sections *sections);
void dwarf_unit_fini(struct dwarf_unit *unit);

/* Addresses from FROM on and below TO. */
struct dwarf_extent {
    uint64_t from, to;
};

/*
 * Innermost call first, the real function last, at most LIMIT; 0 when nothing is known.  A name
 * that is not known is NULL; kind and module are left to the caller.  EXTENT gets where the chain
 * is the same, ADDRESS included; nothing may be in it when none was found.
 */
size_t dwarf_unit_chain(struct dwarf_unit *unit, struct intern *intern, uint64_t address,
                        struct symbol *chain, size_t limit, struct dwarf_extent *extent);

size_t dwarf_unit_bytes(const struct dwarf_unit *unit);

#endif
