/* SPDX-License-Identifier: MIT */
/*
 * Integers in as few bytes as they need: seven bits a byte, lowest first, the top bit says that
 * more follow.  Inline, because a wide range decodes millions of them for one redraw.
 */
#ifndef PROFTOP_VARINT_H
#define PROFTOP_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VARINT_MAX = 10 }; /* bytes of the longest */

/* Writes VALUE at AT, where VARINT_MAX bytes are free; the place behind it. */
static inline uint8_t *varint_put(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* Reads from bytes that we wrote ourselves or have checked. */
static inline const uint8_t *varint_take(const uint8_t *at, uint64_t *value)
{
    uint64_t sum = *at & 0x7f;

    for (unsigned shift = 7; *at++ & 0x80; shift += 7)
        sum |= (uint64_t)(*at & 0x7f) << shift;
    *value = sum;
    return at;
}

/* Reads from bytes that nobody has checked: false past END or above 64 bits. */
static inline bool varint_read(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    uint64_t sum = 0;

    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;

        if (shift == 63 && byte > 1)
            return false;
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *value = sum;
            return true;
        }
    }
    return false;
}

/* Small negative numbers become small positive ones. */
static inline uint64_t varint_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline int64_t varint_zagzig(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

#endif
