/* SPDX-License-Identifier: MIT */
/*
 * Reading a thread's stack while it still runs, for nothing but that the way into the kernel and
 * the stack itself come back into the caches: who is resumed before its CPU has gone to sleep need
 * not wait for that to wake (at 99 Hz 9 us held, not 18).  It takes system calls of its own, and
 * gains nothing where all that is warm, as on a busy machine.  So stops of a thread come in pairs
 * now and then, the one without it and the next with it, and what they tell is done until they are
 * tried again.
 */
#include "config.h"

#include "ptrace_private.h"

#include "proftop/clock.h"

#define HELD_MOST_NS (50 * NS_PER_US) /* the rest is somebody else's doing */

enum { PAIRS = 32, STOPS = 512 }; /* compared; until that is done again */

static uint64_t within_most(uint64_t held_ns)
{
    return held_ns < HELD_MOST_NS ? held_ns : HELD_MOST_NS;
}

/* An eighth less is worth the calls. */
static void decide(struct ahead_trial *trial)
{
    bool helps = trial->with_ns < trial->without_ns - trial->without_ns / 8;

    *trial = (struct ahead_trial){ .helps = helps, .left = STOPS };
}

/* Not of one that shares its CPU, which it would take from; nor of one not seen before. */
static bool is_worth_a_try(const struct thread *thread)
{
    return thread->tracee.stack_expected != 0 && !thread->tracee.blocked && tracer_awaits(thread);
}

void tracer_read_ahead(struct tracer *tracer, struct thread *thread)
{
    const struct ahead_trial *trial = &tracer->trial;
    struct tracee *tracee = &thread->tracee;

    tracee->ahead_counts = is_worth_a_try(thread);
    tracee->ahead =
        tracee->ahead_counts && (trial->left > 0 ? trial->helps : tracee->without_ahead_ns != 0);
    if (!tracee->ahead)
        return;
    tracer_read_stack(tracer, thread, tracee->stack_expected);
    pythons_warm_up(&tracer->pythons, thread);
}

void tracer_learn_ahead(struct tracer *tracer, struct thread *thread, uint64_t held_ns)
{
    struct ahead_trial *trial = &tracer->trial;
    struct tracee *tracee = &thread->tracee;
    uint64_t without_ns = tracee->without_ahead_ns;

    if (!tracee->ahead_counts)
        return;
    tracee->without_ahead_ns = 0;
    if (trial->left > 0) {
        trial->left--;
    } else if (!tracee->ahead) {
        tracee->without_ahead_ns = held_ns;
    } else if (without_ns != 0) {
        trial->without_ns += within_most(without_ns);
        trial->with_ns += within_most(held_ns);
        if (++trial->pairs == PAIRS)
            decide(trial);
    }
}
