/* SPDX-License-Identifier: MIT */
/*
 * Sorting many things by a number: their keys are sorted, with the place of each thing beside it.
 * Stable; linear in their count.
 */
#ifndef PROFTOP_SORTING_H
#define PROFTOP_SORTING_H

#include <stddef.h>
#include <stdint.h>

struct sort_key {
    uint64_t key;
    uint32_t item;
};

/* For falling numbers a key is the largest of them less the number. */
void sort_keys(struct sort_key *keys, size_t count);

#endif
