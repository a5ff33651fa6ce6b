/* SPDX-License-Identifier: MIT */
/* Symbols as ranges, and which of several names of the same bytes a reader wants. */
#include "config.h"

#include "symbol_table.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"

struct symbol_table {
    char *strings;
    size_t strings_size, strings_capacity;
    struct ranges ranges; /* value: offset in strings; rank: enum symbol_binding */
};

struct symbol_table *symbol_table_new(void)
{
    struct symbol_table *table = xcalloc(1, sizeof(*table));

    ranges_init(&table->ranges);
    return table;
}

void symbol_table_free(struct symbol_table *table)
{
    if (table == NULL)
        return;
    free(table->strings);
    ranges_fini(&table->ranges);
    free(table);
}

uint32_t symbol_table_strings(struct symbol_table *table, const char *bytes, size_t size_bytes)
{
    size_t offset = table->strings_size, needed = offset + size_bytes + 1;

    if (needed > UINT32_MAX)
        die("%zu bytes of symbol names", needed);
    /* Whole string tables come at once: no slack for the next, there rarely is one. */
    if (needed > table->strings_capacity) {
        table->strings_capacity = needed + (size_bytes < 4096 ? needed / 8 + 4096 : 0);
        table->strings = xrealloc(table->strings, table->strings_capacity);
    }
    memcpy(table->strings + offset, bytes, size_bytes);
    table->strings[offset + size_bytes] = '\0';
    table->strings_size = needed;
    return (uint32_t)offset;
}

void symbol_table_add(struct symbol_table *table, uint64_t start, uint64_t size, uint32_t name,
                      enum symbol_binding binding)
{
    if (start + size < start || name >= table->strings_size || table->strings[name] == '\0')
        return;
    ranges_add(&table->ranges, start, start + size, name, binding);
}

/* Leading underscores mark the name that is not for the public: __libc_read behind read. */
static int privacy(const char *name)
{
    int underscores = 0;

    if (name[0] == '_' && (name[1] == 'Z' || name[1] == 'R'))
        return 0;
    if (strncmp(name, "__vdso_", 7) == 0) /* its alias is the C library's, which calls it */
        return 0;
    while (name[underscores] == '_')
        underscores++;
    return underscores;
}

/*
 * The public name; one without a version or a compiler's suffix; the more visible; the shorter. The
 * rest only makes the choice the same every time.
 */
static int prefer(const void *context, const struct ranges_candidate *a,
                  const struct ranges_candidate *b)
{
    const struct symbol_table *table = context;
    const char *left = table->strings + a->value, *right = table->strings + b->value;
    int order = privacy(left) - privacy(right);
    size_t left_length, right_length;

    if (order != 0)
        return order;
    order = (strpbrk(left, "@.") != NULL) - (strpbrk(right, "@.") != NULL);
    if (order != 0)
        return order;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    left_length = strlen(left);
    right_length = strlen(right);
    if (left_length != right_length)
        return left_length < right_length ? -1 : 1;
    return strcmp(left, right);
}

const char *symbol_table_name_at(const struct symbol_table *table, uint64_t start)
{
    const struct ranges_candidate *best = NULL;

    for (size_t i = 0; i < table->ranges.candidates_count; i++) {
        const struct ranges_candidate *candidate = &table->ranges.candidates[i];

        if (candidate->start == start && (best == NULL || prefer(table, candidate, best) < 0))
            best = candidate;
    }
    return best != NULL ? table->strings + best->value : NULL;
}

void symbol_table_finish(struct symbol_table *table)
{
    ranges_finish(&table->ranges, prefer, table);
    if (table->strings != NULL) {
        table->strings = xrealloc(table->strings, table->strings_size);
        table->strings_capacity = table->strings_size;
    }
}

const struct range *symbol_table_find(const struct symbol_table *table, uint64_t address)
{
    return ranges_find(&table->ranges, address);
}

const char *symbol_table_name(const struct symbol_table *table, const struct range *range)
{
    return table->strings + range->value;
}

enum { PIECES_MAX = 64 }; /* a symbol cut by more inner ones is taken for shorter than it is */

uint64_t symbol_table_start(const struct symbol_table *table, const struct range *range)
{
    const struct range *at = range, *first = table->ranges.items;

    for (int i = 0; i < PIECES_MAX && at > first && at[-1].start + at[-1].size == at->start; i++) {
        at--;
        if (at->value == range->value)
            range = at;
    }
    return range->start;
}

bool symbol_table_bounds(const struct symbol_table *table, uint64_t address, uint64_t *start,
                         uint64_t *end)
{
    const struct range *range = symbol_table_find(table, address), *at = range;
    const struct range *behind = table->ranges.items + table->ranges.count;

    if (range == NULL)
        return false;
    *start = symbol_table_start(table, range);
    *end = range->start + range->size;
    for (int i = 0; i < PIECES_MAX && at + 1 < behind && at->start + at->size == at[1].start; i++) {
        at++;
        if (at->value == range->value)
            *end = at->start + at->size;
    }
    return true;
}

size_t symbol_table_count(const struct symbol_table *table)
{
    return table->ranges.count;
}

const struct range *symbol_table_at(const struct symbol_table *table, size_t index)
{
    return &table->ranges.items[index];
}

size_t symbol_table_bytes(const struct symbol_table *table)
{
    return sizeof(*table) + table->strings_capacity + ranges_bytes(&table->ranges);
}
