/* SPDX-License-Identifier: MIT */
/* The symbols of an ELF file, read into a symbol table. */
#ifndef SYMBOLS_ELF_SYMBOLS_H
#define SYMBOLS_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "elf_file.h"
#include "symbol_table.h"

/* Adds the functions of the section of TYPE (SHT_SYMTAB, SHT_DYNSYM); how many there were. */
uint32_t elf_symbols_add(struct symbol_table *table, const struct elf_file *file, uint32_t type);

#endif
