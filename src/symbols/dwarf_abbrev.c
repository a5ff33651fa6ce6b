/* SPDX-License-Identifier: MIT */
/* Compilers count abbreviations from 1 without gaps, so the table is an array. */
#include "config.h"

#include "dwarf_abbrev.h"

#include <dwarf.h>
#include <stdlib.h>

#include "proftop/memory.h"

enum { CODES_MAX = 1 << 16, ATTRIBUTES_MAX = 1 << 20 };

static bool add_attribute(struct dwarf_abbrevs *abbrevs, struct dwarf_bytes *bytes)
{
    uint64_t name = dwarf_bytes_uleb(bytes), form = dwarf_bytes_uleb(bytes);
    int64_t constant = form == DW_FORM_implicit_const ? dwarf_bytes_sleb(bytes) : 0;

    if ((name == 0 && form == 0) || name > UINT16_MAX || form > UINT16_MAX ||
        abbrevs->attributes_count >= ATTRIBUTES_MAX)
        return false;
    abbrevs->attributes =
        array_reserve(abbrevs->attributes, &abbrevs->attributes_capacity,
                      abbrevs->attributes_count + 1, sizeof(*abbrevs->attributes));
    abbrevs->attributes[abbrevs->attributes_count++] =
        (struct dwarf_attribute){ .name = (uint16_t)name,
                                  .form = (uint16_t)form,
                                  .size = (int8_t)dwarf_bytes_form_size(bytes, form),
                                  .constant = constant };
    return true;
}

void dwarf_abbrevs_read(struct dwarf_abbrevs *abbrevs, struct dwarf_bytes bytes)
{
    uint64_t code;

    abbrevs->count = abbrevs->attributes_count = 0;
    while ((code = dwarf_bytes_uleb(&bytes)) != 0 && code < CODES_MAX) {
        struct dwarf_abbrev abbrev = { .first = (uint32_t)abbrevs->attributes_count };

        abbrev.tag = (uint16_t)dwarf_bytes_uleb(&bytes);
        abbrev.children = dwarf_bytes_fixed(&bytes, 1) != 0;
        while (dwarf_bytes_more(&bytes) && add_attribute(abbrevs, &bytes))
            ;
        abbrev.count = (uint32_t)abbrevs->attributes_count - abbrev.first;
        abbrevs->items =
            array_reserve(abbrevs->items, &abbrevs->capacity, code + 1, sizeof(*abbrevs->items));
        while (abbrevs->count <= code)
            abbrevs->items[abbrevs->count++] = (struct dwarf_abbrev){ 0 };
        abbrevs->items[code] = abbrev;
    }
}

void dwarf_abbrevs_fini(struct dwarf_abbrevs *abbrevs)
{
    free(abbrevs->items);
    free(abbrevs->attributes);
    *abbrevs = (struct dwarf_abbrevs){ 0 };
}

const struct dwarf_abbrev *dwarf_abbrevs_get(const struct dwarf_abbrevs *abbrevs, uint64_t code)
{
    return code < abbrevs->count && abbrevs->items[code].tag != 0 ? &abbrevs->items[code] : NULL;
}
