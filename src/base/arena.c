/* SPDX-License-Identifier: MIT */
/*
 * An arena is a list of blocks; the newest is filled from the front.
 *
 *     blocks ──► [used……|free…] ──► [full] ──► [full]
 */
#include "config.h"

#include "proftop/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"

enum { BLOCK_FIRST = 4096, BLOCK_MAX = 1 << 20, ALIGNMENT = 16 };

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(ALIGNMENT) uint8_t bytes[];
};

struct arena {
    struct block *blocks;
    size_t next_size;
    size_t used;
};

struct arena *arena_new(void)
{
    struct arena *arena = xcalloc(1, sizeof(*arena));

    arena->next_size = BLOCK_FIRST;
    return arena;
}

void arena_free(struct arena *arena)
{
    struct block *block, *next;

    if (arena == NULL)
        return;
    for (block = arena->blocks; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

static struct block *add_block(struct arena *arena, size_t size_bytes)
{
    size_t size = arena->next_size > size_bytes ? arena->next_size : size_bytes;
    struct block *block = xmalloc(sizeof(*block) + size);

    block->next = arena->blocks;
    block->size = size;
    block->used = 0;
    arena->blocks = block;
    if (arena->next_size < BLOCK_MAX)
        arena->next_size *= 2;
    return block;
}

/* ALIGNMENT: of what is given, a power of two. */
static void *take(struct arena *arena, size_t size, size_t alignment)
{
    struct block *block = arena->blocks;
    size_t padding = block != NULL ? -block->used & (alignment - 1) : 0;
    void *memory;

    if (block == NULL || block->size - block->used < padding ||
        block->size - block->used - padding < size) {
        block = add_block(arena, size);
        padding = 0;
    }
    block->used += padding;
    memory = block->bytes + block->used;
    block->used += size;
    arena->used += padding + size;
    return memory;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
    return take(arena, (size_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1), ALIGNMENT);
}

void *arena_bytes(struct arena *arena, size_t size_bytes)
{
    return take(arena, size_bytes, 1);
}

void *arena_zalloc(struct arena *arena, size_t size_bytes)
{
    return memset(arena_alloc(arena, size_bytes), 0, size_bytes);
}

char *arena_strdup(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(arena_bytes(arena, size), text, size);
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments, again;
    char *text;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        length = 0;
    text = arena_bytes(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
