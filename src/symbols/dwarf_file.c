/* SPDX-License-Identifier: MIT */
/*
 * Units are found by the ranges in their first entry, with .debug_aranges for those that have none
 * there; libdw 0.188 asks .debug_aranges alone, which clang leaves out.
 */
#include "config.h"

#include "dwarf_file.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "debug_file.h"
#include "dwarf_image.h"
#include "dwarf_index.h"
#include "elf_file.h"
#include "module_names.h"
#include "proftop/memory.h"

/* The sections are read into memory whole: see elf_file.h for why they are not mapped. */
static const uint64_t sections_max_bytes = UINT64_C(4) << 30;

/* More at once would keep who wants the first chain, or wants to stop, waiting. */
static const uint64_t indexed_at_once_bytes = UINT64_C(4) << 20;

enum { UNITS_MAX = 1 << 20, RANGES_MAX = 1 << 22, INDEXED_AT_ONCE = 256 };

struct dwarf_file {
    struct elf_file elf, alt_elf;
    struct dwarf_image image, alt_image;
    Dwarf *dwarf, *alt;
    uint64_t sections_bytes;
    struct dwarf_unit *units;
    size_t units_count, units_capacity;
    struct dwarf_sections sections;
    struct ranges ranges; /* value: index in units */
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
        if ((shdr.sh_flags & SHF_COMPRESSED) != 0 && gelf_getchdr(scn, &chdr) != NULL)
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
    enum trouble trouble = module_open(module, &file->elf);
    struct elf_file own;

    if (trouble != TROUBLE_NONE)
        return trouble;
    file->sections_bytes = dwarf_size(&file->elf);
    if (file->sections_bytes == 0) {
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
    trouble = debug_file_open_alt(&file->elf, places->dirs, &file->alt_elf);
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

/* True when the unit says itself where its code is. */
static bool add_unit(struct dwarf_file *file, Dwarf_Die *die)
{
    uint32_t index = (uint32_t)file->units_count;
    size_t before = file->ranges.candidates_count;
    Dwarf_Addr base, start, end;
    ptrdiff_t at = 0;

    file->units = array_reserve(file->units, &file->units_capacity, file->units_count + 1,
                                sizeof(*file->units));
    dwarf_unit_init(&file->units[file->units_count++], die, &file->sections);
    while (file->ranges.candidates_count < RANGES_MAX &&
           (at = dwarf_ranges(die, at, &base, &start, &end)) > 0) {
        if (start != 0)
            ranges_add(&file->ranges, start, end, index, 0);
    }
    return file->ranges.candidates_count != before;
}

static int compare_units(const void *left, const void *right)
{
    const struct dwarf_unit *a = left, *b = right;
    Dwarf_Off a_offset = dwarf_dieoffset((Dwarf_Die *)&a->die);
    Dwarf_Off b_offset = dwarf_dieoffset((Dwarf_Die *)&b->die);

    return a_offset < b_offset ? -1 : a_offset > b_offset;
}

static void add_aranges(struct dwarf_file *file)
{
    Dwarf_Aranges *aranges;
    size_t count;

    if (dwarf_getaranges(file->dwarf, &aranges, &count) != 0)
        return;
    for (size_t i = 0; i < count && file->ranges.candidates_count < RANGES_MAX; i++) {
        struct dwarf_unit wanted, *unit;
        Dwarf_Addr start;
        Dwarf_Word length;
        Dwarf_Off offset;

        if (dwarf_getarangeinfo(dwarf_onearange(aranges, i), &start, &length, &offset) != 0 ||
            start == 0 || dwarf_offdie(file->dwarf, offset, &wanted.die) == NULL)
            continue;
        unit =
            bsearch(&wanted, file->units, file->units_count, sizeof(*file->units), compare_units);
        if (unit != NULL)
            ranges_add(&file->ranges, start, start + length, (uint32_t)(unit - file->units), 0);
    }
}

static int prefer_first(const void *context, const struct ranges_candidate *a,
                        const struct ranges_candidate *b)
{
    (void)context;
    return a->value < b->value ? -1 : a->value > b->value;
}

/* Units come in the order of the file, so they are sorted by offset. */
static void find_units(struct dwarf_file *file)
{
    bool all_say = true;
    Dwarf_CU *cu = NULL;
    Dwarf_Die die;
    uint8_t type;

    dwarf_bytes_sections(&file->sections, dwarf_getelf(file->dwarf));
    while (dwarf_get_units(file->dwarf, cu, &cu, NULL, &type, &die, NULL) == 0 &&
           file->units_count < UNITS_MAX) {
        if (type == DW_UT_compile || type == DW_UT_skeleton)
            all_say &= add_unit(file, &die);
    }
    if (!all_say)
        add_aranges(file);
    ranges_finish(&file->ranges, prefer_first, NULL);
}

struct dwarf_file *dwarf_file_open(const struct module *module, const struct debug_places *places,
                                   enum trouble *trouble)
{
    struct dwarf_file *file = xcalloc(1, sizeof(*file));

    file->elf.fd = file->alt_elf.fd = file->image.elf.fd = file->alt_image.elf.fd = -1;
    ranges_init(&file->ranges);
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
    for (size_t i = 0; i < file->units_count; i++)
        dwarf_unit_fini(&file->units[i]);
    free(file->units);
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

/* How much of .debug_info is unit INDEX's, or about that. */
static uint64_t unit_bytes(const struct dwarf_file *file, size_t index)
{
    Dwarf_Die *die = &file->units[index].die;

    if (index + 1 == file->units_count)
        return 0;
    return dwarf_dieoffset(&file->units[index + 1].die) - dwarf_dieoffset(die);
}

size_t dwarf_file_index(struct dwarf_file *file, const uint64_t *addresses, size_t count)
{
    struct dwarf_unit *chosen[INDEXED_AT_ONCE];
    const struct range *range = NULL;
    size_t chosen_count = 0, i;
    uint64_t bytes = 0;

    for (i = 0; i < count; i++) {
        struct dwarf_unit *unit;

        if (range != NULL && addresses[i] - range->start < range->size)
            continue;
        range = ranges_find(&file->ranges, addresses[i]);
        if (range == NULL)
            continue;
        unit = &file->units[range->value];
        if (unit->indexed || unit->chosen)
            continue;
        if (chosen_count == INDEXED_AT_ONCE || bytes >= indexed_at_once_bytes)
            break;
        unit->chosen = true;
        chosen[chosen_count++] = unit;
        bytes += unit_bytes(file, range->value);
    }
    if (chosen_count != 0)
        dwarf_index(chosen, chosen_count);
    return i;
}

size_t dwarf_file_chain(struct dwarf_file *file, struct intern *intern, uint64_t address,
                        struct symbol *chain, size_t limit, struct dwarf_extent *extent)
{
    const struct range *range = ranges_find(&file->ranges, address);
    struct dwarf_unit *unit;

    if (range == NULL)
        return 0;
    unit = &file->units[range->value];
    return dwarf_unit_chain(unit, intern, address, chain, limit, extent);
}

size_t dwarf_file_bytes(const struct dwarf_file *file)
{
    size_t bytes = sizeof(*file) + file->sections_bytes + ranges_bytes(&file->ranges);

    for (size_t i = 0; i < file->units_count; i++)
        bytes += dwarf_unit_bytes(&file->units[i]);
    return bytes;
}
