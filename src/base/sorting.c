/* SPDX-License-Identifier: MIT */
/*
 * Radix sort, lowest digit first, over as many digits as the largest key has.  A few keys are
 * sorted by insertion, where counting digits would cost more.
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

/* Distributes FROM to TO by the digit at SHIFT; false when all have the same one. */
static int sort_digit(const struct sort_key *from, struct sort_key *to, size_t count,
                      unsigned shift)
{
    size_t first[DIGITS] = { 0 }, at = 0;

    for (size_t i = 0; i < count; i++)
        first[from[i].key >> shift & (DIGITS - 1)]++;
    if (first[from[0].key >> shift & (DIGITS - 1)] == count)
        return 0;
    for (unsigned i = 0; i < DIGITS; i++) {
        size_t here = first[i];

        first[i] = at;
        at += here;
    }
    for (size_t i = 0; i < count; i++)
        to[first[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
    return 1;
}

void sort_keys(struct sort_key *keys, size_t count, uint64_t largest)
{
    struct sort_key *from = keys, *to, *scratch;

    if (count <= FEW) {
        sort_few(keys, count);
        return;
    }
    to = scratch = xmalloc(count * sizeof(*scratch));
    for (unsigned shift = 0; shift < 64 && largest >> shift != 0; shift += DIGIT_BITS) {
        if (sort_digit(from, to, count, shift)) {
            struct sort_key *swap = from;

            from = to;
            to = swap;
        }
    }
    if (from != keys)
        memcpy(keys, from, count * sizeof(*keys));
    free(scratch);
}
