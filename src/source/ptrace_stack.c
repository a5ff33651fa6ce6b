/* SPDX-License-Identifier: MIT */
/*
 * What is copied of the stack of a thread that was stopped, and when.
 *
 *     thread    runs ── stops ── leaves its CPU ─┐             ┌─ runs
 *     sampler            copies the stack ───────┴─ registers ─┘
 *
 * The kernel gives registers only once their thread has left its CPU, so the stack is copied in the
 * meantime, from where it is expected to end by the stops before; where the registers say otherwise
 * it is copied again.  The copy reaches up to where the stack began, which stays while the thread
 * does; of a deep one, and one that goes from stack to stack, it is made once the registers are
 * known.
 */
#include "config.h"

#include "ptrace_private.h"

#include "peek.h"

enum {
    STACK_FIRST = 256 << 10,
    STACK_USUAL = 32 << 10, /* where it cannot be told how deep it is */
    STACK_STEP = 4 << 10,
    STACK_LEAST = 16 << 10, /* hardly costs more than less would */
    STACK_END = 256,        /* what the outermost frame may be asked for */
    STACK_SHRINK = 32,      /* of a copy too large by a sample */
    EARLY_MAX = 64 << 10,   /* copied in a stop that may yet give no sample */
    /* So 1 % of node's stops and 12 % of cc1's turn out deeper than was expected. */
    DEEPER = 512,         /* how far below the last it may come to be */
    DEEPER_MAX = 4 << 10, /* likewise, below any of late */
    DEEPER_FORGOTTEN = 8, /* the part by which that comes up to the last */
};

static bool reaches_base(const struct tracee *tracee, uint64_t start, uint64_t most)
{
    return tracee->stack_base != 0 && !tracee->stack_moves && start < tracee->stack_base &&
           tracee->stack_base - start <= most - STACK_END;
}

size_t tracer_read_stack(const struct tracer *tracer, const struct thread *thread, uint64_t start)
{
    const struct tracee *tracee = &thread->tracee;
    size_t size = STACK_FIRST;

    if (reaches_base(tracee, start, TRACER_STACK_MAX))
        size = tracee->stack_base - start + STACK_END;
    else if (tracee->stack_bytes != 0)
        size = tracee->stack_bytes;
    return peek_memory(thread->tid, start, tracer->stack, size);
}

static void copy(const struct tracer *tracer, const struct thread *thread, uint64_t start,
                 struct frozen *frozen)
{
    frozen->stack_start = start;
    frozen->stack_size = tracer_read_stack(tracer, thread, start);
}

void tracer_copy_expected(const struct tracer *tracer, const struct thread *thread,
                          struct frozen *frozen)
{
    uint64_t start = thread->tracee.stack_expected;

    if (start != 0 && reaches_base(&thread->tracee, start, EARLY_MAX))
        copy(tracer, thread, start, frozen);
}

void tracer_copy_stack(const struct tracer *tracer, const struct thread *thread,
                       struct frozen *frozen)
{
    uint64_t sp = frozen->registers.sp, below = sp - frozen->stack_start;

    if (below >= frozen->stack_size) {
        copy(tracer, thread, sp, frozen);
        return;
    }
    frozen->stack += below;
    frozen->stack_start = sp;
    frozen->stack_size -= below;
}

static void expect_next(struct tracee *tracee, uint64_t sp)
{
    uint64_t start = sp - DEEPER, *expected = &tracee->stack_expected;

    if (*expected == 0 || start < *expected)
        *expected = start;
    else if (start - *expected > DEEPER_MAX)
        *expected = start - DEEPER_MAX;
    else
        *expected += (start - *expected) / DEEPER_FORGOTTEN;
}

/* A stack that ended so began at BASE; where it broke says nothing of that. */
static void learn_base(struct tracee *tracee, enum stack_end end, uint64_t base)
{
    if (end != STACK_COMPLETE && end != STACK_TRUNCATED)
        return;
    tracee->stack_moves =
        end != STACK_COMPLETE || (tracee->stack_base != 0 && tracee->stack_base != base);
    if (end == STACK_COMPLETE)
        tracee->stack_base = base;
}

/* Where it is not known where the stack begins, the next copy is as large as this turned out to
 * need, or nearly as the last. */
static void learn_depth(struct tracee *tracee, const struct pending *pending,
                        const struct frozen *frozen)
{
    uint64_t wanted_bytes = frozen->stack_size, least_bytes = tracee->stack_bytes;
    bool one = frozen->extra == NULL && pending->count > 0; /* not also another stack */
    uint64_t base = one ? pending->stacks[pending->count - 1] : 0;

    if (one)
        learn_base(tracee, pending->unwound.end, base);
    if (pending->unwound.end == STACK_TRUNCATED)
        wanted_bytes *= 2;
    else if (base > frozen->stack_start)
        wanted_bytes = (base - frozen->stack_start) * 5 / 4;
    else if (tracee->stack_bytes == 0)
        wanted_bytes = STACK_USUAL;
    else
        return;
    wanted_bytes = wanted_bytes / STACK_STEP * STACK_STEP + STACK_STEP;
    least_bytes -= least_bytes / STACK_SHRINK;
    if (wanted_bytes < least_bytes)
        wanted_bytes = least_bytes;
    if (wanted_bytes < STACK_LEAST)
        wanted_bytes = STACK_LEAST;
    if (wanted_bytes > TRACER_STACK_MAX)
        wanted_bytes = TRACER_STACK_MAX;
    tracee->stack_bytes = (uint32_t)wanted_bytes;
}

void tracer_learn_stack(struct thread *thread, const struct pending *pending,
                        const struct frozen *frozen)
{
    expect_next(&thread->tracee, frozen->registers.sp);
    if (pending != NULL)
        learn_depth(&thread->tracee, pending, frozen);
    else if (thread->tracee.stack_bytes == 0)
        thread->tracee.stack_bytes = STACK_USUAL;
}
