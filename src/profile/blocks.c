/* SPDX-License-Identifier: MIT */
/*
 * Cells lie in one array, block after block.  While a block is the newest, an index finds the cell
 * of a stack that occurs again in it.
 *
 *     blocks  [0: first 0, 2 cells] [1: first 2, 3 cells] …
 *     cells   | s7 | s9 | s7 | s8 | s12 | …
 *
 * The functions of stacks lie in one array too; a stack whose functions are set again gets a new
 * place in it, unless the old one is large enough.
 */
#include "config.h"

#include "proftop/blocks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "block_terms.h"
#include "proftop/memory.h"

struct functions_place {
    uint32_t first, count;
};

struct blocks {
    struct block *list;
    size_t count, capacity;
    struct block_cell *cells;
    size_t cell_count, cell_capacity;
    uint32_t *latest; /* by stack: its newest cell + 1; only right when inside the newest block */
    size_t latest_count, latest_capacity;
    struct functions_place *places; /* by stack */
    size_t place_count, place_capacity;
    function_id *functions;
    size_t function_count, function_capacity;
    struct block_terms *turned[2]; /* by self, by total; NULL: to be made */
};

struct blocks *blocks_new(void)
{
    return xcalloc(1, sizeof(struct blocks));
}

/* What was made from the table is out of date. */
static void changed(struct blocks *blocks)
{
    for (int i = 0; i < 2; i++) {
        block_terms_free(blocks->turned[i]);
        blocks->turned[i] = NULL;
    }
}

void blocks_free(struct blocks *blocks)
{
    if (blocks == NULL)
        return;
    changed(blocks);
    free(blocks->list);
    free(blocks->cells);
    free(blocks->latest);
    free(blocks->places);
    free(blocks->functions);
    free(blocks);
}

void blocks_clear(struct blocks *blocks)
{
    blocks->count = 0;
    blocks->cell_count = 0;
    blocks->latest_count = 0;
    blocks_forget_functions(blocks);
}

void blocks_begin(struct blocks *blocks, uint64_t start_ns, uint64_t end_ns)
{
    struct block *block;

    changed(blocks);
    blocks->list =
        array_reserve(blocks->list, &blocks->capacity, blocks->count + 1, sizeof(*blocks->list));
    block = &blocks->list[blocks->count++];
    *block = (struct block){ .start_ns = start_ns,
                             .end_ns = end_ns,
                             .first = (uint32_t)blocks->cell_count };
}

/* The place in LATEST of STACK. */
static uint32_t *latest_of(struct blocks *blocks, uint32_t stack)
{
    size_t wanted = (size_t)stack + 1;

    if (wanted > blocks->latest_count) {
        blocks->latest = array_reserve(blocks->latest, &blocks->latest_capacity, wanted,
                                       sizeof(*blocks->latest));
        memset(blocks->latest + blocks->latest_count, 0,
               (wanted - blocks->latest_count) * sizeof(*blocks->latest));
        blocks->latest_count = wanted;
    }
    return &blocks->latest[stack];
}

/* Adds CELL to BLOCK, which is the newest, its cells being the last ones. */
static void add_cell(struct blocks *blocks, struct block *block, const struct block_cell *cell)
{
    uint32_t *latest = latest_of(blocks, cell->stack);

    if (*latest > block->first && *latest <= blocks->cell_count &&
        blocks->cells[*latest - 1].stack == cell->stack) {
        blocks->cells[*latest - 1].weight += cell->weight;
        blocks->cells[*latest - 1].samples += cell->samples;
        return;
    }
    blocks->cells = array_reserve(blocks->cells, &blocks->cell_capacity, blocks->cell_count + 1,
                                  sizeof(*blocks->cells));
    blocks->cells[blocks->cell_count++] = *cell;
    block->cells++;
    *latest = (uint32_t)blocks->cell_count;
}

void blocks_add(struct blocks *blocks, uint32_t stack, uint64_t weight, uint32_t samples)
{
    struct block *block;

    assert(blocks->count > 0);
    changed(blocks);
    block = &blocks->list[blocks->count - 1];
    block->weight += weight;
    block->samples += samples;
    add_cell(blocks, block,
             &(struct block_cell){ .stack = stack, .samples = samples, .weight = weight });
}

