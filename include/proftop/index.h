/* SPDX-License-Identifier: MIT */
/*
 * A hash index over a table of someone else's: open addressing, hash → item number.  The owner of
 * the table compares; the index only proposes.
 *
 *     for (index_probe(&index, hash, &cursor); (item = index_next(&index, &cursor)) != INDEX_END;)
 *         if (equal(table[item], wanted))
 *             return item;
 */
#ifndef PROFTOP_INDEX_H
#define PROFTOP_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define INDEX_END UINT32_MAX

struct index_slot {
    uint32_t tag, item;
};

struct index {
    struct index_slot *slots;
    uint32_t mask, count;
};

struct index_cursor {
    uint32_t tag, at;
};

void index_init(struct index *index);
void index_fini(struct index *index);
void index_add(struct index *index, uint64_t hash, uint32_t item);
void index_probe(const struct index *index, uint64_t hash, struct index_cursor *cursor);
uint32_t index_next(const struct index *index, struct index_cursor *cursor);
size_t index_bytes(const struct index *index);

#endif
