/* SPDX-License-Identifier: MIT */
/*
 * Reading a thread's stack while it still runs, for nothing but that the way into the kernel and
 * the stack itself come back into the caches: who is resumed before its CPU has gone to sleep need
 * not wait for that to wake (at 99 Hz 14 us held, not 27).  It is a system call more a sample, and
 * no gain where they are warm, as of a machine that is busy.  So stops come in pairs now and then,
 * the one with and the other without it, and what most pairs tell is done until the next.
 */
#include "config.h"

#include "ptrace_private.h"

#include "peek.h"

enum { PAIRS = 32, MOST = 17, STOPS = 512 };

/* Not of one that shares its CPU, which it would take that time; nor of one not seen before. */
static bool worth_a_try(const struct thread *thread)
{
    return thread->tracee.stack_start != 0 && !thread->tracee.blocked && tracer_awaits(thread);
}

void tracer_read_ahead(struct tracer *tracer, struct thread *thread)
{
    const struct ahead_trial *trial = &tracer->trial;
    struct tracee *tracee = &thread->tracee;

    tracee->ahead_tried = worth_a_try(thread);
    tracee->ahead =
        tracee->ahead_tried && (trial->left > 0 ? trial->helps : trial->without_ns != 0);
    if (!tracee->ahead)
        return;
    peek_memory(thread->tid, tracee->stack_start, tracer->stack,
                tracer_bytes_to_copy(tracee, tracee->stack_start));
    pythons_warm_up(&tracer->pythons, thread);
}

void tracer_learn_ahead(struct tracer *tracer, const struct thread *thread, uint64_t held_ns)
{
    struct ahead_trial *trial = &tracer->trial;

    if (!thread->tracee.ahead_tried)
        return;
    if (trial->left > 0) {
        trial->left--;
    } else if (!thread->tracee.ahead) {
        trial->without_ns = held_ns;
    } else {
        trial->shorter += held_ns < trial->without_ns - trial->without_ns / 8;
        trial->without_ns = 0;
        if (++trial->pairs == PAIRS)
            *trial = (struct ahead_trial){ .helps = trial->shorter >= MOST, .left = STOPS };
    }
}
