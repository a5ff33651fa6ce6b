/* SPDX-License-Identifier: MIT */
/*
 * The builder: records become entries of open slices; slices are sealed behind the watermarks.
 *
 *     ring ─┐            open slices           horizon = the slowest watermark,
 *     ring ─┼─► record ─► |draft|draft|draft|  but at most 2 s behind now
 *     ring ─┘                │
 *                            └─ wholly before the horizon: sealed ─► history ─► profile
 *
 * A ring is read as far as it goes: where a record belongs is decided by its own time, so rings
 * need no merging.  What belongs before the horizon opens an extra slice for that time, sealed with
 * the next step.
 */
#include "config.h"

#include "proftop/builder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/history.h"
#include "proftop/memory.h"
#include "proftop/metric.h"
#include "proftop/record.h"
#include "stacker.h"
#include "threads.h"

enum { STEP_RECORDS_MAX = 65536 /* of one ring, so that no ring starves the others */ };

#define BEHIND_MAX_NS (2 * NS_PER_S)
/* More than a day: what is too large for it is nonsense, and sums stay in 64 bits. */
#define WEIGHT_MAX (UINT64_C(1) << 47)

struct input {
    struct ring *ring;
    bool watermarks;
    uint64_t watermark_ns;
};

struct open_slice {
    uint64_t start_ns;
    struct slice_draft draft;
};

struct builder {
    struct builder_config config; /* settle and its context */
    uint64_t start_ns, slice_ns;
    struct history *history;
    struct threads *threads;
    struct stacker *stacker;
    struct input *inputs;
    size_t input_count, input_capacity;
    struct open_slice *open; /* by time */
    size_t open_count, open_capacity;
    struct slice_draft *spare; /* drafts whose memory waits for the next slice */
    size_t spare_count, spare_capacity;
    bool told; /* a note or a thread: worth a new profile */
    void (*sealed)(void *context, const struct slice *slice);
    void *sealed_context;

    pthread_mutex_t lock; /* guards profile */
    struct profile *profile;
};

static void publish(struct builder *builder, bool ended)
{
    struct profile *profile = history_profile(builder->history, ended), *old;

    pthread_mutex_lock(&builder->lock);
    old = builder->profile;
    builder->profile = profile;
    pthread_mutex_unlock(&builder->lock);
    profile_unref(old);
}

struct builder *builder_new(const struct builder_config *config)
{
    struct builder *builder = xcalloc(1, sizeof(*builder));
    struct history_config history = { .info = &config->info,
                                      .lanes = config->lanes,
                                      .slice_ns = config->slice_ns,
                                      .memory_max = config->memory_max };

    builder->config = *config;
    builder->history = history_new(&history);
    builder->start_ns = config->info.start_ns;
    builder->slice_ns = history_slice_ns(builder->history);
    builder->threads = threads_new(builder->history);
    builder->stacker = stacker_new(history_names(builder->history));
    pthread_mutex_init(&builder->lock, NULL);
    publish(builder, false);
    return builder;
}

void builder_free(struct builder *builder)
{
    if (builder == NULL)
        return;
    for (size_t i = 0; i < builder->open_count; i++)
        draft_fini(&builder->open[i].draft);
    for (size_t i = 0; i < builder->spare_count; i++)
        draft_fini(&builder->spare[i]);
    free(builder->open);
    free(builder->spare);
    free(builder->inputs);
    threads_free(builder->threads);
    stacker_free(builder->stacker);
    history_free(builder->history);
    profile_unref(builder->profile);
    pthread_mutex_destroy(&builder->lock);
    free(builder);
}

void builder_attach(struct builder *builder, struct ring *ring, bool watermarks)
{
    builder->inputs = array_reserve(builder->inputs, &builder->input_capacity,
                                    builder->input_count + 1, sizeof(*builder->inputs));
    builder->inputs[builder->input_count++] =
        (struct input){ .ring = ring, .watermarks = watermarks };
}

/* ---- open slices ----------------------------------------------------------------------------- */

static void open_at(struct builder *builder, size_t at, uint64_t start_ns)
{
    struct open_slice slice = { .start_ns = start_ns };

    if (builder->spare_count > 0)
        slice.draft = builder->spare[--builder->spare_count];
    else
        draft_init(&slice.draft);
    builder->open = array_reserve(builder->open, &builder->open_capacity, builder->open_count + 1,
                                  sizeof(*builder->open));
    memmove(&builder->open[at + 1], &builder->open[at],
            (builder->open_count - at) * sizeof(*builder->open));
    builder->open[at] = slice;
    builder->open_count++;
}

