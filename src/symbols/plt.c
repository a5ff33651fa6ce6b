/* SPDX-License-Identifier: MIT */
/*
 * An entry jumps through a slot of the global offset table; a relocation says whose address the
 * linker puts there.
 *
 *     .plt.sec:  endbr64; bnd jmp *slot(%rip)      .rela.plt:  slot ─► symbol "puts"
 *
 * So the entries are decoded for the slot they use, whatever order they are in.
 */
#include "config.h"

#include "plt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"

enum { ENTRIES_MAX = 1 << 20 };

struct slot {
    uint64_t address;
    const char *name;
};

struct slots {
    struct slot *items;
    size_t count, capacity;
};

/* The slots that the relocations in SCN fill. */
static void add_slots(struct slots *slots, const struct elf_file *file, Elf_Scn *scn,
                      const GElf_Shdr *shdr)
{
    Elf_Scn *symbols_scn = elf_getscn(file->elf, shdr->sh_link);
    Elf_Data *relocations = elf_file_data(file, scn), *symbols = elf_file_data(file, symbols_scn);
    GElf_Shdr symbols_shdr;
    size_t count;

    if (relocations == NULL || symbols == NULL || relocations->d_type != ELF_T_RELA ||
        symbols->d_type != ELF_T_SYM || gelf_getshdr(symbols_scn, &symbols_shdr) == NULL)
        return;
    count = relocations->d_size / gelf_fsize(file->elf, ELF_T_RELA, 1, EV_CURRENT);
    for (size_t i = 0; i < count && slots->count < ENTRIES_MAX; i++) {
        GElf_Rela relocation;
        GElf_Sym symbol;
        const char *name;

        if (gelf_getrela(relocations, (int)i, &relocation) == NULL ||
            gelf_getsym(symbols, (int)GELF_R_SYM(relocation.r_info), &symbol) == NULL)
            continue;
        name = elf_strptr(file->elf, symbols_shdr.sh_link, symbol.st_name);
        if (name == NULL || name[0] == '\0')
            continue;
        slots->items =
            array_reserve(slots->items, &slots->capacity, slots->count + 1, sizeof(struct slot));
        slots->items[slots->count++] = (struct slot){ relocation.r_offset, name };
    }
}

static int compare_slots(const void *left, const void *right)
{
    const struct slot *a = left, *b = right;

    return a->address < b->address ? -1 : a->address > b->address;
}

static const char *slot_name(const struct slots *slots, uint64_t address)
{
    struct slot wanted = { .address = address };
    const struct slot *found = slots->count == 0 ? NULL
                                                 : bsearch(&wanted, slots->items, slots->count,
                                                           sizeof(struct slot), compare_slots);

    return found != NULL ? found->name : NULL;
}

/* jmp *displacement(%rip), somewhere in the entry. */
static bool decode_x86_64(const uint8_t *code, size_t size, uint64_t address, uint64_t *slot)
{
    for (size_t i = 0; i + 6 <= size; i++) {
        int32_t displacement;

        if (code[i] != 0xff || code[i + 1] != 0x25)
            continue;
        memcpy(&displacement, code + i + 2, sizeof(displacement));
        *slot = address + i + 6 + (uint64_t)(int64_t)displacement;
        return true;
    }
    return false;
}

/* adrp x16, page; ldr x17, [x16, offset], perhaps after a bti. */
static bool decode_aarch64(const uint8_t *code, size_t size, uint64_t address, uint64_t *slot)
{
    for (size_t i = 0; i + 8 <= size; i += 4) {
        uint32_t adrp, ldr;
        int64_t pages;

        memcpy(&adrp, code + i, sizeof(adrp));
        memcpy(&ldr, code + i + 4, sizeof(ldr));
        if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400211)
            continue;
        pages = (int64_t)((adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3));
        pages = (pages ^ 0x100000) - 0x100000; /* 21 bits, signed */
        *slot =
            ((address + i) & ~UINT64_C(0xfff)) + (uint64_t)(pages * 4096) + (ldr >> 10 & 0xfff) * 8;
        return true;
    }
    return false;
}

static void add_entries(struct symbol_table *table, const struct elf_file *file,
                        const struct slots *slots, const char *section)
{
    bool arm = file->header.e_machine == EM_AARCH64;
    GElf_Shdr shdr;
    Elf_Data *code = elf_file_data(file, elf_file_section(file, section, &shdr));
    size_t step;

    if (code == NULL)
        return;
    step = shdr.sh_entsize >= 8 && shdr.sh_entsize <= 64 ? shdr.sh_entsize : 16;
    /* aarch64's .plt begins with 32 bytes for the linker itself. */
    for (size_t at = arm && strcmp(section, ".plt") == 0 ? 32 : 0; at + step <= code->d_size;
         at += step) {
        const uint8_t *bytes = (const uint8_t *)code->d_buf + at;
        uint64_t slot, address = shdr.sh_addr + at;
        const char *name;
        char text[512];
        int length;

        if (!(arm ? decode_aarch64 : decode_x86_64)(bytes, step, address, &slot))
            continue;
        name = slot_name(slots, slot);
        if (name == NULL)
            continue;
        length = snprintf(text, sizeof(text), "%.500s@plt", name);
        symbol_table_add(table, address, step, symbol_table_strings(table, text, (size_t)length),
                         BINDING_LOCAL);
    }
}

void plt_add(struct symbol_table *table, const struct elf_file *file)
{
    static const char *const sections[] = { ".plt", ".plt.sec", ".plt.got", ".plt.bnd" };
    struct slots slots = { 0 };
    Elf_Scn *scn = NULL;
    GElf_Shdr shdr;

    if (file->header.e_machine != EM_X86_64 && file->header.e_machine != EM_AARCH64)
        return;
    while ((scn = elf_nextscn(file->elf, scn)) != NULL) {
        if (gelf_getshdr(scn, &shdr) != NULL && shdr.sh_type == SHT_RELA &&
            (shdr.sh_flags & SHF_ALLOC) != 0)
            add_slots(&slots, file, scn, &shdr);
    }
    if (slots.count != 0)
        qsort(slots.items, slots.count, sizeof(struct slot), compare_slots);
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
        add_entries(table, file, &slots, sections[i]);
    free(slots.items);
}
