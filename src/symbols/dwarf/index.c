/* SPDX-License-Identifier: MIT */
/* Indexing: see index.h. */
#include "config.h"

#include "index.h"

#include <dwarf.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proftop/memory.h"

enum { THREAD_MIN_BYTES = 1 << 17 }; /* of entries: less is done before another thread runs */

/* What units are read with, one after the other. */
struct scratch {
    struct dwarf_abbrevs abbrevs;
    struct dwarf_program *lines;
};

struct dwarf_indexing {
    struct dwarf_unit **units; /* the largest first */
    size_t count;
    atomic_size_t next;     /* where one that nobody has begun with is looked for */
    struct scratch scratch; /* of the caller; the helper has its own */
    struct helper *helper;
    bool shared; /* with the helper */
};

static void scratch_init(struct scratch *scratch)
{
    *scratch = (struct scratch){ .lines = dwarf_program_new() };
}

static void scratch_fini(struct scratch *scratch)
{
    dwarf_abbrevs_fini(&scratch->abbrevs);
    dwarf_program_free(scratch->lines);
}

/* ---- one unit ---- */

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

/* The first entry of what was split off from the skeleton DIE; false when it is not to be had. */
static bool ask_inner(const struct dwarf_unit *unit, Dwarf_Die *die, Dwarf_Die *inner)
{
    const char *name = string_of(die, DW_AT_dwo_name);
    uint8_t type = 0;

    if (name == NULL)
        name = string_of(die, DW_AT_GNU_dwo_name);
    *inner = (Dwarf_Die){ 0 };
    return name != NULL && !is_waiting(unit->folder != NULL ? unit->folder : "", name) &&
           dwarf_cu_info(die->cu, NULL, &type, NULL, inner, NULL, NULL, NULL) == 0 &&
           inner->addr != NULL;
}

/* The tree of a skeleton unit is in a .dwo file. */
static bool find_inner(struct dwarf_unit *unit)
{
    struct dwarf_asking *asking = &unit->tree.asking;
    struct dwarf_tree tree = { .split = true, .asking.lock = asking->lock };
    Dwarf_Die die, inner;
    bool found;

    pthread_mutex_lock(asking->lock);
    found = dwarf_offdie(asking->dwarf, unit->tree.first, &die) != NULL &&
            ask_inner(unit, &die, &inner);
    if (found) {
        tree.asking.dwarf = dwarf_cu_getdwarf(inner.cu);
        tree.unit = dwarf_dieoffset(&inner) - dwarf_cuoffset(&inner);
        tree.sections = unit->inner_sections = xmalloc(sizeof(*unit->inner_sections));
        dwarf_bytes_sections(unit->inner_sections, dwarf_getelf(tree.asking.dwarf));
    }
    pthread_mutex_unlock(asking->lock);
    if (!found || !dwarf_tree_read(&tree))
        return false;
    unit->tree = tree;
    return true;
}

static const char *folder_of(const struct dwarf_tree *tree, const struct dwarf_entry *entry)
{
    const char *folder = NULL;
    Dwarf_Die die;

    if (!entry->asks_name)
        return dwarf_entry_text(tree, &entry->folder);
    pthread_mutex_lock(tree->asking.lock);
    if (dwarf_offdie(tree->asking.dwarf, tree->first, &die) != NULL)
        folder = string_of(&die, DW_AT_comp_dir);
    pthread_mutex_unlock(tree->asking.lock);
    return folder;
}

static void read_lines(struct dwarf_lines *lines, const struct dwarf_tree *tree, uint64_t offset,
                       struct scratch *scratch)
{
    struct dwarf_table table = { tree->sections, offset, tree->address_size };

    dwarf_lines_read(lines, &table, scratch->lines);
}

static void read_abbrevs(struct dwarf_abbrevs *abbrevs, const struct dwarf_tree *tree,
                         struct dwarf_entry *first)
{
    dwarf_tree_abbrevs(tree, abbrevs);
    dwarf_entry_at(first, tree, abbrevs, tree->first);
}

/* Inner scopes come later in the walk: of one and the same range they are closer to the code. */
static int prefer_inner(const void *context, const struct ranges_candidate *a,
                        const struct ranges_candidate *b)
{
    (void)context;
    return a->value > b->value ? -1 : a->value < b->value;
}

