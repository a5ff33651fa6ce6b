/* SPDX-License-Identifier: MIT */
/*
 * Makes session files that are always the same, for the tests of everything that reads one:
 *
 *     make_session plain FILE       three threads, 12 s, recursion, waiting, lanes
 *     make_session processes FILE   the same in two processes
 *     make_session hostile FILE     the same with names that formats trip over
 *     make_session later FILE       as plain, but f3 takes a third of the samples
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "proftop/ring.h"
#include "proftop/session.h"
#include "tests/harness/recording.h"

enum {
    FUNCTIONS = 22,
    SECONDS = 12,
    SAMPLES_A_SECOND = 250,
    PID = 100,
    OTHER_PID = 300,
    LANES = 3
};

/* What formats have to escape, and every kind of frame. */
static const struct function hostile[FUNCTIONS] = {
    { .name = "std::map<int, char>::find(int const&) const", .module = "lib with blanks.so" },
    { .name = "semi;colon", .module = "a;b" },
    { .name = "\"quoted\" \\ 'name'", .module = "q\"uote" },
    { .name = "<script>alert(1)</script>&amp;", .module = "<b>" },
    { .name = "sys_read", .module = "[kernel]", .kind = FRAME_KERNEL },
    { .name = "new\nline\ttab\x1b[31m", .module = "escape" },
    { .name = "not utf-8: \xff end", .module = "bytes" },
    { .name = "schön 関数 𝄞", .module = "ünï.so" },
    { .name = "(anonymous namespace)::hidden", .module = "program" },
    { .name = "do_page_fault", .module = "[kernel]", .kind = FRAME_KERNEL },
    { .name = "(12) looks compressed", .module = "program" },
    { .name = "ends with a number 42", .module = "program" },
    { .name = "offset+0x10", .module = "program" },
    { .name = "LazyCompile:*run app.js:1", .module = "[jit]", .kind = FRAME_JIT },
    { .name = "Worker.run", .module = "", .file = "/srv/app.py", .kind = FRAME_PYTHON, .line = 7 },
    { .name = "=cmd|' /C calc'!A0", .module = "-1+1" },
    { .name = "inlined, with a comma", .module = "program", .kind = FRAME_INLINE },
    { .name = "@DATA@ ]]> --> */", .module = "program" },
    { .name = "fn=(1) main", .module = "cfn=" },
    { .name = " blanks around ", .module = " " },
    { .name = "", .module = "" },
    { .name = "long", .module = "program" },
};

/* As recording_name(), but with the names above; the last is made long. */
static void name_hostile(struct recording *recording)
{
    static char longest[3000];

    memset(longest, 'x', sizeof(longest) - 1);
    for (; recording->named < names_locations(recording->names); recording->named++) {
        const struct frame *frame = names_frame(recording->names, recording->named);
        uint32_t number = (uint32_t)(frame->address / 0x100) - 1;
        struct function function = hostile[number % FUNCTIONS];
        struct placed placed = { .line = 10 + (uint32_t)(frame->address % 0x100) };

        if (strcmp(function.name, "long") == 0)
            function.name = longest;
        if (function.file == NULL)
            function.file = number % 2 == 0 ? "/src/a file.c" : "";
        function.raw_name = function.name;
        placed.function = names_function(recording->names, &function);
        names_set(recording->names, recording->named, NAMING_FULL, &placed, 1);
    }
}

static void push_tally(struct recording *recording, uint64_t time_ns, uint32_t received)
{
    struct record_tally tally = {
        .head = { .size = record_round(sizeof(tally)), .type = RECORD_TALLY, .time_ns = time_ns },
        .expected = received + 2,
        .received = received,
        .lost = 1,
        .truncated = 1,
        .rate_hz = 99,
        .stops = 4,
        .stopped_ns = 4 * 5000,
        .stopped_max_ns = 9000,
        .stopped_log2 = { [5] = 3, [6] = 1 },
        .target_cpu_ns = 700 * NS_PER_MS,
        .source_cpu_ns = 2 * NS_PER_MS,
    };

    ring_push(recording->ring, &tally.head, true);
}

