/* SPDX-License-Identifier: MIT */
/*
 * Finding _PyRuntime: it is in .dynsym of every build, stripped or not, since extension modules
 * need it; where it is not, the section .PyRuntime holds it (3.10 and later).  libpython comes
 * first: the executable is only a shim then.
 */
#include "config.h"

#include "find.h"

#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>

#include "proftop/gettext.h"

/* A symbol table that claims more than this is not searched further. */
enum { SYMBOLS_MAX = 1 << 20 };

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool python_named(const struct module *module)
{
    return module->kind == MODULE_FILE &&
           (starts_with(module->name, "python") || starts_with(module->name, "libpython") ||
            starts_with(module->name, "pypy") || starts_with(module->name, "uwsgi"));
}

/* "libpython3.10.so.1.0" → 0x030a. */
static uint16_t version_in_name(const char *name)
{
    const char *at = strstr(name, "python");
    unsigned major, minor;

    if (at == NULL || sscanf(at, "python%1u.%2u", &major, &minor) != 2 || major != 3)
        return 0;
    return (uint16_t)(major << 8 | minor);
}

struct finds {
    uint64_t runtime, version;
};

static void search_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, struct finds *finds)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count;

    if (data == NULL || header->sh_entsize == 0)
        return;
    count = data->d_size / header->sh_entsize;
    for (size_t i = 0; i < count && i < SYMBOLS_MAX; i++) {
        const char *name;
        GElf_Sym symbol;

        if (gelf_getsym(data, (int)i, &symbol) == NULL || symbol.st_value == 0 ||
            GELF_ST_TYPE(symbol.st_info) != STT_OBJECT)
            continue;
        name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (name == NULL)
            continue;
        if (strcmp(name, "_PyRuntime") == 0)
            finds->runtime = symbol.st_value;
        else if (strcmp(name, "Py_Version") == 0)
            finds->version = symbol.st_value;
    }
}

static void search(Elf *elf, struct finds *finds)
{
    Elf_Scn *section = NULL;
    uint64_t runtime_section = 0;
    size_t names;

    if (elf_getshdrstrndx(elf, &names) != 0)
        return;
    while ((section = elf_nextscn(elf, section)) != NULL) {
        GElf_Shdr header;
        const char *name;

        if (gelf_getshdr(section, &header) == NULL)
            continue;
        name = elf_strptr(elf, names, header.sh_name);
        if (header.sh_type == SHT_DYNSYM || header.sh_type == SHT_SYMTAB)
            search_symbols(elf, section, &header, finds);
        else if (name != NULL && strcmp(name, ".PyRuntime") == 0)
            runtime_section = header.sh_addr;
    }
    if (finds->runtime == 0)
        finds->runtime = runtime_section;
}

/* What to add to the file's addresses for MAPPING of it; false when no segment fits. */
static bool load_bias(Elf *elf, const struct mapping *mapping, uint64_t *bias)
{
    size_t count;

    if (elf_getphdrnum(elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;

        if (gelf_getphdr(elf, (int)i, &header) == NULL || header.p_type != PT_LOAD)
            continue;
        if (mapping->offset + (mapping->end - mapping->start) > header.p_offset &&
            mapping->offset < header.p_offset + header.p_filesz && (header.p_flags & PF_X)) {
            *bias = mapping->start - mapping->offset - (header.p_vaddr - header.p_offset);
            return true;
        }
    }
    return false;
}

static bool look_into(const struct mapping *mapping, struct python_place *place)
{
    struct finds finds = { 0 };
    uint64_t bias = 0;
    bool found = false;
    Elf *elf;

    if (mapping->module->fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
        return false;
    elf = elf_begin(mapping->module->fd, ELF_C_READ, NULL);
    if (elf == NULL)
        return false;
    if (elf_kind(elf) == ELF_K_ELF && load_bias(elf, mapping, &bias))
        search(elf, &finds);
    if (finds.runtime != 0) {
        found = true;
        place->runtime = finds.runtime + bias;
        place->version = finds.version != 0 ? finds.version + bias : 0;
        place->named = version_in_name(mapping->module->name);
        place->module = mapping->module;
    }
    elf_end(elf);
    return found;
}

/* Three rounds: libpython, then what is called python, then whatever the process runs (embedded).
 */
static bool in_round(const struct mapping *mapping, const struct module *program, int round)
{
    switch (round) {
    case 0:
        return starts_with(mapping->module->name, "libpython");
    case 1:
        return python_named(mapping->module);
    default:
        return mapping->module == program;
    }
}

bool python_find(const struct maps *maps, struct python_place *place, struct error *error)
{
    const struct module *program = NULL;

    for (uint32_t i = 0; i < maps->count && program == NULL; i++) {
        if (maps->mappings[i].executable && maps->mappings[i].module->kind == MODULE_FILE)
            program = maps->mappings[i].module;
    }
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < maps->count; i++) {
            const struct mapping *mapping = &maps->mappings[i];

            if (mapping->executable && mapping->module->kind == MODULE_FILE &&
                in_round(mapping, program, round) && look_into(mapping, place))
                return true;
        }
    }
    return error_set(error, STATUS_MISSING, _("no Python interpreter in process %d"), maps->pid);
}