static void read_unit(struct dwarf_unit *unit, struct scratch *scratch)
{
    struct dwarf_abbrevs *abbrevs = &scratch->abbrevs;
    struct dwarf_entry entry;

    read_abbrevs(abbrevs, &unit->tree, &entry);
    unit->folder = folder_of(&unit->tree, &entry);
    if (entry.has_lines)
        read_lines(&unit->lines, &unit->tree, entry.lines, scratch);
    if (entry.is_skeleton && find_inner(unit)) {
        read_abbrevs(abbrevs, &unit->tree, &entry);
        read_lines(&unit->inner_files, &unit->tree, entry.lines, scratch);
    }
    dwarf_walk(&unit->tree, abbrevs, &unit->scopes, &unit->ranges);
    ranges_finish(&unit->ranges, prefer_inner, NULL);
    atomic_store_explicit(&unit->indexed, true, memory_order_release);
}

void dwarf_index(struct dwarf_unit *unit)
{
    struct scratch scratch;

    scratch_init(&scratch);
    read_unit(unit, &scratch);
    scratch_fini(&scratch);
}

/* ---- many, by two threads ---- */

/* False when somebody else reads UNIT, or has. */
static bool read_unless_begun(struct dwarf_unit *unit, struct scratch *scratch)
{
    if (atomic_exchange(&unit->begun, true))
        return false;
    read_unit(unit, scratch);
    return true;
}

/* Reads the largest that nobody has begun with; false when there is none. */
static bool read_next(struct dwarf_indexing *indexing, struct scratch *scratch)
{
    size_t at;

    while ((at = atomic_fetch_add(&indexing->next, 1)) < indexing->count)
        if (read_unless_begun(indexing->units[at], scratch))
            return true;
    return false;
}

static void run_ahead(void *argument)
{
    struct dwarf_indexing *indexing = argument;
    struct scratch scratch;

    scratch_init(&scratch);
    while (read_next(indexing, &scratch))
        ;
    scratch_fini(&scratch);
}

static int compare_sizes(const void *left, const void *right)
{
    uint64_t a = dwarf_unit_size(*(struct dwarf_unit *const *)left);
    uint64_t b = dwarf_unit_size(*(struct dwarf_unit *const *)right);

    return a > b ? -1 : a < b;
}

struct dwarf_indexing *dwarf_indexing_start(struct dwarf_unit *const *units, size_t count,
                                            struct helper *helper)
{
    struct dwarf_indexing *indexing = xcalloc(1, sizeof(*indexing));
    uint64_t bytes = 0;

    scratch_init(&indexing->scratch);
    indexing->units = xmalloc((count + 1) * sizeof(*indexing->units));
    indexing->count = count;
    indexing->helper = helper;
    for (size_t i = 0; i < count; i++) {
        indexing->units[i] = units[i];
        bytes += dwarf_unit_size(units[i]);
    }
    qsort(indexing->units, count, sizeof(*indexing->units), compare_sizes);
    indexing->shared = bytes >= THREAD_MIN_BYTES && helper_begin(helper, run_ahead, indexing);
    return indexing;
}

static void join(struct dwarf_indexing *indexing)
{
    if (indexing->shared)
        helper_end(indexing->helper);
    indexing->shared = false;
}

void dwarf_indexing_need(struct dwarf_indexing *indexing, struct dwarf_unit *unit)
{
    while (!atomic_load_explicit(&unit->indexed, memory_order_acquire)) {
        if (!read_unless_begun(unit, &indexing->scratch) &&
            !read_next(indexing, &indexing->scratch))
            join(indexing); /* the helper is at it, and nothing else is left to do */
    }
}

void dwarf_indexing_stop(struct dwarf_indexing *indexing)
{
    if (indexing == NULL)
        return;
    atomic_store(&indexing->next, indexing->count);
    join(indexing);
    for (size_t i = 0; i < indexing->count; i++)
        indexing->units[i]->chosen = false;
    scratch_fini(&indexing->scratch);
    free(indexing->units);
    free(indexing);
}
