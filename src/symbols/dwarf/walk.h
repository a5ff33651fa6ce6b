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

#include "abbrev.h"
#include "entry.h"
#include "tree.h"
#include "src/symbols/ranges.h"

#define SCOPE_NONE UINT32_MAX

struct dwarf_scope {
    uint64_t origin; /* where its name is told; the same for all calls of a function */
    uint32_t parent; /* SCOPE_NONE: a real function */
    uint32_t call_file, call_line; /* of an inlined call */
    uint32_t known;                /* for the caller; 0 */
};

/* What the entry of a function tells of its name. */
struct dwarf_function {
    struct dwarf_text name;        /* the linker's when it is told */
    uint32_t offset;               /* of the entry */
    uint32_t next;                 /* the entry that tells what this one does not; 0: none */
    uint32_t decl_file, decl_line; /* a line of 0: not told */
    bool has_linkage_name, has_decl_file;
};

struct dwarf_scopes {
    struct dwarf_scope *items;
    size_t count, capacity;
    struct dwarf_function *functions; /* that were come by, in the order of the file */
    size_t functions_count, functions_capacity;
};

void dwarf_scopes_fini(struct dwarf_scopes *scopes);
size_t dwarf_scopes_bytes(const struct dwarf_scopes *scopes);
/* The one whose entry is at OFFSET, or NULL: it may be one all the same. */
const struct dwarf_function *dwarf_scopes_function(const struct dwarf_scopes *scopes,
                                                   uint64_t offset);

/* What ENTRY tells; false when libdw has to be asked. */
bool dwarf_function_of(struct dwarf_function *function, const struct dwarf_entry *entry);

/* Adds what is in TREE, whose ABBREVS were read, its scopes' numbers as values of RANGES. */
void dwarf_walk(const struct dwarf_tree *tree, const struct dwarf_abbrevs *abbrevs,
                struct dwarf_scopes *scopes, struct ranges *ranges);

#endif
