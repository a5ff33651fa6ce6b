/* SPDX-License-Identifier: MIT */
/* Hashes for our own tables: fast, the same on every machine, not for secrets. */
#ifndef PROFTOP_HASH_H
#define PROFTOP_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One word, mixed well enough to take the low bits of. */
static inline uint64_t hash_u64(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

static inline uint64_t hash_pair(uint64_t a, uint64_t b)
{
    return hash_u64(hash_u64(a) + UINT64_C(0x9e3779b97f4a7c15) * b);
}

/* Eight at a time, the rest as FNV-1a: names are long, and each step waits for the one before. */
static inline uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t size_bytes)
{
    const unsigned char *at = bytes, *end = at + size_bytes;
    uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325), word;

    for (; (size_t)(end - at) >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0xd6e8feb86659fd93);
        hash ^= hash >> 32;
    }
    for (; at < end; at++)
        hash = (hash ^ *at) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
