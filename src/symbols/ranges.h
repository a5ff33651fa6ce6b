/* SPDX-License-Identifier: MIT */
/*
 * Ranges of addresses, each with a number: sorted, none overlapping, 16 bytes each.
 *
 *     added          1 [10,90)   2 [20,40)   3 [20,40)
 *     after finish   1 [10,20)   2 [20,40)   1 [40,90)
 *
 * Where one begins inside another it wins, as it lies closer; where it ends the outer one goes on.
 * Built by one thread, then constant.
 */
#ifndef SYMBOLS_RANGES_H
#define SYMBOLS_RANGES_H

#include <stddef.h>
#include <stdint.h>

#include "shortcut.h"

struct range {
    uint64_t start;
    uint32_t size;
    uint32_t value;
};

struct ranges_candidate {
    uint64_t start, end;
    uint32_t value, rank; /* RANK is for PREFER below only */
};

/* Which of two values of one and the same range stays: below 0 A, above 0 B. */
typedef int ranges_prefer(const void *context, const struct ranges_candidate *a,
                          const struct ranges_candidate *b);

struct ranges {
    struct ranges_candidate *candidates; /* until finished */
    size_t candidates_count, candidates_capacity;
    struct range *items;
    size_t count, capacity;
    struct shortcut shortcut; /* into items, once finished */
};

void ranges_init(struct ranges *ranges);
void ranges_fini(struct ranges *ranges);

/* [START, END) is VALUE.  An empty one is left out. */
void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end, uint32_t value, uint32_t rank);
/* No more will be added. */
void ranges_finish(struct ranges *ranges, ranges_prefer *prefer, const void *context);

/* The one that holds ADDRESS, or NULL. */
const struct range *ranges_find(const struct ranges *ranges, uint64_t address);

size_t ranges_bytes(const struct ranges *ranges);

#endif
