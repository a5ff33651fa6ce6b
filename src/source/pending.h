/* SPDX-License-Identifier: MIT */
/*
 * Stack copies on their way to becoming frames.  Most are unwound at once; those whose tables are
 * still being built wait here, in order, within a bound.  Private to source/.
 */
#ifndef PROFTOP_SOURCE_PENDING_H
#define PROFTOP_SOURCE_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emit.h"
#include "proftop/maps.h"
#include "proftop/unwind.h"
#include "roster.h"

enum {
    PENDING_BYTES_MAX = 64 << 20,
    STACK_FRAMES_MAX = 2048,
    PENDING_FRAMES_MAX = 2 * STACK_FRAMES_MAX + 128, /* with the kernel's and an interpreter's */
};

/* A sample but for its user frames. */
struct unfinished {
    uint64_t time_ns;
    struct record_sample sample; /* pid, tid, weight, state… */
    const struct frame *kernel;  /* frames that come first, innermost first */
    uint32_t kernel_count;
    struct frozen frozen; /* its maps are filled in */
    struct tracked *process;
    struct pythons *pythons; /* took Python frames along; or NULL */
};

struct pending_copy;
struct pythons;

struct pending {
    struct unwinder *unwinder;
    struct roster *roster;
    struct emit *emit;
    struct pending_copy *first, **last;
    size_t bytes;
    struct frame frames[PENDING_FRAMES_MAX]; /* of the one being finished */
    uint64_t stacks[PENDING_FRAMES_MAX];     /* their stack pointers; 0 in the kernel */
    uint32_t count;                          /* of them; kernel frames included */
    struct unwound unwound;
    uint32_t cut; /* copies that were too small, whether or not the rest could be read */
};

void pending_init(struct pending *pending, struct unwinder *unwinder, struct roster *roster);
/* What still waits is dropped. */
void pending_fini(struct pending *pending);

/*
 * Unwinds and sends the sample, or keeps a copy of it.  True when it was sent: frames, count and
 * unwound tell what.
 */
bool pending_finish(struct pending *pending, struct unfinished *unfinished);

/*
 * Unwinds FROZEN, a stack of PROCESS, into frames after the first SKIP; its maps are filled in, and
 * read again when it leads to code they do not have.  False when tables are not ready.
 */
bool pending_unwind(struct pending *pending, struct tracked *process, struct frozen *frozen,
                    uint32_t skip, uint64_t time_ns);

/* Tries again what waits.  The time before which nothing waits any more. */
uint64_t pending_retry(struct pending *pending, uint64_t now_ns);
/* Sends the rest; what its tables are not ready for in half a second goes out as far as it goes. */
void pending_end(struct pending *pending);

#endif
