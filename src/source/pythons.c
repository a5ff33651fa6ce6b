/* SPDX-License-Identifier: MIT */
/* Interpreters of the target: see pythons.h. */
#include "config.h"

#include "pythons.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"

/* A process that was just exec'd needs a moment before it can be read, so it is tried again, ever
 * more rarely; what still fails after that is a version or a build that is not supported. */
#define TRY_AGAIN_MIN_NS (2 * NS_PER_MS)
#define TRY_AGAIN_MAX_NS (64 * NS_PER_MS)
#define GIVE_UP_NS (NS_PER_S / 2)

void pythons_init(struct pythons *pythons, struct roster *roster,
                  const struct source_config *config)
{
    memset(pythons, 0, sizeof(*pythons));
    pythons->wanted = config->python;
    pythons->roster = roster;
    pythons->codes = config->codes;
    if (pythons->wanted)
        pythons->sample = python_sample_new();
}

void pythons_fini(struct pythons *pythons)
{
    if (pythons->sample != NULL)
        python_sample_free(pythons->sample);
    free(pythons->saved);
}

static void try_open(struct pythons *pythons, struct tracked *process, uint64_t now_ns)
{
    struct roster *roster = pythons->roster;
    const struct maps *maps = roster_maps(roster, process, now_ns);
    struct error error;

    if (process->python_rest_ns == 0)
        process->python_rest_ns = TRY_AGAIN_MIN_NS;
    process->python_due_ns = now_ns + process->python_rest_ns;
    if (process->python_rest_ns < TRY_AGAIN_MAX_NS)
        process->python_rest_ns *= 2;
    if (maps == NULL || !python_suspected(maps))
        return;
    process->python = python_open(target_proc_root(roster->target), maps, pythons->codes, &error);
    if (process->python != NULL)
        return;
    if (process->python_first_ns == 0)
        process->python_first_ns = now_ns;
    if (now_ns - process->python_first_ns < GIVE_UP_NS)
        return;
    process->python_due_ns = UINT64_MAX;
    emit_note(roster->emit, now_ns, NOTE_WARNING, _("Python frames are not shown: %s"),
              error.message);
}

bool pythons_prepare(struct pythons *pythons, struct thread *thread, uint64_t now_ns)
{
    struct tracked *process = thread->process;

    if (!pythons->wanted || (process->python == NULL && now_ns < process->python_due_ns))
        return false;
    if (process->python == NULL)
        try_open(pythons, process, now_ns);
    if (process->python != NULL)
        python_prepare(process->python, thread->tid);
    return true;
}

void pythons_warm_up(struct pythons *pythons, const struct thread *thread)
{
    if (thread->process->python != NULL)
        python_warm_up(thread->process->python, thread->tid, pythons->sample);
}

void pythons_freeze(struct pythons *pythons, const struct thread *thread,
                    const struct frozen *frozen)
{
    pythons->frozen = thread->process->python;
    if (pythons->frozen != NULL && !python_freeze(pythons->frozen, frozen, pythons->sample))
        pythons->frozen = NULL;
}

/* Unwinds once more, slower, for what python_anchor() needs. */
static void find_anchors(struct pythons *pythons, struct pending *pending,
                         const struct frozen *frozen, uint32_t kernel)
{
    if (pythons->saved == NULL)
        pythons->saved = xcalloc(STACK_FRAMES_MAX, sizeof(*pythons->saved));
    unwind_full(pending->unwinder, frozen, pending->frames + kernel, pending->stacks + kernel,
                pythons->saved, STACK_FRAMES_MAX, &pending->unwound);
    pending->count = kernel + pending->unwound.count;
    python_anchor(pythons->sample, pending->stacks + kernel, pythons->saved,
                  pending->unwound.count);
}

enum gil pythons_merge(struct pythons *pythons, struct pending *pending,
                       const struct frozen *frozen, uint32_t kernel)
{
    if (pythons->frozen == NULL)
        return GIL_NONE;
    if (python_needs_registers(pythons->frozen))
        find_anchors(pythons, pending, frozen, kernel);
    pending->count = python_merge(pythons->frozen, pythons->sample, pending->frames,
                                  pending->stacks, pending->count, PENDING_FRAMES_MAX);
    return python_sample_gil(pythons->sample);
}
