/* SPDX-License-Identifier: MIT */
/*
 * The ring's bytes.  Head and tail only grow; a record never wraps: where it would, a filler (type
 * FILLER) takes the rest of the buffer and the record starts at the front.
 *
 *     0      tail            head          size
 *     |······|records records|·············|
 */
#include "config.h"

#include "proftop/ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "proftop/record.h"

enum { FILLER = 0xffffffff >> 1 };

struct ring {
    size_t size;
    _Alignas(64) _Atomic size_t head; /* producer */
    size_t reserved;                  /* where the reserved record ends */
    _Alignas(64) _Atomic size_t tail; /* consumer */
    _Alignas(64) uint8_t bytes[];
};

struct ring *ring_new(size_t size_bytes)
{
    struct ring *ring;
    size_t size = 4096;

    while (size < size_bytes)
        size *= 2;
    ring = aligned_alloc(64, sizeof(*ring) + size);
    if (ring == NULL)
        die("out of memory (a ring of %zu bytes)", size);
    memset(ring, 0, sizeof(*ring));
    ring->size = size;
    return ring;
}

void ring_free(struct ring *ring)
{
    free(ring);
}

struct record *ring_reserve(struct ring *ring, size_t size_bytes, bool urgent)
{
    size_t size = record_round(size_bytes);
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    size_t room = ring->size - (head - tail);
    size_t at = head & (ring->size - 1), to_end = ring->size - at;
    size_t kept = urgent ? 0 : ring->size / 8;
    /* Where all is read, the start is taken again: memory that is not touched is not there. */
    bool anew = head == tail && at > ring->size / 4 && to_end + size + kept <= room;
    size_t filler = size > to_end || anew ? to_end : 0;
    struct record *record;

    if (size + filler + kept > room)
        return NULL;
    if (filler != 0) {
        record = (struct record *)(ring->bytes + at);
        record->size = (uint32_t)filler;
        record->type = FILLER;
        at = 0;
    }
    record = (struct record *)(ring->bytes + at);
    record->size = (uint32_t)size;
    ring->reserved = head + filler + size;
    return record;
}

void ring_commit(struct ring *ring, struct record *record)
{
    (void)record;
    atomic_store_explicit(&ring->head, ring->reserved, memory_order_release);
}

bool ring_push(struct ring *ring, const struct record *record, bool urgent)
{
    struct record *copy = ring_reserve(ring, record->size, urgent);

    if (copy == NULL)
        return false;
    memcpy(copy, record, record->size);
    copy->size = record_round(record->size);
    ring_commit(ring, copy);
    return true;
}

bool ring_half_full(const struct ring *ring)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    return head - tail > ring->size / 2;
}

const struct record *ring_peek(struct ring *ring)
{
    for (;;) {
        size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
        const struct record *record;

        if (tail == atomic_load_explicit(&ring->head, memory_order_acquire))
            return NULL;
        record = (const struct record *)(ring->bytes + (tail & (ring->size - 1)));
        if (record->type != FILLER)
            return record;
        atomic_store_explicit(&ring->tail, tail + record->size, memory_order_release);
    }
}

void ring_pop(struct ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    const struct record *record = (const struct record *)(ring->bytes + (tail & (ring->size - 1)));

    assert(tail != atomic_load_explicit(&ring->head, memory_order_acquire));
    atomic_store_explicit(&ring->tail, tail + record->size, memory_order_release);
}
