/* SPDX-License-Identifier: MIT */
/*
 * One compilation unit of DWARF, indexed (index.h) the first time an address in it is asked
 * for: its scopes (walk.h) and its lines (lines.h).  A chain is then two binary
 * searches and a walk along the parents.  What a scope is called is looked up when it is first met.
 */
#ifndef SYMBOLS_DWARF_UNIT_H
#define SYMBOLS_DWARF_UNIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lines.h"
#include "name.h"
#include "walk.h"
#include "src/symbols/intern.h"
#include "proftop/index.h"
#include "proftop/symbols.h"
#include "src/symbols/ranges.h"

struct dwarf_unit {
    struct dwarf_tree tree; /* once indexed, where the functions are: it may be a .dwo file's */
    struct dwarf_sections *inner_sections; /* of a .dwo file, or NULL */
    atomic_bool indexed;
    atomic_bool begun;   /* somebody indexes it, or has: of those that are chosen */
    bool placed, chosen; /* for who finds units, and for who indexes them */
    const char *folder;  /* that relative paths are below; NULL: unknown */
    struct dwarf_lines lines;
    struct dwarf_lines inner_files; /* of a split unit that has a table of its own */
    struct dwarf_scopes scopes;
    struct ranges ranges;      /* value: which scope */
    struct dwarf_known *known; /* functions looked up */
    size_t known_count, known_capacity;
    struct index known_index; /* by origin */
};

void dwarf_unit_init(struct dwarf_unit *unit, const struct dwarf_tree *tree);
void dwarf_unit_fini(struct dwarf_unit *unit);

/* Before it is indexed: what it takes in the file. */
static inline uint64_t dwarf_unit_size(const struct dwarf_unit *unit)
{
    return unit->tree.next - unit->tree.unit;
}

/* Addresses from FROM on and below TO. */
struct dwarf_extent {
    uint64_t from, to;
};

/* What of EXTENT is in RANGE stays. */
void dwarf_extent_narrow(struct dwarf_extent *extent, const struct range *range);

/*
 * Of UNIT, which is indexed.  Innermost call first, the real function last, at most LIMIT; 0 when
 * nothing is known.  A name that is not known is NULL; kind and module are left to the caller.
 * EXTENT gets where the chain is the same, ADDRESS included; nothing may be in it when none was
 * found.
 */
size_t dwarf_unit_chain(struct dwarf_unit *unit, struct dwarf_lookup *lookup, struct intern *intern,
                        uint64_t address, struct symbol *chain, size_t limit,
                        struct dwarf_extent *extent);

size_t dwarf_unit_bytes(const struct dwarf_unit *unit);

#endif
