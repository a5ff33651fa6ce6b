/* SPDX-License-Identifier: MIT */
/* An open hash table; a slot is claimed, filled, and then shown. */
#include "config.h"

#include "learned.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "proftop/memory.h"

enum { SLOTS = 512, PROBES = 8 };

/* A slot's key is its offset + SHOWN. */
enum { FREE, CLAIMED, SHOWN };

struct slot {
    _Atomic uint64_t key;
    struct rule rule;
};

struct learned {
    _Atomic(struct slot *) slots; /* NULL: none yet */
};

struct learned *learned_new(void)
{
    return xcalloc(1, sizeof(struct learned));
}

void learned_free(struct learned *learned)
{
    if (learned != NULL)
        free(atomic_load(&learned->slots));
    free(learned);
}

size_t learned_bytes(const struct learned *learned)
{
    return sizeof(*learned) +
           (atomic_load(&learned->slots) != NULL ? SLOTS * sizeof(struct slot) : 0);
}

static uint32_t first_slot(uint32_t offset)
{
    return offset * UINT32_C(0x9e3779b1) >> 16;
}

const struct rule *learned_find(const struct learned *learned, uint32_t offset)
{
    struct slot *slots = atomic_load_explicit(&learned->slots, memory_order_acquire);

    for (uint32_t i = 0; slots != NULL && i < PROBES; i++) {
        struct slot *slot = &slots[(first_slot(offset) + i) % SLOTS];
        uint64_t key = atomic_load_explicit(&slot->key, memory_order_acquire);

        if (key == (uint64_t)offset + SHOWN)
            return &slot->rule;
        if (key == FREE)
            return NULL;
    }
    return NULL;
}

static struct slot *slots_of(struct learned *learned)
{
    struct slot *slots = atomic_load_explicit(&learned->slots, memory_order_acquire),
                *others = NULL;

    if (slots != NULL)
        return slots;
    slots = xcalloc(SLOTS, sizeof(*slots));
    if (atomic_compare_exchange_strong(&learned->slots, &others, slots))
        return slots;
    free(slots);
    return others;
}

void learned_add(struct learned *learned, uint32_t offset, const struct rule *rule)
{
    struct slot *slots = slots_of(learned);

    if (learned_find(learned, offset) != NULL)
        return;
    for (uint32_t i = 0; i < PROBES; i++) {
        struct slot *slot = &slots[(first_slot(offset) + i) % SLOTS];
        uint64_t key = FREE;

        if (!atomic_compare_exchange_strong(&slot->key, &key, CLAIMED))
            continue;
        slot->rule = *rule;
        atomic_store_explicit(&slot->key, (uint64_t)offset + SHOWN, memory_order_release);
        return;
    }
}
