/* SPDX-License-Identifier: MIT */
/* What is of interest in one entry of a tree: of a unit, a function or an inlined call. */
#ifndef SYMBOLS_DWARF_ENTRY_H
#define SYMBOLS_DWARF_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "abbrev.h"
#include "tree.h"
#include "src/symbols/ranges.h"

/* A text in one of the sections. */
struct dwarf_text {
    uint16_t form; /* 0: none */
    uint64_t at;   /* an offset, or in .debug_info the address */
};

struct dwarf_entry {
    uint64_t offset;                /* in .debug_info */
    uint64_t low, high, list;       /* where its code is */
    uint64_t origin, specification; /* other entries, by offset; 0: none */
    uint64_t sibling, lines;        /* from the unit; in .debug_line */
    struct dwarf_text name, linkage_name, folder;
    uint32_t call_file, call_line, decl_file, decl_line;
    bool has_low, has_high, high_is_size, has_list, has_lines, has_decl_file;
    bool is_skeleton;
    bool is_declaration;
    bool asks_place; /* where its code is has to be asked of libdw */
    bool asks_name;  /* likewise, how it is called */
};

/* Reads one attribute, or goes over it. */
void dwarf_entry_attribute(struct dwarf_entry *entry, const struct dwarf_tree *tree,
                           const struct dwarf_attribute *attribute, struct dwarf_bytes *bytes);
/* Reads all of ENTRY, which is all 0 but for OFFSET; BYTES are behind the code of ABBREV. */
void dwarf_entry_read(struct dwarf_entry *entry, const struct dwarf_tree *tree,
                      const struct dwarf_abbrevs *abbrevs, const struct dwarf_abbrev *abbrev,
                      struct dwarf_bytes *bytes);
/* The entry at OFFSET of TREE; NULL, and nothing read, when there is none.  Returns what kind. */
const struct dwarf_abbrev *dwarf_entry_at(struct dwarf_entry *entry, const struct dwarf_tree *tree,
                                          const struct dwarf_abbrevs *abbrevs, uint64_t offset);

/* NULL: none, or damaged. */
const char *dwarf_entry_text(const struct dwarf_tree *tree, const struct dwarf_text *text);

/* What lists of ranges count from: UNIT is the first entry of TREE. */
struct dwarf_base {
    uint64_t address;
    bool known;
};
struct dwarf_base dwarf_entry_base(const struct dwarf_entry *unit, const struct dwarf_tree *tree);
/* Adds where the code of ENTRY is, as VALUE; false when it has none. */
bool dwarf_entry_ranges(const struct dwarf_entry *entry, const struct dwarf_tree *tree,
                        const struct dwarf_base *base, struct ranges *ranges, uint32_t value);

#endif
