/* SPDX-License-Identifier: MIT */
/*
 * A copy of the second stack of a held thread: Go's runtime works on the system's stack for a
 * goroutine, which goes on on its own.  The saved frame pointers lead from one to the other:
 *
 *     bp ─► | saved | ─► | saved | ─┐            system's stack: copied already
 *                                   └─► | saved | ─► …        a goroutine's: from a little before
 *
 * Only in processes where an unwind ended at such code for lack of that copy: elsewhere the frame
 * pointer may be anything.
 */
#include "config.h"

#include <string.h>

#include "peek.h"
#include "ptrace_private.h"

enum {
    WORD = 8,
    STEPS_MAX = 64,
    BEFORE_BYTES = 4 << 10, /* the frame the pointer is of, which lies below it */
};

/* The first saved frame pointer that leads out of the copy; 0: they end in it. */
static uint64_t leading_out(const struct frozen *frozen)
{
    uint64_t fp = frozen->registers.bp;

    for (unsigned step = 0; step < STEPS_MAX; step++) {
        uint64_t at = fp - frozen->stack_start;

        if (at >= frozen->stack_size)
            return fp;
        if (frozen->stack_size - at < WORD)
            return 0;
        memcpy(&fp, frozen->stack + at, WORD);
    }
    return 0;
}

void tracer_freeze_switched(const struct tracer *tracer, struct frozen *frozen)
{
    uint64_t fp = leading_out(frozen), start = fp - BEFORE_BYTES;

    if (fp < BEFORE_BYTES || fp % WORD != 0)
        return;
    frozen->extra_size = peek_memory(frozen->tid, start, tracer->switched, TRACER_SWITCHED_BYTES);
    if (frozen->extra_size == 0) {
        start = fp; /* a stack may begin there */
        frozen->extra_size =
            peek_memory(frozen->tid, start, tracer->switched, TRACER_SWITCHED_BYTES);
    }
    if (frozen->extra_size == 0)
        return;
    frozen->extra = tracer->switched;
    frozen->extra_start = start;
}
