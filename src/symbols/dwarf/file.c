/* SPDX-License-Identifier: MIT */
/*
 * Units are found by .debug_aranges, and by the ranges in the first entry of those that are not
 * there, as clang leaves it out; libdw 0.188 asks .debug_aranges alone.
 */
#include "config.h"

#include "file.h"

#include <assert.h>
#include <dwarf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "src/symbols/debug_file.h"
#include "aranges.h"
#include "entry.h"
#include "image.h"
#include "index.h"
#include "src/symbols/elf_file.h"
#include "src/symbols/module_names.h"
#include "proftop/memory.h"

/* The sections are read into memory whole: see elf_file.h for why they are not mapped. */
static const uint64_t sections_max_bytes = UINT64_C(4) << 30;

enum {
    UNITS_MAX = 1 << 20,
    RANGES_MAX = 1 << 22,
    LARGE_BYTES = 1 << 18 /* a unit that takes milliseconds to read */
};

struct dwarf_file {
    struct elf_file elf, alt_elf;
    struct dwarf_image image, alt_image;
    Dwarf *dwarf, *alt;
    pthread_mutex_t libdw; /* held while it is asked for something in DWARF */
    uint64_t sections_bytes;
    struct dwarf_sections sections;
    struct dwarf_unit *units; /* in the order of the file */
    size_t units_count, units_capacity;
    struct ranges ranges;            /* value: index in units */
    struct dwarf_indexing *indexing; /* what is under way, or NULL */
    struct dwarf_lookup lookup;
};

static uint64_t dwarf_size(const struct elf_file *file)
{
    uint64_t size = 0;
    Elf_Scn *scn = NULL;
    GElf_Shdr shdr;
    size_t names;

    if (elf_getshdrstrndx(file->elf, &names) != 0)
        return 0;
    while ((scn = elf_nextscn(file->elf, scn)) != NULL) {
        const char *name;
        GElf_Chdr chdr;

        if (gelf_getshdr(scn, &shdr) == NULL || shdr.sh_type == SHT_NOBITS)
            continue;
        name = elf_strptr(file->elf, names, shdr.sh_name);
        if (name == NULL || strncmp(name, ".debug_", 7) != 0)
            continue;
        if ((shdr.sh_flags & SHF_COMPRESSED) != 0 && elf_file_chdr(file, scn, &chdr))
            shdr.sh_size = chdr.ch_size;
        if (size + shdr.sh_size < size)
            return UINT64_MAX;
        size += shdr.sh_size;
    }
    return size;
}

/* The file with the DWARF of MODULE into FILE->elf. */
static enum trouble open_elf(struct dwarf_file *file, const struct module *module,
                             const struct debug_places *places)
{
    bool recorded = module->segments != NULL;
    enum trouble trouble =
        recorded ? debug_file_open_id(module->build_id, module->build_id_size, places, &file->elf)
                 : module_open(module, &file->elf);
    struct elf_file own;

    if (trouble != TROUBLE_NONE)
        return trouble;
    file->sections_bytes = dwarf_size(&file->elf);
    if (file->sections_bytes == 0 && !recorded) {
        own = file->elf;
        trouble = debug_file_open(&own, places, &file->elf);
        elf_file_close(&own);
        if (trouble != TROUBLE_NONE)
            return trouble;
        file->sections_bytes = dwarf_size(&file->elf);
    }
    return file->sections_bytes > sections_max_bytes ? TROUBLE_TOO_LARGE : TROUBLE_NONE;
}

/* libdw's handle of what is in ELF, by way of an image where that can be. */
static Dwarf *begin_dwarf(struct dwarf_image *image, const struct elf_file *elf)
{
    if (dwarf_image_open(image, elf))
        elf = &image->elf;
    return dwarf_begin_elf(elf->elf, DWARF_C_READ, NULL);
}

