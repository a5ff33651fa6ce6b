/* SPDX-License-Identifier: MIT */
/* Units: see unit.h. */
#include "config.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "src/symbols/naming.h"
#include "proftop/hash.h"
#include "proftop/memory.h"
#include "proftop/text.h"

/* A function that was looked up; every text interned. */
struct dwarf_known {
    uint64_t origin;
    const char *raw_name, *first_file;
    uint32_t first_line;
};

void dwarf_unit_init(struct dwarf_unit *unit, const struct dwarf_tree *tree)
{
    *unit = (struct dwarf_unit){ .tree = *tree };
    ranges_init(&unit->ranges);
    index_init(&unit->known_index);
}

void dwarf_unit_fini(struct dwarf_unit *unit)
{
    free(unit->inner_sections);
    dwarf_lines_fini(&unit->lines);
    dwarf_lines_fini(&unit->inner_files);
    dwarf_scopes_fini(&unit->scopes);
    ranges_fini(&unit->ranges);
    free(unit->known);
    index_fini(&unit->known_index);
}

/* The path of file INDEX, as this unit counts them. */
static const char *path_of(struct dwarf_unit *unit, struct intern *intern, uint32_t index)
{
    struct dwarf_lines *files =
        unit->inner_files.files_count != 0 ? &unit->inner_files : &unit->lines;

    return dwarf_lines_path(files, intern, unit->folder, index);
}

static uint32_t find_known(const struct dwarf_unit *unit, uint64_t origin)
{
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&unit->known_index, hash_u64(origin), &cursor);
    while ((item = index_next(&unit->known_index, &cursor)) != INDEX_END) {
        if (unit->known[item].origin == origin)
            break;
    }
    return item;
}

/* All lambdas are "operator()": their places tell them apart. */
static const char *raw_name_of(struct intern *intern, const struct dwarf_name *name,
                               const char *file)
{
    if (name->column != 0)
        return intern_printf(intern, "{lambda at %s:%u:%u}::%s", text_base_name(file), name->line,
                             name->column, name->text);
    return name->text != NULL ? intern_text(intern, name->text) : NULL;
}

static uint32_t add_known(struct dwarf_unit *unit, struct dwarf_lookup *lookup,
                          struct intern *intern, uint64_t origin)
{
    struct dwarf_known known = { .origin = origin, .first_file = "" };
    struct dwarf_name name;

    dwarf_name_read(&name, &unit->tree, &unit->scopes, lookup, origin);
    if (name.has_file)
        known.first_file = path_of(unit, intern, name.file);
    else if (name.path != NULL)
        known.first_file = naming_path(intern, unit->folder, name.path);
    known.first_line = name.line;
    known.raw_name = raw_name_of(intern, &name, known.first_file);
    unit->known = array_reserve(unit->known, &unit->known_capacity, unit->known_count + 1,
                                sizeof(*unit->known));
    unit->known[unit->known_count] = known;
    index_add(&unit->known_index, hash_u64(origin), (uint32_t)unit->known_count);
    return (uint32_t)unit->known_count++;
}

static const struct dwarf_known *look_up(struct dwarf_unit *unit, struct dwarf_lookup *lookup,
                                         struct intern *intern, struct dwarf_scope *scope)
{
    uint32_t item;

    if (scope->known == 0) {
        item = find_known(unit, scope->origin);
        if (item == INDEX_END)
            item = add_known(unit, lookup, intern, scope->origin);
        scope->known = item + 1;
    }
    return &unit->known[scope->known - 1];
}

void dwarf_extent_narrow(struct dwarf_extent *extent, const struct range *range)
{
    if (range->start > extent->from)
        extent->from = range->start;
    if (range->start + range->size < extent->to)
        extent->to = range->start + range->size;
}

size_t dwarf_unit_chain(struct dwarf_unit *unit, struct dwarf_lookup *lookup, struct intern *intern,
                        uint64_t address, struct symbol *chain, size_t limit,
                        struct dwarf_extent *extent)
{
    struct symbol point = { .file = "", .first_file = "" };
    const struct dwarf_row *line;
    const struct range *range;
    uint32_t at;
    size_t count = 0;

    *extent = (struct dwarf_extent){ 0 };
    line = dwarf_lines_find(&unit->lines, address);
    if (line != NULL) {
        point.file = dwarf_lines_path(&unit->lines, intern, unit->folder, line->file);
        point.line = line->line;
    }
    range = ranges_find(&unit->ranges, address);
    at = range != NULL ? range->value : SCOPE_NONE;
    if (line != NULL && range != NULL) {
        dwarf_lines_extent(&unit->lines, line, &extent->from, &extent->to);
        dwarf_extent_narrow(extent, range);
    }
    while (at != SCOPE_NONE) {
        struct dwarf_scope *scope = &unit->scopes.items[at];
        const struct dwarf_known *known = look_up(unit, lookup, intern, scope);

        point.raw_name = known->raw_name;
        point.first_file = known->first_file;
        point.first_line = known->first_line;
        /* What does not fit is left out at the inner end: the real function must be last. */
        if (count == limit)
            memmove(chain, chain + 1, --count * sizeof(*chain));
        chain[count++] = point;
        point.line = scope->call_line;
        at = scope->parent;
        if (at != SCOPE_NONE)
            point.file = path_of(unit, intern, scope->call_file);
    }
    if (count == 0 && point.line != 0)
        chain[count++] = point;
    return count;
}

size_t dwarf_unit_bytes(const struct dwarf_unit *unit)
{
    return sizeof(*unit) + dwarf_lines_bytes(&unit->lines) + dwarf_lines_bytes(&unit->inner_files) +
           dwarf_scopes_bytes(&unit->scopes) + ranges_bytes(&unit->ranges) +
           unit->known_capacity * sizeof(*unit->known) + index_bytes(&unit->known_index);
}
