/* SPDX-License-Identifier: MIT */
/*
 * A symbol table ready to be asked: ranges whose number is the offset of a name.
 *
 * Built by one thread, then constant.  Names stay as the ELF file had them, in one buffer.
 */
#ifndef SYMBOLS_SYMBOL_TABLE_H
#define SYMBOLS_SYMBOL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ranges.h"

enum symbol_binding { BINDING_GLOBAL, BINDING_WEAK, BINDING_LOCAL };

struct symbol_table;

struct symbol_table *symbol_table_new(void);
void symbol_table_free(struct symbol_table *table);

/* Adds SIZE bytes of strings (closed with a NUL) and returns their offset. */
uint32_t symbol_table_strings(struct symbol_table *table, const char *bytes, size_t size_bytes);
/* A symbol whose name is at offset NAME.  One that is empty or wraps around is left out. */
void symbol_table_add(struct symbol_table *table, uint64_t start, uint64_t size, uint32_t name,
                      enum symbol_binding binding);
/* The name of the symbol that begins at START, or NULL, by going over all; until it is finished. */
const char *symbol_table_name_at(const struct symbol_table *table, uint64_t start);
void symbol_table_finish(struct symbol_table *table);

/* The range that holds ADDRESS, or NULL. */
const struct range *symbol_table_find(const struct symbol_table *table, uint64_t address);
const char *symbol_table_name(const struct symbol_table *table, const struct range *range);
/* Where the symbol of RANGE begins: not always where RANGE does. */
uint64_t symbol_table_start(const struct symbol_table *table, const struct range *range);

/* Where the symbol that holds ADDRESS begins and ends; false when there is none. */
bool symbol_table_bounds(const struct symbol_table *table, uint64_t address, uint64_t *start,
                         uint64_t *end);

size_t symbol_table_count(const struct symbol_table *table);
const struct range *symbol_table_at(const struct symbol_table *table, size_t index);
size_t symbol_table_bytes(const struct symbol_table *table);

#endif
