/* SPDX-License-Identifier: MIT */
/* Loads the names of one module. */
#include "config.h"

#include "module_names.h"

#include <stdlib.h>
#include <string.h>

#include "debug_file.h"
#include "elf_symbols.h"
#include "kallsyms.h"
#include "plt.h"
#include "proftop/hash.h"
#include "proftop/memory.h"

/* What of a symbol is not told by its range.  A large program has 100,000 of them. */
struct made_symbol {
    const struct range *range;
    const char *raw_name, *module;
};

/* The descriptor was opened when the mapping was seen; a path may be anything by now. */
static bool same_build(const struct module *module, const struct elf_file *file)
{
    uint8_t id[BUILD_ID_MAX];
    size_t size;

    if (module->build_id_size == 0)
        return true;
    size = elf_file_build_id(file, id);
    return size == module->build_id_size && memcmp(id, module->build_id, size) == 0;
}

enum trouble module_open(const struct module *module, struct elf_file *file)
{
    enum trouble trouble;

    if (module->image != NULL)
        return elf_file_open_image(file, module->image, module->image_size);
    if (module->fd >= 0)
        return elf_file_open_fd(file, module->fd);
    *file = (struct elf_file){ .fd = -1 };
    if (module->kind != MODULE_FILE || module->path[0] != '/' || module->deleted)
        return TROUBLE_MISSING;
    trouble = elf_file_open_path(file, module->path);
    if (trouble == TROUBLE_NONE && !same_build(module, file)) {
        elf_file_close(file);
        trouble = TROUBLE_MISMATCH;
    }
    return trouble;
}

/* The names that a stripped file still has: what it exports, and what is packed inside. */
static enum trouble add_rest(struct symbol_table *table, const struct elf_file *file)
{
    struct elf_file inner;
    size_t size_bytes;
    uint32_t added = 0;
    void *image;

    elf_symbols_add(table, file, SHT_DYNSYM);
    image = debug_file_unpack(file, &size_bytes);
    if (image != NULL && elf_file_open_image(&inner, image, size_bytes) == TROUBLE_NONE) {
        added = elf_symbols_add(table, &inner, SHT_SYMTAB);
        elf_file_close(&inner);
    }
    free(image);
    return added != 0 ? TROUBLE_NONE : TROUBLE_STRIPPED;
}

/*
 * .symtab, here or in the separate debug file, has everything.  Reading .dynsym as well would only
 * cost memory.
 */
static enum trouble load_symbols(struct symbol_table *table, const struct elf_file *file,
                                 const struct debug_places *places)
{
    struct elf_file debug;
    enum trouble trouble, rest;
    uint32_t added = 0;

    if (elf_symbols_add(table, file, SHT_SYMTAB) != 0)
        return TROUBLE_NONE;
    trouble = debug_file_open(file, places, &debug);
    if (trouble == TROUBLE_NONE) {
        added = elf_symbols_add(table, &debug, SHT_SYMTAB);
        elf_file_close(&debug);
    }
    if (added != 0)
        return TROUBLE_NONE;
    rest = add_rest(table, file);
    return rest != TROUBLE_NONE && trouble == TROUBLE_MISMATCH ? TROUBLE_DEBUG_MISMATCH : rest;
}

static void load_file(struct module_names *names, const struct debug_places *places)
{
    struct elf_file file;

    names->trouble = module_open(names->module, &file);
    if (names->trouble != TROUBLE_NONE)
        return;
    elf_file_segments(&file, &names->segments);
    names->build_id_size = elf_file_build_id(&file, names->build_id);
    names->trouble = load_symbols(names->table, &file, places);
    plt_add(names->table, &file);
    elf_file_close(&file);
}

