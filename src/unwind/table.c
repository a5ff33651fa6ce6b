/* SPDX-License-Identifier: MIT */
/*
 * Looking a rule up: the page names a few rows, a binary search finds the one, and a small cache by
 * address answers first, because the same return addresses come again and again.
 *
 * The cache is the only thing that changes after building.  Its entries are single words holding
 * address and answer together, so threads share it without a lock: at worst an entry is lost.
 */
#include "config.h"

#include "table.h"

#include <elf.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "image.h"
#include "learned.h"
#include "table_private.h"
#include "proftop/hash.h"
#include "proftop/memory.h"

enum {
    ROWS_PER_PAGE = 4,
    SHIFT_MIN = 4,
    CACHE_MIN = 64,
    CACHE_MAX = 4096,
    ROWS_PER_CACHED = 16,
    SPARSE_BYTES = 1024, /* compilers make a row for every 40 to 100 bytes of code */
    START_BYTES = 8,
    ENTRY_BYTES = 128, /* what _start and the dynamic linker's first steps take */
};

static const uint64_t nothing_cached = RULE_NAME_NONE; /* for the return address 0 */

/* For every page, the last row that starts at or before it. */
static void index_pages(struct table *table)
{
    uint64_t span =
        table->count > 0 ? (uint64_t)table->keys[table->count - 1] + 1 - table->first : 0;
    uint32_t row = 0;

    table->shift = SHIFT_MIN;
    while (span >> table->shift > table->count / ROWS_PER_PAGE)
        table->shift++;
    table->page_count = (uint32_t)(span >> table->shift) + 1;
    table->pages = xmalloc((table->page_count + 1) * sizeof(*table->pages));
    for (uint32_t page = 0; page < table->page_count; page++) {
        uint64_t start = (uint64_t)table->first + ((uint64_t)page << table->shift);

        while (row + 1 < table->count && table->keys[row + 1] <= start)
            row++;
        table->pages[page] = row;
    }
    table->pages[table->page_count] = table->count > 0 ? table->count - 1 : 0;
}

static void make_cache(struct table *table)
{
    uint32_t size = CACHE_MIN;

    while (size < CACHE_MAX && size < table->count / ROWS_PER_CACHED)
        size *= 2;
    table->cache_mask = size - 1;
    table->cache = xmalloc(size * sizeof(*table->cache));
    for (uint32_t i = 0; i < size; i++)
        atomic_init(&table->cache[i], nothing_cached);
}

void table_finish(struct table *table)
{
    table->first = table->count > 0 ? table->keys[0] : 0;
    index_pages(table);
    make_cache(table);
    table->learned = learned_new();
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    free(table->pages);
    free(table->keys);
    free(table->names);
    free(table->rules);
    free(table->cache);
    learned_free(table->learned);
    free(table);
}

static uint16_t search(const struct table *table, uint32_t key)
{
    uint32_t page, low, high;

    if (table->count == 0 || key < table->first)
        return RULE_NAME_NONE;
    page = (key - table->first) >> table->shift;
    if (page >= table->page_count)
        return table->names[table->count - 1];
    low = table->pages[page];
    high = table->pages[page + 1];
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;

        if (table->keys[middle] <= key)
            low = middle;
        else
            high = middle - 1;
    }
    return table->names[low];
}

/* Whether OFFSET is among the program's first SIZE bytes. */
static bool is_entry(const struct table *table, uint64_t offset, uint64_t size)
{
    return table->entry != 0 && offset >= table->entry && offset - table->entry < size;
}

/*
 * What code without rows is, as far as its instructions tell: where signal handlers return to
 * (musl, Go), or the outermost code of a program or a thread.
 */
static uint16_t discover(const struct table *table, uint64_t offset)
{
    uint8_t code[CALLS_CODE_BYTES];

    if (table->module == NULL)
        return RULE_NAME_NONE;
    if (is_entry(table, offset, ENTRY_BYTES))
        return RULE_NAME_END;
    if (image_peek(table->module, offset, code, sizeof(code)) != sizeof(code))
        return RULE_NAME_NONE;
    if (calls_is_thread_end(table->machine, code))
        return RULE_NAME_END;
    return calls_is_trampoline(table->machine, code) ? RULE_NAME_SIGNAL : RULE_NAME_NONE;
}

const struct rule *table_find(const struct table *table, uint64_t offset, bool exact)
{
    uint32_t key = (uint32_t)(exact ? offset : offset - 1);
    uint64_t wanted = offset << 1 | exact;
    _Atomic uint64_t *cached;
    uint64_t entry;
    uint16_t name;

    if (offset > UINT32_MAX)
        return &table->rules[RULE_NAME_NONE];
    cached = &table->cache[hash_u32(key) & table->cache_mask];
    entry = atomic_load_explicit(cached, memory_order_relaxed);
    if (entry >> 16 == wanted)
        return &table->rules[entry & UINT16_MAX];
    name = search(table, key);
    if (name == RULE_NAME_NONE)
        name = discover(table, offset);
    else if (is_entry(table, offset, START_BYTES))
        name = RULE_NAME_END; /* whatever it says of itself */
    atomic_store_explicit(cached, wanted << 16 | name, memory_order_relaxed);
    return &table->rules[name];
}

void table_learn_frame(const struct table *table, uint64_t offset)
{
    uint32_t key = (uint32_t)(offset - 1);

    if (offset <= UINT32_MAX)
        atomic_store_explicit(&table->cache[hash_u32(key) & table->cache_mask],
                              offset << 17 | RULE_NAME_FRAME, memory_order_relaxed);
}

const struct rule *table_learned(const struct table *table, uint64_t offset)
{
    return offset <= UINT32_MAX ? learned_find(table->learned, (uint32_t)offset) : NULL;
}

void table_learn(const struct table *table, uint64_t offset, const struct rule *rule)
{
    if (offset <= UINT32_MAX)
        learned_add(table->learned, (uint32_t)offset, rule);
}

unsigned table_machine(const struct table *table)
{
    return table->machine;
}

bool table_sparse(const struct table *table)
{
    return table->count < table->code_bytes / SPARSE_BYTES;
}

uint32_t table_rows(const struct table *table)
{
    return table->count;
}

size_t table_bytes(const struct table *table)
{
    return sizeof(*table) + (table->page_count + 1) * sizeof(*table->pages) +
           table->count * (sizeof(*table->keys) + sizeof(*table->names)) +
           table->rule_count * sizeof(*table->rules) +
           (table->cache_mask + 1) * sizeof(*table->cache) + learned_bytes(table->learned);
}
