/* SPDX-License-Identifier: MIT */
/*
 * Indexes a unit by walking its tree once.  dwarf_getscopes() walks it again for every address:
 * 246 µs each, measured on real samples, against less than one here.
 */
#include "config.h"

#include "dwarf_unit.h"

#include <dwarf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "naming.h"
#include "proftop/hash.h"
#include "proftop/memory.h"

enum {
    DEPTH_MAX = 256,          /* of nested blocks; real code stays below 60 */
    RANGES_PER_SCOPE = 65536, /* one scope's pieces */
    RANGES_PER_UNIT = 1 << 24,
    NO_PARENT = UINT32_MAX,
};

/* A scope that was looked up; every text interned. */
struct dwarf_known {
    const char *name, *raw_name, *first_file, *call_file;
    uint32_t first_line, call_line;
};

/* A file as the line table has it, and as we keep it. */
struct dwarf_path {
    const char *raw, *path;
};

enum { PATHS = 64 };

void dwarf_unit_init(struct dwarf_unit *unit, const Dwarf_Die *die)
{
    *unit = (struct dwarf_unit){ .die = *die, .inner = *die };
    ranges_init(&unit->ranges);
}

void dwarf_unit_fini(struct dwarf_unit *unit)
{
    free(unit->scopes);
    free(unit->known);
    free(unit->paths);
    ranges_fini(&unit->ranges);
}

/* ---- indexing ---- */

/* The walk must go forward through the file, or a damaged one could send it in circles. */
struct walk {
    struct dwarf_unit *unit;
    Dwarf_Off furthest;
};

static bool add_ranges(struct dwarf_unit *unit, Dwarf_Die *die, uint32_t scope)
{
    size_t before = unit->ranges.candidates_count;
    Dwarf_Addr base, start, end;
    ptrdiff_t at = 0;

    for (int i = 0; i < RANGES_PER_SCOPE && before < RANGES_PER_UNIT; i++) {
        at = dwarf_ranges(die, at, &base, &start, &end);
        if (at <= 0)
            break;
        /* What the linker threw away is left at 0. */
        if (start != 0)
            ranges_add(&unit->ranges, start, end, scope, 0);
    }
    return unit->ranges.candidates_count != before;
}

/* DIE as a scope inside PARENT, when it has code; else PARENT. */
static uint32_t add_scope(struct dwarf_unit *unit, Dwarf_Die *die, uint32_t parent)
{
    uint32_t scope = (uint32_t)unit->scopes_count;

    if (!add_ranges(unit, die, scope))
        return parent;
    unit->scopes = array_reserve(unit->scopes, &unit->scopes_capacity, unit->scopes_count + 1,
                                 sizeof(*unit->scopes));
    unit->scopes[unit->scopes_count++] =
        (struct dwarf_scope){ .offset = dwarf_dieoffset(die), .parent = parent };
    return scope;
}

static void walk_children(struct walk *walk, Dwarf_Die *parent_die, uint32_t parent, int depth)
{
    Dwarf_Die die;
    int status;

    if (depth > DEPTH_MAX || dwarf_child(parent_die, &die) != 0)
        return;
    do {
        Dwarf_Off offset = dwarf_dieoffset(&die);
        uint32_t scope;

        if (offset <= walk->furthest)
            return;
        walk->furthest = offset;
        switch (dwarf_tag(&die)) {
        case DW_TAG_subprogram:
            /* Without code it is a declaration, or what inlined calls are copied from. */
            scope = add_scope(walk->unit, &die, NO_PARENT);
            if (scope != NO_PARENT)
                walk_children(walk, &die, scope, depth + 1);
            break;
        case DW_TAG_inlined_subroutine:
            walk_children(walk, &die, add_scope(walk->unit, &die, parent), depth + 1);
            break;
        case DW_TAG_lexical_block:
        case DW_TAG_try_block:
        case DW_TAG_catch_block:
        case DW_TAG_with_stmt:
        case DW_TAG_namespace:
        case DW_TAG_module:
        case DW_TAG_class_type:
        case DW_TAG_structure_type:
            walk_children(walk, &die, parent, depth + 1);
            break;
        default:
            break;
        }
        status = dwarf_siblingof(&die, &die);
    } while (status == 0);
}

/* Inner scopes come later in the walk: of one and the same range they are closer to the code. */
static int prefer_inner(const void *context, const struct ranges_candidate *a,
                        const struct ranges_candidate *b)
{
    (void)context;
    return a->value > b->value ? -1 : a->value < b->value;
}

static const char *string_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;

    return dwarf_formstring(dwarf_attr(die, name, &attribute));
}

