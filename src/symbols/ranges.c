/* SPDX-License-Identifier: MIT */
/*
 * The sorted array behind symbol tables and DWARF scopes.  Written by hand because
 * dwfl_module_addrinfo() and dwarf_getscopes() scan: 1.5 ms an address in node's 86,000 symbols,
 * 0.25 ms for the scopes of one; here it is some 20 ns.
 */
#include "config.h"

#include "ranges.h"

#include <stdlib.h>

#include "proftop/memory.h"
#include "proftop/sorting.h"

void ranges_init(struct ranges *ranges)
{
    *ranges = (struct ranges){ 0 };
}

void ranges_fini(struct ranges *ranges)
{
    free(ranges->candidates);
    free(ranges->items);
    shortcut_fini(&ranges->shortcut);
    ranges_init(ranges);
}

void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end, uint32_t value, uint32_t rank)
{
    if (end <= start)
        return;
    ranges->candidates =
        array_reserve(ranges->candidates, &ranges->candidates_capacity,
                      ranges->candidates_count + 1, sizeof(struct ranges_candidate));
    ranges->candidates[ranges->candidates_count++] =
        (struct ranges_candidate){ start, end, value, rank };
}

struct order {
    ranges_prefer *prefer;
    const void *context;
};

/* By start; of equal starts the longer first, so that what is inside comes after. */
static int compare(const void *left, const void *right, void *opaque)
{
    const struct ranges_candidate *a = left, *b = right;
    const struct order *order = opaque;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    return order->prefer(order->context, a, b);
}

/* The candidates by start; what of equal starts comes first is left open. */
static struct ranges_candidate *sort_by_start(const struct ranges_candidate *candidates,
                                              size_t count)
{
    struct sort_key *keys = xmalloc(count * sizeof(*keys));
    struct ranges_candidate *sorted = xmalloc(count * sizeof(*sorted));
    uint64_t lowest = UINT64_MAX;

    for (size_t i = 0; i < count; i++) {
        if (candidates[i].start < lowest)
            lowest = candidates[i].start;
    }
    for (size_t i = 0; i < count; i++)
        keys[i] = (struct sort_key){ candidates[i].start - lowest, (uint32_t)i };
    sort_keys(keys, count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = candidates[keys[i].item];
    free(keys);
    return sorted;
}

/* A radix sort and many short ones: one of everything took a sixth of reading a unit. */
static void sort_candidates(struct ranges *ranges, struct order *order)
{
    size_t count = ranges->candidates_count;
    struct ranges_candidate *sorted = sort_by_start(ranges->candidates, count);

    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && sorted[end].start == sorted[first].start;)
            end++;
        if (end - first > 1)
            qsort_r(sorted + first, end - first, sizeof(*sorted), compare, order);
    }
    free(ranges->candidates);
    ranges->candidates = sorted;
    ranges->candidates_capacity = count;
}

static void push(struct ranges *ranges, uint64_t start, uint64_t end, uint32_t value)
{
    /* No function is that large: what says so is not worth more than its beginning. */
    uint64_t size = end - start < UINT32_MAX ? end - start : UINT32_MAX;

    ranges->items =
        array_reserve(ranges->items, &ranges->capacity, ranges->count + 1, sizeof(struct range));
    ranges->items[ranges->count++] = (struct range){ start, (uint32_t)size, value };
}

/* One sweep from low to high, with the stack of those that are open. */
static void flatten(struct ranges *ranges)
{
    const struct ranges_candidate **open = NULL;
    size_t depth = 0, capacity = 0;
    uint64_t at = 0;

    for (size_t i = 0; i <= ranges->candidates_count; i++) {
        const struct ranges_candidate *next =
            i < ranges->candidates_count ? &ranges->candidates[i] : NULL;

        while (depth > 0 && (next == NULL || open[depth - 1]->end <= next->start)) {
            const struct ranges_candidate *ended = open[--depth];

            if (at < ended->end) {
                push(ranges, at, ended->end, ended->value);
                at = ended->end;
            }
        }
        if (next == NULL)
            break;
        if (i > 0 && next[-1].start == next->start && next[-1].end == next->end)
            continue; /* the same range, less preferred */
        if (depth > 0 && at < next->start)
            push(ranges, at, next->start, open[depth - 1]->value);
        at = next->start;
        open = array_reserve(open, &capacity, depth + 1, sizeof(*open));
        open[depth++] = next;
    }
    free(open);
}

static uint64_t start_of(const void *items, size_t index)
{
    return ((const struct range *)items)[index].start;
}

void ranges_finish(struct ranges *ranges, ranges_prefer *prefer, const void *context)
{
    struct order order = { prefer, context };

    if (ranges->candidates_count != 0)
        sort_candidates(ranges, &order);
    flatten(ranges);
    free(ranges->candidates);
    ranges->candidates = NULL;
    ranges->candidates_count = ranges->candidates_capacity = 0;
    if (ranges->count != 0)
        ranges->items = xrealloc(ranges->items, ranges->count * sizeof(struct range));
    ranges->capacity = ranges->count;
    shortcut_init(&ranges->shortcut, ranges->items, ranges->count, start_of);
}

const struct range *ranges_find(const struct ranges *ranges, uint64_t address)
{
    const struct range *items = ranges->items;
    size_t low, high;

    shortcut_narrow(&ranges->shortcut, address, &low, &high);
    if (low == high)
        return NULL;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (items[middle].start <= address)
            low = middle;
        else
            high = middle;
    }
    return address - items[low].start < items[low].size ? &items[low] : NULL;
}

size_t ranges_bytes(const struct ranges *ranges)
{
    return ranges->candidates_capacity * sizeof(struct ranges_candidate) +
           ranges->capacity * sizeof(struct range) + shortcut_bytes(&ranges->shortcut);
}
