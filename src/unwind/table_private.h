/* SPDX-License-Identifier: MIT */
/* What table.c (looking up) and table_build.c (building) share. */
#ifndef PROFTOP_UNWIND_TABLE_PRIVATE_H
#define PROFTOP_UNWIND_TABLE_PRIVATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "table.h"

/* Names every table gives. */
enum {
    RULE_NAME_NONE,   /* nothing is known */
    RULE_NAME_ASK,    /* libunwind may know */
    RULE_NAME_END,    /* the outermost frame */
    RULE_NAME_SIGNAL, /* the kernel's signal frame */
    RULE_NAME_FRAME,  /* a frame pointer is kept */
    RULE_NAMES_FIXED
};

struct table {
    unsigned machine;
    const struct module *module; /* or NULL */
    uint64_t code_bytes;
    uint64_t entry;  /* where the program starts, an offset; 0: nowhere */
    uint32_t count;  /* of rows */
    uint32_t first;  /* keys[0] */
    uint32_t *keys;  /* sorted */
    uint16_t *names; /* into rules, one a row */
    struct rule *rules;
    uint32_t rule_count;
    uint32_t *pages; /* page_count + 1 of them, into keys */
    uint32_t page_count;
    unsigned shift;
    _Atomic uint64_t *cache; /* (offset << 1 | exact) << 16 | name */
    uint32_t cache_mask;
    struct learned *learned;
};

/* Makes the index and the cache once keys, names and rules are there. */
void table_finish(struct table *table);

/* Spreads return addresses, which differ in few bits, over the cache. */
static inline uint32_t hash_u32(uint32_t x)
{
    return (x * UINT32_C(0x9e3779b1)) >> 12;
}

/* What table_find() would give, where it was asked for the same lately; else NULL. */
static inline const struct rule *table_cached(const struct table *table, uint64_t offset,
                                              bool exact)
{
    uint32_t key = (uint32_t)(offset - !exact);
    uint64_t entry = atomic_load_explicit(&table->cache[hash_u32(key) & table->cache_mask],
                                          memory_order_relaxed);

    return entry >> 16 == (offset << 1 | exact) ? &table->rules[entry & UINT16_MAX] : NULL;
}

#endif
