/* SPDX-License-Identifier: MIT */
/*
 * The history: spans in order of time, merged and thinned as it grows.
 *
 *     spans   |whole only|whole only|tenths|tenths|seconds|seconds|fine|fine|fine|fine (filling)|
 *              older ◄─ detail is given up here first, when slices take more than memory_max
 *
 * All on one thread, but for history_profile()'s results, which any thread may hold.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "profile_private.h"
#include "proftop/clock.h"
#include "proftop/memory.h"

enum { FRESH_SPANS = 2 /* keep their detail whatever it takes */ };

#define MEMORY_DEFAULT ((size_t)40 << 20)

struct history {
    struct store *store;
    struct span **spans;
    size_t count, capacity;
    size_t merged; /* spans before that are complete */
    uint64_t slice_ns, horizon_ns, serial;
    size_t bytes, memory_max;
    int32_t exit_status;
    struct slice_draft scratch;
};

/* ---- the store ------------------------------------------------------------------------------- */

static char *keep_text(struct arena *texts, const char *text)
{
    return arena_strdup(texts, text != NULL ? text : "");
}

static struct store *store_new(const struct history_config *config)
{
    struct store *store = xcalloc(1, sizeof(*store));
    struct profile_info *info = &store->info;

    atomic_init(&store->refs, 1);
    store->names = names_new();
    store->lanes = config->lanes;
    store->own_lanes = config->own_lanes;
    store->texts = arena_new();
    chunks_init(&store->threads, sizeof(const struct profile_thread *_Atomic));
    chunks_init(&store->notes, sizeof(struct profile_note));
    chunks_init(&store->sources, sizeof(struct kept_source));
    *info = *config->info;
    info->command = keep_text(store->texts, info->command);
    info->source = keep_text(store->texts, info->source);
    info->source_reason = keep_text(store->texts, info->source_reason);
    info->event = keep_text(store->texts, info->event);
    info->note = keep_text(store->texts, info->note);
    info->host = keep_text(store->texts, info->host);
    info->version = keep_text(store->texts, info->version);
    return store;
}

void store_unref(struct store *store)
{
    if (atomic_fetch_sub_explicit(&store->refs, 1, memory_order_acq_rel) != 1)
        return;
    names_free(store->names);
    if (store->own_lanes)
        lanes_free(store->lanes);
    chunks_fini(&store->threads);
    chunks_fini(&store->notes);
    chunks_fini(&store->sources);
    arena_free(store->texts);
    free(store);
}

struct history *history_new(const struct history_config *config)
{
    struct history *history = xcalloc(1, sizeof(*history));

    history->store = store_new(config);
    history->slice_ns = config->slice_ns != 0 ? config->slice_ns : NS_PER_S / 10;
    history->memory_max = config->memory_max != 0 ? config->memory_max : MEMORY_DEFAULT;
    history->exit_status = config->info->exit_status;
    history->horizon_ns = config->info->start_ns;
    draft_init(&history->scratch);
    return history;
}

void history_free(struct history *history)
{
    if (history == NULL)
        return;
    for (size_t i = 0; i < history->count; i++)
        span_unref(history->spans[i]);
    free(history->spans);
    draft_fini(&history->scratch);
    store_unref(history->store);
    free(history);
}

struct names *history_names(struct history *history)
{
    return history->store->names;
}

struct lanes *history_lanes(struct history *history)
{
    return history->store->lanes;
}

uint64_t history_slice_ns(const struct history *history)
{
    return history->slice_ns;
}

uint64_t history_horizon_ns(const struct history *history)
{
    return history->horizon_ns;
}

void history_set_exit(struct history *history, int32_t exit_status)
{
    history->exit_status = exit_status;
}

/* ---- threads and notes ----------------------------------------------------------------------- */

static const struct profile_thread *keep_thread(struct history *history,
                                                const struct profile_thread *thread)
{
    struct profile_thread *kept = arena_alloc(history->store->texts, sizeof(*kept));

    *kept = *thread;
    kept->name[sizeof(kept->name) - 1] = '\0';
    return kept;
}

uint32_t history_add_thread(struct history *history, const struct profile_thread *thread)
{
    const struct profile_thread *_Atomic kept = keep_thread(history, thread);

    return chunks_add(&history->store->threads, &kept);
}

