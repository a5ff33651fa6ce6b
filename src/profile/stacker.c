/* SPDX-License-Identifier: MIT */
/*
 * Consecutive samples of a thread share most of their frames, the outer ones.  The last stack of
 * some threads is kept with the id at each depth, so that only the inner frames are looked up.
 *
 *     last sample   main  run  parse  token            ids  12  13  14  15
 *     this sample   main  run  parse  number  digit    from 14 on: two look-ups
 *
 * Time in the kernel that could not be sampled has no stack of its own: it goes below what the
 * thread's samples since the last such time, and the one before, have in common.  The two above
 * share main, run and parse; where it was spent below parse nobody knows.
 */
#include "config.h"

#include "stacker.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/hash.h"
#include "proftop/memory.h"

enum {
    CACHED_THREADS = 128, /* a power of two */
    DEPTH_MAX = 8192,     /* frames of a stack; a source keeps fewer */
};

struct last_stack {
    int32_t tid;
    uint32_t depth;
    uint32_t shared; /* outer frames that all samples since the kernel's last time have */
    size_t capacity;
    struct last_frame {
        struct frame frame;
        stack_id stack;
    } * frames; /* outermost first */
};

struct stacker {
    struct names *names;
    struct last_stack cached[CACHED_THREADS];
    struct frame frames[DEPTH_MAX + 1];
};

struct stacker *stacker_new(struct names *names)
{
    struct stacker *stacker = xcalloc(1, sizeof(*stacker));

    stacker->names = names;
    return stacker;
}

void stacker_free(struct stacker *stacker)
{
    if (stacker == NULL)
        return;
    for (unsigned i = 0; i < CACHED_THREADS; i++)
        free(stacker->cached[i].frames);
    free(stacker);
}

/* Copies the frames, settled, with a mark outermost when the stack is broken; how many. */
static uint32_t gather(struct stacker *stacker, const struct record_sample *sample,
                       const struct stacker_settle *settle)
{
    struct frame *frames = stacker->frames;
    uint32_t count = sample->count < DEPTH_MAX ? sample->count : DEPTH_MAX;
    bool marked;

    memcpy(frames, sample->frames, count * sizeof(*frames));
    if (settle->settle != NULL)
        settle->settle(settle->context, frames, count);
    marked = count > 0 && frames[count - 1].kind == FRAME_MARK &&
             frames[count - 1].module == MARK_BROKEN;
    if (sample->end != STACK_COMPLETE && !marked)
        frames[count++] =
            (struct frame){ .kind = FRAME_MARK, .module = MARK_BROKEN, .address = sample->end };
    return count;
}

static bool same_frame(const struct frame *a, const struct frame *b)
{
    return a->address == b->address && a->module == b->module && a->kind == b->kind;
}

/* Whether two places are in the same function, as far as they have names. */
static bool same_function(const struct names *names, location_id a, location_id b)
{
    const struct naming *left = names_known(names, a), *right = names_known(names, b);
    const struct function *one, *other;

    if (left == NULL || right == NULL)
        return false;
    one = names_get(names, left->frames[left->count - 1].function);
    other = names_get(names, right->frames[right->count - 1].function);
    return one->raw_name == other->raw_name && one->module == other->module; /* interned */
}

static bool is_unseen_kernel(const struct record_sample *sample)
{
    return sample->end == STACK_NONE && sample->count == 1 &&
           sample->frames[0].kind == FRAME_MARK && sample->frames[0].module == MARK_KERNEL;
}

/* Of the COUNT frames gathered the innermost is the kernel. */
static stack_id push_unseen_kernel(struct stacker *stacker, struct last_stack *last, int32_t tid,
                                   uint32_t count)
{
    stack_id stack = STACK_ROOT;

    if (last->tid == tid && last->shared > 0) {
        stack = last->frames[last->shared - 1].stack;
        count = 1;
    }
    if (last->tid == tid)
        last->shared = last->depth;
    while (count-- > 0)
        stack = names_push(stacker->names, stack,
                           names_locate(stacker->names, &stacker->frames[count]));
    return stack;
}

stack_id stacker_push(struct stacker *stacker, const struct record_sample *sample,
                      const struct stacker_settle *settle)
{
    struct last_stack *last =
        &stacker->cached[hash_u64((uint32_t)sample->tid) & (CACHED_THREADS - 1)];
    uint32_t count = gather(stacker, sample, settle), depth = 0, shared;
    struct names *names = stacker->names;
    const struct frame *frames = stacker->frames;
    bool known = last->tid == sample->tid;
    stack_id stack = STACK_ROOT;

    if (is_unseen_kernel(sample))
        return push_unseen_kernel(stacker, last, sample->tid, count);
    while (known && depth < count && depth < last->depth &&
           same_frame(&frames[count - 1 - depth], &last->frames[depth].frame))
        stack = last->frames[depth++].stack;
    shared = depth;
    last->frames = array_reserve(last->frames, &last->capacity, count, sizeof(*last->frames));
    for (; depth < count; depth++) {
        const struct frame *frame = &frames[count - 1 - depth];
        location_id location = names_locate(names, frame);

        if (shared == depth && depth < last->depth &&
            same_function(names, names_location(names, last->frames[depth].stack), location))
            shared++;
        stack = names_push(names, stack, location);
        last->frames[depth] = (struct last_frame){ *frame, stack };
    }
    last->tid = sample->tid;
    last->depth = count;
    if (!known)
        last->shared = count;
    else if (shared < last->shared)
        last->shared = shared;
    return stack;
}
