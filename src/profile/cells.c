/* SPDX-License-Identifier: MIT */
/* Sums by key: open addressing over an array of cells. */
#include "config.h"

#include "cells.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/hash.h"
#include "proftop/memory.h"

enum { FIRST_SLOTS = 256 };

void cells_init(struct cells *cells)
{
    *cells = (struct cells){ 0 };
}

void cells_fini(struct cells *cells)
{
    free(cells->cells);
    free(cells->slots);
    cells_init(cells);
}

void cells_clear(struct cells *cells)
{
    if (cells->count == 0)
        return;
    memset(cells->slots, 0, ((size_t)cells->mask + 1) * sizeof(*cells->slots));
    cells->count = 0;
}

static void grow(struct cells *cells)
{
    size_t size = cells->slots != NULL ? ((size_t)cells->mask + 1) * 2 : FIRST_SLOTS;

    free(cells->slots);
    cells->slots = xcalloc(size, sizeof(*cells->slots));
    cells->mask = (uint32_t)(size - 1);
    for (size_t i = 0; i < cells->count; i++) {
        uint32_t at = (uint32_t)hash_u64(cells->cells[i].key) & cells->mask;

        while (cells->slots[at] != 0)
            at = (at + 1) & cells->mask;
        cells->slots[at] = (uint32_t)i + 1;
    }
}

size_t cells_add(struct cells *cells, uint64_t key, uint64_t weight, uint64_t samples)
{
    uint32_t at;

    if (cells->slots == NULL || cells->count * 2 > cells->mask)
        grow(cells);
    for (at = (uint32_t)hash_u64(key) & cells->mask; cells->slots[at] != 0;
         at = (at + 1) & cells->mask) {
        struct cell *cell = &cells->cells[cells->slots[at] - 1];

        if (cell->key == key) {
            cell->weight += weight;
            cell->samples += samples;
            return cells->slots[at] - 1;
        }
    }
    cells->cells =
        array_reserve(cells->cells, &cells->capacity, cells->count + 1, sizeof(*cells->cells));
    cells->cells[cells->count] = (struct cell){ key, weight, samples };
    cells->slots[at] = (uint32_t)++cells->count;
    return cells->count - 1;
}
