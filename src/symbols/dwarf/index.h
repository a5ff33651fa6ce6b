/* SPDX-License-Identifier: MIT */
/*
 * Indexing of units: their lines and scopes read, which is most of the work of a first chain.
 *
 * A thread runs ahead through the units that will be needed, while their caller makes chains of
 * what is ready; what is not yet it reads itself.
 *
 *     caller   read 0 │ chains in 0 │ chains in 1 │ read 4 │ chains in 2 …
 *     thread   read 1 │ read 2 │ read 3           │ read 5 …
 */
#ifndef SYMBOLS_DWARF_INDEX_H
#define SYMBOLS_DWARF_INDEX_H

#include <stddef.h>

#include "unit.h"

struct dwarf_indexing;

/* Indexes one, now. */
void dwarf_index(struct dwarf_unit *unit);

/* Begins with COUNT units in this order: CHOSEN until it ends, and none indexed yet. */
struct dwarf_indexing *dwarf_indexing_start(struct dwarf_unit *const *units, size_t count);
/* Returns when UNIT, one of them, is indexed. */
void dwarf_indexing_need(struct dwarf_indexing *indexing, struct dwarf_unit *unit);
/* Ends it early; units may be left.  NULL: nothing. */
void dwarf_indexing_stop(struct dwarf_indexing *indexing);

#endif
