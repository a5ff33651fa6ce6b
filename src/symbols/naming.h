/* SPDX-License-Identifier: MIT */
/* Names and paths as they are kept: demangled, joined, interned. */
#ifndef SYMBOLS_NAMING_H
#define SYMBOLS_NAMING_H

#include "intern.h"

/* RAW as a symbol table has it, and *NAME as a person reads it; the same pointer where the same. */
void naming_of(struct intern *intern, const char *raw, const char **raw_name, const char **name);

/* FILE, below FOLDER (or NULL) when it is relative; "" for NULL. */
const char *naming_path(struct intern *intern, const char *folder, const char *file);

#endif