/* The draft that TIME belongs to. */
static struct slice_draft *draft_at(struct builder *builder, uint64_t time_ns)
{
    size_t at = builder->open_count;
    uint64_t start_ns = builder->start_ns;

    if (time_ns > start_ns)
        start_ns += (time_ns - start_ns) / builder->slice_ns * builder->slice_ns;
    while (at > 0 && builder->open[at - 1].start_ns > start_ns)
        at--;
    if (at > 0 && builder->open[at - 1].start_ns == start_ns)
        return &builder->open[at - 1].draft;
    open_at(builder, at, start_ns);
    return &builder->open[at].draft;
}

static void seal_first(struct builder *builder)
{
    struct open_slice *first = &builder->open[0];
    struct slice *slice =
        draft_seal(&first->draft, first->start_ns, first->start_ns + builder->slice_ns);

    slice_ref(slice);
    history_add(builder->history, slice);
    if (builder->sealed != NULL)
        builder->sealed(builder->sealed_context, slice);
    slice_unref(slice);
    builder->spare = array_reserve(builder->spare, &builder->spare_capacity,
                                   builder->spare_count + 1, sizeof(*builder->spare));
    builder->spare[builder->spare_count++] = first->draft;
    builder->open_count--;
    memmove(&builder->open[0], &builder->open[1], builder->open_count * sizeof(*builder->open));
}

static bool seal_before(struct builder *builder, uint64_t horizon_ns)
{
    bool sealed = false;

    while (builder->open_count > 0 && builder->open[0].start_ns + builder->slice_ns <= horizon_ns) {
        seal_first(builder);
        sealed = true;
    }
    return sealed;
}

/* ---- records --------------------------------------------------------------------------------- */

static void take_sample(struct builder *builder, const struct record_sample *sample)
{
    struct slice_draft *draft = draft_at(builder, sample->head.time_ns);
    const struct stacker_settle settle = { builder->config.settle, builder->config.settle_context };
    struct slice_entry entry = {
        .thread = threads_find(builder->threads, sample->pid, sample->tid, sample->head.time_ns),
        .stack = stacker_push(builder->stacker, sample, &settle),
        .weight = sample->weight < WEIGHT_MAX ? sample->weight : WEIGHT_MAX,
        .count = 1,
        .syscall = sample->syscall,
        .state = sample->state < STATES ? sample->state : STATE_RUNNING,
        .metric = sample->metric < METRICS ? sample->metric : METRIC_EVENT,
        .reason = sample->reason < WAIT_REASONS ? sample->reason : WAIT_UNKNOWN,
        .gil = sample->gil & 3,
    };

    draft_add_entry(draft, &entry);
    for (int i = 0; i < COUNTED; i++) {
        if (sample->counted[i] == 0)
            continue;
        entry.metric = (uint8_t)counted_metric((enum counted)i);
        entry.weight = sample->counted[i] < WEIGHT_MAX ? sample->counted[i] : WEIGHT_MAX;
        draft_add_entry(draft, &entry);
    }
}

/* Counters are of the period that ends at their time: they belong to the slice just before it. */
static struct slice_draft *draft_before(struct builder *builder, const struct record *record)
{
    return draft_at(builder, record->time_ns > 0 ? record->time_ns - 1 : 0);
}

static void take_lanes(struct builder *builder, const struct record_lanes *lanes)
{
    struct slice_draft *draft = draft_before(builder, &lanes->head);

    for (uint32_t i = 0; i < lanes->count; i++) {
        struct lane_sum sum = { lanes->values[i].lane, 1, lanes->values[i].value };

        draft_add_lane(draft, &sum);
    }
}

static void take_note(struct builder *builder, const struct record_note *note)
{
    history_add_note(builder->history, note->head.time_ns, (enum note_level)note->level,
                     note->text);
    builder->told = true;
}

