/* SPDX-License-Identifier: MIT */
/* About as many stretches as there are items, so that each holds a few. */
#include "config.h"

#include "shortcut.h"

#include <stdlib.h>

#include "proftop/memory.h"

void shortcut_init(struct shortcut *shortcut, const void *items, size_t count,
                   uint64_t (*key)(const void *items, size_t index))
{
    uint64_t span;
    size_t item = 0;

    *shortcut = (struct shortcut){ 0 };
    if (count == 0 || count > UINT32_MAX)
        return;
    shortcut->base = key(items, 0);
    span = key(items, count - 1) - shortcut->base;
    while (span >> shortcut->shift >= count)
        shortcut->shift++;
    shortcut->count = (size_t)(span >> shortcut->shift) + 1;
    shortcut->first = xmalloc((shortcut->count + 1) * sizeof(*shortcut->first));
    for (size_t i = 0; i < shortcut->count; i++) {
        while (item < count && (key(items, item) - shortcut->base) >> shortcut->shift < i)
            item++;
        shortcut->first[i] = (uint32_t)item;
    }
    shortcut->first[shortcut->count] = (uint32_t)count;
}

void shortcut_fini(struct shortcut *shortcut)
{
    free(shortcut->first);
    *shortcut = (struct shortcut){ 0 };
}

size_t shortcut_bytes(const struct shortcut *shortcut)
{
    return shortcut->first != NULL ? (shortcut->count + 1) * sizeof(*shortcut->first) : 0;
}
