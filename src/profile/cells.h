/* SPDX-License-Identifier: MIT */
/* Sums by a 64-bit key: a hash table of cells.  One thread at a time. */
#ifndef PROFTOP_PROFILE_CELLS_H
#define PROFTOP_PROFILE_CELLS_H

#include <stddef.h>
#include <stdint.h>

struct cell {
    uint64_t key;
    uint64_t weight, samples;
};

struct cells {
    struct cell *cells; /* in the order they came */
    uint32_t *slots;    /* cell + 1, 0 when free */
    size_t count, capacity;
    uint32_t mask;
};

void cells_init(struct cells *cells);
void cells_fini(struct cells *cells);
void cells_clear(struct cells *cells);
/* Adds to the cell of KEY; the index of that cell. */
size_t cells_add(struct cells *cells, uint64_t key, uint64_t weight, uint64_t samples);

#endif
