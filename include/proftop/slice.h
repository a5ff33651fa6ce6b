/* SPDX-License-Identifier: MIT */
/*
 * Making slices: what a stretch of time holds is gathered in a draft and sealed into one constant,
 * refcounted block of memory.  Used by the builder, by merging into coarser slices, and by who
 * reads a session.
 *
 *     group   attributes (state, metric, reason, gil), system call, entries, bytes
 *     entry   stack (from the last one up), thread, [count], [weight as the change of its mean]
 *     entry   …
 *     group   …
 *
 * Groups are sorted by attributes, entries by stack then thread: a fold skips a group in whole and
 * goes up the table of stacks in order.  Most entries take three bytes.  This is also what a
 * session file stores.
 */
#ifndef PROFTOP_SLICE_H
#define PROFTOP_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/profile.h"

enum { SLICE_OTHERS_MAX = 32 /* of them a slice keeps the busiest */ };

/* A lane's values in a slice: their sum and how many there were. */
struct lane_sum {
    lane_id lane;
    uint32_t parts;
    double sum;
};

struct slice_draft {
    struct slice_entry *entries;
    size_t entry_count, entry_capacity;
    size_t settled; /* that many of them are sorted and differ */
    struct lane_sum *lanes;
    size_t lane_count, lane_capacity;
    struct other_process *others;
    size_t other_count, other_capacity;
    uint32_t other_parts;
    struct syscall_tally *syscalls;
    size_t syscall_count, syscall_capacity;
    struct record_tally tally;
    bool tallied;
};

void draft_init(struct slice_draft *draft);
void draft_fini(struct slice_draft *draft);
bool draft_empty(const struct slice_draft *draft);

/* Each adds to what the draft already has of the same key. */
void draft_add_entry(struct slice_draft *draft, const struct slice_entry *entry);
void draft_add_lane(struct slice_draft *draft, const struct lane_sum *lane);
void draft_add_tally(struct slice_draft *draft, const struct record_tally *tally);
void draft_add_others(struct slice_draft *draft, const struct other_process *others, uint32_t count,
                      uint32_t parts);
void draft_add_syscalls(struct slice_draft *draft, const struct syscall_tally *tallies,
                        uint32_t count);
/* The same for tables that come in order, as a slice keeps them; false when they do not. */
bool draft_append_lane(struct slice_draft *draft, const struct lane_sum *lane);
bool draft_append_syscall(struct slice_draft *draft, const struct syscall_tally *tally);
void draft_add_slice(struct slice_draft *draft, const struct slice *slice);

/* The slice of [START, END) with what DRAFT holds, which is then empty. */
struct slice *draft_seal(struct slice_draft *draft, uint64_t start_ns, uint64_t end_ns);
/* The same with entries that are packed already; PACKED must have passed slice_check(). */
struct slice *draft_seal_packed(struct slice_draft *draft, const uint8_t *packed,
                                size_t packed_bytes, uint64_t start_ns, uint64_t end_ns);

/* Whether bytes from outside are entries: bounds, order, and ids below STACKS and THREADS. */
bool slice_check(const uint8_t *packed, size_t packed_bytes, uint32_t stacks, uint32_t threads);

struct slice *slice_ref(const struct slice *slice);
void slice_unref(struct slice *slice);

const uint8_t *slice_packed(const struct slice *slice, size_t *size_bytes);
const struct lane_sum *slice_lanes(const struct slice *slice, uint32_t *count);
uint32_t slice_other_parts(const struct slice *slice);
size_t slice_bytes(const struct slice *slice);

/* Counts up with every slice that enters a history: what is newer than what was seen. */
uint64_t slice_serial(const struct slice *slice);
void slice_set_serial(struct slice *slice, uint64_t serial); /* before it is shared */

/* Walking by groups: the entries of a group share state, metric, reason, gil and system call. */
bool slice_next_group(struct slice_walk *walk);
void slice_skip_group(struct slice_walk *walk);

#endif
