/* SPDX-License-Identifier: MIT */
/*
 * Reading numbers out of untrusted bytes: a read past the end gives 0 and marks the cursor failed,
 * so that a parser may read on and look once at the end.
 */
#ifndef PROFTOP_UNWIND_CURSOR_H
#define PROFTOP_UNWIND_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
    const uint8_t *at, *end;
    bool failed;
};

static inline size_t cursor_left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static inline void cursor_read(struct cursor *cursor, void *to, size_t size)
{
    if (cursor_left(cursor) < size) {
        cursor->failed = true;
        cursor->at = cursor->end;
        memset(to, 0, size);
        return;
    }
    memcpy(to, cursor->at, size);
    cursor->at += size;
}

static inline void cursor_skip(struct cursor *cursor, uint64_t size)
{
    if (cursor_left(cursor) < size) {
        cursor->failed = true;
        cursor->at = cursor->end;
        return;
    }
    cursor->at += size;
}

static inline uint8_t cursor_u8(struct cursor *cursor)
{
    uint8_t value;

    cursor_read(cursor, &value, sizeof(value));
    return value;
}

static inline uint16_t cursor_u16(struct cursor *cursor)
{
    uint16_t value;

    cursor_read(cursor, &value, sizeof(value));
    return value;
}

static inline uint32_t cursor_u32(struct cursor *cursor)
{
    uint32_t value;

    cursor_read(cursor, &value, sizeof(value));
    return value;
}

static inline uint64_t cursor_u64(struct cursor *cursor)
{
    uint64_t value;

    cursor_read(cursor, &value, sizeof(value));
    return value;
}

/* LEB128: seven bits a byte, the lowest first.  Bits beyond 64 are dropped. */
static inline uint64_t cursor_uleb(struct cursor *cursor)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = cursor_u8(cursor);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return value;
}

static inline int64_t cursor_sleb(struct cursor *cursor)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = cursor_u8(cursor);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (shift < 64 && (byte & 0x40))
        value |= ~UINT64_C(0) << shift;
    return (int64_t)value;
}

#endif
