/* SPDX-License-Identifier: MIT */
/*
 * Profiles: constant views of a history, and the choice of slices that cover a range.
 *
 *     range          [                              )
 *     taken      |·|·| tenth |     span     | tenth |·|·|
 *
 * A coarse slice is taken where it lies inside the range whole; the edges are as fine as is held.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "profile_private.h"
#include "proftop/clock.h"
#include "proftop/memory.h"

struct profile *profile_ref(struct profile *profile)
{
    atomic_fetch_add_explicit(&profile->refs, 1, memory_order_relaxed);
    return profile;
}

void profile_unref(struct profile *profile)
{
    if (profile == NULL || atomic_fetch_sub_explicit(&profile->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < profile->span_count; i++)
        span_unref(profile->spans[i]);
    free(profile->spans);
    store_unref(profile->store);
    free(profile);
}

const struct profile_info *profile_info(const struct profile *profile)
{
    return &profile->info;
}

const char *profile_sampler(const struct profile *profile, const struct record_tally *tally)
{
    const char *source = profile->info.source != NULL ? profile->info.source : "";

    return tally->stops != 0 && strcmp(source, "perf") == 0 ? "perf+ptrace" : source;
}

uint64_t profile_start_ns(const struct profile *profile)
{
    return profile->info.start_ns;
}

uint64_t profile_end_ns(const struct profile *profile)
{
    return profile->end_ns;
}

bool profile_ended(const struct profile *profile)
{
    return profile->ended;
}

struct names *profile_names(const struct profile *profile)
{
    return profile->store->names;
}

const struct lanes *profile_lanes(const struct profile *profile)
{
    return profile->store->lanes;
}

uint32_t profile_threads(const struct profile *profile)
{
    return profile->thread_count;
}

const struct profile_thread *profile_thread(const struct profile *profile, uint32_t index)
{
    const struct profile_thread *_Atomic *at = chunks_get(&profile->store->threads, index);

    return atomic_load_explicit(at, memory_order_acquire);
}

uint32_t profile_threads_now(const struct profile *profile)
{
    return chunks_count(&profile->store->threads);
}

uint64_t profile_slice_ns(const struct profile *profile)
{
    return profile->slice_ns;
}

uint32_t profile_notes(const struct profile *profile)
{
    return profile->note_count;
}

const struct profile_note *profile_note(const struct profile *profile, uint32_t index)
{
    return chunks_get(&profile->store->notes, index);
}

const char *profile_source(const struct profile *profile, const char *file, size_t *size_bytes)
{
    const struct chunks *sources = &profile->store->sources;

    for (uint32_t i = 0; i < chunks_count(sources); i++) {
        const struct kept_source *source = chunks_get(sources, i);

        if (strcmp(source->file, file) == 0) {
            *size_bytes = source->size_bytes;
            return source->text;
        }
    }
    return NULL;
}

size_t profile_bytes(const struct profile *profile)
{
    return profile->slice_bytes + names_bytes(profile->store->names) +
           arena_used(profile->store->texts);
}

uint64_t profile_serial(const struct profile *profile)
{
    return profile->serial;
}

bool profile_same_history(const struct profile *a, const struct profile *b)
{
    return a->store == b->store;
}

/* ---- a range --------------------------------------------------------------------------------- */

/* Whether LEVEL has all of its unit that starts at TIME, inside the range and fine enough. */
static bool unit_fits(const struct slice_cursor *cursor, const struct span *span, unsigned level,
                      uint64_t time_ns, uint64_t *end_ns)
{
    uint64_t unit_ns = span_unit_ns(span, level, cursor->profile->slice_ns);

    *end_ns = time_ns + unit_ns < span->end_ns ? time_ns + unit_ns : span->end_ns;
    return span->levels[level].held && unit_ns <= cursor->resolution_ns &&
           (time_ns - span->start_ns) % unit_ns == 0 && *end_ns <= cursor->end_ns &&
           *end_ns <= span->levels[level].until_ns;
}

/*
 * The level to take from TIME on, and up to where: the coarsest that fits, else the finest that is
 * held, up to where a coarser one may fit again.
 */
