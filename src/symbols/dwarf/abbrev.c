/* SPDX-License-Identifier: MIT */
/* Compilers count abbreviations from 1 without gaps, so the table is an array. */
#include "config.h"

#include "abbrev.h"

#include <dwarf.h>
#include <stdlib.h>

#include "proftop/memory.h"

enum { CODES_MAX = 1 << 16, ATTRIBUTES_MAX = 1 << 20, MERGED_MAX = 1 << 20 };

/* Most entries are variables and types, which are only gone over. */
static bool is_read(uint16_t tag)
{
    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
           tag == DW_TAG_compile_unit || tag == DW_TAG_skeleton_unit;
}

static bool is_wanted(uint64_t name)
{
    switch (name) {
    case DW_AT_sibling:
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

static void add_attribute(struct dwarf_abbrevs *abbrevs, const struct dwarf_attribute *attribute)
{
    if (abbrevs->attributes_count == abbrevs->attributes_capacity)
        abbrevs->attributes =
            array_reserve(abbrevs->attributes, &abbrevs->attributes_capacity,
                          abbrevs->attributes_count + 1, sizeof(*abbrevs->attributes));
    abbrevs->attributes[abbrevs->attributes_count++] = *attribute;
}

/* Adds the SIZE bytes of attributes that are of no interest, when there are any. */
static void add_gap(struct dwarf_abbrevs *abbrevs, int32_t *size)
{
    if (*size > 0)
        add_attribute(abbrevs, &(struct dwarf_attribute){ .size = *size });
    *size = 0;
}

/* The attributes of an abbreviation of TAG. */
static void read_attributes(struct dwarf_abbrevs *abbrevs, uint16_t tag, struct dwarf_bytes *bytes)
{
    bool read = is_read(tag);
    int32_t gap = 0;

    while (dwarf_bytes_more(bytes)) {
        uint64_t name = dwarf_bytes_uleb(bytes), form = dwarf_bytes_uleb(bytes);
        struct dwarf_attribute attribute;
        bool wanted = read ? is_wanted(name) : name == DW_AT_sibling;
        int64_t constant = form == DW_FORM_implicit_const ? dwarf_bytes_sleb(bytes) : 0;
        int size = dwarf_bytes_form_size(bytes, form);

        if ((name == 0 && form == 0) || name > UINT16_MAX || form > UINT16_MAX ||
            abbrevs->attributes_count >= ATTRIBUTES_MAX)
            break;
        if (!wanted && size >= 0 && gap < MERGED_MAX) {
            gap += size;
            continue;
        }
        add_gap(abbrevs, &gap);
        attribute = (struct dwarf_attribute){ .name = wanted ? (uint16_t)name : 0,
                                              .form = (uint16_t)form,
                                              .size = size,
                                              .constant = constant };
        add_attribute(abbrevs, &attribute);
    }
    add_gap(abbrevs, &gap);
}

void dwarf_abbrevs_read(struct dwarf_abbrevs *abbrevs, struct dwarf_bytes bytes)
{
    uint64_t code;

    abbrevs->count = abbrevs->attributes_count = 0;
    while ((code = dwarf_bytes_uleb(&bytes)) != 0 && code < CODES_MAX) {
        struct dwarf_abbrev abbrev = { .first = (uint32_t)abbrevs->attributes_count };

        abbrev.tag = (uint16_t)dwarf_bytes_uleb(&bytes);
        abbrev.children = dwarf_bytes_fixed(&bytes, 1) != 0;
        read_attributes(abbrevs, abbrev.tag, &bytes);
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
