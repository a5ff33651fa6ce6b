/* SPDX-License-Identifier: MIT */
/*
 * Reading a thread's stack while it still runs, for nothing but that the way into the kernel and
 * the stack itself come back into the caches: who is resumed before its CPU has gone to sleep need
 * not wait for that to wake (at 99 Hz 14 us held, not 27).  It takes system calls of its own, and
 * gains nothing where all that is warm, as on a busy machine.  So stops of a thread come in pairs
 * now and then, the one without it and the next with it, and what most pairs tell is done until
 * they are tried again.
 */
#include "config.h"

#include "ptrace_private.h"

#include "peek.h"

enum { PAIRS = 32, STOPS = 512 }; /* compared; until that is done again */

/* Worth the calls: an eighth less. */
static bool is_shorter(uint64_t held_ns, uint64_t without_ns)
{
    return held_ns < without_ns - without_ns / 8;
}

/* Not of one that shares its CPU, from which it would take that time; nor of one not seen before.
 */
static bool is_worth_a_try(const struct thread *thread)
{
    return thread->tracee.stack_start != 0 && !thread->tracee.blocked && tracer_awaits(thread);
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
    peek_memory(thread->tid, tracee->stack_start, tracer->stack,
                tracer_bytes_to_copy(tracee, tracee->stack_start));
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
        trial->shorter += is_shorter(held_ns, without_ns);
        if (++trial->pairs == PAIRS)
            *trial = (struct ahead_trial){ .helps = trial->shorter > PAIRS / 2, .left = STOPS };
    }
}