void history_set_thread(struct history *history, uint32_t index,
                        const struct profile_thread *thread)
{
    const struct profile_thread *_Atomic *at = chunks_get(&history->store->threads, index);

    atomic_store_explicit(at, keep_thread(history, thread), memory_order_release);
}

const struct profile_thread *history_thread(const struct history *history, uint32_t index)
{
    const struct profile_thread *_Atomic *at = chunks_get(&history->store->threads, index);

    return atomic_load_explicit(at, memory_order_acquire);
}

void history_add_note(struct history *history, uint64_t time_ns, enum note_level level,
                      const char *text)
{
    struct profile_note note = { time_ns, level, arena_strdup(history->store->texts, text) };

    chunks_add(&history->store->notes, &note);
}

void history_add_source(struct history *history, const char *file, const char *text,
                        size_t size_bytes)
{
    struct arena *texts = history->store->texts;
    struct kept_source source = { .file = arena_strdup(texts, file), .size_bytes = size_bytes };

    source.text = size_bytes > 0 ? memcpy(arena_alloc(texts, size_bytes), text, size_bytes) : "";
    chunks_add(&history->store->sources, &source);
}

/* ---- spans ---------------------------------------------------------------------------------- */

static void recount(struct history *history, struct span *span)
{
    history->bytes -= span->bytes;
    span->bytes = span_bytes(span);
    history->bytes += span->bytes;
}

/* The index of the span that holds TIME; one is made when there is none. */
static size_t find_span(struct history *history, uint64_t time_ns)
{
    uint64_t base_ns = history->store->info.start_ns, start_ns;
    size_t at = history->count;

    while (at > 0 && history->spans[at - 1]->start_ns > time_ns)
        at--;
    if (at > 0 && time_ns < history->spans[at - 1]->end_ns)
        return at - 1;
    start_ns = base_ns + (time_ns - base_ns) / SPAN_NS * SPAN_NS;
    history->spans = array_reserve(history->spans, &history->capacity, history->count + 1,
                                   sizeof(*history->spans));
    memmove(&history->spans[at + 1], &history->spans[at],
            (history->count - at) * sizeof(*history->spans));
    history->spans[at] = span_new(start_ns, start_ns + SPAN_NS);
    recount(history, history->spans[at]);
    history->count++;
    if (at < history->merged)
        history->merged = at;
    return at;
}

/* The span at AT to change: a profile that holds it keeps what it has. */
static struct span *own_span(struct history *history, size_t at)
{
    struct span *span = history->spans[at];

    if (span_shared(span)) {
        history->spans[at] = span_clone(span);
        span_unref(span);
    }
    return history->spans[at];
}

/* The level of slices as long as this one. */
static unsigned level_of(const struct history *history, const struct slice *slice)
{
    uint64_t length_ns = slice_end_ns(slice) - slice_start_ns(slice);

    if (length_ns <= history->slice_ns)
        return LEVEL_FINE;
    if (length_ns <= NS_PER_S)
        return LEVEL_SECOND;
    return length_ns <= 10 * NS_PER_S ? LEVEL_TENTH_MINUTE : LEVEL_WHOLE;
}

/* Makes the span at AT long enough for a slice that ends at END, as far as the next one lets it. */
static void stretch_span(struct history *history, size_t at, uint64_t end_ns)
{
    struct span *span = history->spans[at];
    bool last = at + 1 == history->count;

    if (!last && end_ns > history->spans[at + 1]->start_ns)
        end_ns = history->spans[at + 1]->start_ns;
    if (end_ns > span->end_ns)
        span->end_ns = end_ns;
}

void history_add(struct history *history, struct slice *slice)
{
    size_t at = find_span(history, slice_start_ns(slice));
    unsigned level = level_of(history, slice);
    struct span *span = own_span(history, at);

    slice_set_serial(slice, ++history->serial);
    span->bytes += slice_bytes(slice) + sizeof(slice);
    history->bytes += slice_bytes(slice) + sizeof(slice);
    if (level == LEVEL_FINE) {
        span_add(span, slice);
        return;
    }
    stretch_span(history, at, slice_end_ns(slice));
    span_add_coarse(span, level, slice);
}

