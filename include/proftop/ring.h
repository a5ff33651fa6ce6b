/* SPDX-License-Identifier: MIT */
/*
 * A ring of records between one source thread and the builder: one producer, one consumer, all
 * memory taken at the start.
 *
 * A live source never waits.  When the ring is full, ring_reserve() returns NULL and the source
 * counts what it dropped.  The last eighth is kept for urgent records (thread events, losses,
 * watermarks), so that a flood of samples cannot drown them.
 */
#ifndef PROFTOP_RING_H
#define PROFTOP_RING_H

#include <stdbool.h>
#include <stddef.h>

struct record;
struct ring;

/* SIZE_BYTES is rounded up to a power of two. */
struct ring *ring_new(size_t size_bytes);
void ring_free(struct ring *ring);

/* Room for a record of SIZE_BYTES, or NULL.  Filled by the producer, then ring_commit(). */
struct record *ring_reserve(struct ring *ring, size_t size_bytes, bool urgent);
void ring_commit(struct ring *ring, struct record *record);

/* Copies a whole record in; false when it was full. */
bool ring_push(struct ring *ring, const struct record *record, bool urgent);

/* The producer asks: the consumer should be woken. */
bool ring_half_full(const struct ring *ring);

/* The oldest record, valid until ring_pop(), or NULL. */
const struct record *ring_peek(struct ring *ring);
void ring_pop(struct ring *ring);

#endif
