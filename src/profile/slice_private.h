/* SPDX-License-Identifier: MIT */
/* What slice.c and draft.c share: the block of a slice and the bits of its packed entries. */
#ifndef PROFTOP_PROFILE_SLICE_PRIVATE_H
#define PROFTOP_PROFILE_SLICE_PRIVATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "proftop/slice.h"

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

static inline bool attributes_valid(uint64_t attributes)
{
    return attributes >> 13 == 0 && (attributes & 3) < STATES && (attributes >> 4 & 15) < METRICS &&
           (attributes >> 8 & 31) < WAIT_REASONS;
}

#endif
