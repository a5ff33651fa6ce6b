/* SPDX-License-Identifier: MIT */
/*
 * A shortcut into a sorted array: for each stretch of keys, where in the array it begins.  A search
 * then touches two or three cache lines, where a binary search over everything misses at each step:
 * half of the cost of a chain, measured.
 */
#ifndef SYMBOLS_SHORTCUT_H
#define SYMBOLS_SHORTCUT_H

#include <stddef.h>
#include <stdint.h>

struct shortcut {
    uint32_t *first; /* [count + 1]: the first item whose key is in this bucket or a later one */
    size_t count;
    uint64_t base; /* the lowest key */
    unsigned shift;
};

/* For COUNT items sorted by KEY. */
void shortcut_init(struct shortcut *shortcut, const void *items, size_t count,
                   uint64_t (*key)(const void *items, size_t index));
void shortcut_fini(struct shortcut *shortcut);
size_t shortcut_bytes(const struct shortcut *shortcut);

/*
 * Narrows a search for the last item whose key is KEY or below, which is one of [*LOW, *HIGH);
 * there is none when they are equal.
 */
static inline void shortcut_narrow(const struct shortcut *shortcut, uint64_t key, size_t *low,
                                   size_t *high)
{
    uint64_t at = (key - shortcut->base) >> shortcut->shift;

    *low = *high = 0;
    if (shortcut->count == 0 || key < shortcut->base)
        return;
    if (at >= shortcut->count)
        at = shortcut->count - 1;
    *low = shortcut->first[at];
    *low -= *low > 0; /* the last one of the bucket before may reach into this one */
    *high = shortcut->first[at + 1];
}

#endif
