/* SPDX-License-Identifier: MIT */
/* Spans: lists of slices of one minute at several levels of detail. */
#include "config.h"

#include "span.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/memory.h"

struct span *span_new(uint64_t start_ns, uint64_t end_ns)
{
    struct span *span = xcalloc(1, sizeof(*span));

    atomic_init(&span->refs, 1);
    span->start_ns = start_ns;
    span->end_ns = end_ns;
    for (unsigned i = 0; i < LEVELS; i++) {
        span->levels[i].held = i == LEVEL_FINE || i == LEVEL_WHOLE;
        span->levels[i].until_ns = start_ns;
    }
    span->levels[LEVEL_FINE].until_ns = end_ns;
    return span;
}

struct span *span_ref(struct span *span)
{
    atomic_fetch_add_explicit(&span->refs, 1, memory_order_relaxed);
    return span;
}

void span_unref(struct span *span)
{
    if (atomic_fetch_sub_explicit(&span->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < LEVELS; i++)
        level_drop(&span->levels[i]);
    free(span);
}

bool span_shared(const struct span *span)
{
    return atomic_load_explicit(&span->refs, memory_order_acquire) > 1;
}

struct span *span_clone(const struct span *span)
{
    struct span *clone = span_new(span->start_ns, span->end_ns);

    clone->max_serial = span->max_serial;
    clone->bytes = span->bytes;
    for (unsigned i = 0; i < LEVELS; i++) {
        const struct level *from = &span->levels[i];
        struct level *to = &clone->levels[i];

        *to = (struct level){ .until_ns = from->until_ns, .held = from->held };
        to->slices = array_reserve(NULL, &to->capacity, from->count, sizeof(struct slice *));
        for (size_t k = 0; k < from->count; k++)
            to->slices[to->count++] = slice_ref(from->slices[k]);
    }
    return clone;
}

size_t span_bytes(const struct span *span)
{
    size_t bytes = sizeof(*span);

    for (unsigned i = 0; i < LEVELS; i++) {
        const struct level *level = &span->levels[i];

        bytes += level->capacity * sizeof(struct slice *);
        for (size_t k = 0; k < level->count; k++)
            bytes += slice_bytes(level->slices[k]);
    }
    return bytes;
}

uint64_t span_unit_ns(const struct span *span, unsigned level, uint64_t slice_ns)
{
    switch (level) {
    case LEVEL_FINE:
        return slice_ns;
    case LEVEL_SECOND:
        return NS_PER_S;
    case LEVEL_TENTH_MINUTE:
        return 10 * NS_PER_S;
    default:
        return span->end_ns - span->start_ns;
    }
}

/* ---- levels ---------------------------------------------------------------------------------- */

size_t level_find(const struct level *level, uint64_t time_ns)
{
    size_t low = 0, high = level->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (slice_start_ns(level->slices[middle]) < time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void level_insert(struct level *level, struct slice *slice)
{
    uint64_t start_ns = slice_start_ns(slice);
    size_t at = level->count;

    if (at > 0 && slice_start_ns(level->slices[at - 1]) > start_ns)
        at = level_find(level, start_ns + 1);
    level->slices =
        array_reserve(level->slices, &level->capacity, level->count + 1, sizeof(struct slice *));
    memmove(&level->slices[at + 1], &level->slices[at],
            (level->count - at) * sizeof(struct slice *));
    level->slices[at] = slice;
    level->count++;
}

void level_drop(struct level *level)
{
    for (size_t i = 0; i < level->count; i++)
        slice_unref(level->slices[i]);
    free(level->slices);
    *level = (struct level){ .until_ns = level->until_ns };
}

/* ---- spans ---------------------------------------------------------------------------------- */

void span_add(struct span *span, struct slice *slice)
{
    uint64_t start_ns = slice_start_ns(slice);

    if (slice_serial(slice) > span->max_serial)
        span->max_serial = slice_serial(slice);
    for (unsigned i = 0; i < LEVELS; i++) {
        struct level *level = &span->levels[i];

        if (level->held && start_ns < level->until_ns)
            level_insert(level, slice_ref(slice));
    }
    slice_unref(slice);
}

void span_add_coarse(struct span *span, unsigned level, struct slice *slice)
{
    struct level *to = &span->levels[level];

    for (unsigned i = 0; i < level; i++) {
        struct level *from = &span->levels[i];

        for (size_t k = 0; k < from->count && from->held; k++)
            level_insert(to, slice_ref(from->slices[k]));
        level_drop(from);
    }
    to->held = true;
    to->until_ns = span->end_ns;
    span_add(span, slice);
}

static unsigned finest(const struct span *span)
{
    unsigned level = LEVEL_FINE;

    while (level < LEVEL_WHOLE && !span->levels[level].held)
        level++;
    return level;
}

static void merge_unit(struct level *level, const struct level *source, uint64_t start_ns,
                       uint64_t end_ns, struct slice_draft *scratch)
{
    size_t first = level_find(source, start_ns), last = level_find(source, end_ns);

    if (first == last)
        return;
    for (size_t i = first; i < last; i++)
        draft_add_slice(scratch, source->slices[i]);
    level_insert(level, draft_seal(scratch, start_ns, end_ns));
}

/* Fills LEVEL from the finest one. */
static void merge(struct span *span, unsigned level, struct slice_draft *scratch)
{
    const struct level *source = &span->levels[finest(span)];
    struct level *to = &span->levels[level];
    uint64_t unit_ns = span_unit_ns(span, level, 0);

    for (uint64_t at_ns = span->start_ns; at_ns < span->end_ns; at_ns += unit_ns)
        merge_unit(to, source, at_ns,
                   at_ns + unit_ns < span->end_ns ? at_ns + unit_ns : span->end_ns, scratch);
    to->held = true;
    to->until_ns = span->end_ns;
}

void span_complete(struct span *span, struct slice_draft *scratch)
{
    if (span->levels[LEVEL_WHOLE].until_ns < span->end_ns)
        merge(span, LEVEL_WHOLE, scratch);
}

bool span_thin(struct span *span, struct slice_draft *scratch)
{
    unsigned level = finest(span);

    if (level == LEVEL_WHOLE || span->levels[LEVEL_WHOLE].until_ns < span->end_ns)
        return false;
    if (level + 1 < LEVEL_WHOLE)
        merge(span, level + 1, scratch);
    level_drop(&span->levels[level]);
    return true;
}
