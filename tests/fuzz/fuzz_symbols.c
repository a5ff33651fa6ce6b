/* SPDX-License-Identifier: MIT */
/* A hostile ELF file with hostile symbols and DWARF: names, chains and lines come out, or none. */
#include "config.h"

#include "src/symbols/dwarf/file.h"
#include "src/symbols/module_names.h"
#include "tests/fuzz/fuzz.h"

static void look_at_names(const struct module *module)
{
    struct symbols_config config = { .debug_dirs = "", .proc_root = "/nowhere" };
    struct module_names *names = module_names_load(module, &config, NULL);
    uint64_t end = 0;

    for (size_t i = 0; i < symbol_table_count(names->table); i++) {
        const struct range *range = symbol_table_at(names->table, i);

        FUZZ_CHECK(range->size > 0 && range->start >= end);
        end = range->start + range->size;
        FUZZ_CHECK(symbol_table_name(names->table, range)[0] != '\0');
        FUZZ_CHECK(symbol_table_find(names->table, range->start) == range);
        FUZZ_CHECK(symbol_table_start(names->table, range) <= range->start);
    }
    for (uint64_t offset = 0; offset < module->image_size; offset += 13)
        module_names_find(names, offset);
    module_names_free(names);
}

static void look_at_chains(const struct module *module)
{
    struct debug_places places = { .path = module->path, .dirs = "" };
    struct intern *intern = intern_new();
    struct dwarf_extent extent = { 0 };
    enum trouble trouble;
    struct dwarf_file *file = dwarf_file_open(module, &places, &trouble);

    /* Where the seeds have their code, and elsewhere. */
    for (uint64_t address = 0x1000; file != NULL && address < 0x1200; address += 3) {
        struct dwarf_extent before = extent;
        struct symbol chain[4];
        size_t count;

        extent = (struct dwarf_extent){ 0 };
        count = dwarf_file_chain(file, intern, address, chain, 4, &extent);
        FUZZ_CHECK(count <= 4);
        FUZZ_CHECK(extent.to <= extent.from || (address >= extent.from && address < extent.to));
        /* Within one extent nothing changes. */
        FUZZ_CHECK(address < before.from || address >= before.to ||
                   (extent.from == before.from && extent.to == before.to));
        for (size_t i = 0; i < count; i++)
            FUZZ_CHECK(chain[i].file != NULL && chain[i].first_file != NULL);
    }
    dwarf_file_close(file);
    intern_free(intern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct module module = {
        .kind = MODULE_FILE, .path = "", .name = "", .fd = -1, .image = data, .image_size = size
    };

    look_at_names(&module);
    look_at_chains(&module);
    return 0;
}
