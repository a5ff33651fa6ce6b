/* SPDX-License-Identifier: MIT */
/* Names of C++ and Rust as their authors wrote them. */
#ifndef SYMBOLS_DEMANGLE_H
#define SYMBOLS_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

enum { DEMANGLED_MAX = 16384 };

/*
 * Into OUT, what RAW (as a symbol table has it) stands for; false when it is no mangled name, or
 * one built to exhaust whoever reads it.  A "@VERSION" is left off.
 */
bool demangle(const char *raw, char out[DEMANGLED_MAX]);

#endif
