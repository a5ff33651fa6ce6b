/* SPDX-License-Identifier: MIT */
/*
 * Indexing of units: their lines and scopes read, which is most of the work of a first chain.
 *
 * A helper reads the units that will be needed, the largest first, while their caller makes chains
 * of what is ready; what is not yet it reads itself.
 *
 *     caller   read 0 │ chains in 0 │ read 1 │ chains in 1 │ chains in 2 …
 *     helper   read 2, the largest            │ read 4 │ read 3 …
 */
#ifndef SYMBOLS_DWARF_INDEX_H
#define SYMBOLS_DWARF_INDEX_H

#include <stddef.h>

#include "src/symbols/helper.h"
#include "unit.h"

struct dwarf_indexing;

/* Indexes one, now. */
void dwarf_index(struct dwarf_unit *unit);

/* Begins with COUNT units, CHOSEN until it ends and none indexed yet; HELPER is its own so long. */
struct dwarf_indexing *dwarf_indexing_start(struct dwarf_unit *const *units, size_t count,
                                            struct helper *helper);
/* Returns when UNIT, one of them, is indexed. */
void dwarf_indexing_need(struct dwarf_indexing *indexing, struct dwarf_unit *unit);
/* Ends it early, once the unit that the helper is at is read; others may be left.  NULL: nothing.
 */
void dwarf_indexing_stop(struct dwarf_indexing *indexing);

#endif