/* libdw waits for whatever lies at the path: only a file is good for it. */
static bool is_waiting(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat st;

    if (name[0] == '/')
        folder = "";
    if (snprintf(path, sizeof(path), "%s%s%s", folder, folder[0] != '\0' ? "/" : "", name) >=
        (int)sizeof(path))
        return true;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* The tree of a skeleton unit is in a .dwo file. */
static void find_inner(struct dwarf_unit *unit)
{
    const char *name = string_of(&unit->die, DW_AT_dwo_name);
    Dwarf_Die inner = { 0 };
    uint8_t type = 0;

    if (name == NULL)
        name = string_of(&unit->die, DW_AT_GNU_dwo_name);
    if (name == NULL || is_waiting(unit->folder != NULL ? unit->folder : "", name))
        return;
    if (dwarf_cu_info(unit->die.cu, NULL, &type, NULL, &inner, NULL, NULL, NULL) == 0 &&
        inner.addr != NULL)
        unit->inner = inner;
}

static void index_unit(struct dwarf_unit *unit)
{
    struct walk walk = { .unit = unit };

    unit->indexed = true;
    unit->paths = xcalloc(PATHS, sizeof(*unit->paths));
    unit->folder = string_of(&unit->die, DW_AT_comp_dir);
    find_inner(unit);
    walk.furthest = dwarf_dieoffset(&unit->inner);
    walk_children(&walk, &unit->inner, NO_PARENT, 0);
    ranges_finish(&unit->ranges, prefer_inner, NULL);
}

/* ---- asking ---- */

/* Of DIE or, for a call, of the function it calls. */
static uint32_t number_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;

    if (dwarf_formudata(dwarf_attr_integrate(die, name, &attribute), &value) != 0 ||
        value > UINT32_MAX)
        return 0;
    return (uint32_t)value;
}

static const char *linkage_name(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));

    if (name == NULL)
        name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute));
    return name != NULL ? name : dwarf_diename(die);
}

/*
 * The file that attribute NAME counts, in the table of the unit that holds the attribute.  Not
 * dwarf_decl_file(): that one ends the program when the table is damaged.
 */
static const char *file_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word index;
    Dwarf_Files *files;
    Dwarf_Die unit;
    size_t count;

    if (dwarf_formudata(dwarf_attr_integrate(die, name, &attribute), &index) != 0 ||
        dwarf_cu_die(attribute.cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL) == NULL ||
        dwarf_getsrcfiles(&unit, &files, &count) != 0 || index >= count)
        return NULL;
    return dwarf_filesrc(files, index, NULL, NULL);
}

static const struct dwarf_known *look_up(struct dwarf_unit *unit, struct intern *intern,
                                         struct dwarf_scope *scope)
{
    struct dwarf_known known = { .first_file = "", .call_file = "" };
    const char *raw = NULL;
    Dwarf_Die die;

    if (scope->known != 0)
        return &unit->known[scope->known - 1];
    if (dwarf_offdie(dwarf_cu_getdwarf(unit->inner.cu), scope->offset, &die) != NULL) {
        raw = linkage_name(&die);
        known.first_file = naming_path(intern, unit->folder, file_of(&die, DW_AT_decl_file));
        known.first_line = number_of(&die, DW_AT_decl_line);
        if (scope->parent != NO_PARENT) {
            known.call_file = naming_path(intern, unit->folder, file_of(&die, DW_AT_call_file));
            known.call_line = number_of(&die, DW_AT_call_line);
        }
    }
    if (raw != NULL)
        naming_of(intern, raw, &known.raw_name, &known.name);
    unit->known = array_reserve(unit->known, &unit->known_capacity, unit->known_count + 1,
                                sizeof(*unit->known));
    unit->known[unit->known_count++] = known;
    scope->known = (uint32_t)unit->known_count;
    return &unit->known[scope->known - 1];
}

/* Few files take most lines, and libdw gives the same pointer for the same file. */
static const char *path_of(struct dwarf_unit *unit, struct intern *intern, const char *raw)
{
    struct dwarf_path *slot = &unit->paths[hash_u64((uintptr_t)raw) % PATHS];

    if (slot->raw != raw)
        *slot = (struct dwarf_path){ raw, naming_path(intern, unit->folder, raw) };
    return slot->path;
}

static void find_line(struct dwarf_unit *unit, struct intern *intern, uint64_t address,
                      struct symbol *point)
{
    Dwarf_Line *line = dwarf_getsrc_die(&unit->die, address);
    const char *raw = dwarf_linesrc(line, NULL, NULL);
    int number;

    if (raw == NULL)
        return;
    point->file = path_of(unit, intern, raw);
    if (dwarf_lineno(line, &number) == 0 && number > 0)
        point->line = (uint32_t)number;
}

size_t dwarf_unit_chain(struct dwarf_unit *unit, struct intern *intern, uint64_t address,
                        struct symbol *chain, size_t limit)
{
    struct symbol point = { .file = "", .first_file = "" };
    const struct range *range;
    uint32_t at;
    size_t count = 0;

    if (!unit->indexed)
        index_unit(unit);
    find_line(unit, intern, address, &point);
    range = ranges_find(&unit->ranges, address);
    at = range != NULL ? range->value : NO_PARENT;
    while (at != NO_PARENT) {
        struct dwarf_scope *scope = &unit->scopes[at];
        const struct dwarf_known *known = look_up(unit, intern, scope);

        point.name = known->name;
        point.raw_name = known->raw_name;
        point.first_file = known->first_file;
        point.first_line = known->first_line;
        /* What does not fit is left out at the inner end: the real function must be last. */
        if (count == limit)
            memmove(chain, chain + 1, --count * sizeof(*chain));
        chain[count++] = point;
        point.file = known->call_file;
        point.line = known->call_line;
        at = scope->parent;
    }
    if (count == 0 && point.line != 0)
        chain[count++] = point;
    return count;
}

size_t dwarf_unit_bytes(const struct dwarf_unit *unit)
{
    return sizeof(*unit) + unit->scopes_capacity * sizeof(*unit->scopes) +
           unit->known_capacity * sizeof(*unit->known) +
           (unit->paths != NULL ? PATHS * sizeof(*unit->paths) : 0) + ranges_bytes(&unit->ranges);
}
