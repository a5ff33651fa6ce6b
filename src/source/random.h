/* SPDX-License-Identifier: MIT */
/* Numbers against lockstep with what a target does periodically; nobody has to be surprised. */
#ifndef PROFTOP_SOURCE_RANDOM_H
#define PROFTOP_SOURCE_RANDOM_H

#include <stdint.h>

/* The next one after *STATE, which is never 0 (xorshift64). */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

#endif
