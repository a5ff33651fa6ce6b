/* SPDX-License-Identifier: MIT */
/*
 * Processes by their sums, the threads of each below them; kept as they were shown while the person
 * presses keys.
 */
#include "config.h"

#include "threads_order.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "threads_row.h"

#define KEY_PROCESS (UINT64_C(1) << 63)

struct by {
    const struct screen_input *input;
    const uint32_t *ranks; /* of fold->threads as they were shown; NULL: sort */
    enum thread_sort sort;
    bool inverted;
};

static thread_key key_of_thread(const struct fold_thread *thread)
{
    return (thread_key)thread->thread + 1;
}

static thread_key key_of_group(const struct thread_group *group)
{
    return KEY_PROCESS | (uint32_t)group->pid;
}

static int descending(uint64_t a, uint64_t b)
{
    return a < b ? 1 : a > b ? -1 : 0;
}

/* Two threads, or two sums of processes. */
static int compare_times(const struct by *by, const struct fold_thread *first,
                         const struct fold_thread *second)
{
    const struct profile_thread *x = threads_facts(by->input, first),
                                *y = threads_facts(by->input, second);
    int result;

    switch (by->sort) {
    case SORT_BY_WAIT:
        result = descending(first->waiting_ns, second->waiting_ns);
        break;
    case SORT_BY_GIL:
        result = descending(first->gil_held_ns, second->gil_held_ns);
        break;
    case SORT_BY_TID:
        result = x->tid < y->tid ? -1 : x->tid > y->tid;
        break;
    case SORT_BY_NAME:
        result = strcmp(x->name, y->name);
        break;
    default:
        result = descending(first->running_ns, second->running_ns);
    }
    if (by->inverted)
        result = -result;
    return result != 0 ? result : x->tid < y->tid ? -1 : x->tid > y->tid;
}

static int compare_groups(const void *a, const void *b, void *context)
{
    const struct by *by = context;
    const struct thread_group *first = a, *second = b;

    if (by->ranks != NULL && first->rank != second->rank)
        return first->rank < second->rank ? -1 : 1;
    if ((first->living == 0) != (second->living == 0))
        return first->living == 0 ? 1 : -1;
    return compare_times(by, &first->sum, &second->sum);
}

/* A process's row comes before its threads. */
static int compare_rows(const void *a, const void *b, void *context)
{
    const struct by *by = context;
    const struct thread_row *x = a, *y = b;
    const struct fold_thread *first, *second;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->thread == THREAD_NONE || y->thread == THREAD_NONE)
        return x->thread == y->thread ? 0 : x->thread == THREAD_NONE ? -1 : 1;
    if (by->ranks != NULL && by->ranks[x->thread] != by->ranks[y->thread])
        return by->ranks[x->thread] < by->ranks[y->thread] ? -1 : 1;
    first = &by->input->fold->threads[x->thread];
    second = &by->input->fold->threads[y->thread];
    if (threads_gone(by->input, first) != threads_gone(by->input, second))
        return threads_gone(by->input, first) ? 1 : -1;
    return compare_times(by, first, second);
}

/* ---- processes ----------------------------------------------------------------------------------
 */

static int compare_pids(const void *a, const void *b)
{
    const struct thread_group *first = a, *second = b;

    return first->pid < second->pid ? -1 : first->pid > second->pid;
}

static struct thread_group *group_of(const struct thread_order *order, int32_t pid)
{
    struct thread_group wanted = { .pid = pid };

    return bsearch(&wanted, order->groups, order->group_count, sizeof(wanted), compare_pids);
}

static bool is_closed(const struct thread_order *order, int32_t pid)
{
    for (size_t i = 0; i < order->closed_count; i++)
        if (order->closed[i] == pid)
            return true;
    return false;
}