/* A file that is not here, but was when it was recorded. */
static void load_recorded(struct module_names *names, const struct debug_places *places)
{
    const struct module *module = names->module;
    struct elf_file debug;

    memcpy(names->segments.items, module->segments,
           module->segment_count * sizeof(*module->segments));
    names->segments.count = module->segment_count;
    memcpy(names->build_id, module->build_id, module->build_id_size);
    names->build_id_size = module->build_id_size;
    names->trouble = TROUBLE_STRIPPED;
    if (debug_file_open_id(module->build_id, module->build_id_size, places, &debug) != TROUBLE_NONE)
        return;
    if (elf_symbols_add(names->table, &debug, SHT_SYMTAB) != 0)
        names->trouble = TROUBLE_NONE;
    elf_file_close(&debug);
}

static void load_kernel(struct module_names *names, const char *proc_root)
{
    char *path = xasprintf("%s/kallsyms", proc_root);

    names->trouble = kallsyms_load(names->table, path);
    free(path);
}

struct module_names *module_names_load(const struct module *module,
                                       const struct symbols_config *config, const char *fetched)
{
    struct module_names *names = xcalloc(1, sizeof(*names));
    struct debug_places places = { module->root, module->path, config->debug_dirs, fetched };

    names->module = module;
    chunks_init(&names->made, sizeof(struct made_symbol));
    index_init(&names->made_index);
    names->table = symbol_table_new();
    if (module->kind == MODULE_KERNEL)
        load_kernel(names, config->proc_root);
    else if (module->segments != NULL)
        load_recorded(names, &places);
    else if (module->kind == MODULE_FILE || module->kind == MODULE_VDSO)
        load_file(names, &places);
    symbol_table_finish(names->table);
    /* The vdso exports all it has. */
    if (module->kind == MODULE_VDSO && symbol_table_count(names->table) != 0)
        names->trouble = TROUBLE_NONE;
    return names;
}

void module_names_free(struct module_names *names)
{
    if (names == NULL)
        return;
    symbol_table_free(names->table);
    outline_fini(&names->outline);
    chunks_fini(&names->made);
    index_fini(&names->made_index);
    free(names);
}

static bool by_offset(const struct module_names *names)
{
    return names->module->kind == MODULE_FILE || names->module->kind == MODULE_VDSO;
}

const struct range *module_names_find(const struct module_names *names, uint64_t address)
{
    if (by_offset(names) && !elf_segments_address(&names->segments, address, &address))
        return NULL;
    return symbol_table_find(names->table, address);
}

uint64_t module_names_start(const struct module_names *names, const struct range *range)
{
    uint64_t start = symbol_table_start(names->table, range);

    if (by_offset(names))
        elf_segments_offset(&names->segments, start, &start);
    return start;
}

bool module_names_made(const struct module_names *names, const struct range *range,
                       struct symbol *out)
{
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&names->made_index, hash_u64((uintptr_t)range), &cursor);
    while ((item = index_next(&names->made_index, &cursor)) != INDEX_END) {
        const struct made_symbol *made = chunks_get(&names->made, item);

        if (made->range != range)
            continue;
        out->raw_name = made->raw_name;
        out->module = made->module;
        return true;
    }
    return false;
}

void module_names_make(struct module_names *names, const struct range *range,
                       const struct symbol *symbol)
{
    struct made_symbol made = { range, symbol->raw_name, symbol->module };

    index_add(&names->made_index, hash_u64((uintptr_t)range), chunks_add(&names->made, &made));
}

size_t module_names_bytes(const struct module_names *names)
{
    return sizeof(*names) + symbol_table_bytes(names->table) + chunks_bytes(&names->made) +
           index_bytes(&names->made_index);
}

static void load_outline(struct module_names *names)
{
    struct elf_file file;

    names->outlined = true;
    if (module_open(names->module, &file) != TROUBLE_NONE)
        return;
    outline_load(&names->outline, &file);
    elf_file_close(&file);
}

uint64_t module_names_nameless(struct module_names *names, uint64_t address)
{
    uint64_t at, start, begin;

    if (!by_offset(names) || !elf_segments_address(&names->segments, address, &at))
        return address;
    if (!names->outlined)
        load_outline(names);
    return outline_find(&names->outline, at, &start) &&
                   elf_segments_offset(&names->segments, start, &begin)
               ? begin
               : address;
}
