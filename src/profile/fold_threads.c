/* SPDX-License-Identifier: MIT */
/* The threads of a fold: their times, what they ran most and what they waited for. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fold_private.h"
#include "proftop/memory.h"

void group_by_thread(struct grouped *grouped, const struct cells *tops, uint32_t threads)
{
    uint32_t *next = xcalloc((size_t)threads + 2, sizeof(*next));

    grouped->order = xmalloc((tops->count + 1) * sizeof(struct cell *));
    for (size_t i = 0; i < tops->count; i++)
        next[(tops->cells[i].key >> 32) + 2]++;
    for (uint32_t i = 2; i < threads + 2; i++)
        next[i] += next[i - 1];
    for (size_t i = 0; i < tops->count; i++)
        grouped->order[next[(tops->cells[i].key >> 32) + 1]++] = &tops->cells[i];
    grouped->first = next; /* each has moved on to where the next one begins */
}

void grouped_fini(struct grouped *grouped)
{
    free(grouped->first);
    free(grouped->order);
}

/* The function with most self weight of one thread, from the matrix. */
static void find_top_short(struct fold_thread *thread, const struct sums *sums)
{
    thread->top = UINT32_MAX;
    for (size_t leaf = 1; leaf < sums->leaf_count; leaf++) {
        uint64_t weight = sums->matrix[leaf * sums->stride + thread->thread];

        if (weight > thread->top_weight) {
            thread->top_weight = weight;
            thread->top = (function_id)(leaf - 1);
        }
    }
}

/* The same among the nodes of one thread. */
static void find_top(struct fold_thread *thread, const struct display *display,
                     const struct cell **first, const struct cell **last, uint64_t *weights)
{
    thread->top = UINT32_MAX;
    for (const struct cell **at = first; at < last; at++) {
        function_id function = display_node(display, (uint32_t)(*at)->key)->function;

        if (function < FUNCTION_RUN)
            weights[function] += (*at)->weight;
    }
    for (const struct cell **at = first; at < last; at++) {
        function_id function = display_node(display, (uint32_t)(*at)->key)->function;

        if (function >= FUNCTION_RUN)
            continue;
        if (weights[function] > thread->top_weight) {
            thread->top_weight = weights[function];
            thread->top = function;
        }
        weights[function] = 0;
    }
}

/* ---- waits ----------------------------------------------------------------------------------- */

struct wait_of {
    uint32_t thread;
    struct fold_wait wait;
};

static int compare_waits(const void *left, const void *right)
{
    const struct wait_of *a = left, *b = right;

    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    if (a->wait.time_ns != b->wait.time_ns)
        return a->wait.time_ns > b->wait.time_ns ? -1 : 1;
    if (a->wait.reason != b->wait.reason)
        return a->wait.reason < b->wait.reason ? -1 : 1;
    return (a->wait.syscall > b->wait.syscall) - (a->wait.syscall < b->wait.syscall);
}

/* All waits by thread, the longest first, each with the stack that waited longest. */
static struct wait_of *gather_waits(const struct sums *sums)
{
    struct wait_of *waits = xcalloc(sums->waits.count + 1, sizeof(*waits));
    uint64_t *longest = xcalloc(sums->waits.count + 1, sizeof(*longest));

    for (size_t i = 0; i < sums->waits.count; i++) {
        const struct cell *cell = &sums->waits.cells[i];

        waits[i] = (struct wait_of){ .thread = (uint32_t)(cell->key >> 32),
                                     .wait = { .reason = (enum wait_reason)(cell->key >> 16 & 0xff),
                                               .syscall = (int16_t)cell->key,
                                               .count = (uint32_t)cell->samples,
                                               .time_ns = cell->weight } };
    }
    for (size_t i = 0; i < sums->wait_stacks.count; i++) {
        const struct cell *cell = &sums->wait_stacks.cells[i];
        size_t wait = (size_t)(cell->key >> 32);

        if (cell->weight >= longest[wait]) {
            longest[wait] = cell->weight;
            waits[wait].wait.stack = (stack_id)cell->key;
        }
    }
    free(longest);
    qsort(waits, sums->waits.count, sizeof(*waits), compare_waits);
    return waits;
}

/* Gives each thread its part of the list. */
static void attach_waits(struct whole_fold *whole, struct fold_thread *threads,
                         const struct sums *sums)
{
    struct wait_of *waits = gather_waits(sums);
    struct fold_wait *list = arena_alloc(whole->arena, (sums->waits.count + 1) * sizeof(*list));
    size_t at = 0;

    for (size_t i = 0; i < sums->waits.count; i++)
        list[i] = waits[i].wait;
    for (uint32_t i = 0; i < whole->fold.thread_count; i++) {
        while (at < sums->waits.count && waits[at].thread < threads[i].thread)
            at++;
        threads[i].waits = &list[at];
        while (at < sums->waits.count && waits[at].thread == threads[i].thread) {
            threads[i].wait_count++;
            at++;
        }
    }
    free(waits);
}

/* ---- threads --------------------------------------------------------------------------------- */

static bool alive(const struct whole_fold *whole, uint32_t index)
{
    const struct profile_thread *thread = profile_thread(whole->profile, index);

    return thread->began_ns < whole->fold.end_ns && thread->ended_ns > whole->fold.start_ns;
}

void fold_build_threads(struct whole_fold *whole, const struct sums *sums)
{
    uint32_t count = profile_threads(whole->profile);
    uint64_t *weights = xcalloc((size_t)names_functions(whole->fold.names) + 1, sizeof(*weights));
    struct fold_thread *threads =
        arena_zalloc(whole->arena, ((size_t)count + 1) * sizeof(*threads));
    struct grouped grouped;

    group_by_thread(&grouped, &sums->tops, count);
    for (uint32_t i = 0; i < count; i++) {
        struct fold_thread *thread = &threads[whole->fold.thread_count];
        const struct thread_sum *sum = &sums->threads[i];
        bool seen = sum->running_ns + sum->runnable_ns + sum->waiting_ns + sum->samples > 0;

        if (!selection_has_thread(&whole->selection, i) || !(seen || alive(whole, i)))
            continue;
        *thread = (struct fold_thread){ .thread = i,
                                        .running_ns = sum->running_ns,
                                        .runnable_ns = sum->runnable_ns,
                                        .waiting_ns = sum->waiting_ns,
                                        .gil_held_ns = sum->gil_held_ns,
                                        .gil_wanted_ns = sum->gil_wanted_ns,
                                        .weight = sum->weight,
                                        .samples = sum->samples };
        if (sums->short_way)
            find_top_short(thread, sums);
        else
            find_top(thread, whole->display, &grouped.order[grouped.first[i]],
                     &grouped.order[grouped.first[i + 1]], weights);
        whole->fold.thread_count++;
    }
    grouped_fini(&grouped);
    free(weights);
    attach_waits(whole, threads, sums);
    whole->fold.threads = threads;
}
