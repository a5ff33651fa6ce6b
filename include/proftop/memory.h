/* SPDX-License-Identifier: MIT */
/*
 * Memory that does not fail, and the one way to die.
 *
 * Out of memory and our own bugs end the program through die(), whose hook restores the terminal
 * and lets the target go.  Everything else is a struct error.
 */
#ifndef PROFTOP_MEMORY_H
#define PROFTOP_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t size_bytes) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t item_bytes) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *old, size_t size_bytes);
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t length) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *bytes, size_t size_bytes) __attribute__((malloc));
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
char *xvasprintf(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/*
 * Large blocks go back to the system when they are freed, for the whole run.  Called once, before
 * other threads begin.
 */
void memory_begin(void);

/*
 * Grows an array so that it holds at least COUNT items: items = array_reserve(items, &capacity, …).
 * Capacity grows by half, so that pushing one at a time is linear.
 */
void *array_reserve(void *items, size_t *capacity, size_t count, size_t item_bytes);

/* Ends the program with status 5 after the hook has run.  The message is for a bug report. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* HOOK runs once, first, whenever the program dies.  NULL takes it away. */
void die_hook(void (*hook)(void));

#endif