static unsigned choose_level(const struct slice_cursor *cursor, const struct span *span,
                             uint64_t *time_ns, uint64_t *end_ns)
{
    uint64_t unit_ns, next_ns;
    unsigned level;

    for (level = LEVEL_WHOLE; level > LEVEL_FINE; level--) {
        if (unit_fits(cursor, span, level, *time_ns, end_ns))
            return level;
    }
    for (level = LEVEL_FINE; level < LEVEL_WHOLE; level++) {
        if (span->levels[level].held && *time_ns < span->levels[level].until_ns)
            break;
    }
    unit_ns = span_unit_ns(span, level, cursor->profile->slice_ns);
    *time_ns -= (*time_ns - span->start_ns) % unit_ns;
    next_ns = span->start_ns + ((*time_ns - span->start_ns) / (10 * NS_PER_S) + 1) * 10 * NS_PER_S;
    *end_ns = next_ns < *time_ns + unit_ns ? *time_ns + unit_ns : next_ns;
    if (*end_ns > span->end_ns)
        *end_ns = span->end_ns;
    if (*end_ns > cursor->end_ns) /* up to the end of the slice that holds the range's end */
        *end_ns = *time_ns + (cursor->end_ns - *time_ns + unit_ns - 1) / unit_ns * unit_ns;
    return level;
}

/* Moves on to the next stretch of the range with its level; false at the end of the range. */
static bool next_stretch(struct slice_cursor *cursor)
{
    const struct profile *profile = cursor->profile;
    uint64_t time_ns = cursor->time_ns;

    while (cursor->span < profile->span_count && time_ns < cursor->end_ns) {
        const struct span *span = profile->spans[cursor->span];
        const struct level *level;
        uint64_t end_ns;

        if (time_ns >= span->end_ns) {
            cursor->span++;
            continue;
        }
        if (time_ns < span->start_ns)
            time_ns = span->start_ns;
        if (time_ns >= cursor->end_ns)
            break;
        cursor->level = choose_level(cursor, span, &time_ns, &end_ns);
        level = &span->levels[cursor->level];
        cursor->index = level_find(level, time_ns);
        cursor->last = level_find(level, end_ns);
        cursor->time_ns = end_ns;
        return true;
    }
    return false;
}

void profile_slices(const struct profile *profile, uint64_t start_ns, uint64_t end_ns,
                    uint64_t resolution_ns, struct slice_cursor *cursor)
{
    size_t low = 0, high = profile->span_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (profile->spans[middle]->end_ns <= start_ns)
            low = middle + 1;
        else
            high = middle;
    }
    *cursor = (struct slice_cursor){ .profile = profile,
                                     .start_ns = start_ns,
                                     .end_ns = end_ns,
                                     .resolution_ns = resolution_ns,
                                     .time_ns = start_ns,
                                     .span = low };
}

const struct slice *profile_next_slice(struct slice_cursor *cursor)
{
    while (cursor->index == cursor->last) {
        if (!next_stretch(cursor))
            return NULL;
    }
    return cursor->profile->spans[cursor->span]->levels[cursor->level].slices[cursor->index++];
}

/* ---- what is new ----------------------------------------------------------------------------- */

bool profile_fresh(const struct profile *profile, uint64_t serial, struct fresh_cursor *cursor)
{
    *cursor = (struct fresh_cursor){ .profile = profile, .serial = serial };
    for (size_t i = 0; i < profile->span_count; i++) {
        const struct span *span = profile->spans[i];

        if (span->max_serial > serial && !span->levels[LEVEL_FINE].held)
            return false;
    }
    return true;
}

const struct slice *profile_next_fresh(struct fresh_cursor *cursor)
{
    const struct profile *profile = cursor->profile;

    for (; cursor->span < profile->span_count; cursor->span++, cursor->index = 0) {
        const struct span *span = profile->spans[cursor->span];
        const struct level *fine = &span->levels[LEVEL_FINE];

        if (span->max_serial <= cursor->serial)
            continue;
        while (cursor->index < fine->count) {
            const struct slice *slice = fine->slices[cursor->index++];

            if (slice_serial(slice) > cursor->serial)
                return slice;
        }
    }
    return NULL;
}
