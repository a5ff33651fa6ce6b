/* SPDX-License-Identifier: MIT */
/*
 * The walk.  Written by hand because dwarf_getscopes() walks anew for every address, 246 µs on real
 * samples.  It only goes forward through the unit, so that a damaged one cannot send it in circles.
 */
#include "config.h"

#include "walk.h"

#include <dwarf.h>
#include <stdbool.h>
#include <stdlib.h>

#include "proftop/memory.h"

enum {
    DEPTH_MAX = 512, /* of nested entries; real code stays below 100 */
    SCOPES_MAX = 1 << 26,
    FUNCTIONS_MAX = 1 << 20, /* kept; others are read again when their name is asked for */
};

struct level {
    uint32_t scope; /* that entries here are inside of */
    bool ignored;   /* nothing here is of interest, however deep */
};

struct walk {
    const struct dwarf_tree *tree;
    const struct dwarf_abbrevs *abbrevs;
    struct dwarf_scopes *scopes;
    struct ranges *ranges;
    struct dwarf_bytes bytes;
    struct dwarf_base base;
    const uint8_t *info; /* where .debug_info begins */
    struct level levels[DEPTH_MAX];
    unsigned depth;
};

/* Goes over an entry of no interest, but for where the next one beside it is: what it returns. */
static uint64_t skip_entry(struct walk *walk, const struct dwarf_abbrev *abbrev)
{
    struct dwarf_entry entry;

    entry.sibling = 0;
    for (uint32_t i = 0; i < abbrev->count; i++) {
        const struct dwarf_attribute *attribute = &walk->abbrevs->attributes[abbrev->first + i];

        if (attribute->name == DW_AT_sibling)
            dwarf_entry_attribute(&entry, walk->tree, attribute, &walk->bytes);
        else
            dwarf_attribute_skip(attribute, &walk->bytes);
    }
    return entry.sibling;
}

/* ENTRY as a scope inside PARENT, when it has code; else PARENT. */
static uint32_t add_scope(struct walk *walk, const struct dwarf_entry *entry, uint32_t parent)
{
    struct dwarf_scopes *scopes = walk->scopes;
    uint32_t scope = (uint32_t)scopes->count;

    if (scopes->count >= SCOPES_MAX ||
        !dwarf_entry_ranges(entry, walk->tree, &walk->base, walk->ranges, scope))
        return parent;
    scopes->items =
        array_reserve(scopes->items, &scopes->capacity, scopes->count + 1, sizeof(*scopes->items));
    scopes->items[scopes->count++] =
        (struct dwarf_scope){ .origin = entry->origin != 0 ? entry->origin : entry->offset,
                              .parent = parent,
                              .call_file = entry->call_file,
                              .call_line = entry->call_line };
    return scope;
}

bool dwarf_function_of(struct dwarf_function *function, const struct dwarf_entry *entry)
{
    uint64_t next = entry->origin != 0 ? entry->origin : entry->specification;
    bool linkage = entry->linkage_name.form != 0;

    *function = (struct dwarf_function){ .name = linkage ? entry->linkage_name : entry->name,
                                         .offset = (uint32_t)entry->offset,
                                         .next = (uint32_t)next,
                                         .decl_file = entry->decl_file,
                                         .decl_line = entry->decl_line,
                                         .has_linkage_name = linkage,
                                         .has_decl_file = entry->has_decl_file };
    return !entry->asks_name && entry->offset <= UINT32_MAX && next <= UINT32_MAX;
}

