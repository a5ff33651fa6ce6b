/* SPDX-License-Identifier: MIT */
/* Names and paths as they are kept: demangled, joined, interned. */
#ifndef SYMBOLS_NAMING_H
#define SYMBOLS_NAMING_H

#include "intern.h"

/*
 * RAW, which is interned and as a symbol table has it, as a person reads it: made when first asked
 * for, as most names are never shown and to demangle one takes longer than to find it.  The same
 * pointer where it is the same.
 */
const char *naming_of(struct intern *intern, const char *raw);

/* FILE, below FOLDER (or NULL) when it is relative; "" for NULL. */
const char *naming_path(struct intern *intern, const char *folder, const char *file);

#endif
