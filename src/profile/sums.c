/* SPDX-License-Identifier: MIT */
/* The sums behind a fold. */
#include "config.h"

#include "sums.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "proftop/slice.h"

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
    free(sums->threads);
    cells_fini(&sums->waits);
    cells_fini(&sums->wait_stacks);
    cells_fini(&sums->tops);
}

void sums_clear(struct sums *sums)
{
    sums->stack_count = sums->thread_count = 0;
    cells_clear(&sums->waits);
    cells_clear(&sums->wait_stacks);
    cells_clear(&sums->tops);
    sums->square_sum = 0;
    sums->weight = sums->samples = 0;
    sums->tally = (struct record_tally){ .head = { .type = RECORD_TALLY } };
}

void sums_clear_nodes(struct sums *sums)
{
    cells_clear(&sums->tops);
}

static void fit_stacks(struct sums *sums, size_t count)
{
    size_t more;

    if (count <= sums->stack_count)
        return;
    more = count - sums->stack_count;
    sums->stacks = array_reserve(sums->stacks, &sums->stack_capacity, count, sizeof(*sums->stacks));
    memset(&sums->stacks[sums->stack_count], 0, more * sizeof(*sums->stacks));
    sums->stack_count = count;
}

void sums_fit(struct sums *sums, uint32_t stacks, uint32_t threads)
{
    fit_stacks(sums, stacks);
    if (threads <= sums->thread_count)
        return;
    sums->threads =
        array_reserve(sums->threads, &sums->thread_capacity, threads, sizeof(*sums->threads));
    memset(&sums->threads[sums->thread_count], 0,
           (threads - sums->thread_count) * sizeof(*sums->threads));
    sums->thread_count = threads;
}

/* ---- entries --------------------------------------------------------------------------------- */

static void add_time(struct sums *sums, const struct slice_entry *entry)
{
    struct thread_sum *thread = &sums->threads[entry->thread];

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

static void add_top(struct sums *sums, const struct slice_entry *entry, uint32_t node)
{
    cells_add(&sums->tops, (uint64_t)entry->thread << 32 | node, entry->weight, entry->count);
}

static void add_chosen(struct sums *sums, const struct slice_entry *entry)
{
    struct stack_sum *stack = &sums->stacks[entry->stack];
    struct thread_sum *thread = &sums->threads[entry->thread];
    double weight = (double)entry->weight;

    stack->weight += entry->weight;
    stack->samples += entry->count;
    thread->weight += entry->weight;
    thread->samples += entry->count;
    sums->weight += entry->weight;
    sums->samples += entry->count;
    sums->square_sum += weight * weight / entry->count;
}

static void add_group(struct sums *sums, struct slice_walk *walk, const struct selection *selection,
                      const struct display *display)
{
    bool chosen = selection_has_group(selection, &walk->last);
    bool time = walk->last.metric == METRIC_TIME;
    bool waits = time && walk->last.state == STATE_WAITING;
    struct slice_entry entry;

    if (!chosen && !time) {
        slice_skip_group(walk);
        return;
    }
    while (walk->at != walk->group_end) {
        struct shown shown;

        slice_next_entry(walk, &entry);
        if (!selection_has_thread(selection, entry.thread))
            continue;
        shown = display_stack(display, entry.stack);
        if (shown.excluded)
            continue;
        if (time)
            add_time(sums, &entry);
        if (waits)
            add_wait(sums, &entry);
        if (chosen) {
            add_chosen(sums, &entry);
            add_top(sums, &entry, shown.node);
        }
    }
}

void sums_add(struct sums *sums, const struct slice *slice, const struct selection *selection,
              const struct display *display)
{
    const struct record_tally *tally = slice_tally(slice);
    struct slice_walk walk;

    slice_entries(slice, &walk);
    while (slice_next_group(&walk))
        add_group(sums, &walk, selection, display);
    if (tally != NULL)
        tally_add(&sums->tally, tally);
}

void sums_add_nodes(struct sums *sums, const struct slice *slice, const struct selection *selection,
                    const struct display *display)
{
    struct slice_walk walk;
    struct slice_entry entry;

    slice_entries(slice, &walk);
    while (slice_next_group(&walk)) {
        if (!selection_has_group(selection, &walk.last)) {
            slice_skip_group(&walk);
            continue;
        }
        while (walk.at != walk.group_end) {
            struct shown shown;

            slice_next_entry(&walk, &entry);
            shown = display_stack(display, entry.stack);
            if (!shown.excluded && selection_has_thread(selection, entry.thread))
                add_top(sums, &entry, shown.node);
        }
    }
}
