/* SPDX-License-Identifier: MIT */
/*
 * Range lists.  Written by hand because libdw's dwarf_ranges() reads the entry it is asked about,
 * and the unit's first, anew for every range: two microseconds each, a third of a whole walk.
 */
#include "config.h"

#include "list.h"

#include <dwarf.h>

/* One step through a list. */
struct step {
    enum { STEP_RANGE, STEP_BASE, STEP_END, STEP_INDEXED } what;
    uint64_t start, end; /* STEP_BASE: the base in START */
};

static struct step old_step(struct dwarf_bytes *list, uint64_t base)
{
    uint64_t start = dwarf_bytes_fixed(list, list->address_size);
    uint64_t end = dwarf_bytes_fixed(list, list->address_size);

    if (start == 0 && end == 0)
        return (struct step){ .what = STEP_END };
    if (start == (list->address_size == 4 ? UINT32_MAX : UINT64_MAX))
        return (struct step){ STEP_BASE, end, 0 };
    return (struct step){ STEP_RANGE, base + start, base + end };
}

static struct step new_step(struct dwarf_bytes *list, uint64_t base)
{
    struct step step = { .what = STEP_RANGE };

    switch (dwarf_bytes_fixed(list, 1)) {
    case DW_RLE_end_of_list:
        step.what = STEP_END;
        break;
    case DW_RLE_offset_pair:
        step.start = base + dwarf_bytes_uleb(list);
        step.end = base + dwarf_bytes_uleb(list);
        break;
    case DW_RLE_base_address:
        step.what = STEP_BASE;
        step.start = dwarf_bytes_fixed(list, list->address_size);
        break;
    case DW_RLE_start_end:
        step.start = dwarf_bytes_fixed(list, list->address_size);
        step.end = dwarf_bytes_fixed(list, list->address_size);
        break;
    case DW_RLE_start_length:
        step.start = dwarf_bytes_fixed(list, list->address_size);
        step.end = step.start + dwarf_bytes_uleb(list);
        break;
    default:
        step.what = STEP_INDEXED;
    }
    return step;
}

bool dwarf_list_add(struct dwarf_bytes list, uint64_t base, struct ranges *ranges, uint32_t value,
                    size_t limit)
{
    size_t before = ranges->candidates_count;

    while (dwarf_bytes_more(&list) && ranges->candidates_count - before < limit) {
        struct step step = list.version >= 5 ? new_step(&list, base) : old_step(&list, base);

        if (step.what == STEP_END)
            break;
        if (step.what == STEP_INDEXED) {
            ranges->candidates_count = before;
            return false;
        }
        if (step.what == STEP_BASE)
            base = step.start;
        else if (step.start != 0) /* what the linker threw away is left at 0 */
            ranges_add(ranges, step.start, step.end, value, 0);
    }
    return true;
}
