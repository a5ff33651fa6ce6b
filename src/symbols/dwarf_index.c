/* SPDX-License-Identifier: MIT */
/* Indexing: see dwarf_index.h. */
#include "config.h"

#include "dwarf_index.h"

#include <dwarf.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "proftop/memory.h"

enum { THREAD_MIN_BYTES = 1 << 17 }; /* of entries: less is done before a thread runs */

/* What libdw told of a unit. */
struct located {
    struct dwarf_unit *unit;
    struct dwarf_sections inner_sections; /* of a split unit */
    struct dwarf_table lines, inner_files;
    struct dwarf_tree tree;
    bool has_lines, has_inner_files, has_tree;
};

struct indexing {
    struct located *items;
    size_t count;
    atomic_size_t next;
    pthread_mutex_t libdw; /* held while libdw is asked, as it is of no use to two threads */
};

/* ---- where everything is ---- */

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
        inner.addr != NULL) {
        unit->inner = inner;
        unit->split = true;
    }
}

static void locate(struct located *located, struct dwarf_unit *unit, pthread_mutex_t *libdw)
{
    const struct dwarf_sections *sections = unit->sections;

    *located = (struct located){ .unit = unit };
    unit->indexed = true;
    unit->folder = string_of(&unit->die, DW_AT_comp_dir);
    find_inner(unit);
    located->has_lines = dwarf_lines_locate(&located->lines, sections, &unit->die, false);
    if (unit->split) {
        sections = &located->inner_sections;
        dwarf_bytes_sections(&located->inner_sections,
                             dwarf_getelf(dwarf_cu_getdwarf(unit->inner.cu)));
        located->has_inner_files =
            dwarf_lines_locate(&located->inner_files, sections, &unit->inner, true);
    }
    located->has_tree = dwarf_walk_locate(&located->tree, sections, &unit->inner, unit->split);
    located->tree.libdw = libdw;
}

/* ---- reading it ---- */

/* Inner scopes come later in the walk: of one and the same range they are closer to the code. */
static int prefer_inner(const void *context, const struct ranges_candidate *a,
                        const struct ranges_candidate *b)
{
    (void)context;
    return a->value > b->value ? -1 : a->value < b->value;
}

static void read_unit(const struct located *located, struct dwarf_abbrevs *abbrevs)
{
    struct dwarf_unit *unit = located->unit;

    if (located->has_lines)
        dwarf_lines_read(&unit->lines, &located->lines);
    if (located->has_inner_files)
        dwarf_lines_read(&unit->inner_files, &located->inner_files);
    if (located->has_tree)
        dwarf_walk(&located->tree, abbrevs, &unit->scopes, &unit->ranges);
    ranges_finish(&unit->ranges, prefer_inner, NULL);
}

static void *read_units(void *argument)
{
    struct indexing *indexing = argument;
    struct dwarf_abbrevs abbrevs = { 0 };
    size_t at;

    while ((at = atomic_fetch_add(&indexing->next, 1)) < indexing->count)
        read_unit(&indexing->items[at], &abbrevs);
    dwarf_abbrevs_fini(&abbrevs);
    return NULL;
}

void dwarf_index(struct dwarf_unit *const *units, size_t count)
{
    struct indexing indexing = { .items = xcalloc(count, sizeof(*indexing.items)), .count = count };
    uint64_t bytes = 0;
    pthread_t thread;
    bool shared;

    pthread_mutex_init(&indexing.libdw, NULL);
    for (size_t i = 0; i < count; i++) {
        locate(&indexing.items[i], units[i], &indexing.libdw);
        bytes += indexing.items[i].tree.next - indexing.items[i].tree.unit;
    }
    shared = count > 1 && bytes >= THREAD_MIN_BYTES &&
             pthread_create(&thread, NULL, read_units, &indexing) == 0;
    read_units(&indexing);
    if (shared)
        pthread_join(thread, NULL);
    pthread_mutex_destroy(&indexing.libdw);
    free(indexing.items);
}
