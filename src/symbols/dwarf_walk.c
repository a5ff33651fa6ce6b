/* SPDX-License-Identifier: MIT */
/*
 * The walk.  Written by hand because libdw takes some 100 ns an attribute it is asked for, and
 * dwarf_getscopes() walks anew for every address, 246 µs on real samples.  What is rare or long to
 * decode (indexed addresses) is still asked of libdw.
 *
 * It only goes forward through the unit, so that a damaged one cannot send it in circles.
 */
#include "config.h"

#include "dwarf_walk.h"

#include <dwarf.h>
#include <stdlib.h>

#include "dwarf_list.h"
#include "proftop/memory.h"

enum {
    DEPTH_MAX = 512,          /* of nested entries; real code stays below 100 */
    RANGES_PER_SCOPE = 65536, /* one scope's pieces */
    RANGES_PER_UNIT = 1 << 24,
    SCOPES_MAX = 1 << 26,
};

/* What is of interest in an entry. */
struct entry {
    const uint8_t *at;
    uint64_t low, high, origin, sibling, list;
    uint32_t call_file, call_line;
    bool has_low, has_high, high_is_size, has_list;
    bool asks; /* where its code is has to be asked of libdw */
};

struct level {
    uint32_t scope; /* that entries here are inside of */
    bool ignored;   /* nothing here is of interest, however deep */
};

struct walk {
    const struct dwarf_tree *tree;
    struct dwarf_scopes *scopes;
    struct ranges *ranges;
    struct dwarf_abbrevs *abbrevs;
    struct dwarf_bytes bytes;
    struct dwarf_bytes lists; /* the section with lists of ranges, whole */
    uint64_t base;            /* that they count from */
    bool has_base;
    const uint8_t *unit; /* where its header begins */
    struct level levels[DEPTH_MAX];
    unsigned depth;
};

static inline void skip_attribute(struct walk *walk, const struct dwarf_attribute *attribute)
{
    if (attribute->size >= 0)
        dwarf_bytes_skip(&walk->bytes, (uint64_t)attribute->size);
    else if (!dwarf_bytes_skip_form(&walk->bytes, attribute->form))
        walk->bytes.at = walk->bytes.end;
}

static uint64_t number_of(struct walk *walk, const struct dwarf_attribute *attribute,
                          bool *is_number)
{
    *is_number = true;
    if (attribute->form == DW_FORM_implicit_const)
        return (uint64_t)attribute->constant;
    return dwarf_bytes_number(&walk->bytes, attribute->form, is_number);
}

static void set_origin(struct walk *walk, struct entry *entry, uint16_t form, uint64_t value)
{
    if (form == DW_FORM_ref_addr)
        entry->origin = value;
    else if (form == DW_FORM_ref1 || form == DW_FORM_ref2 || form == DW_FORM_ref4 ||
             form == DW_FORM_ref8 || form == DW_FORM_ref_udata)
        entry->origin = walk->tree->unit + value;
}

static void read_attribute(struct walk *walk, const struct dwarf_attribute *attribute,
                           struct entry *entry)
{
    bool is_number;
    uint64_t value;

    switch (attribute->name) {
    case DW_AT_low_pc:
        entry->low = number_of(walk, attribute, &is_number);
        entry->has_low = is_number && attribute->form == DW_FORM_addr;
        entry->asks |= !entry->has_low;
        return;
    case DW_AT_high_pc:
        entry->high = number_of(walk, attribute, &is_number);
        entry->has_high = is_number;
        entry->high_is_size = attribute->form != DW_FORM_addr;
        return;
    case DW_AT_abstract_origin:
        value = number_of(walk, attribute, &is_number);
        if (is_number)
            set_origin(walk, entry, attribute->form, value);
        return;
    case DW_AT_call_file:
        entry->call_file = (uint32_t)number_of(walk, attribute, &is_number);
        return;
    case DW_AT_call_line:
        entry->call_line = (uint32_t)number_of(walk, attribute, &is_number);
        return;
    case DW_AT_sibling:
        value = number_of(walk, attribute, &is_number);
        if (is_number && attribute->form != DW_FORM_ref_addr)
            entry->sibling = value;
        return;
    case DW_AT_ranges:
        entry->list = number_of(walk, attribute, &is_number);
        entry->has_list = is_number;
        entry->asks |= !is_number;
        return;
    default:
        skip_attribute(walk, attribute);
    }
}