static enum trouble open_dwarf(struct dwarf_file *file, const struct module *module,
                               const struct debug_places *places)
{
    enum trouble trouble = open_elf(file, module, places);

    if (trouble != TROUBLE_NONE)
        return trouble;
    if (file->sections_bytes == 0)
        return TROUBLE_STRIPPED;
    file->dwarf = begin_dwarf(&file->image, &file->elf);
    if (file->dwarf == NULL)
        return TROUBLE_DAMAGED;
    trouble = debug_file_open_alt(&file->elf, places, &file->alt_elf);
    /* Without the shared part half of the names are missing, and libdw would go and look for it in
     * its own way. */
    if (trouble != TROUBLE_NONE)
        return trouble == TROUBLE_MISMATCH ? trouble : TROUBLE_NO_ALT;
    if (file->alt_elf.elf == NULL)
        return TROUBLE_NONE;
    if (dwarf_size(&file->alt_elf) > sections_max_bytes)
        return TROUBLE_TOO_LARGE;
    file->alt = begin_dwarf(&file->alt_image, &file->alt_elf);
    if (file->alt == NULL)
        return TROUBLE_DAMAGED;
    dwarf_setalt(file->dwarf, file->alt);
    return TROUBLE_NONE;
}

static void add_units(struct dwarf_file *file)
{
    struct dwarf_tree tree = { .sections = &file->sections,
                               .asking = { file->dwarf, &file->libdw } };

    for (; file->units_count < UNITS_MAX; tree.unit = tree.next) {
        bool good = dwarf_tree_read(&tree);

        if (tree.next == 0)
            break;
        if (!good || tree.typed)
            continue;
        file->units = array_reserve(file->units, &file->units_capacity, file->units_count + 1,
                                    sizeof(*file->units));
        dwarf_unit_init(&file->units[file->units_count++], &tree);
    }
}

static int compare_units(const void *left, const void *right)
{
    const struct dwarf_unit *a = left, *b = right;

    return a->tree.unit < b->tree.unit ? -1 : a->tree.unit > b->tree.unit;
}

static void add_range(void *context, uint64_t unit_at, uint64_t start, uint64_t end)
{
    struct dwarf_unit wanted = { .tree.unit = unit_at }, *unit;
    struct dwarf_file *file = context;

    if (file->units_count == 0 || file->ranges.candidates_count >= RANGES_MAX)
        return;
    unit = bsearch(&wanted, file->units, file->units_count, sizeof(wanted), compare_units);
    if (unit == NULL)
        return;
    unit->placed = true;
    ranges_add(&file->ranges, start, end, (uint32_t)(unit - file->units), 0);
}

/* What the unit says itself of where its code is. */
static void place_unit(struct dwarf_file *file, struct dwarf_unit *unit,
                       struct dwarf_abbrevs *abbrevs)
{
    const struct dwarf_abbrev *abbrev;
    struct dwarf_entry entry;
    struct dwarf_base base;

    dwarf_tree_abbrevs(&unit->tree, abbrevs);
    abbrev = dwarf_entry_at(&entry, &unit->tree, abbrevs, unit->tree.first);
    if (abbrev == NULL || file->ranges.candidates_count >= RANGES_MAX ||
        (abbrev->tag != DW_TAG_compile_unit && abbrev->tag != DW_TAG_skeleton_unit))
        return;
    base = dwarf_entry_base(&entry, &unit->tree);
    dwarf_entry_ranges(&entry, &unit->tree, &base, &file->ranges, (uint32_t)(unit - file->units));
}

static int prefer_first(const void *context, const struct ranges_candidate *a,
                        const struct ranges_candidate *b)
{
    (void)context;
    return a->value < b->value ? -1 : a->value > b->value;
}

static void find_units(struct dwarf_file *file)
{
    struct dwarf_abbrevs abbrevs = { 0 };

    dwarf_bytes_sections(&file->sections, dwarf_getelf(file->dwarf));
    add_units(file);
    dwarf_aranges_read(file->sections.aranges, add_range, file);
    for (size_t i = 0; i < file->units_count; i++) {
        if (!file->units[i].placed)
            place_unit(file, &file->units[i], &abbrevs);
    }
    dwarf_abbrevs_fini(&abbrevs);
    ranges_finish(&file->ranges, prefer_first, NULL);
}

