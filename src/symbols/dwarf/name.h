/* SPDX-License-Identifier: MIT */
/* How a function is called, and where it is declared. */
#ifndef SYMBOLS_DWARF_NAME_H
#define SYMBOLS_DWARF_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "abbrev.h"
#include "tree.h"
#include "walk.h"

/* Texts are the sections' own. */
struct dwarf_name {
    const char *text; /* as the linker has it, if that is told; NULL: unknown */
    const char *path; /* of the file, when another unit tells; or NULL */
    uint32_t file;    /* else, as this unit counts them */
    bool has_file;
    uint32_t line;   /* 0: unknown */
    uint32_t column; /* not 0: it is a lambda, which its place alone tells from others */
};

/* The abbreviations of the unit whose entries were last read for a name. */
struct dwarf_lookup {
    struct dwarf_abbrevs abbrevs;
    const struct dwarf_tree *tree;
};

/* The name of the function at OFFSET of .debug_info, among TREE's SCOPES as a rule. */
void dwarf_name_read(struct dwarf_name *name, const struct dwarf_tree *tree,
                     const struct dwarf_scopes *scopes, struct dwarf_lookup *lookup,
                     uint64_t offset);

#endif
