/* SPDX-License-Identifier: MIT */
/*
 * The profile as a table of stacks by blocks of time: what comparing ranges, a function's seconds
 * and a lane's lift are computed from, without folding again for each range.
 *
 *     block      0        1        2     …      a block is a second, or longer in a long recording
 *     stack 7    31 ms    ·        12 ms        cells are kept by block, in order of time
 *     stack 9    ·        80 ms    3 ms
 *        └─► functions on it, the one with the self time first
 *
 * One thread at a time.
 */
#ifndef PROFTOP_BLOCKS_H
#define PROFTOP_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/names.h"

struct block {
    uint64_t start_ns, end_ns;
    uint64_t weight; /* of everything in scope */
    uint64_t samples;
    uint32_t first, cells; /* its cells */
};

struct block_cell {
    uint32_t stack; /* a stack_id, or whatever the maker counts by */
    uint32_t samples;
    uint64_t weight;
};

struct blocks;

struct blocks *blocks_new(void);
void blocks_free(struct blocks *blocks);

/* Forgets everything. */
void blocks_clear(struct blocks *blocks);

/* Begins a block after the last one; cells that follow belong to it. */
void blocks_begin(struct blocks *blocks, uint64_t start_ns, uint64_t end_ns);
void blocks_add(struct blocks *blocks, uint32_t stack, uint64_t weight, uint32_t samples);
/* The newest block grows: it now ends at END_NS. */
void blocks_extend(struct blocks *blocks, uint64_t end_ns);
/* Merges each FACTOR neighbours into one. */
void blocks_merge(struct blocks *blocks, uint32_t factor);

/* STACK's functions, the one with the self time first, none twice.  Set again when names change. */
void blocks_set_functions(struct blocks *blocks, uint32_t stack, const function_id *functions,
                          uint32_t count);
/* How many stacks have had their functions set: ids below are known. */
uint32_t blocks_stacks(const struct blocks *blocks);
/* Every stack's functions are unknown again. */
void blocks_forget_functions(struct blocks *blocks);

uint32_t blocks_count(const struct blocks *blocks);
/* Cells in all of them. */
size_t blocks_cell_count(const struct blocks *blocks);
const struct block *blocks_get(const struct blocks *blocks, uint32_t index);
const struct block_cell *blocks_cells(const struct blocks *blocks, const struct block *block);
const function_id *blocks_functions(const struct blocks *blocks, uint32_t stack, uint32_t *count);

/*
 * The table the other way round: what each function has in which blocks.
 *
 *     functions   f3       f8            those that occur at all
 *     first       0        3        5    terms[first[i]] … terms[first[i + 1]] are functions[i]'s
 *     terms       b0 b1 b7 b2 b7         by block
 */
struct block_term {
    uint32_t block, samples;
    uint64_t weight;
};

struct block_terms {
    function_id *functions;
    uint32_t *first;
    struct block_term *terms;
    uint32_t count;
};

/* By self weight, or by TOTAL.  Made when first asked for; the blocks' own until they change. */
const struct block_terms *blocks_terms(struct blocks *blocks, bool total);

/* The first block that ends after TIME_NS. */
uint32_t blocks_at(const struct blocks *blocks, uint64_t time_ns);

size_t blocks_bytes(const struct blocks *blocks);

#endif
