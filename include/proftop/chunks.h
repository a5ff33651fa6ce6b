/* SPDX-License-Identifier: MIT */
/*
 * An append-only table whose items never move.
 *
 *     chunk 0: 256 items   chunk 1: 256   chunk 2: 512   chunk 3: 1024 …
 *
 * One thread appends (callers with more bring a lock of their own); any thread reads items below
 * chunks_count() without a lock, because an item is complete before the count that covers it is
 * published.
 */
#ifndef PROFTOP_CHUNKS_H
#define PROFTOP_CHUNKS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { CHUNKS_MAX = 25 };

struct chunks {
    size_t item_bytes;
    _Atomic uint32_t count;
    void *_Atomic chunk[CHUNKS_MAX];
};

void chunks_init(struct chunks *chunks, size_t item_bytes);
void chunks_fini(struct chunks *chunks);

/* Appends a copy of ITEM and returns its index. */
uint32_t chunks_add(struct chunks *chunks, const void *item);

uint32_t chunks_count(const struct chunks *chunks);

/* The item at INDEX, which must be below chunks_count(). */
void *chunks_get(const struct chunks *chunks, uint32_t index);

/* Bytes held. */
size_t chunks_bytes(const struct chunks *chunks);

#endif
