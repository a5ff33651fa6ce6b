/* SPDX-License-Identifier: MIT */
/*
 * Entries.  Written by hand because libdw takes some 100 ns an attribute it is asked for, and
 * several are wanted.  What is rare or long to decode, like indexed addresses and texts, is left to
 * libdw.
 */
#include "config.h"

#include "entry.h"

#include <dwarf.h>

#include "list.h"

enum {
    RANGES_PER_ENTRY = 65536, /* pieces of its code */
    RANGES_MAX = 1 << 24,     /* of a unit, or a file */
};

static uint64_t number_of(const struct dwarf_attribute *attribute, struct dwarf_bytes *bytes,
                          bool *is_number)
{
    *is_number = true;
    if (attribute->form == DW_FORM_implicit_const)
        return (uint64_t)attribute->constant;
    return dwarf_bytes_number(bytes, attribute->form, is_number);
}

static uint32_t small_number(const struct dwarf_attribute *attribute, struct dwarf_bytes *bytes)
{
    bool is_number;
    uint64_t value = number_of(attribute, bytes, &is_number);

    return value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* The offset of another entry; 0, and the name is asked of libdw, when it is in another file. */
static uint64_t reference(struct dwarf_entry *entry, const struct dwarf_tree *tree,
                          const struct dwarf_attribute *attribute, struct dwarf_bytes *bytes)
{
    bool is_number;
    uint64_t value = number_of(attribute, bytes, &is_number);

    switch (attribute->form) {
    case DW_FORM_ref_addr:
        return value;
    case DW_FORM_ref1:
    case DW_FORM_ref2:
    case DW_FORM_ref4:
    case DW_FORM_ref8:
    case DW_FORM_ref_udata:
        return tree->unit + value;
    default:
        entry->asks_name = true;
        return 0;
    }
}

static struct dwarf_text text_of(struct dwarf_entry *entry, const struct dwarf_attribute *attribute,
                                 struct dwarf_bytes *bytes)
{
    struct dwarf_text text = { .form = attribute->form };
    bool is_number;

    if (attribute->form == DW_FORM_string)
        text.at = (uint64_t)(uintptr_t)dwarf_bytes_text(bytes);
    else
        text.at = number_of(attribute, bytes, &is_number);
    if (attribute->form != DW_FORM_string && attribute->form != DW_FORM_strp &&
        attribute->form != DW_FORM_line_strp)
        entry->asks_name = true;
    return text;
}

void dwarf_entry_attribute(struct dwarf_entry *entry, const struct dwarf_tree *tree,
                           const struct dwarf_attribute *attribute, struct dwarf_bytes *bytes)
{
    bool is_number;

    switch (attribute->name) {
    case DW_AT_low_pc:
        entry->low = number_of(attribute, bytes, &is_number);
        entry->has_low = is_number && attribute->form == DW_FORM_addr;
        entry->asks_place |= !entry->has_low;
        break;
    case DW_AT_high_pc:
        entry->high = number_of(attribute, bytes, &entry->has_high);
        entry->high_is_size = attribute->form != DW_FORM_addr;
        break;
    case DW_AT_ranges:
        entry->list = number_of(attribute, bytes, &entry->has_list);
        entry->asks_place |= !entry->has_list;
        break;
    case DW_AT_abstract_origin:
        entry->origin = reference(entry, tree, attribute, bytes);
        break;
    case DW_AT_specification:
        entry->specification = reference(entry, tree, attribute, bytes);
        break;
    case DW_AT_call_file:
        entry->call_file = small_number(attribute, bytes);
        break;
    case DW_AT_call_line:
        entry->call_line = small_number(attribute, bytes);
        break;
    case DW_AT_decl_file:
        entry->decl_file = small_number(attribute, bytes);
        entry->has_decl_file = true;
        break;
    case DW_AT_decl_line:
        entry->decl_line = small_number(attribute, bytes);
        break;
    case DW_AT_name:
        entry->name = text_of(entry, attribute, bytes);
        break;
    case DW_AT_linkage_name:
    case DW_AT_MIPS_linkage_name:
        entry->linkage_name = text_of(entry, attribute, bytes);
        break;
    case DW_AT_comp_dir:
        entry->folder = text_of(entry, attribute, bytes);
        break;
    case DW_AT_stmt_list:
        entry->lines = number_of(attribute, bytes, &entry->has_lines);
        break;
    case DW_AT_dwo_name:
    case DW_AT_GNU_dwo_name:
        entry->is_skeleton = true;
        dwarf_attribute_skip(attribute, bytes);
        break;
    case DW_AT_declaration:
        entry->is_declaration = true;
        dwarf_attribute_skip(attribute, bytes);
        break;
    case DW_AT_sibling:
        entry->sibling = number_of(attribute, bytes, &is_number);
        if (!is_number || attribute->form == DW_FORM_ref_addr)
            entry->sibling = 0;
        break;
    default:
        dwarf_attribute_skip(attribute, bytes);
    }
}

void dwarf_entry_read(struct dwarf_entry *entry, const struct dwarf_tree *tree,
                      const struct dwarf_abbrevs *abbrevs, const struct dwarf_abbrev *abbrev,
                      struct dwarf_bytes *bytes)
{
    for (uint32_t i = 0; i < abbrev->count; i++)
        dwarf_entry_attribute(entry, tree, &abbrevs->attributes[abbrev->first + i], bytes);
}

const struct dwarf_abbrev *dwarf_entry_at(struct dwarf_entry *entry, const struct dwarf_tree *tree,
                                          const struct dwarf_abbrevs *abbrevs, uint64_t offset)
{
    struct dwarf_bytes bytes = dwarf_tree_at(tree, offset);
    const struct dwarf_abbrev *abbrev = dwarf_abbrevs_get(abbrevs, dwarf_bytes_uleb(&bytes));

    *entry = (struct dwarf_entry){ .offset = offset };
    if (abbrev != NULL)
        dwarf_entry_read(entry, tree, abbrevs, abbrev, &bytes);
    return abbrev;
}

const char *dwarf_entry_text(const struct dwarf_tree *tree, const struct dwarf_text *text)
{
    struct dwarf_bytes bytes;

    switch (text->form) {
    case DW_FORM_string:
        return (const char *)(uintptr_t)text->at;
    case DW_FORM_strp:
        bytes = tree->sections->str;
        break;
    case DW_FORM_line_strp:
        bytes = tree->sections->line_str;
        break;
    default:
        return NULL;
    }
    dwarf_bytes_skip(&bytes, text->at);
    return dwarf_bytes_text(&bytes);
}

struct dwarf_base dwarf_entry_base(const struct dwarf_entry *unit, const struct dwarf_tree *tree)
{
    /* What was split off has its base in the unit it was split from. */
    return (struct dwarf_base){ unit->low, !tree->split && (unit->has_low || !unit->asks_place) };
}

static void ask_ranges(const struct dwarf_entry *entry, const struct dwarf_tree *tree,
                       struct ranges *ranges, uint32_t value)
{
    Dwarf_Addr base, start, end;
    ptrdiff_t at = 0;
    Dwarf_Die die;

    pthread_mutex_lock(tree->asking.lock);
    if (dwarf_offdie(tree->asking.dwarf, entry->offset, &die) != NULL) {
        for (int i = 0; i < RANGES_PER_ENTRY; i++) {
            at = dwarf_ranges(&die, at, &base, &start, &end);
            if (at <= 0)
                break;
            /* What the linker threw away is left at 0. */
            if (start != 0)
                ranges_add(ranges, start, end, value, 0);
        }
    }
    pthread_mutex_unlock(tree->asking.lock);
}

static bool add_list(const struct dwarf_entry *entry, const struct dwarf_tree *tree,
                     const struct dwarf_base *base, struct ranges *ranges, uint32_t value)
{
    struct dwarf_bytes list = dwarf_tree_sized(tree, tree->version >= 5 ? tree->sections->rnglists
                                                                        : tree->sections->ranges);

    dwarf_bytes_skip(&list, entry->list);
    return base->known && dwarf_list_add(list, base->address, ranges, value, RANGES_PER_ENTRY);
}

bool dwarf_entry_ranges(const struct dwarf_entry *entry, const struct dwarf_tree *tree,
                        const struct dwarf_base *base, struct ranges *ranges, uint32_t value)
{
    uint64_t end = entry->high_is_size ? entry->low + entry->high : entry->high;
    size_t before = ranges->candidates_count;

    if (before >= RANGES_MAX)
        return false;
    if (entry->asks_place || (entry->has_list && !add_list(entry, tree, base, ranges, value)))
        ask_ranges(entry, tree, ranges, value);
    else if (!entry->has_list && entry->has_low && entry->has_high && entry->low != 0)
        ranges_add(ranges, entry->low, end, value, 0);
    return ranges->candidates_count != before;
}