static void push_lanes(struct recording *recording, uint64_t time_ns, const lane_id *lanes,
                       uint32_t second)
{
    const double values[LANES] = { 50 + second, 10.5 * second, 4096.0 * second };
    size_t size = sizeof(struct record_lanes) + LANES * sizeof(struct lane_value);
    struct record_lanes *record = xcalloc(1, record_round(size));

    record->head = (struct record){ record_round(size), RECORD_LANES, time_ns };
    record->period_ns = NS_PER_S;
    record->count = LANES;
    for (int i = 0; i < LANES; i++)
        record->values[i] = (struct lane_value){ .lane = lanes[i], .value = values[i] };
    ring_push(recording->ring, &record->head, true);
    free(record);
}

static void add_lanes(struct recording *recording, lane_id *lanes)
{
    const struct lane wanted[] = {
        { .group = LANE_TARGET, .unit = UNIT_PERCENT, .key = "cpu_pct", .label = "target cpu" },
        { .group = LANE_SYSTEM, .unit = UNIT_PERCENT, .key = "us", .label = "usr", .ceiling = 100 },
        { .group = LANE_SYSTEM,
          .unit = UNIT_BYTES_PER_SECOND,
          .key = "disks.vda.read_bytes",
          .label = "read" },
    };

    for (int i = 0; i < LANES; i++)
        lanes[i] = lanes_add(recording->lanes, &wanted[i]);
}

static void push_second(struct recording *recording, uint32_t second, const char *kind,
                        const lane_id *lanes)
{
    uint64_t start_ns = RECORDING_START_NS + second * NS_PER_S;
    uint32_t running = 0;

    for (uint32_t i = 0; i < SAMPLES_A_SECOND; i++) {
        struct recorded_sample sample =
            recording_invent(recording, start_ns + NS_PER_S * i / SAMPLES_A_SECOND, FUNCTIONS, 3);

        if (strcmp(kind, "processes") == 0 && sample.tid == 102)
            sample.pid = sample.tid = OTHER_PID;
        if (strcmp(kind, "later") == 0 && i % 3 == 0)
            sample.functions[sample.depth - 1] = 3;
        running += sample.state == STATE_RUNNING;
        recording_push(recording, &sample);
    }
    push_tally(recording, start_ns + NS_PER_S - 1, running);
    push_lanes(recording, start_ns + NS_PER_S - 1, lanes, second);
    recording_step(recording, start_ns + NS_PER_S);
}

int main(int argc, char **argv)
{
    struct recording recording;
    struct session_config config = { .force = true };
    struct error error = { 0 };
    struct profile *profile;
    lane_id lanes[LANES];
    bool saved;

    if (argc != 3)
        return 2;
    config.path = argv[2];
    recording_init(&recording, 7, 0);
    add_lanes(&recording, lanes);
    recording_thread(&recording, RECORDING_START_NS, PID, 100, THREAD_SEEN, "main");
    recording_thread(&recording, RECORDING_START_NS, PID, 101, THREAD_SEEN, "worker one");
    if (strcmp(argv[1], "processes") == 0)
        recording_thread(&recording, RECORDING_START_NS, OTHER_PID, OTHER_PID, THREAD_SEEN,
                         "other");
    else
        recording_thread(&recording, RECORDING_START_NS, PID, 102, THREAD_SEEN, "w\xc3\xb6rker");
    for (uint32_t second = 0; second < SECONDS; second++)
        push_second(&recording, second, argv[1], lanes);
    builder_finish(recording.builder, 0);
    if (strcmp(argv[1], "hostile") == 0)
        name_hostile(&recording);
    else
        recording_name(&recording);
    profile = builder_profile(recording.builder);
    saved = session_save(&config, profile, 0, UINT64_MAX, &error);
    if (!saved)
        fprintf(stderr, "make_session: %s\n", error.message);
    profile_unref(profile);
    recording_fini(&recording);
    return saved ? 0 : 1;
}
