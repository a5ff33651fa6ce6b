/* SPDX-License-Identifier: MIT */
/*
 * Copying a part of one profile into a history: what occurs there gets new ids, in the order it is
 * met.
 *
 *     entry (thread 7, stack 5120)  ─maps─►  entry (thread 0, stack 3)
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "profile_private.h"
#include "proftop/clock.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"
#include "proftop/module.h"

enum { UNMAPPED = UINT32_MAX };

/* A module's numbers; a file's own may be any, so they index no array. */
struct renumbered {
    module_id old, new;
};

struct graft {
    struct history *history;
    const struct profile *profile;
    struct names *from, *to;
    struct lanes *lanes;
    int64_t shift_ns;
    module_id *next_module;     /* NULL: modules keep their numbers */
    struct renumbered *modules; /* met so far */
    struct index by_old;        /* old number → item of MODULES */
    size_t module_capacity;
    uint32_t *stacks, *locations, *functions, *lane_ids, *threads; /* old id → new, or UNMAPPED */
    struct slice_draft draft;
};

static uint32_t *new_map(uint32_t count)
{
    uint32_t *map = xmalloc(((size_t)count + 1) * sizeof(*map));

    memset(map, 0xff, ((size_t)count + 1) * sizeof(*map));
    return map;
}

/* ---- names ----------------------------------------------------------------------------------- */

static function_id map_function(struct graft *graft, function_id id)
{
    if (graft->functions[id] == UNMAPPED)
        graft->functions[id] = names_function(graft->to, names_get(graft->from, id));
    return graft->functions[id];
}

static module_id map_module(struct graft *graft, module_id old)
{
    uint64_t hash = hash_u64(old);
    struct index_cursor cursor;
    uint32_t item;

    if (graft->next_module == NULL)
        return old;
    index_probe(&graft->by_old, hash, &cursor);
    while ((item = index_next(&graft->by_old, &cursor)) != INDEX_END)
        if (graft->modules[item].old == old)
            return graft->modules[item].new;
    item = graft->by_old.count;
    graft->modules = array_reserve(graft->modules, &graft->module_capacity, (size_t)item + 1,
                                   sizeof(*graft->modules));
    graft->modules[item] = (struct renumbered){ old, (*graft->next_module)++ };
    index_add(&graft->by_old, hash, item);
    return graft->modules[item].new;
}

static location_id map_location(struct graft *graft, location_id id)
{
    struct frame frame = *names_frame(graft->from, id);
    const struct naming *naming;
    struct placed frames[UINT8_MAX];
    location_id location;

    if (graft->locations[id] != UNMAPPED)
        return graft->locations[id];
    if (frame.kind != FRAME_MARK)
        frame.module = map_module(graft, frame.module);
    location = graft->locations[id] = names_locate(graft->to, &frame);
    naming = names_of(graft->from, id);
    for (unsigned i = 0; i < naming->count; i++)
        frames[i] = (struct placed){ map_function(graft, naming->frames[i].function),
                                     naming->frames[i].line };
    names_set(graft->to, location, (enum naming_state)naming->state, frames, naming->count);
    return location;
}

