/* SPDX-License-Identifier: MIT */
/*
 * A symbol table ready to be asked: ranges of addresses, sorted, none overlapping, 16 bytes each.
 *
 *     added          main [10,90)   helper [20,40)   alias of helper [20,40)
 *     after finish   main [10,20)   helper [20,40)   main [40,90)
 *
 * Built by one thread, then constant.  Names stay where the ELF file had them: one buffer of
 * strings, of which a range holds the offset.
 */
#ifndef SYMBOLS_SYMBOL_TABLE_H
#define SYMBOLS_SYMBOL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol_range {
    uint64_t start;
    uint32_t size;
    uint32_t name; /* offset in the strings */
};

enum symbol_binding { BINDING_GLOBAL, BINDING_WEAK, BINDING_LOCAL };

struct symbol_table;

struct symbol_table *symbol_table_new(void);
void symbol_table_free(struct symbol_table *table);

/* Adds SIZE bytes of strings (closed with a NUL) and returns their offset. */
uint32_t symbol_table_strings(struct symbol_table *table, const char *bytes, size_t size_bytes);
/* A symbol whose name is at offset NAME.  One that is empty or wraps around is left out. */
void symbol_table_add(struct symbol_table *table, uint64_t start, uint64_t size, uint32_t name,
                      enum symbol_binding binding);
void symbol_table_finish(struct symbol_table *table);

/* The range that holds ADDRESS, or NULL. */
const struct symbol_range *symbol_table_find(const struct symbol_table *table, uint64_t address);
const char *symbol_table_name(const struct symbol_table *table, const struct symbol_range *range);
/* Where the symbol of RANGE begins: not always where RANGE does. */
uint64_t symbol_table_start(const struct symbol_table *table, const struct symbol_range *range);

size_t symbol_table_count(const struct symbol_table *table);
const struct symbol_range *symbol_table_at(const struct symbol_table *table, size_t index);
size_t symbol_table_bytes(const struct symbol_table *table);

#endif