static void add_to(struct thread_group *group, const struct screen_input *input,
                   const struct fold_thread *thread)
{
    group->sum.running_ns += thread->running_ns;
    group->sum.runnable_ns += thread->runnable_ns;
    group->sum.waiting_ns += thread->waiting_ns;
    group->sum.gil_held_ns += thread->gil_held_ns;
    group->sum.gil_wanted_ns += thread->gil_wanted_ns;
    group->sum.samples += thread->samples;
    if (threads_facts(input, thread)->process)
        group->sum.thread = thread->thread;
    group->count++;
    group->living += !threads_gone(input, thread);
}

/* The processes by pid, with the ranks they were shown in before. */
static void gather_groups(struct thread_order *order, const struct screen_input *input)
{
    const struct fold *fold = input->fold;
    struct thread_group *before = order->groups;
    uint32_t before_count = order->group_count, count = 0;

    order->groups = xcalloc((size_t)fold->thread_count + 1, sizeof(*order->groups));
    for (uint32_t i = 0; i < fold->thread_count; i++)
        order->groups[i].pid = threads_facts(input, &fold->threads[i])->pid;
    qsort(order->groups, fold->thread_count, sizeof(*order->groups), compare_pids);
    for (uint32_t i = 0; i < fold->thread_count; i++)
        if (i == 0 || order->groups[i].pid != order->groups[count - 1].pid)
            order->groups[count++] =
                (struct thread_group){ .pid = order->groups[i].pid, .rank = UINT32_MAX };
    order->group_count = count;
    for (uint32_t i = 0; i < before_count; i++) {
        struct thread_group *group = group_of(order, before[i].pid);

        if (group != NULL)
            group->rank = i;
    }
    for (uint32_t i = 0; i < fold->thread_count; i++) {
        struct thread_group *group = group_of(order, threads_facts(input, &fold->threads[i])->pid);

        if (group->count == 0)
            group->sum.thread = fold->threads[i].thread;
        add_to(group, input, &fold->threads[i]);
    }
    free(before);
    order->several = count > 1;
}

/* ---- rows ---------------------------------------------------------------------------------------
 */

/* Where each of the fold's threads stood before; those that are new come last. */
static uint32_t *gather_ranks(const struct thread_order *order, const struct fold *fold)
{
    uint32_t total = profile_threads(fold->profile);
    uint32_t *rank_of = xmalloc(sizeof(*rank_of) * ((size_t)total + 1));
    uint32_t *ranks = xmalloc(sizeof(*ranks) * ((size_t)fold->thread_count + 1));

    memset(rank_of, 0xff, sizeof(*rank_of) * total);
    for (uint32_t i = 0; i < order->count; i++)
        if ((order->keys[i] & KEY_PROCESS) == 0 && order->keys[i] - 1 < total)
            rank_of[order->keys[i] - 1] = i;
    for (uint32_t i = 0; i < fold->thread_count; i++)
        ranks[i] = fold->threads[i].thread < total ? rank_of[fold->threads[i].thread] : UINT32_MAX;
    free(rank_of);
    return ranks;
}

/* A row for each process of several threads, and the threads of all that are open. */
static void make_rows(struct thread_order *order, const struct screen_input *input)
{
    const struct fold *fold = input->fold;
    uint32_t *group_at = xmalloc(sizeof(*group_at) * ((size_t)fold->thread_count + 1));

    order->rows =
        array_reserve(order->rows, &order->row_room,
                      (size_t)fold->thread_count + order->group_count + 1, sizeof(order->rows[0]));
    order->count = 0;
    for (uint32_t i = 0; i < fold->thread_count; i++)
        group_at[i] = (uint32_t)(group_of(order, threads_facts(input, &fold->threads[i])->pid) -
                                 order->groups);
    for (uint32_t i = 0; i < order->group_count; i++) {
        struct thread_group *group = &order->groups[i];

        group->closed = order->several && group->count > 1 && is_closed(order, group->pid);
        if (order->several && group->count > 1)
            order->rows[order->count++] = (struct thread_row){ THREAD_NONE, i };
    }
    for (uint32_t i = 0; i < fold->thread_count; i++)
        if (!order->groups[group_at[i]].closed)
            order->rows[order->count++] = (struct thread_row){ i, group_at[i] };
    free(group_at);
}

