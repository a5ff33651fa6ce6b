/* SPDX-License-Identifier: MIT */
/* The sums behind a fold. */
#include "config.h"

#include "sums.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "proftop/metric.h"
#include "slice_private.h"

enum {
    SHORT_THREADS_MAX = 64,
    MATRIX_MAX = 1 << 21, /* numbers in it */
};

void sums_init(struct sums *sums)
{
    *sums = (struct sums){ 0 };
    cells_init(&sums->waits);
    cells_init(&sums->wait_stacks);
    cells_init(&sums->tops);
}

void sums_fini(struct sums *sums)
{
    free(sums->stacks);
    free(sums->counts);
    free(sums->threads);
    free(sums->matrix);
    cells_fini(&sums->waits);
    cells_fini(&sums->wait_stacks);
    cells_fini(&sums->tops);
}

/* ---- room ------------------------------------------------------------------------------------ */

static unsigned stride_for(uint32_t threads)
{
    unsigned stride = 1;

    while (stride < threads)
        stride *= 2;
    return stride;
}

bool sums_can_be_short(const struct profile *profile)
{
    uint32_t threads = profile_threads(profile);
    size_t functions = names_functions(profile_names(profile));

    if (threads > SHORT_THREADS_MAX || functions * stride_for(threads) > MATRIX_MAX)
        return false;
    for (uint32_t i = 1; i < threads; i++) {
        if (profile_thread(profile, i)->pid != profile_thread(profile, 0)->pid)
            return false;
    }
    return true;
}

static uint32_t leaf_of(const struct display *display, stack_id stack)
{
    struct shown shown = display_stack(display, stack);
    function_id function = display_node(display, shown.node)->function;

    if (shown.excluded)
        return LEAF_EXCLUDED;
    return function < FUNCTION_RUN ? function + 1 : 0;
}

static void grow_stacks(struct sums *sums, const struct display *display)
{
    size_t count = display_stacks(display);

    sums->stacks = array_reserve(sums->stacks, &sums->stack_capacity, count, sizeof(*sums->stacks));
    for (; sums->stack_count < count; sums->stack_count++)
        sums->stacks[sums->stack_count] =
            (struct stack_sum){ .leaf = leaf_of(display, (stack_id)sums->stack_count) };
}

static void grow_threads(struct sums *sums, size_t count)
{
    sums->threads =
        array_reserve(sums->threads, &sums->thread_capacity, count, sizeof(*sums->threads));
    while (sums->thread_count < count)
        sums->threads[sums->thread_count++] = (struct thread_sum){ 0 };
}

static void grow_matrix(struct sums *sums, const struct display *display)
{
    size_t count = (size_t)display_functions(display) + 1, numbers = count * sums->stride;

    sums->matrix =
        array_reserve(sums->matrix, &sums->leaf_capacity, numbers, sizeof(*sums->matrix));
    memset(&sums->matrix[sums->leaf_count * sums->stride], 0,
           (count - sums->leaf_count) * sums->stride * sizeof(*sums->matrix));
    sums->leaf_count = count;
}

void sums_start(struct sums *sums, const struct profile *profile, const struct display *display)
{
    sums->short_way = sums_can_be_short(profile);
    sums->stride = stride_for(profile_threads(profile));
    sums->stack_count = sums->counts_count = sums->thread_count = sums->leaf_count = 0;
    sums->square_sum = 0;
    sums->weight = sums->samples = 0;
    sums->tally = (struct record_tally){ .head = { .type = RECORD_TALLY } };
    cells_clear(&sums->waits);
    cells_clear(&sums->wait_stacks);
    cells_clear(&sums->tops);
    sums_grow(sums, profile, display);
}

bool sums_grow(struct sums *sums, const struct profile *profile, const struct display *display)
{
    if (sums->short_way != sums_can_be_short(profile) ||
        (sums->short_way && profile_threads(profile) > sums->stride))
        return false;
    grow_stacks(sums, display);
    grow_threads(sums, profile_threads(profile));
    if (sums->short_way)
        grow_matrix(sums, display);
    return true;
}

void sums_start_leaves(struct sums *sums, const struct display *display)
{
    for (size_t i = 0; i < sums->stack_count; i++)
        sums->stacks[i].leaf = leaf_of(display, (stack_id)i);
    if (sums->short_way)
        memset(sums->matrix, 0, sums->leaf_count * sums->stride * sizeof(*sums->matrix));
    cells_clear(&sums->tops);
}

/* ---- entries --------------------------------------------------------------------------------- */

