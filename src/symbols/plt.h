/* SPDX-License-Identifier: MIT */
/* Names for the PLT entries through which a program calls a library: "puts@plt". */
#ifndef SYMBOLS_PLT_H
#define SYMBOLS_PLT_H

#include "elf_file.h"
#include "symbol_table.h"

/* TABLE, not finished, has the symbols of FILE: some entries go by their names. */
void plt_add(struct symbol_table *table, const struct elf_file *file);

#endif
