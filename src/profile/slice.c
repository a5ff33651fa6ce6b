/* SPDX-License-Identifier: MIT */
/*
 * Slices: one allocation each, constant once sealed, and the walk over their entries.
 *
 *     | struct slice | lanes | others | syscalls | tally | packed entries |
 *
 * The tables lie in one block, each at a place aligned for it.
 */
#include "config.h"

#include "slice_private.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "proftop/varint.h"

struct slice *slice_ref(const struct slice *slice)
{
    struct slice *held = (struct slice *)slice;

    atomic_fetch_add_explicit(&held->refs, 1, memory_order_relaxed);
    return held;
}

void slice_unref(struct slice *slice)
{
    if (slice != NULL && atomic_fetch_sub_explicit(&slice->refs, 1, memory_order_acq_rel) == 1)
        free(slice);
}

uint64_t slice_start_ns(const struct slice *slice)
{
    return slice->start_ns;
}

uint64_t slice_end_ns(const struct slice *slice)
{
    return slice->end_ns;
}

uint64_t slice_serial(const struct slice *slice)
{
    return slice->serial;
}

void slice_set_serial(struct slice *slice, uint64_t serial)
{
    slice->serial = serial;
}

size_t slice_bytes(const struct slice *slice)
{
    return slice->size_bytes;
}

const struct record_tally *slice_tally(const struct slice *slice)
{
    return slice->tally;
}

const struct lane_sum *slice_lanes(const struct slice *slice, uint32_t *count)
{
    *count = slice->lane_count;
    return slice->lanes;
}

bool slice_lane(const struct slice *slice, lane_id lane, double *value)
{
    uint32_t low = 0, high = slice->lane_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (slice->lanes[middle].lane < lane)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == slice->lane_count || slice->lanes[low].lane != lane)
        return false;
    *value = slice->lanes[low].sum / slice->lanes[low].parts;
    return true;
}

const struct other_process *slice_others(const struct slice *slice, uint32_t *count)
{
    *count = slice->other_count;
    return slice->others;
}

uint32_t slice_other_parts(const struct slice *slice)
{
    return slice->other_parts;
}

const struct syscall_tally *slice_syscalls(const struct slice *slice, uint32_t *count)
{
    *count = slice->syscall_count;
    return slice->syscalls;
}

const uint8_t *slice_packed(const struct slice *slice, size_t *size_bytes)
{
    *size_bytes = slice->packed_bytes;
    return slice->packed;
}

/* ---- walking --------------------------------------------------------------------------------- */

void slice_entries(const struct slice *slice, struct slice_walk *walk)
{
    *walk = (struct slice_walk){ .at = slice->packed,
                                 .end = slice->packed + slice->packed_bytes,
                                 .group_end = slice->packed };
}

bool slice_next_group(struct slice_walk *walk)
{
    uint64_t attributes, syscall, bytes;

    if (walk->at == walk->end)
        return false;
    walk->at = varint_take(walk->at, &attributes);
    walk->at = varint_take(walk->at, &syscall);
    walk->at = varint_take(walk->at, &bytes);
    walk->group_end = walk->at + bytes;
    walk->last = (struct slice_entry){ .syscall = (int16_t)varint_zagzig(syscall) };
    attributes_unpack((uint32_t)attributes, &walk->last);
    walk->mean = 0;
    return true;
}

void slice_skip_group(struct slice_walk *walk)
{
    walk->at = walk->group_end;
}

bool slice_next_entry(struct slice_walk *walk, struct slice_entry *entry)
{
    while (walk->at == walk->group_end) {
        if (!slice_next_group(walk))
            return false;
    }
    *entry = walk->last;
    walk_entry(walk, entry);
    return true;
}

void slice_count(const struct slice *slice, uint64_t samples[METRICS])
{
    struct slice_walk walk;
    struct slice_entry entry;

    slice_entries(slice, &walk);
    while (slice_next_entry(&walk, &entry))
        if (entry.state == STATE_RUNNING && entry.metric < METRICS)
            samples[entry.metric] += entry.count;
}

enum metric driving_metric(const uint64_t samples[METRICS])
{
    enum metric most = METRIC_TIME;

    for (unsigned i = 0; i < METRICS && samples[METRIC_TIME] == 0; i++)
        if (samples[i] > samples[most])
            most = (enum metric)i;
    return most;
}

uint64_t slice_running(const struct slice *slice)
{
    uint64_t samples[METRICS] = { 0 };

    slice_count(slice, samples);
    return samples[driving_metric(samples)];
}

/* ---- checking bytes from outside ------------------------------------------------------------- */

struct checked {
    const uint8_t *at, *end;
    uint32_t stacks, threads;
};

static bool check_entry(struct checked *checked, uint64_t *stack, uint64_t *mean)
{
    uint64_t head, thread, count = 1, change = 0, weight;

    if (!varint_read(&checked->at, checked->end, &head) ||
        !varint_read(&checked->at, checked->end, &thread) || thread >= checked->threads)
        return false;
    if ((head & ENTRY_COUNTED) && !varint_read(&checked->at, checked->end, &count))
        return false;
    if ((head & ENTRY_WEIGHED) && !varint_read(&checked->at, checked->end, &change))
        return false;
    if (head >> ENTRY_SHIFT >= checked->stacks - *stack || count == 0 || count > UINT32_MAX)
        return false;
    *stack += head >> ENTRY_SHIFT;
    weight = *mean * count + (uint64_t)varint_zagzig(change);
    /* A product that wraps is harmless: the walk computes the same, and it is bounded here. */
    if (weight > ENTRY_WEIGHT_MAX)
        return false;
    if (head & ENTRY_WEIGHED)
        *mean = weight / count;
    return true;
}

bool slice_check(const uint8_t *packed, size_t packed_bytes, uint32_t stacks, uint32_t threads)
{
    const uint8_t *at = packed, *end = packed + packed_bytes;
    uint64_t attributes, syscall, bytes;

    while (at < end) {
        struct checked checked = { .stacks = stacks, .threads = threads };
        uint64_t stack = 0, mean = 0;

        if (!varint_read(&at, end, &attributes) || !varint_read(&at, end, &syscall) ||
            !varint_read(&at, end, &bytes))
            return false;
        if (!attributes_valid(attributes) || syscall > UINT16_MAX || bytes == 0 ||
            bytes > (uint64_t)(end - at))
            return false;
        checked.at = at;
        checked.end = at + bytes;
        while (checked.at < checked.end) {
            if (!check_entry(&checked, &stack, &mean))
                return false;
        }
        at = checked.end;
    }
    return true;
}