void blocks_extend(struct blocks *blocks, uint64_t end_ns)
{
    assert(blocks->count > 0);
    if (end_ns > blocks->list[blocks->count - 1].end_ns)
        blocks->list[blocks->count - 1].end_ns = end_ns;
}

/*
 * Works in place: merged cells never outrun the ones still to be read.  LATEST is rebuilt on the
 * way, because add_cell() looks only at cells of the block being made.
 */
void blocks_merge(struct blocks *blocks, uint32_t factor)
{
    size_t count = blocks->count;

    changed(blocks);
    blocks->count = 0;
    blocks->cell_count = 0;
    if (blocks->latest_count > 0)
        memset(blocks->latest, 0, blocks->latest_count * sizeof(*blocks->latest));
    for (size_t i = 0; i < count; i++) {
        struct block old = blocks->list[i];
        struct block *block;

        if (i % factor == 0)
            blocks_begin(blocks, old.start_ns, old.end_ns);
        block = &blocks->list[blocks->count - 1];
        block->end_ns = old.end_ns;
        block->weight += old.weight;
        block->samples += old.samples;
        for (uint32_t k = 0; k < old.cells; k++) {
            struct block_cell cell = blocks->cells[old.first + k];

            add_cell(blocks, block, &cell);
        }
    }
}

void blocks_set_functions(struct blocks *blocks, uint32_t stack, const function_id *functions,
                          uint32_t count)
{
    struct functions_place *place;

    changed(blocks);
    if (stack >= blocks->place_count) {
        blocks->places = array_reserve(blocks->places, &blocks->place_capacity, (size_t)stack + 1,
                                       sizeof(*blocks->places));
        memset(blocks->places + blocks->place_count, 0,
               ((size_t)stack + 1 - blocks->place_count) * sizeof(*blocks->places));
        blocks->place_count = (size_t)stack + 1;
    }
    place = &blocks->places[stack];
    if (count > place->count) {
        blocks->functions =
            array_reserve(blocks->functions, &blocks->function_capacity,
                          blocks->function_count + count, sizeof(*blocks->functions));
        place->first = (uint32_t)blocks->function_count;
        blocks->function_count += count;
    }
    place->count = count;
    if (count > 0)
        memcpy(blocks->functions + place->first, functions, count * sizeof(*functions));
}

uint32_t blocks_stacks(const struct blocks *blocks)
{
    return (uint32_t)blocks->place_count;
}

void blocks_forget_functions(struct blocks *blocks)
{
    changed(blocks);
    blocks->place_count = 0;
    blocks->function_count = 0;
}

uint32_t blocks_count(const struct blocks *blocks)
{
    return (uint32_t)blocks->count;
}

size_t blocks_cell_count(const struct blocks *blocks)
{
    return blocks->cell_count;
}

const struct block *blocks_get(const struct blocks *blocks, uint32_t index)
{
    assert(index < blocks->count);
    return &blocks->list[index];
}

const struct block_cell *blocks_cells(const struct blocks *blocks, const struct block *block)
{
    return blocks->cells + block->first;
}

const function_id *blocks_functions(const struct blocks *blocks, uint32_t stack, uint32_t *count)
{
    if (stack >= blocks->place_count || blocks->places[stack].count == 0) {
        *count = 0;
        return NULL;
    }
    *count = blocks->places[stack].count;
    return blocks->functions + blocks->places[stack].first;
}

uint32_t blocks_at(const struct blocks *blocks, uint64_t time_ns)
{
    size_t low = 0, high = blocks->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (blocks->list[middle].end_ns > time_ns)
            high = middle;
        else
            low = middle + 1;
    }
    return (uint32_t)low;
}

const struct block_terms *blocks_terms(struct blocks *blocks, bool total)
{
    if (blocks->turned[total] == NULL)
        blocks->turned[total] = block_terms_new(blocks, total);
    return blocks->turned[total];
}

size_t blocks_bytes(const struct blocks *blocks)
{
    return blocks->capacity * sizeof(*blocks->list) +
           blocks->cell_capacity * sizeof(*blocks->cells) +
           blocks->latest_capacity * sizeof(*blocks->latest) +
           blocks->place_capacity * sizeof(*blocks->places) +
           blocks->function_capacity * sizeof(*blocks->functions);
}
