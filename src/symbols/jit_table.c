/* SPDX-License-Identifier: MIT */
/*
 * New codes wait in arrival order and are laid over the live ranges when somebody asks.  Laying a
 * sorted list over another is one pass; the list of the new ones is made by laying their younger
 * half over their older half, and so on down.
 */
#include "config.h"

#include "jit_table.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"

enum { CODES_MAX = 1 << 22 };

struct live {
    uint64_t start, end;
    uint32_t number;
};

struct lives {
    struct live *items;
    size_t count, capacity;
};

struct jit_table {
    struct jit_code *codes;
    size_t count, capacity;
    size_t merged; /* codes below this number are in live */
    struct lives live;
};

struct jit_table *jit_table_new(void)
{
    return xcalloc(1, sizeof(struct jit_table));
}

void jit_table_free(struct jit_table *table)
{
    if (table == NULL)
        return;
    free(table->codes);
    free(table->live.items);
    free(table);
}

void jit_table_add(struct jit_table *table, const struct jit_code *code)
{
    if (code->size == 0 || code->start + code->size < code->start || table->count >= CODES_MAX)
        return;
    table->codes =
        array_reserve(table->codes, &table->capacity, table->count + 1, sizeof(*table->codes));
    table->codes[table->count++] = *code;
}

void jit_table_move(struct jit_table *table, uint64_t start, uint64_t new_start)
{
    uint32_t number = jit_table_find(table, start);

    if (number != JIT_NONE && table->codes[number].start == start) {
        struct jit_code code = table->codes[number];

        code.start = new_start;
        jit_table_add(table, &code);
    }
}

static void push(struct lives *lives, uint64_t start, uint64_t end, uint32_t number)
{
    if (start >= end)
        return;
    lives->items =
        array_reserve(lives->items, &lives->capacity, lives->count + 1, sizeof(*lives->items));
    lives->items[lives->count++] = (struct live){ start, end, number };
}

/* What is left of OLD where nothing of NEW is, and NEW; frees both. */
static struct lives lay_over(struct lives old, struct lives new)
{
    struct lives result = { 0 };
    size_t j = 0;

    for (size_t i = 0; i < old.count; i++) {
        struct live left = old.items[i];

        for (; j < new.count &&new.items[j].start < left.end; j++) {
            const struct live *over = &new.items[j];

            push(&result, left.start, over->start < left.end ? over->start : left.end, left.number);
            if (left.start < over->end)
                left.start = over->end;
            if (over->end > left.end)
                break; /* it may cover the next as well */
            push(&result, over->start, over->end, over->number);
        }
        push(&result, left.start, left.end, left.number);
    }
    for (; j < new.count; j++)
        push(&result, new.items[j].start, new.items[j].end, new.items[j].number);
    free(old.items);
    free(new.items);
    return result;
}

/* The codes [FIRST, END) of TABLE as ranges. */
static struct lives lay_out(const struct jit_table *table, size_t first, size_t end)
{
    struct lives result = { 0 };
    size_t middle = first + (end - first) / 2;

    if (end - first > 1)
        return lay_over(lay_out(table, first, middle), lay_out(table, middle, end));
    push(&result, table->codes[first].start, table->codes[first].start + table->codes[first].size,
         (uint32_t)first);
    return result;
}

uint32_t jit_table_find(struct jit_table *table, uint64_t address)
{
    size_t low = 0, high;

    if (table->merged < table->count) {
        table->live = lay_over(table->live, lay_out(table, table->merged, table->count));
        table->merged = table->count;
    }
    high = table->live.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->live.items[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == table->live.count || address < table->live.items[low].start)
        return JIT_NONE;
    return table->live.items[low].number;
}

const struct jit_code *jit_table_get(const struct jit_table *table, uint32_t number)
{
    return number < table->count ? &table->codes[number] : NULL;
}

uint32_t jit_table_count(const struct jit_table *table)
{
    return (uint32_t)table->count;
}

size_t jit_table_bytes(const struct jit_table *table)
{
    return sizeof(*table) + table->capacity * sizeof(*table->codes) +
           table->live.capacity * sizeof(*table->live.items);
}
