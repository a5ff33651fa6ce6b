/* SPDX-License-Identifier: MIT */
/*
 * From cells by block to terms by function: the sums of one block are gathered in a place a
 * function, told in order of blocks, then sorted by function, which counting does.
 */
#include "config.h"

#include "block_terms.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"

/* A term with its function, by number of appearance. */
struct told {
    uint32_t number;
    struct block_term term;
};

struct turning {
    uint32_t *number_of; /* by function_id: its number + 1 */
    size_t known, known_capacity;
    function_id *functions;  /* by number */
    struct block_term *sums; /* of the block being gathered; block: of the newest sum + 1 */
    size_t count, capacity, sum_capacity;
    uint32_t *touched; /* numbers with a sum in this block */
    size_t touched_count, touched_capacity;
    struct told *told;
    size_t told_count, told_capacity;
};

static uint32_t number_of(struct turning *turning, function_id function)
{
    size_t wanted = (size_t)function + 1;

    if (wanted > turning->known) {
        turning->number_of = array_reserve(turning->number_of, &turning->known_capacity, wanted,
                                           sizeof(*turning->number_of));
        memset(turning->number_of + turning->known, 0,
               (wanted - turning->known) * sizeof(*turning->number_of));
        turning->known = wanted;
    }
    if (turning->number_of[function] == 0) {
        turning->functions = array_reserve(turning->functions, &turning->capacity,
                                           turning->count + 1, sizeof(*turning->functions));
        turning->sums = array_reserve(turning->sums, &turning->sum_capacity, turning->count + 1,
                                      sizeof(*turning->sums));
        turning->functions[turning->count] = function;
        turning->sums[turning->count] = (struct block_term){ 0 };
        turning->number_of[function] = (uint32_t)++turning->count;
    }
    return turning->number_of[function] - 1;
}

static void gather(struct turning *turning, uint32_t block, function_id function,
                   const struct block_cell *cell)
{
    uint32_t number = number_of(turning, function);
    struct block_term *sum = &turning->sums[number];

    if (sum->block != block + 1) {
        *sum = (struct block_term){ .block = block + 1 };
        turning->touched = array_reserve(turning->touched, &turning->touched_capacity,
                                         turning->touched_count + 1, sizeof(*turning->touched));
        turning->touched[turning->touched_count++] = number;
    }
    sum->weight += cell->weight;
    sum->samples += cell->samples;
}

static void tell_block(struct turning *turning, uint32_t block)
{
    for (size_t i = 0; i < turning->touched_count; i++) {
        struct told *told;

        turning->told = array_reserve(turning->told, &turning->told_capacity,
                                      turning->told_count + 1, sizeof(*turning->told));
        told = &turning->told[turning->told_count++];
        told->number = turning->touched[i];
        told->term = turning->sums[told->number];
        told->term.block = block;
    }
    turning->touched_count = 0;
}

static struct block_terms *sort(struct turning *turning)
{
    struct block_terms *terms = xcalloc(1, sizeof(*terms));
    uint32_t *at;

    terms->count = (uint32_t)turning->count;
    terms->functions = turning->functions;
    terms->first = xcalloc(turning->count + 1, sizeof(*terms->first));
    terms->terms = xcalloc(turning->told_count + 1, sizeof(*terms->terms));
    at = xcalloc(turning->count + 1, sizeof(*at));
    for (size_t i = 0; i < turning->told_count; i++)
        terms->first[turning->told[i].number + 1]++;
    for (size_t i = 0; i < turning->count; i++) {
        terms->first[i + 1] += terms->first[i];
        at[i] = terms->first[i];
    }
    for (size_t i = 0; i < turning->told_count; i++)
        terms->terms[at[turning->told[i].number]++] = turning->told[i].term;
    free(at);
    return terms;
}

struct block_terms *block_terms_new(const struct blocks *blocks, bool total)
{
    struct turning turning = { 0 };
    struct block_terms *terms;

    for (uint32_t i = 0; i < blocks_count(blocks); i++) {
        const struct block *block = blocks_get(blocks, i);
        const struct block_cell *cells = blocks_cells(blocks, block);

        for (uint32_t k = 0; k < block->cells; k++) {
            uint32_t count;
            const function_id *functions = blocks_functions(blocks, cells[k].stack, &count);

            for (uint32_t f = 0; f < count && (f == 0 || total); f++)
                gather(&turning, i, functions[f], &cells[k]);
        }
        tell_block(&turning, i);
    }
    terms = sort(&turning);
    free(turning.number_of);
    free(turning.sums);
    free(turning.touched);
    free(turning.told);
    return terms;
}

void block_terms_free(struct block_terms *terms)
{
    if (terms == NULL)
        return;
    free(terms->functions);
    free(terms->first);
    free(terms->terms);
    free(terms);
}
