/* SPDX-License-Identifier: MIT */
/*
 * An entry jumps through a slot of the global offset table; a relocation says whose address the
 * linker puts there.
 *
 *     .plt.sec:  endbr64; bnd jmp *slot(%rip)      .rela.plt:  slot ─► symbol "puts"
 *                                                              slot ─► what chooses a memcpy()
 *
 * So the entries are decoded for the slot they use, whatever order they are in.
 */
#include "config.h"

#include "plt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/arena.h"
#include "proftop/memory.h"

/* For each that is chosen all symbols are gone over; a C library has 40. */
enum { ENTRIES_MAX = 1 << 20, CHOSEN_MAX = 128 };

struct slot {
    uint64_t address;
    const char *name;
};

struct slots {
    struct slot *items;
    size_t count, capacity;
    struct arena *texts;
    unsigned chosen;
};

/*
 * An indirect function in the program itself chooses what it stands for, and no symbol is told: it
 * goes by the name of the function that chooses, which TABLE has already.
 */
static const char *chosen_name(struct slots *slots, const struct elf_file *file,
                               const struct symbol_table *table, const GElf_Rela *relocation)
{
    bool arm = file->header.e_machine == EM_AARCH64;
    const char *name;

    if (GELF_R_TYPE(relocation->r_info) != (arm ? R_AARCH64_IRELATIVE : R_X86_64_IRELATIVE) ||
        slots->chosen == CHOSEN_MAX)
        return NULL;
    slots->chosen++;
    name = symbol_table_name_at(table, (uint64_t)relocation->r_addend);
    return name != NULL ? arena_strdup(slots->texts, name) : NULL;
}

/* The name of symbol INDEX in SYMBOLS_SCN; NULL when there is none. */
static const char *symbol_name(const struct elf_file *file, Elf_Scn *symbols_scn, uint64_t index)
{
    Elf_Data *symbols = elf_file_data(file, symbols_scn);
    const char *name;
    GElf_Shdr shdr;
    GElf_Sym symbol;

    if (symbols == NULL || symbols->d_type != ELF_T_SYM || index > INT32_MAX ||
        gelf_getshdr(symbols_scn, &shdr) == NULL ||
        gelf_getsym(symbols, (int)index, &symbol) == NULL)
        return NULL;
    name = elf_strptr(file->elf, shdr.sh_link, symbol.st_name);
    return name != NULL && name[0] != '\0' ? name : NULL;
}

/* The slots that the relocations in SCN fill. */
static void add_slots(struct slots *slots, const struct elf_file *file,
                      const struct symbol_table *table, Elf_Scn *scn, const GElf_Shdr *shdr)
{
    Elf_Scn *symbols_scn = elf_getscn(file->elf, shdr->sh_link);
    Elf_Data *relocations = elf_file_data(file, scn);
    size_t count;

    if (relocations == NULL || relocations->d_type != ELF_T_RELA)
        return;
    count = relocations->d_size / gelf_fsize(file->elf, ELF_T_RELA, 1, EV_CURRENT);
    for (size_t i = 0; i < count && slots->count < ENTRIES_MAX; i++) {
        GElf_Rela relocation;
        uint64_t index;
        const char *name;

        if (gelf_getrela(relocations, (int)i, &relocation) == NULL)
            continue;
        index = GELF_R_SYM(relocation.r_info);
        name = index != 0 ? symbol_name(file, symbols_scn, index)
                          : chosen_name(slots, file, table, &relocation);
        if (name == NULL)
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
    /* A static program's entries are short, and of no size that is told. */
    step = shdr.sh_entsize >= 8 && shdr.sh_entsize <= 64 ? shdr.sh_entsize
           : shdr.sh_addralign == 8                      ? 8
                                                         : 16;
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
        length = (int)strcspn(name, "@"); /* what a version does not tell */
        length = snprintf(text, sizeof(text), "%.*s@plt", length < 500 ? length : 500, name);
        symbol_table_add(table, address, step, symbol_table_strings(table, text, (size_t)length),
                         BINDING_LOCAL);
    }
}

void plt_add(struct symbol_table *table, const struct elf_file *file)
{
    static const char *const sections[] = { ".plt", ".plt.sec", ".plt.got", ".plt.bnd", ".iplt" };
    struct slots slots = { 0 };
    Elf_Scn *scn = NULL;
    GElf_Shdr shdr;

    if (file->header.e_machine != EM_X86_64 && file->header.e_machine != EM_AARCH64)
        return;
    slots.texts = arena_new();
    while ((scn = elf_nextscn(file->elf, scn)) != NULL) {
        if (gelf_getshdr(scn, &shdr) != NULL && shdr.sh_type == SHT_RELA &&
            (shdr.sh_flags & SHF_ALLOC) != 0)
            add_slots(&slots, file, table, scn, &shdr);
    }
    if (slots.count != 0)
        qsort(slots.items, slots.count, sizeof(struct slot), compare_slots);
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
        add_entries(table, file, &slots, sections[i]);
    arena_free(slots.texts);
    free(slots.items);
}
