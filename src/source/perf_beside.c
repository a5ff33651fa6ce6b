/* SPDX-License-Identifier: MIT */
/*
 * What is counted beside the samples: page faults, and where there is a PMU instructions, cycles
 * and misses.  The event that samples leads a group, and a sample tells how far all of the group
 * have come, for its thread and CPU:
 *
 *     thread 101 on CPU 0   ···▼ 7000 instructions ····▼ 9500 ·············▼ 14000
 *     the samples get          7000                    2500                4500
 *
 * The group is pinned: it never takes turns with others, or there would be no samples either, and
 * nothing has to be scaled.  (An event of a thread on one CPU is "enabled" while the thread is on
 * another, so the kernel's times would not tell turns from moves anyway.)
 *
 * So a function gets what was counted in the stretches that ended in it: right for one that runs
 * for several periods at a time, its surroundings' for one that runs for moments.
 */
#include "config.h"

#include "perf_private.h"

#include <stdlib.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"

enum { GROUP_MAX = 1 + COUNTED };

void perf_beside_take(const struct perf *perf, struct thread *thread, size_t ring,
                      const struct perf_sample *sample, uint64_t counted[COUNTED])
{
    const struct perf_wish *wish = &perf->events.wish;
    uint64_t *last;

    if (wish->beside_count == 0 || sample->group_count != 1 + wish->beside_count ||
        sample->time_ns <= perf->beside_since_ns)
        return;
    if (thread->beside == NULL)
        thread->beside = xcalloc(perf->events.ring_count * GROUP_MAX, sizeof(*thread->beside));
    last = &thread->beside[ring * GROUP_MAX];
    for (unsigned i = 0; i < sample->group_count; i++) {
        enum counted id = perf_name_counted(i == 0 ? &wish->event : &wish->beside[i - 1]);

        if (id != COUNTED && sample->group[i] > last[i])
            counted[id] = sample->group[i] - last[i];
        last[i] = sample->group[i];
    }
}

void perf_beside_restart(struct perf *perf)
{
    perf->beside_since_ns = clock_now_ns();
    for (size_t i = 0; i < perf->roster.count; i++) {
        free(perf->roster.threads[i]->beside);
        perf->roster.threads[i]->beside = NULL;
    }
}

void perf_beside_stop(struct perf *perf, uint64_t now_ns, const char *why)
{
    perf->events.wish.beside_count = 0;
    emit_note(&perf->emit, now_ns, NOTE_WARNING,
              _("nothing is counted beside the samples from here on: %s"), why);
}
