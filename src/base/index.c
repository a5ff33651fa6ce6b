/* SPDX-License-Identifier: MIT */
/* A hash index: linear probing, the slot's tag holds the hash's high half so that growing needs no
 * rehash. */
#include "config.h"

#include "proftop/index.h"

#include <stdlib.h>

#include "proftop/memory.h"

enum { FIRST_SLOTS = 64 };

void index_init(struct index *index)
{
    *index = (struct index){ 0 };
}

void index_fini(struct index *index)
{
    free(index->slots);
    index_init(index);
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static void place(struct index *index, uint32_t tag, uint32_t item)
{
    uint32_t at = tag & index->mask;

    while (index->slots[at].item != INDEX_END)
        at = (at + 1) & index->mask;
    index->slots[at] = (struct index_slot){ tag, item };
}

static void grow(struct index *index)
{
    struct index old = *index;
    uint32_t size = old.slots != NULL ? (old.mask + 1) * 2 : FIRST_SLOTS;

    index->slots = xmalloc((size_t)size * sizeof(*index->slots));
    index->mask = size - 1;
    for (uint32_t i = 0; i < size; i++)
        index->slots[i].item = INDEX_END;
    if (old.slots == NULL)
        return;
    for (uint32_t i = 0; i <= old.mask; i++) {
        if (old.slots[i].item != INDEX_END)
            place(index, old.slots[i].tag, old.slots[i].item);
    }
    free(old.slots);
}

void index_add(struct index *index, uint64_t hash, uint32_t item)
{
    if (index->slots == NULL || (uint64_t)index->count * 4 >= (uint64_t)(index->mask + 1) * 3)
        grow(index);
    place(index, tag_of(hash), item);
    index->count++;
}

void index_probe(const struct index *index, uint64_t hash, struct index_cursor *cursor)
{
    cursor->tag = tag_of(hash);
    cursor->at = cursor->tag & index->mask;
}

uint32_t index_next(const struct index *index, struct index_cursor *cursor)
{
    if (index->slots == NULL)
        return INDEX_END;
    for (;;) {
        struct index_slot slot = index->slots[cursor->at];

        if (slot.item == INDEX_END)
            return INDEX_END;
        cursor->at = (cursor->at + 1) & index->mask;
        if (slot.tag == cursor->tag)
            return slot.item;
    }
}

size_t index_bytes(const struct index *index)
{
    return index->slots != NULL ? (size_t)(index->mask + 1) * sizeof(*index->slots) : 0;
}