struct dwarf_file *dwarf_file_open(const struct module *module, const struct debug_places *places,
                                   enum trouble *trouble)
{
    struct dwarf_file *file = xcalloc(1, sizeof(*file));

    file->elf.fd = file->alt_elf.fd = file->image.elf.fd = file->alt_image.elf.fd = -1;
    ranges_init(&file->ranges);
    pthread_mutex_init(&file->libdw, NULL);
    *trouble = open_dwarf(file, module, places);
    if (*trouble == TROUBLE_NONE) {
        find_units(file);
        return file;
    }
    dwarf_file_close(file);
    return NULL;
}

void dwarf_file_close(struct dwarf_file *file)
{
    if (file == NULL)
        return;
    dwarf_indexing_stop(file->indexing);
    for (size_t i = 0; i < file->units_count; i++)
        dwarf_unit_fini(&file->units[i]);
    free(file->units);
    dwarf_abbrevs_fini(&file->lookup.abbrevs);
    pthread_mutex_destroy(&file->libdw);
    ranges_fini(&file->ranges);
    if (file->dwarf != NULL)
        dwarf_end(file->dwarf);
    if (file->alt != NULL)
        dwarf_end(file->alt);
    dwarf_image_close(&file->image);
    dwarf_image_close(&file->alt_image);
    elf_file_close(&file->elf);
    elf_file_close(&file->alt_elf);
    free(file);
}

size_t dwarf_file_ahead(struct dwarf_file *file, const uint64_t *addresses, size_t count,
                        struct helper *helper, struct dwarf_run **runs)
{
    struct dwarf_unit **chosen = NULL;
    const struct dwarf_unit *last = NULL;
    const struct range *range = NULL;
    size_t chosen_count = 0, capacity = 0, runs_count = 0, runs_capacity = 0;

    assert(file->indexing == NULL);
    *runs = NULL;
    for (size_t i = 0; i < count; i++) {
        struct dwarf_unit *unit;

        if (range == NULL || addresses[i] - range->start >= range->size)
            range = ranges_find(&file->ranges, addresses[i]);
        unit = range != NULL ? &file->units[range->value] : NULL;
        if (runs_count > 0 && unit == last) {
            (*runs)[runs_count - 1].to = i + 1;
            continue;
        }
        last = unit;
        *runs = array_reserve(*runs, &runs_capacity, runs_count + 1, sizeof(**runs));
        (*runs)[runs_count++] = (struct dwarf_run){
            i, i + 1, unit != NULL && !unit->indexed && dwarf_unit_size(unit) >= LARGE_BYTES
        };
        if (unit == NULL || unit->indexed || unit->chosen)
            continue;
        unit->chosen = true;
        chosen = array_reserve(chosen, &capacity, chosen_count + 1, sizeof(*chosen));
        chosen[chosen_count++] = unit;
    }
    if (chosen_count != 0)
        file->indexing = dwarf_indexing_start(chosen, chosen_count, helper);
    free(chosen);
    return runs_count;
}

void dwarf_file_ahead_end(struct dwarf_file *file)
{
    dwarf_indexing_stop(file->indexing);
    file->indexing = NULL;
}

size_t dwarf_file_chain(struct dwarf_file *file, struct intern *intern, uint64_t address,
                        struct symbol *chain, size_t limit, struct dwarf_extent *extent)
{
    const struct range *range = ranges_find(&file->ranges, address);
    struct dwarf_unit *unit;
    size_t found;

    if (range == NULL)
        return 0;
    unit = &file->units[range->value];
    if (unit->chosen)
        dwarf_indexing_need(file->indexing, unit);
    else if (!unit->indexed)
        dwarf_index(unit);
    found = dwarf_unit_chain(unit, &file->lookup, intern, address, chain, limit, extent);
    dwarf_extent_narrow(extent, range);
    return found;
}

size_t dwarf_file_bytes(const struct dwarf_file *file)
{
    size_t bytes = sizeof(*file) + file->sections_bytes + ranges_bytes(&file->ranges);

    for (size_t i = 0; i < file->units_count; i++)
        bytes += dwarf_unit_bytes(&file->units[i]);
    return bytes;
}
