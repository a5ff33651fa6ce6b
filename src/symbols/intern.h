/* SPDX-License-Identifier: MIT */
/*
 * Texts that stay until the end, each kept once.  Any thread; a lock inside.
 */
#ifndef SYMBOLS_INTERN_H
#define SYMBOLS_INTERN_H

#include <stddef.h>

struct intern;

struct intern *intern_new(void);
void intern_free(struct intern *intern);
const char *intern_text(struct intern *intern, const char *text);
/* The text that was set to go with TEXT, which is interned; NULL when none was. */
const char *intern_other(struct intern *intern, const char *text);
void intern_set_other(struct intern *intern, const char *text, const char *other);
const char *intern_printf(struct intern *intern, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
size_t intern_bytes(struct intern *intern);

#endif
