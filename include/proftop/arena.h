/* SPDX-License-Identifier: MIT */
/*
 * An arena: memory for things that die together.  Allocations are 16-byte aligned, texts packed,
 * neither is ever moved, and all are freed at once.  One thread at a time.
 */
#ifndef PROFTOP_ARENA_H
#define PROFTOP_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t size_bytes) __attribute__((returns_nonnull));
void *arena_zalloc(struct arena *arena, size_t size_bytes) __attribute__((returns_nonnull));
/* Of any alignment. */
void *arena_bytes(struct arena *arena, size_t size_bytes) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *arena, const char *text) __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));
/* Bytes handed out, and held from the system. */
size_t arena_used(const struct arena *arena);

#endif
