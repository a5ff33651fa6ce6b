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
        qsort_r(ranges->candidates, ranges->candidates_count, sizeof(*ranges->candidates), compare,
                &order);
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
