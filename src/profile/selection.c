/* SPDX-License-Identifier: MIT */
/* Scopes worked out for a profile. */
#include "config.h"

#include "selection.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "proftop/memory.h"
#include "proftop/metric.h"

static bool contains(const int32_t list[SCOPE_THREADS_MAX], int32_t id)
{
    for (unsigned i = 0; i < SCOPE_THREADS_MAX && list[i] != 0; i++) {
        if (list[i] == id)
            return true;
    }
    return list[0] == 0;
}

static void select_threads(struct selection *selection, const struct profile *profile,
                           const struct scope *scope)
{
    selection->thread_count = profile_threads(profile);
    selection->all_threads =
        scope->processes[0] == 0 && scope->threads[0] == 0 && scope->thread_name[0] == '\0';
    if (selection->all_threads)
        return;
    selection->threads = xcalloc(selection->thread_count + 1, sizeof(*selection->threads));
    for (uint32_t i = 0; i < selection->thread_count; i++) {
        const struct profile_thread *thread = profile_thread(profile, i);

        selection->threads[i] =
            contains(scope->processes, thread->pid) && contains(scope->threads, thread->tid) &&
            (scope->thread_name[0] == '\0' || fnmatch(scope->thread_name, thread->name, 0) == 0);
    }
}

void selection_init(struct selection *selection, const struct profile *profile,
                    const struct scope *scope)
{
    uint64_t first_ns = profile_start_ns(profile), end_ns = profile_end_ns(profile);

    *selection = (struct selection){ .start_ns = scope->start_ns,
                                     .end_ns = scope->end_ns,
                                     .state = scope->state,
                                     .metric = scope->metric };
    if (scope->last_ns != 0) {
        selection->end_ns = UINT64_MAX;
        selection->start_ns =
            end_ns - first_ns > scope->last_ns ? end_ns - scope->last_ns : first_ns;
    }
    if (selection->start_ns < first_ns)
        selection->start_ns = first_ns;
    select_threads(selection, profile, scope);
}

void selection_copy(struct selection *to, const struct selection *from)
{
    *to = *from;
    if (from->threads != NULL)
        to->threads = xmemdup(from->threads, (from->thread_count + 1) * sizeof(*from->threads));
}

void selection_fini(struct selection *selection)
{
    free(selection->threads);
}

bool selection_has_slice(const struct selection *selection, const struct slice *slice)
{
    uint64_t start_ns = slice_start_ns(slice), length_ns = slice_end_ns(slice) - start_ns;
    uint64_t middle_ns = start_ns + length_ns / 2;

    if (selection->end_ns - selection->start_ns < length_ns) {
        uint64_t wanted_ns = selection->start_ns + (selection->end_ns - selection->start_ns) / 2;

        return wanted_ns >= start_ns && wanted_ns - start_ns < length_ns;
    }
    return middle_ns >= selection->start_ns && middle_ns < selection->end_ns;
}

bool selection_has_thread(const struct selection *selection, uint32_t thread)
{
    return selection->all_threads ||
           (thread < selection->thread_count && selection->threads[thread]);
}

bool selection_has_group(const struct selection *selection, const struct slice_entry *entry)
{
    if (entry->metric != selection->metric)
        return false;
    if (selection->state == SCOPE_GIL)
        return entry->gil == GIL_HELD;
    if (selection->metric != METRIC_TIME || selection->state == SCOPE_ALL)
        return true;
    return entry->state == (selection->state == SCOPE_ON_CPU ? STATE_RUNNING : STATE_WAITING);
}

bool selection_counts_group(const struct selection *selection, const struct slice_entry *entry)
{
    if (selection->metric != METRIC_TIME || metric_counted(entry->metric) == COUNTED)
        return false;
    return selection->state == SCOPE_GIL ? entry->gil == GIL_HELD
                                         : selection->state != SCOPE_WAITING;
}

void selection_slices(const struct selection *selection, const struct profile *profile,
                      struct slice_cursor *cursor)
{
    profile_slices(profile, selection->start_ns, selection->end_ns, UINT64_MAX, cursor);
}