static void add_time(struct thread_sum *thread, const struct slice_entry *entry)
{
    if (entry->state == STATE_RUNNING)
        thread->running_ns += entry->weight;
    else if (entry->state == STATE_RUNNABLE)
        thread->runnable_ns += entry->weight;
    else
        thread->waiting_ns += entry->weight;
    if (entry->gil == GIL_HELD)
        thread->gil_held_ns += entry->weight;
    else if (entry->gil == GIL_WANTED)
        thread->gil_wanted_ns += entry->weight;
}

static void add_wait(struct sums *sums, const struct slice_entry *entry)
{
    uint64_t key =
        (uint64_t)entry->thread << 32 | (uint64_t)entry->reason << 16 | (uint16_t)entry->syscall;
    size_t wait = cells_add(&sums->waits, key, entry->weight, entry->count);

    cells_add(&sums->wait_stacks, (uint64_t)wait << 32 | entry->stack, entry->weight, entry->count);
}

static void add_leaf(struct sums *sums, const struct slice_entry *entry, uint32_t leaf,
                     const struct display *display)
{
    if (sums->short_way)
        sums->matrix[(size_t)leaf * sums->stride + entry->thread] += entry->weight;
    else
        cells_add(&sums->tops,
                  (uint64_t)entry->thread << 32 | display_stack(display, entry->stack).node,
                  entry->weight, entry->count);
}

static void add_chosen(struct sums *sums, const struct slice_entry *entry, struct stack_sum *stack)
{
    struct thread_sum *thread = &sums->threads[entry->thread];
    double weight = (double)entry->weight;

    stack->weight += entry->weight;
    stack->samples += entry->count;
    stack->threads |= UINT64_C(1) << (entry->thread & 63);
    thread->weight += entry->weight;
    thread->samples += entry->count;
    sums->weight += entry->weight;
    sums->samples += entry->count;
    sums->square_sum += entry->count == 1 ? weight * weight : weight * weight / entry->count;
}

static void add_count(struct sums *sums, const struct slice_entry *entry)
{
    size_t wanted = sums->stack_count;

    if (sums->counts_count < wanted) {
        sums->counts =
            array_reserve(sums->counts, &sums->counts_capacity, wanted, sizeof(*sums->counts));
        memset(&sums->counts[sums->counts_count], 0,
               (wanted - sums->counts_count) * sizeof(*sums->counts));
        sums->counts_count = wanted;
    }
    sums->counts[entry->stack].of[metric_counted(entry->metric)] += entry->weight;
}

/* What a group of entries is good for. */
struct use {
    bool chosen, time, waits, counts;
};

static void add_group(struct sums *sums, struct slice_walk *walk, struct use use,
                      const struct selection *selection, const struct display *display)
{
    struct slice_entry entry = walk->last;

    while (walk->at != walk->group_end) {
        struct stack_sum *stack;

        walk_entry(walk, &entry);
        stack = &sums->stacks[entry.stack];
        if (stack->leaf == LEAF_EXCLUDED || !selection_has_thread(selection, entry.thread))
            continue;
        if (use.time)
            add_time(&sums->threads[entry.thread], &entry);
        if (use.waits)
            add_wait(sums, &entry);
        if (use.counts)
            add_count(sums, &entry);
        if (use.chosen) {
            add_chosen(sums, &entry, stack);
            add_leaf(sums, &entry, stack->leaf, display);
        }
    }
}

void sums_add(struct sums *sums, const struct slice *slice, const struct selection *selection,
              const struct display *display)
{
    const struct record_tally *tally = slice_tally(slice);
    struct slice_walk walk;

    slice_entries(slice, &walk);
    while (slice_next_group(&walk)) {
        struct use use = { .chosen = selection_has_group(selection, &walk.last),
                           .time = walk.last.metric == METRIC_TIME,
                           .counts = selection_counts_group(selection, &walk.last) };

        use.waits = use.time && walk.last.state == STATE_WAITING;
        if (use.chosen || use.time || use.counts)
            add_group(sums, &walk, use, selection, display);
        else
            slice_skip_group(&walk);
    }
    if (tally != NULL)
        tally_add(&sums->tally, tally);
}

void sums_add_leaves(struct sums *sums, const struct slice *slice,
                     const struct selection *selection, const struct display *display)
{
    struct slice_walk walk;

    slice_entries(slice, &walk);
    while (slice_next_group(&walk)) {
        struct slice_entry entry = walk.last;

        if (!selection_has_group(selection, &walk.last)) {
            slice_skip_group(&walk);
            continue;
        }
        while (walk.at != walk.group_end) {
            uint32_t leaf;

            walk_entry(&walk, &entry);
            leaf = sums->stacks[entry.stack].leaf;
            if (leaf != LEAF_EXCLUDED && selection_has_thread(selection, entry.thread))
                add_leaf(sums, &entry, leaf, display);
        }
    }
}
