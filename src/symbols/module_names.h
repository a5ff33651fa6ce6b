/* SPDX-License-Identifier: MIT */
/*
 * What is known about the names of one module: its symbol table, how frame addresses become
 * addresses of the program, and what went wrong.
 *
 *     frame.address (file offset) ──segments──► address ──table──► range ──made──► struct symbol
 *
 * Constant once loaded, but for MADE, the symbols that were asked for.
 */
#ifndef SYMBOLS_MODULE_NAMES_H
#define SYMBOLS_MODULE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf_file.h"
#include "outline.h"
#include "proftop/chunks.h"
#include "proftop/index.h"
#include "proftop/module.h"
#include "proftop/symbols.h"
#include "symbol_table.h"
#include "trouble.h"

struct module_names {
    const struct module *module;
    struct symbol_table *table;
    struct elf_segments segments;
    struct outline outline; /* read when a nameless address is first asked for */
    bool outlined;
    enum trouble trouble;
    enum trouble dwarf_trouble; /* why there are no lines, when that is worth telling */
    uint8_t build_id[BUILD_ID_MAX];
    size_t build_id_size;
    struct chunks made; /* of struct made_symbol: the texts of a symbol */
    struct index made_index;
};

/* FETCHED is a debug file that debuginfod gave, or NULL. */
struct module_names *module_names_load(const struct module *module,
                                       const struct symbols_config *config, const char *fetched);
void module_names_free(struct module_names *names);

/* The range that ADDRESS (in a frame's terms) lies in, or NULL. */
const struct range *module_names_find(const struct module_names *names, uint64_t address);
/* Where RANGE's function begins, in a frame's terms. */
uint64_t module_names_start(const struct module_names *names, const struct range *range);

/*
 * Where the nameless function at ADDRESS begins, both in a frame's terms; ADDRESS when the file
 * does not tell.
 */
uint64_t module_names_nameless(struct module_names *names, uint64_t address);

/* The texts that were made for RANGE before into OUT, false when none were; and keeping them. */
bool module_names_made(const struct module_names *names, const struct range *range,
                       struct symbol *out);
void module_names_make(struct module_names *names, const struct range *range,
                       const struct symbol *symbol);

/* Opens what MODULE was loaded from: its descriptor, the image, or as a last resort its path. */
enum trouble module_open(const struct module *module, struct elf_file *file);

size_t module_names_bytes(const struct module_names *names);

#endif
