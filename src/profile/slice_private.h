/* SPDX-License-Identifier: MIT */
/* What slice.c and draft.c share: the block of a slice and the bits of its packed entries. */
#ifndef PROFTOP_PROFILE_SLICE_PRIVATE_H
#define PROFTOP_PROFILE_SLICE_PRIVATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "proftop/slice.h"
#include "proftop/varint.h"

struct slice {
    _Atomic uint32_t refs;
    uint32_t lane_count, other_count, other_parts, syscall_count;
    uint32_t packed_bytes;
    uint64_t start_ns, end_ns, serial;
    size_t size_bytes;
    const struct lane_sum *lanes; /* by lane */
    const struct other_process *others;
    const struct syscall_tally *syscalls;
    const struct record_tally *tally;
    const uint8_t *packed;
};

/* The head of an entry: how far up the next stack is, and what follows. */
enum { ENTRY_COUNTED = 1, ENTRY_WEIGHED = 2, ENTRY_SHIFT = 2 };

/* More than a year of nanoseconds and than a petabyte, and sums of millions stay in 64 bits. */
#define ENTRY_WEIGHT_MAX (UINT64_C(1) << 50)

/* state: 2 bits, gil: 2, metric: 4, reason: 5 */
static inline uint32_t attributes_pack(const struct slice_entry *entry)
{
    return entry->state | (uint32_t)entry->gil << 2 | (uint32_t)entry->metric << 4 |
           (uint32_t)entry->reason << 8;
}

static inline void attributes_unpack(uint32_t attributes, struct slice_entry *entry)
{
    entry->state = attributes & 3;
    entry->gil = attributes >> 2 & 3;
    entry->metric = attributes >> 4 & 15;
    entry->reason = attributes >> 8 & 31;
}

/*
 * The next entry of a group that has one.  ENTRY comes with what the group shares.  Inline, because
 * a wide range goes through millions.
 */
static inline void walk_entry(struct slice_walk *walk, struct slice_entry *entry)
{
    const uint8_t *at = walk->at;
    uint64_t head, thread, count = 1, change;

    at = varint_take(at, &head);
    at = varint_take(at, &thread);
    if (head & ENTRY_COUNTED)
        at = varint_take(at, &count);
    entry->weight = walk->mean * count;
    if (head & ENTRY_WEIGHED) {
        at = varint_take(at, &change);
        entry->weight += (uint64_t)varint_zagzig(change);
        walk->mean = count == 1 ? entry->weight : entry->weight / count;
    }
    entry->stack = walk->last.stack += (stack_id)(head >> ENTRY_SHIFT);
    entry->thread = (uint32_t)thread;
    entry->count = (uint32_t)count;
    walk->at = at;
}

static inline bool attributes_valid(uint64_t attributes)
{
    return attributes >> 13 == 0 && (attributes & 3) < STATES && (attributes >> 4 & 15) < METRICS &&
           (attributes >> 8 & 31) < WAIT_REASONS;
}

#endif