static void read_entry(struct walk *walk, const struct dwarf_abbrev *abbrev, struct entry *entry)
{
    for (uint32_t i = 0; i < abbrev->count; i++)
        read_attribute(walk, &walk->abbrevs->attributes[abbrev->first + i], entry);
}

/* Goes over an entry of no interest, but for where the next one beside it is: what it returns. */
static uint64_t skip_entry(struct walk *walk, const struct dwarf_abbrev *abbrev)
{
    const struct dwarf_attribute *attribute = &walk->abbrevs->attributes[abbrev->first];
    struct entry entry = { .sibling = 0 };

    for (uint32_t i = 0; i < abbrev->count; i++, attribute++) {
        if (attribute->name == DW_AT_sibling)
            read_attribute(walk, attribute, &entry);
        else
            skip_attribute(walk, attribute);
    }
    return entry.sibling;
}

static bool ask_ranges(struct walk *walk, const struct entry *entry, uint32_t scope)
{
    size_t before = walk->ranges->candidates_count;
    Dwarf_Die die = { .addr = (void *)(uintptr_t)entry->at, .cu = walk->tree->die->cu };
    Dwarf_Addr base, start, end;
    ptrdiff_t at = 0;

    pthread_mutex_lock(walk->tree->libdw);
    for (int i = 0; i < RANGES_PER_SCOPE && before < RANGES_PER_UNIT; i++) {
        at = dwarf_ranges(&die, at, &base, &start, &end);
        if (at <= 0)
            break;
        /* What the linker threw away is left at 0. */
        if (start != 0)
            ranges_add(walk->ranges, start, end, scope, 0);
    }
    pthread_mutex_unlock(walk->tree->libdw);
    return walk->ranges->candidates_count != before;
}

static bool add_list(struct walk *walk, const struct entry *entry, uint32_t scope)
{
    size_t before = walk->ranges->candidates_count;
    struct dwarf_bytes list = walk->lists;

    if (before >= RANGES_PER_UNIT)
        return false;
    dwarf_bytes_skip(&list, entry->list);
    if (!walk->has_base || !dwarf_list_add(list, walk->base, walk->ranges, scope, RANGES_PER_SCOPE))
        return ask_ranges(walk, entry, scope);
    return walk->ranges->candidates_count != before;
}

static bool add_ranges(struct walk *walk, const struct entry *entry, uint32_t scope)
{
    uint64_t end = entry->high_is_size ? entry->low + entry->high : entry->high;

    if (entry->asks)
        return ask_ranges(walk, entry, scope);
    if (entry->has_list)
        return add_list(walk, entry, scope);
    if (!entry->has_low || !entry->has_high || entry->low == 0 || end <= entry->low)
        return false;
    ranges_add(walk->ranges, entry->low, end, scope, 0);
    return true;
}

/* ENTRY as a scope inside PARENT, when it has code; else PARENT. */
static uint32_t add_scope(struct walk *walk, const struct entry *entry, uint32_t parent)
{
    struct dwarf_scopes *scopes = walk->scopes;
    uint32_t scope = (uint32_t)scopes->count;

    if (scopes->count >= SCOPES_MAX || !add_ranges(walk, entry, scope))
        return parent;
    scopes->items =
        array_reserve(scopes->items, &scopes->capacity, scopes->count + 1, sizeof(*scopes->items));
    scopes->items[scopes->count++] = (struct dwarf_scope){ .origin = entry->origin,
                                                           .parent = parent,
                                                           .call_file = entry->call_file,
                                                           .call_line = entry->call_line };
    return scope;
}

/* Whether functions may be inside an entry of TAG, which is none itself. */
static bool may_hold_code(uint16_t tag)
{
    switch (tag) {
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
    case DW_TAG_with_stmt:
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
        return true;
    default:
        return false;
    }
}

/*
 * Reads the function or inlined call at AT, and sets LEVEL to what is inside of it; returns where
 * the next entry beside it is.
 */
static uint64_t read_scope(struct walk *walk, const uint8_t *at, const struct dwarf_abbrev *abbrev,
                           struct level *level)
{
    struct entry entry = { .at = at, .origin = walk->tree->unit + (uint64_t)(at - walk->unit) };

    read_entry(walk, abbrev, &entry);
    if (abbrev->tag == DW_TAG_inlined_subroutine) {
        level->scope = add_scope(walk, &entry, level->scope);
    } else {
        /* Without code it is a declaration, or what inlined calls are copied from. */
        level->scope = add_scope(walk, &entry, SCOPE_NONE);
        level->ignored = level->scope == SCOPE_NONE;
    }
    return entry.sibling;
}