/* Puts the groups in order, and with them what the rows say of them. */
static void sort_groups(struct thread_order *order, const struct by *by)
{
    uint32_t *place_of = xmalloc(sizeof(*place_of) * ((size_t)order->group_count + 1));
    struct thread_group *sorted = xmalloc(sizeof(*sorted) * ((size_t)order->group_count + 1));

    memcpy(sorted, order->groups, sizeof(*sorted) * order->group_count);
    qsort_r(sorted, order->group_count, sizeof(*sorted), compare_groups, (void *)by);
    for (uint32_t i = 0; i < order->group_count; i++)
        place_of[group_of(order, sorted[i].pid) - order->groups] = i;
    for (uint32_t i = 0; i < order->count; i++)
        order->rows[i].group = place_of[order->rows[i].group];
    free(order->groups);
    free(place_of);
    order->groups = sorted;
}

static void name_rows(struct thread_order *order, const struct fold *fold)
{
    order->keys = array_reserve(order->keys, &order->key_room, (size_t)order->count + 1,
                                sizeof(order->keys[0]));
    for (uint32_t i = 0; i < order->count; i++)
        order->keys[i] = order->rows[i].thread == THREAD_NONE
                             ? key_of_group(&order->groups[order->rows[i].group])
                             : key_of_thread(&fold->threads[order->rows[i].thread]);
}

bool thread_order_held(const struct thread_order *order, const struct screen_input *input)
{
    return order->held && resort_waits(input);
}

/* The rows stand as sorting would put them. */
static bool is_sorted(const struct thread_order *order, const struct by *kept)
{
    struct by by = { kept->input, NULL, kept->sort, kept->inverted };

    for (uint32_t i = 1; i < order->group_count; i++)
        if (compare_groups(&order->groups[i - 1], &order->groups[i], &by) > 0)
            return false;
    for (uint32_t i = 1; i < order->count; i++)
        if (compare_rows(&order->rows[i - 1], &order->rows[i], &by) > 0)
            return false;
    return true;
}

void thread_order_update(struct thread_order *order, const struct screen_input *input,
                         enum thread_sort sort, bool inverted)
{
    uint32_t sorted_by = (uint32_t)sort * 2 + inverted;
    struct by by = { input, NULL, sort, inverted };
    bool same = order->resort.valid && !order->changed && order->sorted_by == sorted_by;
    bool sort_now = resort_due(&order->resort, input) || order->sorted_by != sorted_by;
    uint32_t *ranks = NULL;

    if (same && order->version == input->fold->version && !(order->held && sort_now))
        return;
    if (!sort_now)
        by.ranks = ranks = gather_ranks(order, input->fold);
    gather_groups(order, input);
    make_rows(order, input);
    sort_groups(order, &by);
    qsort_r(order->rows, order->count, sizeof(order->rows[0]), compare_rows, &by);
    name_rows(order, input->fold);
    free(ranks);
    order->held = !sort_now && !is_sorted(order, &by);
    order->version = input->fold->version;
    order->sorted_by = sorted_by;
    order->changed = false;
    resort_done(&order->resort, input, sort_now);
}

int thread_order_find(const struct thread_order *order, thread_key key)
{
    for (uint32_t i = 0; i < order->count; i++)
        if (order->keys[i] == key)
            return (int)i;
    return -1;
}

void thread_order_open(struct thread_order *order, int32_t pid, bool open)
{
    size_t at = 0;

    while (at < order->closed_count && order->closed[at] != pid)
        at++;
    if (open == (at == order->closed_count))
        return;
    order->changed = true;
    if (open) {
        order->closed[at] = order->closed[--order->closed_count];
        return;
    }
    order->closed = array_reserve(order->closed, &order->closed_room, order->closed_count + 1,
                                  sizeof(order->closed[0]));
    order->closed[order->closed_count++] = pid;
}

void thread_order_fini(struct thread_order *order)
{
    free(order->rows);
    free(order->keys);
    free(order->groups);
    free(order->closed);
}
