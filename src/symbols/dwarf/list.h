/* SPDX-License-Identifier: MIT */
/* Lists of address ranges: .debug_ranges of DWARF 2 to 4, .debug_rnglists of 5. */
#ifndef SYMBOLS_DWARF_LIST_H
#define SYMBOLS_DWARF_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "src/symbols/ranges.h"

/*
 * Adds the list that LIST begins with to RANGES, as VALUE, at most LIMIT pieces of it.  BASE is the
 * unit's.  False, and nothing added, when it uses indexed addresses, which are to be asked of
 * libdw.
 */
bool dwarf_list_add(struct dwarf_bytes list, uint64_t base, struct ranges *ranges, uint32_t value,
                    size_t limit);

#endif