static bool jump_to(struct walk *walk, uint64_t sibling)
{
    const uint8_t *to;

    if (sibling == 0 || sibling > (uint64_t)(walk->bytes.end - walk->unit))
        return false;
    to = walk->unit + sibling;
    if (to <= walk->bytes.at)
        return false;
    walk->bytes.at = to;
    return true;
}

/*
 * The unit's own entry; whether there are others inside.  What was split off has its base in the
 * unit it was split from.
 */
static bool read_unit(struct walk *walk)
{
    struct entry entry = { .at = walk->bytes.at };
    const struct dwarf_abbrev *abbrev =
        dwarf_abbrevs_get(walk->abbrevs, dwarf_bytes_uleb(&walk->bytes));

    if (abbrev == NULL)
        return false;
    read_entry(walk, abbrev, &entry);
    walk->base = entry.low;
    walk->has_base = !walk->tree->split && (entry.has_low || !entry.asks);
    return abbrev->children;
}

static void walk_unit(struct walk *walk)
{
    if (!read_unit(walk))
        return;
    walk->levels[0] = (struct level){ .scope = SCOPE_NONE };
    while (walk->bytes.at < walk->bytes.end) {
        struct level level = walk->levels[walk->depth];
        const uint8_t *at = walk->bytes.at;
        uint64_t code = dwarf_bytes_uleb(&walk->bytes), sibling;
        const struct dwarf_abbrev *abbrev = dwarf_abbrevs_get(walk->abbrevs, code);

        if (code == 0) {
            if (walk->depth-- == 0)
                return;
            continue;
        }
        if (abbrev == NULL)
            return;
        if (!level.ignored &&
            (abbrev->tag == DW_TAG_subprogram || abbrev->tag == DW_TAG_inlined_subroutine)) {
            sibling = read_scope(walk, at, abbrev, &level);
        } else {
            sibling = skip_entry(walk, abbrev);
            level.ignored |= !may_hold_code(abbrev->tag);
        }
        if (!abbrev->children || (level.ignored && jump_to(walk, sibling)))
            continue;
        if (walk->depth + 1 == DEPTH_MAX)
            return;
        walk->levels[++walk->depth] = level;
    }
}

bool dwarf_walk_locate(struct dwarf_tree *tree, const struct dwarf_sections *sections,
                       Dwarf_Die *die, bool split)
{
    Dwarf_Off next, first = dwarf_dieoffset(die), abbrev;
    size_t header_size;
    Dwarf_Half version;

    *tree = (struct dwarf_tree){ .sections = sections, .die = die, .split = split, .first = first };
    tree->unit = first - dwarf_cuoffset(die);
    if (dwarf_next_unit(dwarf_cu_getdwarf(die->cu), tree->unit, &next, &header_size, &version,
                        &abbrev, &tree->address_size, &tree->offset_size, NULL, NULL) != 0 ||
        (tree->address_size != 4 && tree->address_size != 8) ||
        next > (uint64_t)(sections->info.end - sections->info.at) || first >= next)
        return false;
    tree->next = next;
    tree->abbrev = abbrev;
    tree->version = (uint8_t)version;
    return true;
}

/* BYTES with the sizes of TREE's values. */
static struct dwarf_bytes sized(const struct dwarf_tree *tree, struct dwarf_bytes bytes)
{
    bytes.address_size = tree->address_size;
    bytes.offset_size = tree->offset_size;
    bytes.version = tree->version;
    return bytes;
}

void dwarf_walk(const struct dwarf_tree *tree, struct dwarf_abbrevs *abbrevs,
                struct dwarf_scopes *scopes, struct ranges *ranges)
{
    const struct dwarf_sections *sections = tree->sections;
    struct dwarf_bytes abbrev = sized(tree, sections->abbrev);
    struct walk walk = { .tree = tree,
                         .scopes = scopes,
                         .ranges = ranges,
                         .abbrevs = abbrevs,
                         .bytes = sized(tree, sections->info),
                         .unit = sections->info.at + tree->unit };

    walk.bytes.at = sections->info.at + tree->first;
    walk.bytes.end = sections->info.at + tree->next;
    walk.lists = sized(tree, tree->version >= 5 ? sections->rnglists : sections->ranges);
    dwarf_bytes_skip(&abbrev, tree->abbrev);
    dwarf_abbrevs_read(abbrevs, abbrev);
    walk_unit(&walk);
}
