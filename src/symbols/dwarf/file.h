/* SPDX-License-Identifier: MIT */
/*
 * The DWARF of one module: which unit an address lies in.  One thread at a time; slow, so only the
 * background asks.
 */
#ifndef SYMBOLS_DWARF_FILE_H
#define SYMBOLS_DWARF_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "src/symbols/debug_file.h"
#include "src/symbols/helper.h"
#include "unit.h"
#include "proftop/module.h"
#include "src/symbols/trouble.h"

struct dwarf_file;

/*
 * Opens the debug information of MODULE, in its own file or a separate one.  NULL when it has none
 * that can be used; *TROUBLE then says why.
 */
struct dwarf_file *dwarf_file_open(const struct module *module, const struct debug_places *places,
                                   enum trouble *trouble);
void dwarf_file_close(struct dwarf_file *file);

/* Addresses that follow each other and are in one unit, or in none. */
struct dwarf_run {
    size_t from, to;
    bool large; /* the helper will be at it for long: to be asked for after the others */
};

/*
 * The chains of COUNT ADDRESSES, sorted, are going to be asked for: until it ends what they need is
 * read with HELPER.  The number of RUNS, which the caller frees.
 */
size_t dwarf_file_ahead(struct dwarf_file *file, const uint64_t *addresses, size_t count,
                        struct helper *helper, struct dwarf_run **runs);
void dwarf_file_ahead_end(struct dwarf_file *file);

/* As dwarf_unit_chain(); ADDRESS is the program's own. */
size_t dwarf_file_chain(struct dwarf_file *file, struct intern *intern, uint64_t address,
                        struct symbol *chain, size_t limit, struct dwarf_extent *extent);

/* About how much memory it holds, sections included. */
size_t dwarf_file_bytes(const struct dwarf_file *file);

#endif