static void add_function(struct dwarf_scopes *scopes, const struct dwarf_entry *entry)
{
    struct dwarf_function function;

    /* What tells nothing takes no bytes in the file, and could be there without end. */
    if (scopes->functions_count >= FUNCTIONS_MAX || !dwarf_function_of(&function, entry) ||
        (function.next == 0 && function.name.form == 0))
        return;
    scopes->functions = array_reserve(scopes->functions, &scopes->functions_capacity,
                                      scopes->functions_count + 1, sizeof(*scopes->functions));
    scopes->functions[scopes->functions_count++] = function;
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
 * Reads the function or inlined call at OFFSET, and sets LEVEL to what is inside of it; returns
 * where the next entry beside it is.
 */
static uint64_t read_scope(struct walk *walk, uint64_t offset, const struct dwarf_abbrev *abbrev,
                           struct level *level)
{
    struct dwarf_entry entry = { .offset = offset };

    dwarf_entry_read(&entry, walk->tree, walk->abbrevs, abbrev, &walk->bytes);
    if (abbrev->tag == DW_TAG_inlined_subroutine) {
        level->scope = add_scope(walk, &entry, level->scope);
    } else {
        add_function(walk->scopes, &entry);
        /* Without code it is a declaration, or what inlined calls are copied from: the body of a
         * lambda may be inside of that, and have code. */
        level->scope = add_scope(walk, &entry, SCOPE_NONE);
        level->ignored = entry.is_declaration;
    }
    return entry.sibling;
}

static bool jump_to(struct walk *walk, uint64_t sibling)
{
    struct dwarf_bytes to = dwarf_tree_at(walk->tree, walk->tree->unit + sibling);

    if (sibling == 0 || !dwarf_bytes_more(&to) || to.at <= walk->bytes.at)
        return false;
    walk->bytes.at = to.at;
    return true;
}

/* The unit's own entry; whether there are others inside. */
static bool read_unit(struct walk *walk)
{
    struct dwarf_entry entry = { .offset = walk->tree->first };
    const struct dwarf_abbrev *abbrev =
        dwarf_abbrevs_get(walk->abbrevs, dwarf_bytes_uleb(&walk->bytes));

    if (abbrev == NULL)
        return false;
    dwarf_entry_read(&entry, walk->tree, walk->abbrevs, abbrev, &walk->bytes);
    walk->base = dwarf_entry_base(&entry, walk->tree);
    return abbrev->children;
}

void dwarf_walk(const struct dwarf_tree *tree, const struct dwarf_abbrevs *abbrevs,
                struct dwarf_scopes *scopes, struct ranges *ranges)
{
    struct walk walk = { .tree = tree,
                         .abbrevs = abbrevs,
                         .scopes = scopes,
                         .ranges = ranges,
                         .bytes = dwarf_tree_at(tree, tree->first),
                         .info = tree->sections->info.at };

    if (!read_unit(&walk))
        return;
    walk.levels[0] = (struct level){ .scope = SCOPE_NONE };
    while (dwarf_bytes_more(&walk.bytes)) {
        struct level level = walk.levels[walk.depth];
        uint64_t offset = (uint64_t)(walk.bytes.at - walk.info), sibling;
        uint64_t code = dwarf_bytes_uleb(&walk.bytes);
        const struct dwarf_abbrev *abbrev = dwarf_abbrevs_get(abbrevs, code);

        if (code == 0) {
            if (walk.depth-- == 0)
                return;
            continue;
        }
        if (abbrev == NULL)
            return;
        if (!level.ignored &&
            (abbrev->tag == DW_TAG_subprogram || abbrev->tag == DW_TAG_inlined_subroutine)) {
            sibling = read_scope(&walk, offset, abbrev, &level);
        } else {
            sibling = skip_entry(&walk, abbrev);
            level.ignored |= !may_hold_code(abbrev->tag);
        }
        if (!abbrev->children || (level.ignored && jump_to(&walk, sibling)))
            continue;
        if (walk.depth + 1 == DEPTH_MAX)
            return;
        walk.levels[++walk.depth] = level;
    }
}

const struct dwarf_function *dwarf_scopes_function(const struct dwarf_scopes *scopes,
                                                   uint64_t offset)
{
    size_t low = 0, high = scopes->functions_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (scopes->functions[middle].offset == offset)
            return &scopes->functions[middle];
        if (scopes->functions[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void dwarf_scopes_fini(struct dwarf_scopes *scopes)
{
    free(scopes->items);
    free(scopes->functions);
    *scopes = (struct dwarf_scopes){ 0 };
}

size_t dwarf_scopes_bytes(const struct dwarf_scopes *scopes)
{
    return scopes->capacity * sizeof(*scopes->items) +
           scopes->functions_capacity * sizeof(*scopes->functions);
}
