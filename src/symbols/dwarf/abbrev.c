/* SPDX-License-Identifier: MIT */
/* Compilers count abbreviations from 1 without gaps, so the table is an array. */
#include "config.h"

#include "abbrev.h"

#include <dwarf.h>
#include <stdlib.h>

#include "proftop/memory.h"

enum { CODES_MAX = 1 << 16, ATTRIBUTES_MAX = 1 << 20, MERGED_MAX = 1 << 20 };

/* Most entries are variables and types, which are only gone over. */
static bool is_wanted(uint16_t tag, uint64_t name)
{
    if (name == DW_AT_sibling)
        return true;
    if (tag != DW_TAG_subprogram && tag != DW_TAG_inlined_subroutine &&
        tag != DW_TAG_compile_unit && tag != DW_TAG_skeleton_unit)
        return false;
    switch (name) {
    case DW_AT_low_pc:
    case DW_AT_high_pc:
    case DW_AT_ranges:
    case DW_AT_abstract_origin:
    case DW_AT_specification:
    case DW_AT_call_file:
    case DW_AT_call_line:
    case DW_AT_decl_file:
    case DW_AT_decl_line:
    case DW_AT_name:
    case DW_AT_linkage_name:
    case DW_AT_MIPS_linkage_name:
    case DW_AT_comp_dir:
    case DW_AT_declaration:
    case DW_AT_stmt_list:
    case DW_AT_dwo_name:
    case DW_AT_GNU_dwo_name:
        return true;
    default:
        return false;
    }
}

static void add_attribute(struct dwarf_abbrevs *abbrevs, const struct dwarf_abbrev *abbrev,
                          const struct dwarf_attribute *attribute)
{
    struct dwarf_attribute *last = NULL;

    if (abbrevs->attributes_count > abbrev->first)
        last = &abbrevs->attributes[abbrevs->attributes_count - 1];
    if (attribute->name == 0 && attribute->size >= 0 && last != NULL && last->name == 0 &&
        last->size >= 0 && last->size < MERGED_MAX) {
        last->size += attribute->size;
        return;
    }
    if (abbrevs->attributes_count == abbrevs->attributes_capacity)
        abbrevs->attributes =
            array_reserve(abbrevs->attributes, &abbrevs->attributes_capacity,
                          abbrevs->attributes_count + 1, sizeof(*abbrevs->attributes));
    abbrevs->attributes[abbrevs->attributes_count++] = *attribute;
}

/* The next attribute of ABBREV; false after the last. */
static bool read_attribute(struct dwarf_abbrevs *abbrevs, const struct dwarf_abbrev *abbrev,
                           struct dwarf_bytes *bytes)
{
    uint64_t name = dwarf_bytes_uleb(bytes), form = dwarf_bytes_uleb(bytes);
    struct dwarf_attribute attribute = { .form = (uint16_t)form };

    if (form == DW_FORM_implicit_const)
        attribute.constant = dwarf_bytes_sleb(bytes);
    if ((name == 0 && form == 0) || name > UINT16_MAX || form > UINT16_MAX ||
        abbrevs->attributes_count >= ATTRIBUTES_MAX)
        return false;
    attribute.name = is_wanted(abbrev->tag, name) ? (uint16_t)name : 0;
    attribute.size = dwarf_bytes_form_size(bytes, form);
    add_attribute(abbrevs, abbrev, &attribute);
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
        while (dwarf_bytes_more(&bytes) && read_attribute(abbrevs, &abbrev, &bytes))
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
