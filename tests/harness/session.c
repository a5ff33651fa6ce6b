/* SPDX-License-Identifier: MIT */
/* Recordings made up by tests, written to session files. */
#include "config.h"

#include "tests/harness/session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "proftop/module.h"
#include "proftop/record.h"
#include "proftop/ring.h"
#include "tests/harness/testing.h"

struct place place_new(void)
{
    struct place place = { .folder = testing_folder_new() };

    place.path = xasprintf("%s/test.proftop", place.folder);
    return place;
}

void place_free(struct place *place)
{
    free(place->path);
    testing_folder_remove(place->folder);
}

bool place_has(const struct place *place, const char *suffix)
{
    char *path = xasprintf("%s%s", place->path, suffix);
    bool exists = access(path, F_OK) == 0;

    free(path);
    return exists;
}

static void write_slice(void *context, const struct slice *slice)
{
    struct written *written = context;
    struct profile *profile = builder_profile(written->recording.builder);

    session_add(written->writer, profile, slice);
    profile_unref(profile);
}

struct profile *written_profile(struct written *written)
{
    return builder_profile(written->recording.builder);
}

void written_begin(struct written *written, const struct session_config *config, uint64_t seed)
{
    struct error error = { 0 };
    struct profile *profile;

    recording_init(&written->recording, seed, 0);
    written->now_ns = RECORDING_START_NS;
    profile = written_profile(written);
    written->writer = session_create(config, profile_info(profile), &error);
    profile_unref(profile);
    assert_string_equal(error.message, "");
    assert_non_null(written->writer);
    builder_on_sealed(written->recording.builder, write_slice, written);
    recording_thread(&written->recording, written->now_ns, 100, 100, THREAD_SEEN, "main");
    written_keep_module(written);
}

void written_keep_module(struct written *written)
{
    static const struct segment code[] = { { 0x1000, 0x2345, 0x401000, true },
                                           { 0x8000, 0x20, 0x7fff0000, true } };
    struct module module = { .id = WRITTEN_MODULE,
                             .kind = MODULE_FILE,
                             .path = "/somewhere/program",
                             .name = "program",
                             .fd = -1,
                             .build_id = { 0xca, 0xfe, 0, 0x01 },
                             .build_id_size = 4,
                             .segments = code,
                             .segment_count = 2 };

    names_keep_module(written->recording.names, &module);
}

static void push_lanes(struct written *written)
{
    struct lane cpu = {
        .group = LANE_TARGET, .unit = UNIT_PERCENT, .key = "cpu_pct", .label = "CPU"
    };
    struct lane memory = {
        .group = LANE_TARGET, .unit = UNIT_BYTES, .key = "rss_bytes", .label = "RSS", .ceiling = 0.5
    };
    struct recording *recording = &written->recording;
    size_t size = sizeof(struct record_lanes) + 2 * sizeof(struct lane_value);
    struct record_lanes *lanes = (struct record_lanes *)ring_reserve(recording->ring, size, true);

    assert_non_null(lanes);
    lanes->head.type = RECORD_LANES;
    lanes->head.time_ns = written->now_ns;
    lanes->period_ns = NS_PER_S;
    lanes->count = 2;
    lanes->values[0] =
        (struct lane_value){ .lane = lanes_add(recording->lanes, &cpu), .value = 12.5 };
    lanes->values[1] =
        (struct lane_value){ .lane = lanes_add(recording->lanes, &memory), .value = 1 << 20 };
    ring_commit(recording->ring, &lanes->head);
}

static void push_tally(struct written *written, uint32_t expected, uint32_t lost)
{
    struct recording *recording = &written->recording;
    struct record_tally *tally =
        (struct record_tally *)ring_reserve(recording->ring, sizeof(*tally), true);

    assert_non_null(tally);
    memset(&tally->head + 1, 0, sizeof(*tally) - sizeof(tally->head));
    tally->head.type = RECORD_TALLY;
    tally->head.time_ns = written->now_ns;
    tally->expected = expected;
    tally->received = expected - lost;
    tally->lost = lost;
    tally->rate_hz = 99;
    tally->stopped_log2[3] = 7;
    ring_commit(recording->ring, &tally->head);
}

void written_seconds(struct written *written, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        for (unsigned k = 0; k < WRITTEN_PER_SECOND; k++) {
            struct recorded_sample sample = recording_invent(
                &written->recording, written->now_ns + k * NS_PER_S / WRITTEN_PER_SECOND,
                WRITTEN_FUNCTIONS, WRITTEN_THREADS);

            recording_push(&written->recording, &sample);
        }
        written->now_ns += NS_PER_S;
        push_lanes(written);
        push_tally(written, 100, i % 3);
        recording_step(&written->recording, written->now_ns);
        recording_name(&written->recording);
    }
}

void written_end(struct written *written)
{
    struct error error = { 0 };
    struct profile *profile;

    builder_finish(written->recording.builder, 0);
    profile = written_profile(written);
    assert_true(session_finish(written->writer, profile, &error));
    profile_unref(profile);
}

struct profile *written_open(const char *path)
{
    struct error error = { 0 };
    struct profile *profile = session_open(path, &error);

    assert_string_equal(error.message, "");
    assert_non_null(profile);
    return profile;
}

void written_fini(struct written *written)
{
    recording_fini(&written->recording);
}