/* ---- bounded memory -------------------------------------------------------------------------- */

/* Two neighbours of which only the whole is left become one. */
static void join_spans(struct history *history, size_t at)
{
    struct span *a = history->spans[at], *b = history->spans[at + 1], *joined;
    struct level *whole;

    joined = span_new(a->start_ns, b->end_ns);
    joined->max_serial = a->max_serial > b->max_serial ? a->max_serial : b->max_serial;
    for (unsigned i = 0; i < LEVEL_WHOLE; i++)
        joined->levels[i].held = false;
    whole = &joined->levels[LEVEL_WHOLE];
    for (size_t i = 0; i < a->levels[LEVEL_WHOLE].count; i++)
        draft_add_slice(&history->scratch, a->levels[LEVEL_WHOLE].slices[i]);
    for (size_t i = 0; i < b->levels[LEVEL_WHOLE].count; i++)
        draft_add_slice(&history->scratch, b->levels[LEVEL_WHOLE].slices[i]);
    level_insert(whole, draft_seal(&history->scratch, joined->start_ns, joined->end_ns));
    whole->until_ns = joined->end_ns;
    history->bytes -= a->bytes + b->bytes;
    span_unref(a);
    span_unref(b);
    history->spans[at] = joined;
    history->count--;
    memmove(&history->spans[at + 1], &history->spans[at + 2],
            (history->count - at - 1) * sizeof(*history->spans));
    history->merged--;
    recount(history, joined);
}

/* Joins the oldest pair of the shortest spans; false when there is nothing to join. */
static bool join_oldest(struct history *history)
{
    uint64_t best_ns = UINT64_MAX;
    size_t best = 0;

    for (size_t i = 0; i + 1 + FRESH_SPANS < history->merged; i++) {
        uint64_t unit_ns = history->spans[i + 1]->end_ns - history->spans[i]->start_ns;

        if (unit_ns < best_ns) {
            best_ns = unit_ns;
            best = i;
        }
    }
    if (best_ns == UINT64_MAX)
        return false;
    join_spans(history, best);
    return true;
}

/* Gives up one piece of detail: of all spans the finest there is, the oldest first. */
static bool thin(struct history *history)
{
    for (unsigned level = LEVEL_FINE; level < LEVEL_WHOLE; level++) {
        for (size_t i = 0; i + FRESH_SPANS < history->merged; i++) {
            struct span *span = history->spans[i];

            if (!span->levels[level].held)
                continue;
            span = own_span(history, i);
            if (span_thin(span, &history->scratch)) {
                recount(history, span);
                return true;
            }
        }
    }
    return join_oldest(history);
}

void history_advance(struct history *history, uint64_t horizon_ns)
{
    if (horizon_ns > history->horizon_ns)
        history->horizon_ns = horizon_ns;
    while (history->merged < history->count &&
           history->spans[history->merged]->end_ns <= history->horizon_ns) {
        struct span *span = own_span(history, history->merged++);

        span_complete(span, &history->scratch);
        recount(history, span);
    }
    while (history->bytes > history->memory_max && thin(history))
        ;
}

/* ---- profiles -------------------------------------------------------------------------------- */

struct profile *history_profile(struct history *history, bool ended)
{
    struct profile *profile = xcalloc(1, sizeof(*profile));
    struct store *store = history->store;

    atomic_init(&profile->refs, 1);
    atomic_fetch_add_explicit(&store->refs, 1, memory_order_relaxed);
    profile->store = store;
    profile->info = store->info;
    profile->info.exit_status = history->exit_status;
    profile->spans = xmalloc((history->count + 1) * sizeof(*profile->spans));
    for (size_t i = 0; i < history->count; i++)
        profile->spans[i] = span_ref(history->spans[i]);
    profile->span_count = history->count;
    profile->slice_ns = history->slice_ns;
    profile->end_ns = history->horizon_ns;
    profile->serial = history->serial;
    profile->thread_count = chunks_count(&store->threads);
    profile->note_count = chunks_count(&store->notes);
    profile->slice_bytes = history->bytes;
    profile->ended = ended;
    return profile;
}