static void take_record(struct builder *builder, struct input *input, const struct record *record)
{
    switch ((enum record_type)record->type) {
    case RECORD_SAMPLE:
        take_sample(builder, (const struct record_sample *)record);
        break;
    case RECORD_THREAD:
        if (threads_event(builder->threads, (const struct record_thread *)record))
            builder->told = true;
        break;
    case RECORD_TALLY:
        draft_add_tally(draft_before(builder, record), (const struct record_tally *)record);
        break;
    case RECORD_LANES:
        take_lanes(builder, (const struct record_lanes *)record);
        break;
    case RECORD_OTHERS: {
        const struct record_others *others = (const struct record_others *)record;

        draft_add_others(draft_before(builder, record), others->others, others->count, 1);
        break;
    }
    case RECORD_SYSCALLS: {
        const struct record_syscalls *syscalls = (const struct record_syscalls *)record;

        draft_add_syscalls(draft_before(builder, record), syscalls->tallies, syscalls->count);
        break;
    }
    case RECORD_NOTE:
        take_note(builder, (const struct record_note *)record);
        break;
    case RECORD_WATERMARK:
        if (record->time_ns > input->watermark_ns)
            input->watermark_ns = record->time_ns;
        break;
    case RECORD_TYPES:
        break;
    }
}

/* True when the ring was read to its end. */
static bool read_ring(struct builder *builder, struct input *input)
{
    const struct record *record;

    for (unsigned i = 0; i < STEP_RECORDS_MAX; i++) {
        record = ring_peek(input->ring);
        if (record == NULL)
            return true;
        take_record(builder, input, record);
        ring_pop(input->ring);
    }
    return false;
}

void builder_detach(struct builder *builder, struct ring *ring)
{
    for (size_t i = 0; i < builder->input_count; i++) {
        if (builder->inputs[i].ring != ring)
            continue;
        while (!read_ring(builder, &builder->inputs[i]))
            ;
        builder->inputs[i] = builder->inputs[--builder->input_count];
        return;
    }
}

/* Up to where slices can be sealed. */
static uint64_t horizon(const struct builder *builder, uint64_t now_ns)
{
    uint64_t oldest_ns = now_ns > BEHIND_MAX_NS ? now_ns - BEHIND_MAX_NS : 0, slowest_ns = now_ns;

    for (size_t i = 0; i < builder->input_count; i++) {
        const struct input *input = &builder->inputs[i];

        if (input->watermarks && input->watermark_ns < slowest_ns)
            slowest_ns = input->watermark_ns;
    }
    return slowest_ns > oldest_ns ? slowest_ns : oldest_ns;
}

void builder_note(struct builder *builder, enum note_level level, const char *text)
{
    history_add_note(builder->history, clock_now_ns(), level, text);
    builder->told = true;
}

bool builder_step(struct builder *builder, uint64_t now_ns)
{
    uint64_t before_ns = history_horizon_ns(builder->history), horizon_ns;
    bool changed;

    for (size_t i = 0; i < builder->input_count; i++)
        read_ring(builder, &builder->inputs[i]);
    horizon_ns = horizon(builder, now_ns);
    if (horizon_ns < before_ns)
        horizon_ns = before_ns;
    changed = seal_before(builder, horizon_ns) || builder->told ||
              horizon_ns / builder->slice_ns != before_ns / builder->slice_ns;
    if (!changed)
        return false;
    history_advance(builder->history, horizon_ns);
    builder->told = false;
    publish(builder, false);
    return true;
}

void builder_finish(struct builder *builder, int32_t exit_status)
{
    uint64_t end_ns = history_horizon_ns(builder->history);

    while (builder->input_count > 0)
        builder_detach(builder, builder->inputs[0].ring);
    while (builder->open_count > 0) {
        uint64_t slice_end_ns = builder->open[0].start_ns + builder->slice_ns;

        if (slice_end_ns > end_ns)
            end_ns = slice_end_ns;
        seal_first(builder);
    }
    history_set_exit(builder->history, exit_status);
    history_advance(builder->history, end_ns);
    publish(builder, true);
}

struct profile *builder_profile(struct builder *builder)
{
    struct profile *profile;

    pthread_mutex_lock(&builder->lock);
    profile = profile_ref(builder->profile);
    pthread_mutex_unlock(&builder->lock);
    return profile;
}

void builder_on_sealed(struct builder *builder,
                       void (*sealed)(void *context, const struct slice *slice), void *context)
{
    builder->sealed = sealed;
    builder->sealed_context = context;
}
