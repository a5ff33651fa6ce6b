/* SPDX-License-Identifier: MIT */
/* System calls by thread and name, counted by a source or estimated from samples. */
#include "config.h"

#include "syscalls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"
#include "proftop/profile.h"
#include "proftop/syscall.h"

/* What is gathered of one thread and call before it becomes a row. */
struct gathered {
    struct syscall_row row;
    bool counted;          /* a source's own tally: samples no longer add to it */
    stack_id stack;        /* of the heaviest entry … */
    uint64_t stack_weight; /* … and its weight */
};

struct gatherer {
    const struct fold *fold;
    struct gathered *items;
    size_t count, capacity;
    struct index index;
};

static struct gathered *item_of(struct gatherer *gatherer, uint32_t thread, int32_t number)
{
    uint64_t hash = hash_pair(thread, (uint32_t)number);
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&gatherer->index, hash, &cursor);
    while ((item = index_next(&gatherer->index, &cursor)) != INDEX_END)
        if (gatherer->items[item].row.thread == thread &&
            gatherer->items[item].row.number == number)
            return &gatherer->items[item];
    item = (uint32_t)gatherer->count;
    gatherer->items = array_reserve(gatherer->items, &gatherer->capacity, gatherer->count + 1,
                                    sizeof(gatherer->items[0]));
    gatherer->items[gatherer->count++] =
        (struct gathered){ .row = { .thread = thread, .number = number } };
    index_add(&gatherer->index, hash, item);
    return &gatherer->items[item];
}

static uint32_t thread_of(const struct profile *profile, int32_t tid)
{
    for (uint32_t i = profile_threads(profile); i-- > 0;)
        if (profile_thread(profile, i)->tid == tid)
            return i;
    return UINT32_MAX;
}

static void gather_tallies(struct gatherer *gatherer, const struct slice *slice)
{
    uint32_t count;
    const struct syscall_tally *tallies = slice_syscalls(slice, &count);

    for (uint32_t i = 0; i < count; i++) {
        const struct syscall_tally *tally = &tallies[i];
        struct gathered *item =
            item_of(gatherer, thread_of(gatherer->fold->profile, tally->tid), tally->number);
        struct syscall_row *row = &item->row;

        if (!item->counted)
            row->count = row->total_ns = 0;
        item->counted = true;
        row->count += tally->count;
        row->errors += tally->errors;
        row->total_ns += tally->total_ns;
        if (tally->p99_ns > row->p99_ns)
            row->p99_ns = tally->p99_ns;
        row->exact = tally->exact != 0;
    }
}

static void gather_samples(struct gatherer *gatherer, const struct slice *slice)
{
    struct slice_walk walk;
    struct slice_entry entry;

    slice_entries(slice, &walk);
    while (slice_next_entry(&walk, &entry)) {
        struct gathered *item;

        if (entry.syscall < 0 || entry.metric != METRIC_TIME)
            continue;
        item = item_of(gatherer, entry.thread, entry.syscall);
        if (entry.weight > item->stack_weight) {
            item->stack = entry.stack;
            item->stack_weight = entry.weight;
        }
        if (item->counted)
            continue;
        item->row.count += entry.count;
        item->row.total_ns += entry.weight;
    }
}

/* The C library only carries the call: who made it is further out. */
static bool is_carrier(const struct function *function)
{
    return function->kind == FRAME_KERNEL || function->kind == FRAME_MARK ||
           strncmp(function->module, "libc", 4) == 0 || strncmp(function->module, "ld-", 3) == 0 ||
           strncmp(function->module, "[vdso", 5) == 0;
}

/* The innermost function of the program itself. */
static const char *caller_of(const struct names *names, stack_id stack)
{
    const char *first = "";

    for (; stack != STACK_ROOT; stack = names_parent(names, stack)) {
        const struct naming *naming = names_of(names, names_location(names, stack));

        for (unsigned i = 0; i < naming->count; i++) {
            const struct function *function = names_get(names, naming->frames[i].function);

            if (!is_carrier(function))
                return function->name;
            if (first[0] == '\0' && function->kind == FRAME_NATIVE)
                first = function->name;
        }
    }
    return first;
}

static int by_time(const void *a, const void *b)
{
    const struct syscall_row *first = a, *second = b;

    if (first->total_ns != second->total_ns)
        return first->total_ns > second->total_ns ? -1 : 1;
    if (first->thread != second->thread)
        return first->thread < second->thread ? -1 : 1;
    return first->number - second->number;
}

static void finish(const struct gatherer *gatherer, struct syscall_rows *rows)
{
    const struct fold *fold = gatherer->fold;

    rows->count = gatherer->count;
    rows->rows = xcalloc(gatherer->count + 1, sizeof(rows->rows[0]));
    for (size_t i = 0; i < gatherer->count; i++) {
        const struct gathered *item = &gatherer->items[i];
        struct syscall_row *row = &rows->rows[i];
        const char *name = syscall_name(item->row.number);

        *row = item->row;
        if (name != NULL)
            snprintf(row->name, sizeof(row->name), "%s", name);
        else
            snprintf(row->name, sizeof(row->name), "syscall_%d", (int)row->number);
        row->thread_name =
            row->thread != UINT32_MAX ? profile_thread(fold->profile, row->thread)->name : "";
        row->function = caller_of(fold->names, item->stack);
    }
    qsort(rows->rows, rows->count, sizeof(rows->rows[0]), by_time);
}

void syscall_rows_of(const struct fold *fold, struct syscall_rows *rows)
{
    struct gatherer gatherer = { .fold = fold };
    struct slice_cursor cursor;
    const struct slice *slice;

    index_init(&gatherer.index);
    profile_slices(fold->profile, fold->start_ns, fold->end_ns, UINT64_MAX, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL) {
        gather_tallies(&gatherer, slice);
        gather_samples(&gatherer, slice);
    }
    finish(&gatherer, rows);
    index_fini(&gatherer.index);
    free(gatherer.items);
}

void syscall_rows_fini(struct syscall_rows *rows)
{
    free(rows->rows);
}
