/* SPDX-License-Identifier: MIT */
/* Stack copies that wait for their tables: see pending.h. */
#include "config.h"

#include "pending.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/memory.h"

enum { KERNEL_FRAMES_MAX = 128 };

/* Longer than the largest tables take; a sample then goes out with what it has. */
#define WAIT_MAX_NS (1500 * NS_PER_MS)

struct pending_copy {
    struct pending_copy *next;
    size_t bytes; /* of all of it */
    struct unfinished unfinished;
    struct frame kernel[KERNEL_FRAMES_MAX];
    struct maps *maps;
    uint8_t stack[];
};

void pending_init(struct pending *pending, struct unwinder *unwinder, struct emit *emit)
{
    pending->unwinder = unwinder;
    pending->emit = emit;
    pending->first = NULL;
    pending->last = &pending->first;
    pending->bytes = 0;
}

/* Fills frames; false when the tables are not ready. */
static bool unwind(struct pending *pending, const struct unfinished *unfinished)
{
    uint32_t kernel = unfinished->kernel_count;
    bool done;

    if (kernel > KERNEL_FRAMES_MAX)
        kernel = KERNEL_FRAMES_MAX;
    if (kernel > 0)
        memcpy(pending->frames, unfinished->kernel, kernel * sizeof(struct frame));
    done = unwind_frozen(pending->unwinder, &unfinished->frozen, pending->frames + kernel, NULL,
                         STACK_FRAMES_MAX, &pending->unwound);
    pending->count = kernel + pending->unwound.count;
    return done;
}

static void send(struct pending *pending, const struct unfinished *unfinished)
{
    struct record_sample sample = unfinished->sample;
    struct record_tally *tally = &pending->emit->tally;

    sample.end = pending->unwound.end;
    if (sample.end == STACK_TRUNCATED)
        tally->truncated++;
    else if (sample.end != STACK_COMPLETE && sample.end != STACK_LIMIT)
        tally->broken++;
    emit_sample(pending->emit, unfinished->time_ns, &sample, pending->frames, pending->count);
}

static void keep(struct pending *pending, const struct unfinished *unfinished)
{
    const struct frozen *frozen = &unfinished->frozen;
    size_t bytes = sizeof(struct pending_copy) + frozen->stack_size;
    struct pending_copy *copy = xmalloc(bytes);
    uint32_t kernel = unfinished->kernel_count;

    copy->next = NULL;
    copy->bytes = bytes;
    copy->unfinished = *unfinished;
    if (kernel > KERNEL_FRAMES_MAX)
        kernel = KERNEL_FRAMES_MAX;
    if (kernel > 0)
        memcpy(copy->kernel, unfinished->kernel, kernel * sizeof(struct frame));
    copy->unfinished.kernel = copy->kernel;
    copy->unfinished.kernel_count = kernel;
    memcpy(copy->stack, frozen->stack, frozen->stack_size);
    copy->unfinished.frozen.stack = copy->stack;
    copy->unfinished.frozen.extra = NULL;
    copy->unfinished.frozen.extra_size = 0;
    copy->unfinished.frozen.peek = NULL; /* the thread runs on: its memory is of another moment */
    copy->maps = maps_ref((struct maps *)frozen->maps);
    *pending->last = copy;
    pending->last = &copy->next;
    pending->bytes += bytes;
}

static void drop_first(struct pending *pending)
{
    struct pending_copy *copy = pending->first;

    pending->first = copy->next;
    if (pending->first == NULL)
        pending->last = &pending->first;
    pending->bytes -= copy->bytes;
    maps_unref(copy->maps);
    free(copy);
}

void pending_fini(struct pending *pending)
{
    while (pending->first != NULL)
        drop_first(pending);
}

bool pending_finish(struct pending *pending, const struct unfinished *unfinished)
{
    size_t bytes = sizeof(struct pending_copy) + unfinished->frozen.stack_size;

    if (!unwind(pending, unfinished) && pending->bytes + bytes <= PENDING_BYTES_MAX) {
        keep(pending, unfinished);
        return false;
    }
    if (pending->unwound.end == STACK_NOT_READY)
        pending->emit->tally.deferred++;
    send(pending, unfinished);
    return true;
}

uint64_t pending_retry(struct pending *pending, uint64_t now_ns)
{
    while (pending->first != NULL) {
        const struct unfinished *unfinished = &pending->first->unfinished;

        if (!unwind(pending, unfinished)) {
            if (now_ns - unfinished->time_ns < WAIT_MAX_NS)
                return unfinished->time_ns;
            pending->emit->tally.deferred++;
        }
        send(pending, unfinished);
        drop_first(pending);
    }
    return now_ns;
}
