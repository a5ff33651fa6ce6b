/* SPDX-License-Identifier: MIT */
/*
 * Indexing of units: what lies in them, read once, before the first chain.  Libdw is asked where
 * everything is, by the caller's thread; what is read by our own code is shared by two threads when
 * there is enough of it:
 *
 *     locate unit 1, 2, 3 … ──► read 1 | read 2
 *                               read 4 | read 3 …
 */
#ifndef SYMBOLS_DWARF_INDEX_H
#define SYMBOLS_DWARF_INDEX_H

#include <stddef.h>

#include "dwarf_unit.h"

/* Indexes COUNT units, all of one file and none of them indexed yet. */
void dwarf_index(struct dwarf_unit *const *units, size_t count);

#endif
