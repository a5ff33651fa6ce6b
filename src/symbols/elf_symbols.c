/* SPDX-License-Identifier: MIT */
/* Reads .symtab or .dynsym.  Everything in it is checked: the file may be anything. */
#include "config.h"

#include "elf_symbols.h"

#include <string.h>

/* Only these can hold an address that runs.  Hand-written assembly often leaves out the type. */
static bool is_code(const GElf_Sym *symbol)
{
    unsigned type = GELF_ST_TYPE(symbol->st_info);

    return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS &&
           (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

static enum symbol_binding binding_of(const GElf_Sym *symbol)
{
    switch (GELF_ST_BIND(symbol->st_info)) {
    case STB_LOCAL:
        return BINDING_LOCAL;
    case STB_WEAK:
        return BINDING_WEAK;
    default:
        return BINDING_GLOBAL;
    }
}

uint32_t elf_symbols_add(struct symbol_table *table, const struct elf_file *file, uint32_t type)
{
    GElf_Shdr shdr;
    Elf_Scn *scn = elf_file_section_of(file, type, &shdr);
    Elf_Data *symbols = elf_file_data(file, scn), *strings;
    uint32_t base, added = 0;
    size_t count;

    if (symbols == NULL || symbols->d_type != ELF_T_SYM)
        return 0;
    strings = elf_file_data(file, elf_getscn(file->elf, shdr.sh_link));
    if (strings == NULL || strings->d_size > UINT32_MAX / 2)
        return 0;
    base = symbol_table_strings(table, strings->d_buf, strings->d_size);
    count = symbols->d_size / gelf_fsize(file->elf, ELF_T_SYM, 1, EV_CURRENT);
    for (size_t i = 0; i < count && i <= INT32_MAX; i++) {
        GElf_Sym symbol;

        if (gelf_getsym(symbols, (int)i, &symbol) == NULL || !is_code(&symbol) ||
            symbol.st_name >= strings->d_size)
            continue;
        symbol_table_add(table, symbol.st_value, symbol.st_size, base + symbol.st_name,
                         binding_of(&symbol));
        added++;
    }
    return added;
}
