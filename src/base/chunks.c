/* SPDX-License-Identifier: MIT */
/* An append-only table whose items never move: chunk k > 0 holds 256 << (k − 1) items. */
#include "config.h"

#include "proftop/chunks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"

enum { FIRST_LOG2 = 8 };

void chunks_init(struct chunks *chunks, size_t item_bytes)
{
    memset(chunks, 0, sizeof(*chunks));
    chunks->item_bytes = item_bytes;
}

void chunks_fini(struct chunks *chunks)
{
    for (int i = 0; i < CHUNKS_MAX; i++)
        free(atomic_load(&chunks->chunk[i]));
    memset(chunks, 0, sizeof(*chunks));
}

/* Which chunk INDEX lies in, and where that chunk begins. */
static unsigned locate(uint32_t index, uint32_t *begin, uint32_t *size)
{
    unsigned chunk;

    if (index < 1u << FIRST_LOG2) {
        *begin = 0;
        *size = 1u << FIRST_LOG2;
        return 0;
    }
    chunk = 32 - (unsigned)__builtin_clz(index) - FIRST_LOG2;
    *begin = 1u << (chunk + FIRST_LOG2 - 1);
    *size = *begin;
    return chunk;
}

void *chunks_get(const struct chunks *chunks, uint32_t index)
{
    uint32_t begin, size;
    unsigned chunk = locate(index, &begin, &size);
    char *items = atomic_load_explicit(&chunks->chunk[chunk], memory_order_acquire);

    return items + (size_t)(index - begin) * chunks->item_bytes;
}

uint32_t chunks_add(struct chunks *chunks, const void *item)
{
    uint32_t index = atomic_load_explicit(&chunks->count, memory_order_relaxed);
    uint32_t begin, size;
    unsigned chunk = locate(index, &begin, &size);

    if (chunk >= CHUNKS_MAX)
        die("a table of %u items is full", index);
    if (atomic_load_explicit(&chunks->chunk[chunk], memory_order_relaxed) == NULL)
        atomic_store_explicit(&chunks->chunk[chunk], xcalloc(size, chunks->item_bytes),
                              memory_order_release);
    memcpy(chunks_get(chunks, index), item, chunks->item_bytes);
    atomic_store_explicit(&chunks->count, index + 1, memory_order_release);
    return index;
}

uint32_t chunks_count(const struct chunks *chunks)
{
    return atomic_load_explicit(&chunks->count, memory_order_acquire);
}

size_t chunks_bytes(const struct chunks *chunks)
{
    uint32_t count = chunks_count(chunks), begin = 0, size = 0;

    if (count != 0)
        locate(count - 1, &begin, &size);
    return ((size_t)begin + size) * chunks->item_bytes;
}