/* From the outside in: the nearest ancestor that is known, then what hangs below it. */
static stack_id map_stack(struct graft *graft, stack_id id)
{
    stack_id *inner = NULL, mapped;
    size_t count = 0, capacity = 0;

    while (graft->stacks[id] == UNMAPPED) {
        inner = array_reserve(inner, &capacity, count + 1, sizeof(*inner));
        inner[count++] = id;
        id = names_parent(graft->from, id);
    }
    mapped = graft->stacks[id];
    while (count > 0) {
        id = inner[--count];
        mapped =
            names_push(graft->to, mapped, map_location(graft, names_location(graft->from, id)));
        graft->stacks[id] = mapped;
    }
    free(inner);
    return mapped;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static uint64_t shifted(const struct graft *graft, uint64_t time_ns)
{
    return time_ns == UINT64_MAX ? time_ns : time_ns + (uint64_t)graft->shift_ns;
}

static uint32_t map_thread(struct graft *graft, uint32_t id)
{
    struct profile_thread thread;

    if (graft->threads[id] != UNMAPPED)
        return graft->threads[id];
    thread = *profile_thread(graft->profile, id);
    thread.began_ns = shifted(graft, thread.began_ns);
    thread.ended_ns = shifted(graft, thread.ended_ns);
    return graft->threads[id] = history_add_thread(graft->history, &thread);
}

static lane_id map_lane(struct graft *graft, lane_id id)
{
    if (graft->lane_ids[id] == UNMAPPED)
        graft->lane_ids[id] = lanes_add(graft->lanes, lanes_get(graft->profile->store->lanes, id));
    return graft->lane_ids[id];
}

static void copy_slice(struct graft *graft, const struct slice *slice)
{
    const struct syscall_tally *syscalls;
    const struct other_process *others;
    const struct lane_sum *lanes;
    struct slice_entry entry;
    struct slice_walk walk;
    uint32_t count;

    slice_entries(slice, &walk);
    while (slice_next_entry(&walk, &entry)) {
        entry.stack = map_stack(graft, entry.stack);
        entry.thread = map_thread(graft, entry.thread);
        draft_add_entry(&graft->draft, &entry);
    }
    lanes = slice_lanes(slice, &count);
    for (uint32_t i = 0; i < count; i++) {
        struct lane_sum lane = lanes[i];

        lane.lane = map_lane(graft, lane.lane);
        draft_add_lane(&graft->draft, &lane);
    }
    others = slice_others(slice, &count);
    draft_add_others(&graft->draft, others, count, slice_other_parts(slice));
    syscalls = slice_syscalls(slice, &count);
    draft_add_syscalls(&graft->draft, syscalls, count);
    if (slice_tally(slice) != NULL)
        draft_add_tally(&graft->draft, slice_tally(slice));
    history_add(graft->history, draft_seal(&graft->draft, shifted(graft, slice_start_ns(slice)),
                                           shifted(graft, slice_end_ns(slice))));
}

static void graft_init(struct graft *graft)
{
    const struct lanes *lanes = graft->profile->store->lanes;

    graft->from = graft->profile->store->names;
    graft->to = history_names(graft->history);
    graft->lanes = history_lanes(graft->history);
    graft->stacks = new_map(names_stacks(graft->from));
    graft->stacks[STACK_ROOT] = STACK_ROOT;
    graft->locations = new_map(names_locations(graft->from));
    for (location_id i = 0; i < names_locations(graft->from); i++)
        names_of(graft->from, i); /* makes all placeholders, so that the count below is final */
    graft->functions = new_map(names_functions(graft->from));
    graft->lane_ids = new_map(lanes != NULL ? lanes_count(lanes) : 0);
    graft->threads = new_map(profile_threads_now(graft->profile));
    index_init(&graft->by_old);
    draft_init(&graft->draft);
}

/* All of them: they are few and small. */
static void copy_modules(struct graft *graft)
{
    for (uint32_t i = 0; i < names_kept_modules(graft->from); i++) {
        struct module module = *names_kept_module(graft->from, i);

        module.id = map_module(graft, module.id);
        names_keep_module(graft->to, &module);
    }
}

static void graft_fini(struct graft *graft)
{
    free(graft->stacks);
    free(graft->locations);
    free(graft->functions);
    free(graft->lane_ids);
    free(graft->threads);
    free(graft->modules);
    index_fini(&graft->by_old);
    draft_fini(&graft->draft);
}

static bool lives_in(const struct profile_thread *thread, uint64_t start_ns, uint64_t end_ns)
{
    return thread->began_ns < end_ns && thread->ended_ns > start_ns;
}

void history_graft(struct history *history, const struct profile *profile, uint64_t start_ns,
                   uint64_t end_ns, int64_t shift_ns, module_id *next_module)
{
    struct graft graft = {
        .history = history, .profile = profile, .shift_ns = shift_ns, .next_module = next_module
    };
    struct slice_cursor cursor;
    const struct slice *slice;

    graft_init(&graft);
    copy_modules(&graft);
    for (uint32_t i = 0; i < profile_threads(profile); i++) {
        if (lives_in(profile_thread(profile, i), start_ns, end_ns))
            map_thread(&graft, i);
    }
    profile_slices(profile, start_ns, end_ns, 0, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL)
        copy_slice(&graft, slice);
    for (uint32_t i = 0; i < profile_notes(profile); i++) {
        const struct profile_note *note = profile_note(profile, i);

        if (note->time_ns >= start_ns && note->time_ns < end_ns)
            history_add_note(history, shifted(&graft, note->time_ns), note->level, note->text);
    }
    for (uint32_t i = 0; i < chunks_count(&profile->store->sources); i++) {
        const struct kept_source *source = chunks_get(&profile->store->sources, i);

        history_add_source(history, source->file, source->text, source->size_bytes);
    }
    graft_fini(&graft);
}

struct profile *profile_extract(const struct profile *profile, uint64_t start_ns, uint64_t end_ns)
{
    struct profile_info info = profile->info;
    struct history_config config = { .info = &info,
                                     .lanes = lanes_new(),
                                     .own_lanes = true,
                                     .slice_ns = profile->slice_ns,
                                     .memory_max = SIZE_MAX };
    struct history *history;
    struct profile *part;

    if (start_ns > info.start_ns)
        info.start_ns += (start_ns - info.start_ns) / profile->slice_ns * profile->slice_ns;
    if (end_ns > profile->end_ns)
        end_ns = profile->end_ns;
    history = history_new(&config);
    history_graft(history, profile, info.start_ns, end_ns, 0, NULL);
    history_advance(history, end_ns);
    part = history_profile(history, true);
    history_free(history);
    return part;
}
