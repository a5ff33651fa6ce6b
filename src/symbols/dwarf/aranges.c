/* SPDX-License-Identifier: MIT */
/* A set of (start, length) a unit, each set with a header and closed by (0, 0). */
#include "config.h"

#include "aranges.h"

/* BYTES: one set, without its length.  START is where it begins. */
static void read_set(struct dwarf_bytes bytes, const uint8_t *start,
                     void (*give)(void *context, uint64_t unit, uint64_t start, uint64_t end),
                     void *context)
{
    uint64_t version = dwarf_bytes_fixed(&bytes, 2);
    uint64_t unit = dwarf_bytes_fixed(&bytes, bytes.offset_size);
    unsigned pair, misaligned;

    bytes.address_size = (uint8_t)dwarf_bytes_fixed(&bytes, 1);
    if (version != 2 || dwarf_bytes_fixed(&bytes, 1) != 0 ||
        (bytes.address_size != 4 && bytes.address_size != 8))
        return;
    pair = 2u * bytes.address_size;
    misaligned = (unsigned)((size_t)(bytes.at - start) % pair);
    dwarf_bytes_skip(&bytes, misaligned != 0 ? pair - misaligned : 0);
    while (dwarf_bytes_more(&bytes)) {
        uint64_t from = dwarf_bytes_fixed(&bytes, bytes.address_size);
        uint64_t length = dwarf_bytes_fixed(&bytes, bytes.address_size);

        if (from == 0 && length == 0)
            return;
        if (from != 0 && length <= UINT64_MAX - from) /* at 0 is what the linker threw away */
            give(context, unit, from, from + length);
    }
}

void dwarf_aranges_read(struct dwarf_bytes bytes,
                        void (*give)(void *context, uint64_t unit, uint64_t start, uint64_t end),
                        void *context)
{
    while (dwarf_bytes_more(&bytes)) {
        struct dwarf_bytes set = bytes;
        uint64_t length = dwarf_bytes_fixed(&set, 4);

        set.offset_size = 4;
        if (length == UINT32_MAX) {
            set.offset_size = 8;
            length = dwarf_bytes_fixed(&set, 8);
        }
        if (length > (uint64_t)(set.end - set.at))
            return;
        set.end = set.at + length;
        read_set(set, bytes.at, give, context);
        bytes.at = set.end;
    }
}
