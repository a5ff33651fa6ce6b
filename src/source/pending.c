/* SPDX-License-Identifier: MIT */
/* Stack copies that wait for their tables: see pending.h. */
#include "config.h"

#include "pending.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "peek.h"
#include "pythons.h"
#include "still.h"

enum { KERNEL_FRAMES_MAX = 128, END_ROUNDS = 32 };

/* Longer than the largest tables take; a sample then goes out with what it has. */
#define WAIT_MAX_NS (1500 * NS_PER_MS)
#define END_MAX_NS (500 * NS_PER_MS)

struct pending_copy {
    struct pending_copy *next;
    size_t bytes; /* of all of it */
    struct unfinished unfinished;
    struct frame kernel[KERNEL_FRAMES_MAX];
    struct maps *maps;
    uint8_t stack[];
};

void pending_init(struct pending *pending, struct unwinder *unwinder, struct roster *roster)
{
    pending->unwinder = unwinder;
    pending->roster = roster;
    pending->emit = roster->emit;
    pending->first = NULL;
    pending->last = &pending->first;
    pending->bytes = 0;
    pending->cut = 0;
}

/* The thread may have ended since, or the leader before. */
static bool read_target(void *context, uint64_t address, void *buffer, size_t size)
{
    const struct frozen *frozen = context;

    return peek_memory(frozen->pid, address, buffer, size) == size ||
           peek_memory(frozen->tid, address, buffer, size) == size;
}

/* The thread runs on: its stack is of another moment from now on. */
static void allow_linkage(struct frozen *frozen)
{
    frozen->peek = NULL;
    frozen->peek_linkage = read_target;
    frozen->peek_context = frozen;
}

static bool unwind(struct pending *pending, const struct frozen *frozen, uint32_t skip)
{
    bool done = unwind_frozen(pending->unwinder, frozen, pending->frames + skip,
                              pending->stacks + skip, STACK_FRAMES_MAX, &pending->unwound);

    pending->count = skip + pending->unwound.count;
    return done;
}

bool pending_unwind(struct pending *pending, struct tracked *process, struct frozen *frozen,
                    uint32_t skip, uint64_t time_ns)
{
    bool done;

    frozen->maps = roster_maps(pending->roster, process, time_ns);
    if (frozen->maps == NULL) {
        pending->unwound = (struct unwound){ .end = STACK_NONE };
        pending->count = skip;
        return true;
    }
    done = unwind(pending, frozen, skip);
    if (done && pending->unwound.end == STACK_NO_MAPPING) {
        const struct maps *again = roster_maps_again(pending->roster, process, time_ns);

        if (again != frozen->maps) {
            frozen->maps = again;
            done = unwind(pending, frozen, skip);
        }
    }
    return done;
}

/* The kernel's frames come first. */
static uint32_t put_kernel(struct pending *pending, const struct unfinished *unfinished)
{
    uint32_t kernel = unfinished->kernel_count;

    if (kernel > KERNEL_FRAMES_MAX)
        kernel = KERNEL_FRAMES_MAX;
    if (kernel > 0)
        memcpy(pending->frames, unfinished->kernel, kernel * sizeof(struct frame));
    memset(pending->stacks, 0, kernel * sizeof(pending->stacks[0]));
    return kernel;
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
    copy->unfinished.pythons = NULL;
    copy->unfinished.process = NULL; /* it may end meanwhile */
    copy->unfinished.kernel = copy->kernel;
    copy->unfinished.kernel_count = kernel;
    memcpy(copy->stack, frozen->stack, frozen->stack_size);
    copy->unfinished.frozen.stack = copy->stack;
    copy->unfinished.frozen.extra = NULL;
    copy->unfinished.frozen.extra_size = 0;
    allow_linkage(&copy->unfinished.frozen);
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

/* Reads on where the copy ended, when the thread has not left those frames since. */
static void complete(struct pending *pending, struct frozen *frozen, uint32_t skip)
{
    const struct unwound cut = pending->unwound;

    if (!still_there(pending->roster, frozen, &cut))
        return;
    frozen->peek = read_target;
    if (unwind(pending, frozen, skip) && still_there(pending->roster, frozen, &cut))
        return;
    frozen->peek = NULL;
    unwind(pending, frozen, skip);
}

/* By libunwind, which needs no tables and takes a hundred times as long. */
static void unwind_now(struct pending *pending, const struct frozen *frozen, uint32_t skip)
{
    unwind_slowly(pending->unwinder, frozen, pending->frames + skip, pending->stacks + skip,
                  STACK_FRAMES_MAX, &pending->unwound);
    pending->count = skip + pending->unwound.count;
}

/* Python frames belong to a moment and are not kept: such a stack does not wait for tables. */
bool pending_finish(struct pending *pending, struct unfinished *unfinished)
{
    const struct pythons *pythons = unfinished->pythons;
    bool python = pythons != NULL && pythons->frozen != NULL;
    size_t bytes = sizeof(struct pending_copy) + unfinished->frozen.stack_size;
    uint32_t kernel = put_kernel(pending, unfinished);

    allow_linkage(&unfinished->frozen);
    if (!pending_unwind(pending, unfinished->process, &unfinished->frozen, kernel,
                        unfinished->time_ns)) {
        if (python) {
            unwind_now(pending, &unfinished->frozen, kernel);
        } else if (pending->bytes + bytes <= PENDING_BYTES_MAX) {
            keep(pending, unfinished);
            return false;
        }
    }
    if (pending->unwound.end == STACK_NOT_READY)
        pending->emit->tally.deferred++;
    pending->cut += pending->unwound.end == STACK_TRUNCATED;
    complete(pending, &unfinished->frozen, kernel);
    if (pythons != NULL)
        unfinished->sample.gil =
            (uint8_t)pythons_merge(unfinished->pythons, pending, &unfinished->frozen, kernel);
    send(pending, unfinished);
    return true;
}

uint64_t pending_retry(struct pending *pending, uint64_t now_ns)
{
    while (pending->first != NULL) {
        const struct unfinished *unfinished = &pending->first->unfinished;

        if (!unwind(pending, &unfinished->frozen, put_kernel(pending, unfinished))) {
            if (now_ns - unfinished->time_ns < WAIT_MAX_NS)
                return unfinished->time_ns;
            pending->emit->tally.deferred++;
        }
        send(pending, unfinished);
        drop_first(pending);
    }
    return now_ns;
}

void pending_end(struct pending *pending)
{
    uint64_t until_ns = clock_now_ns() + END_MAX_NS;

    /* A table leads to frames that are in need of another. */
    for (unsigned i = 0; i < END_ROUNDS && pending->first != NULL; i++) {
        unwinder_wait(pending->unwinder, until_ns);
        pending_retry(pending, clock_now_ns());
    }
    pending_retry(pending, UINT64_MAX);
}
