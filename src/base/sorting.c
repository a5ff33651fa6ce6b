/* SPDX-License-Identifier: MIT */
/*
 * Radix sort, lowest digit first, over the digits in which keys differ.  A few keys are sorted by
 * insertion, where counting digits would cost more.
 */
#include "config.h"

#include "proftop/sorting.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, FEW = 48 };

static void sort_few(struct sort_key *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct sort_key key = keys[i];
        size_t at = i;

        for (; at > 0 && keys[at - 1].key > key.key; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

/* Distributes FROM to TO by the digit at SHIFT. */
static void sort_digit(const struct sort_key *from, struct sort_key *to, size_t count,
                       unsigned shift)
{
    size_t first[DIGITS] = { 0 }, at = 0;

    for (size_t i = 0; i < count; i++)
        first[from[i].key >> shift & (DIGITS - 1)]++;
    for (unsigned i = 0; i < DIGITS; i++) {
        size_t here = first[i];

        first[i] = at;
        at += here;
    }
    for (size_t i = 0; i < count; i++)
        to[first[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
}

void sort_keys(struct sort_key *keys, size_t count)
{
    struct sort_key *from = keys, *to, *scratch;
    uint64_t differing = 0;

    if (count <= FEW) {
        sort_few(keys, count);
        return;
    }
    for (size_t i = 1; i < count; i++)
        differing |= keys[i].key ^ keys[0].key;
    to = scratch = xmalloc(count * sizeof(*scratch));
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
        struct sort_key *swap = from;

        if ((differing >> shift & (DIGITS - 1)) == 0)
            continue;
        sort_digit(from, to, count, shift);
        from = to;
        to = swap;
    }
    if (from != keys)
        memcpy(keys, from, count * sizeof(*keys));
    free(scratch);
}
