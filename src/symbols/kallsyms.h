/* SPDX-License-Identifier: MIT */
/* The kernel's own list of its symbols, modules included. */
#ifndef SYMBOLS_KALLSYMS_H
#define SYMBOLS_KALLSYMS_H

#include "symbol_table.h"
#include "trouble.h"

/*
 * Adds the functions in PATH ("/proc/kallsyms").  A name is followed by a tab and "[module]" where
 * it belongs to one.
 */
enum trouble kallsyms_load(struct symbol_table *table, const char *path);

#endif
