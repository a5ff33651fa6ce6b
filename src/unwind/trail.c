/* SPDX-License-Identifier: MIT */
/*
 * The frames a walk leaves behind.  A stack deeper than the room for it keeps both ends:
 *
 *     frames   | innermost half | mark | ring: the outermost seen so far |
 *
 * The ring is turned into order once, at the end.
 */
#include "config.h"

#include <stdlib.h>

#include "proftop/maps.h"
#include "proftop/memory.h"
#include "walk.h"

/* Where the ring starts: behind the inner half and the mark. */
static uint32_t ring_start(const struct trail *trail)
{
    return trail->limit / 2 + 1;
}

static uint32_t slot_of(const struct trail *trail, uint32_t walked)
{
    uint32_t start = ring_start(trail);

    if (walked < trail->limit)
        return walked;
    return start + (walked - start) % (trail->limit - start);
}

static void fill_frame(struct frame *frame, const struct walk *walk)
{
    const struct place *place = &walk->place;
    const struct mapping *mapping = walk->mapping;
    uint64_t at = place_code(place);

    *frame = (struct frame){ .address = at, .kind = FRAME_NATIVE };
    if (mapping == NULL)
        return;
    frame->module = mapping->module->id;
    if (mapping->module->kind == MODULE_JIT)
        frame->kind = FRAME_JIT;
    else if (mapping->module->kind != MODULE_UNKNOWN)
        frame->address = at - mapping->start + mapping->offset;
}

void trail_add(struct trail *trail, const struct walk *walk)
{
    const struct place *place = &walk->place;
    uint32_t slot = slot_of(trail, trail->walked++);

    fill_frame(&trail->frames[slot], walk);
    if (trail->stacks != NULL)
        trail->stacks[slot] = place->sp;
    if (trail->saved != NULL) {
        struct unwind_saved *saved = &trail->saved[slot];

        saved->bp = place->fp;
        saved->bp_known = place->fp_known;
        memcpy(saved->general, place->general, sizeof(saved->general));
        saved->general_known = place->general_known & ((1 << UNWIND_KEPT) - 1);
    }
}

/* Turns COUNT items of SIZE bytes left by BY, so that the oldest comes first. */
static void turn(void *items, size_t size, uint32_t count, uint32_t by, void *room)
{
    char *bytes = items;

    if (items == NULL || by == 0)
        return;
    memcpy(room, bytes, by * size);
    memmove(bytes, bytes + by * size, (count - by) * size);
    memcpy(bytes + (count - by) * size, room, by * size);
}

uint32_t trail_finish(struct trail *trail, uint32_t *skipped)
{
    uint32_t start = ring_start(trail), count = trail->limit - start, by;
    void *room;

    *skipped = 0;
    if (trail->walked <= trail->limit)
        return trail->walked;
    by = (trail->walked - start) % count;
    room = xmalloc(count * sizeof(struct unwind_saved));
    turn(trail->frames + start, sizeof(*trail->frames), count, by, room);
    if (trail->stacks != NULL)
        turn(trail->stacks + start, sizeof(*trail->stacks), count, by, room);
    if (trail->saved != NULL)
        turn(trail->saved + start, sizeof(*trail->saved), count, by, room);
    free(room);
    /* The mark takes the place of the last frame of the inner half. */
    *skipped = trail->walked - (trail->limit - 1);
    trail->frames[start - 1] =
        (struct frame){ .address = *skipped, .module = MARK_SKIPPED, .kind = FRAME_MARK };
    return trail->limit;
}
