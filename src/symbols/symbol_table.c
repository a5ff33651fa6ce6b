/* SPDX-License-Identifier: MIT */
/*
 * The sorted symbol array.  Written by hand because dwfl_module_addrinfo() scans: 1.5 ms an address
 * in node's 86,000 symbols, against 54 ns here.
 */
#include "config.h"

#include "symbol_table.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"

struct candidate {
    uint64_t start, end;
    uint32_t name;
    uint8_t binding;
};

struct symbol_table {
    char *strings;
    size_t strings_size, strings_capacity;
    struct candidate *candidates; /* while building */
    size_t candidates_count, candidates_capacity;
    struct symbol_range *ranges;
    size_t ranges_count, ranges_capacity;
};

struct symbol_table *symbol_table_new(void)
{
    return xcalloc(1, sizeof(struct symbol_table));
}

void symbol_table_free(struct symbol_table *table)
{
    if (table == NULL)
        return;
    free(table->strings);
    free(table->candidates);
    free(table->ranges);
    free(table);
}

uint32_t symbol_table_strings(struct symbol_table *table, const char *bytes, size_t size_bytes)
{
    size_t offset = table->strings_size;

    if (offset + size_bytes + 1 > UINT32_MAX)
        die("%zu bytes of symbol names", offset + size_bytes);
    /* Whole string tables come at once: no slack for the next, there rarely is one. */
    if (offset + size_bytes + 1 > table->strings_capacity) {
        size_t slack = size_bytes < 4096 ? 4096 : 0;

        table->strings_capacity = offset + size_bytes + 1 + slack;
        table->strings = xrealloc(table->strings, table->strings_capacity);
    }
    memcpy(table->strings + offset, bytes, size_bytes);
    table->strings[offset + size_bytes] = '\0';
    table->strings_size = offset + size_bytes + 1;
    return (uint32_t)offset;
}

void symbol_table_add(struct symbol_table *table, uint64_t start, uint64_t size, uint32_t name,
                      enum symbol_binding binding)
{
    if (size == 0 || start + size < start || name >= table->strings_size ||
        table->strings[name] == '\0')
        return;
    table->candidates = array_reserve(table->candidates, &table->candidates_capacity,
                                      table->candidates_count + 1, sizeof(struct candidate));
    table->candidates[table->candidates_count++] =
        (struct candidate){ start, start + size, name, (uint8_t)binding };
}

/* Leading underscores mark the name that is not for the public: __libc_read behind read. */
static int privacy(const char *name)
{
    int underscores = 0;

    if (name[0] == '_' && (name[1] == 'Z' || name[1] == 'R'))
        return 0;
    while (name[underscores] == '_')
        underscores++;
    return underscores;
}

/*
 * Which of two names of the same bytes a reader wants; negative: A.  The public one; one without a
 * version or a compiler's suffix; the more visible; the shorter.  The rest only makes it stable.
 */
static int prefer(const struct symbol_table *table, const struct candidate *a,
                  const struct candidate *b)
{
    const char *left = table->strings + a->name, *right = table->strings + b->name;
    int order = privacy(left) - privacy(right);
    size_t left_length, right_length;

    if (order != 0)
        return order;
    order = (strpbrk(left, "@.") != NULL) - (strpbrk(right, "@.") != NULL);
    if (order != 0)
        return order;
    if (a->binding != b->binding)
        return a->binding - b->binding;
    left_length = strlen(left);
    right_length = strlen(right);
    if (left_length != right_length)
        return left_length < right_length ? -1 : 1;
    return strcmp(left, right);
}

/* Sorts by start; of equal starts the longer first, so that what is inside comes after. */
static int compare(const void *left, const void *right, void *context)
{
    const struct candidate *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    return prefer(context, a, b);
}

static void push_range(struct symbol_table *table, uint64_t start, uint64_t end, uint32_t name)
{
    /* No function is that large: a table that says so is not worth more than its beginning. */
    uint64_t size = end - start < UINT32_MAX ? end - start : UINT32_MAX;

    table->ranges = array_reserve(table->ranges, &table->ranges_capacity, table->ranges_count + 1,
                                  sizeof(struct symbol_range));
    table->ranges[table->ranges_count++] = (struct symbol_range){ start, (uint32_t)size, name };
}

/*
 * One sweep from low to high with the stack of symbols that are open: where one begins inside
 * another it wins, as it lies closer; where it ends the outer one goes on.
 */
static void flatten(struct symbol_table *table)
{
    size_t depth = 0, capacity = 0;
    const struct candidate **open = NULL;
    uint64_t at = 0;

    for (size_t i = 0; i <= table->candidates_count; i++) {
        const struct candidate *next = i < table->candidates_count ? &table->candidates[i] : NULL;

        while (depth > 0 && (next == NULL || open[depth - 1]->end <= next->start)) {
            if (at < open[depth - 1]->end) {
                push_range(table, at, open[depth - 1]->end, open[depth - 1]->name);
                at = open[depth - 1]->end;
            }
            depth--;
        }
        if (next == NULL)
            break;
        if (i > 0 && next[-1].start == next->start && next[-1].end == next->end)
            continue; /* an alias, less wanted */
        if (depth > 0 && at < next->start)
            push_range(table, at, next->start, open[depth - 1]->name);
        at = next->start;
        open = array_reserve(open, &capacity, depth + 1, sizeof(struct candidate *));
        open[depth++] = next;
    }
    free(open);
}

void symbol_table_finish(struct symbol_table *table)
{
    if (table->candidates_count != 0)
        qsort_r(table->candidates, table->candidates_count, sizeof(struct candidate), compare,
                table);
    flatten(table);
    free(table->candidates);
    table->candidates = NULL;
    table->candidates_count = table->candidates_capacity = 0;
    if (table->ranges_count != 0)
        table->ranges = xrealloc(table->ranges, table->ranges_count * sizeof(struct symbol_range));
    table->ranges_capacity = table->ranges_count;
}

const struct symbol_range *symbol_table_find(const struct symbol_table *table, uint64_t address)
{
    const struct symbol_range *base = table->ranges;
    size_t count = table->ranges_count;

    if (count == 0 || address < base->start)
        return NULL;
    /* Without a branch that the processor could guess wrong: the last range that starts at or
     * before ADDRESS. */
    while (count > 1) {
        size_t half = count / 2;

        base = base[half].start <= address ? base + half : base;
        count -= half;
    }
    return address - base->start < base->size ? base : NULL;
}

const char *symbol_table_name(const struct symbol_table *table, const struct symbol_range *range)
{
    return table->strings + range->name;
}

uint64_t symbol_table_start(const struct symbol_table *table, const struct symbol_range *range)
{
    enum { pieces_max = 64 }; /* a symbol cut by more inner ones than this begins where we stop */
    const struct symbol_range *at = range;

    for (int i = 0; i < pieces_max && at > table->ranges; i++) {
        at--;
        if (at->start + at->size != at[1].start)
            break;
        if (at->name == range->name)
            range = at;
    }
    return range->start;
}

size_t symbol_table_count(const struct symbol_table *table)
{
    return table->ranges_count;
}

const struct symbol_range *symbol_table_at(const struct symbol_table *table, size_t index)
{
    return &table->ranges[index];
}

size_t symbol_table_bytes(const struct symbol_table *table)
{
    return sizeof(*table) + table->strings_capacity +
           table->candidates_capacity * sizeof(struct candidate) +
           table->ranges_capacity * sizeof(struct symbol_range);
}
