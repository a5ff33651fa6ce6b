/* SPDX-License-Identifier: MIT */
/* Recordings made up by tests. */
#include "config.h"

#include "tests/harness/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/hash.h"
#include "proftop/memory.h"
#include "proftop/record.h"
#include "proftop/ring.h"
#include "tests/harness/testing.h"

enum { RING_BYTES = 1 << 22, FUNCTION_BYTES = 0x100 };

void recording_init(struct recording *recording, uint64_t seed, size_t memory_max)
{
    struct builder_config config = { .info = { .command = "made up",
                                               .pid = 100,
                                               .start_ns = RECORDING_START_NS,
                                               .source = "test",
                                               .event = "cpu-clock",
                                               .rate_hz = 99,
                                               .cpus = 2,
                                               .exit_status = -1,
                                               .host = "here",
                                               .version = "0" },
                                     .memory_max = memory_max };
    struct profile *profile;

    *recording = (struct recording){ .random = seed };
    recording->lanes = config.lanes = lanes_new();
    recording->builder = builder_new(&config);
    recording->ring = ring_new(RING_BYTES);
    builder_attach(recording->builder, recording->ring, true);
    profile = builder_profile(recording->builder);
    recording->names = profile_names(profile);
    profile_unref(profile);
}

void recording_fini(struct recording *recording)
{
    builder_free(recording->builder);
    ring_free(recording->ring);
    lanes_free(recording->lanes);
}

uint32_t recording_random(struct recording *recording, uint32_t limit)
{
    recording->random += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(hash_u64(recording->random) % limit);
}

struct recorded_sample recording_invent(struct recording *recording, uint64_t time_ns,
                                        uint32_t functions, uint32_t threads)
{
    struct recorded_sample sample = { .time_ns = time_ns, .pid = 100, .syscall = -1 };

    sample.tid = 100 + (int32_t)recording_random(recording, threads);
    sample.depth = 1 + recording_random(recording, 12);
    for (uint32_t i = 0; i < sample.depth; i++)
        sample.functions[i] = recording_random(recording, functions);
    sample.weight = 1000000 + recording_random(recording, 20000000);
    if (recording_random(recording, 4) == 0) {
        sample.state = STATE_WAITING;
        sample.reason = (uint8_t)(WAIT_LOCK + recording_random(recording, 3));
        sample.syscall = 202;
    }
    return sample;
}

/* Space for a record, letting the builder read when the ring is full. */
static struct record *reserve(struct recording *recording, size_t size_bytes)
{
    struct record *record = ring_reserve(recording->ring, size_bytes, true);

    if (record == NULL) {
        builder_step(recording->builder, 0);
        record = ring_reserve(recording->ring, size_bytes, true);
    }
    assert_non_null(record);
    memset(record + 1, 0, size_bytes - sizeof(*record));
    return record;
}

void recording_push(struct recording *recording, const struct recorded_sample *sample)
{
    size_t size = sizeof(struct record_sample) + sample->depth * sizeof(struct frame);
    struct record_sample *record = (struct record_sample *)reserve(recording, size);

    record->head.type = RECORD_SAMPLE;
    record->head.time_ns = sample->time_ns;
    record->pid = sample->pid;
    record->tid = sample->tid;
    record->weight = sample->weight;
    record->count = sample->depth;
    record->syscall = sample->syscall;
    record->state = sample->state;
    record->metric = sample->metric;
    record->end = sample->end;
    record->gil = sample->gil;
    record->reason = sample->reason;
    memcpy(record->counted, sample->counted, sizeof(record->counted));
    for (uint32_t i = 0; i < sample->depth; i++) {
        uint32_t function = sample->functions[sample->depth - 1 - i];
        uint32_t place = recording_random(recording, RECORDING_PLACES);

        record->frames[i] =
            (struct frame){ .address = (function + 1) * FUNCTION_BYTES + place,
                            .kind = function % 5 == 4 ? FRAME_KERNEL : FRAME_NATIVE };
    }
    ring_commit(recording->ring, &record->head);
}

void recording_thread(struct recording *recording, uint64_t time_ns, int32_t pid, int32_t tid,
                      enum thread_event event, const char *name)
{
    struct record_thread *record =
        (struct record_thread *)reserve(recording, sizeof(struct record_thread));

    record->head.type = RECORD_THREAD;
    record->head.time_ns = time_ns;
    record->pid = pid;
    record->tid = tid;
    record->event = event;
    record->exit_status = -1;
    snprintf(record->name, sizeof(record->name), "%s", name);
    ring_commit(recording->ring, &record->head);
}

void recording_watermark(struct recording *recording, uint64_t time_ns)
{
    struct record *record = reserve(recording, sizeof(*record));

    record->type = RECORD_WATERMARK;
    record->time_ns = time_ns;
    ring_commit(recording->ring, record);
}

void recording_step(struct recording *recording, uint64_t time_ns)
{
    recording_watermark(recording, time_ns);
    builder_step(recording->builder, time_ns);
}

static struct function made_function(char name[16], uint32_t number)
{
    snprintf(name, 16, "f%u", number);
    return (struct function){ .kind = number % 5 == 4 ? FRAME_KERNEL : FRAME_NATIVE,
                              .name = name,
                              .module = number % 5 == 4 ? "[kernel]" : "program",
                              .file = "" };
}

void recording_name(struct recording *recording)
{
    for (; recording->named < names_locations(recording->names); recording->named++) {
        const struct frame *frame = names_frame(recording->names, recording->named);
        char name[16];
        struct function function;
        struct placed placed;

        if (frame->kind == FRAME_MARK)
            continue;
        function = made_function(name, (uint32_t)(frame->address / FUNCTION_BYTES) - 1);
        placed.function = names_function(recording->names, &function);
        placed.line = 10 + (uint32_t)(frame->address % FUNCTION_BYTES);
        names_set(recording->names, recording->named, NAMING_FULL, &placed, 1);
    }
}

function_id recording_function(const struct recording *recording, uint32_t number)
{
    char name[16];
    struct function function = made_function(name, number);

    return names_function(recording->names, &function);
}
