/* SPDX-License-Identifier: MIT */
/* Which unit has which code, as .debug_aranges tells. */
#ifndef SYMBOLS_DWARF_ARANGES_H
#define SYMBOLS_DWARF_ARANGES_H

#include <stdint.h>

#include "bytes.h"

/* Calls GIVE with every range that makes sense; UNIT is where the unit's header is. */
void dwarf_aranges_read(struct dwarf_bytes bytes,
                        void (*give)(void *context, uint64_t unit, uint64_t start, uint64_t end),
                        void *context);

#endif
