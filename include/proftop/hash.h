/* SPDX-License-Identifier: MIT */
/* Hashes for our own tables: fast, the same on every machine, not for secrets. */
#ifndef PROFTOP_HASH_H
#define PROFTOP_HASH_H

#include <stddef.h>
#include <stdint.h>

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

/* FNV-1a. */
static inline uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t size_bytes)
{
    const unsigned char *at = bytes;
    uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size_bytes; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
