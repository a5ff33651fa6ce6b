/* SPDX-License-Identifier: MIT */
/* The recording that the tests of the screens look at. */
#include "config.h"

#include "screen_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/history.h"
#include "proftop/memory.h"
#include "proftop/metric.h"
#include "proftop/text.h"
#include "tests/harness/testing.h"

enum {
    SECONDS = 64,
    SLICES = SECONDS * 10,
    THREADS = 6,
    DEEPEST = 8,
    FUNCTIONS = 16,
    MODULE_BUSY = 1,
    RATE_HZ = 99,
    GONE_AFTER_S = 41,
    FIRST_PYTHON = 3,
    OTHER_PID = 9100
};

#define START_NS (1000 * NS_PER_S)
/* 2026-11-20 12:30:00 UTC is START_NS. */
#define REALTIME_NS (INT64_C(1795177800) * 1000000000 - (int64_t)START_NS)

struct plan {
    const char *name, *hostile, *module, *file;
    uint32_t line;
    enum frame_kind kind;
};

static const struct plan functions[FUNCTIONS] = {
    { "start_thread", NULL, "libc.so.6", "", 0, FRAME_NATIVE },
    { "worker(int)", "worker\033[31m\033]0;owned\007", "busy", "/src/busy.cc", 25, FRAME_NATIVE },
    { "acme::Table<std::string, long>::sum() const", NULL, "busy", "/src/busy.cc", 17,
      FRAME_NATIVE },
    { "std::_Rb_tree_increment(std::_Rb_tree_node_base*)", "\xff\xfe\xc0\xaf bad bytes",
      "libstdc++.so.6", "", 0, FRAME_NATIVE },
    { "hash1(char const*)", "漢字の関数名はとても広い漢字の関数名はとても広い漢字の関数名は",
      "busy", "/src/busy.cc", 8, FRAME_NATIVE },
    { "acme::Table<std::string, long>::insert(std::string const&, long)", NULL, "busy",
      "/src/busy.cc", 30, FRAME_NATIVE },
    { "__memcmp_evex_movbe", "\u202egnp.exe", "libc.so.6", "", 0, FRAME_NATIVE },
    { "__memmove_avx512_unaligned_erms", "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301 marks",
      "libc.so.6", "", 0, FRAME_NATIVE },
    { "random", "\u200b\u200b", "libc.so.6", "", 0, FRAME_NATIVE },
    { "__lll_lock_wake_private", "", "libc.so.6", "", 0, FRAME_NATIVE },
    { "futex_wake", NULL, "[kernel]", "", 0, FRAME_KERNEL },
    { "try_to_wake_up", NULL, "[kernel]", "", 0, FRAME_KERNEL },
    { "_raw_spin_unlock_irqrestore", NULL, "[kernel]", "", 0, FRAME_KERNEL },
    { "finish_task_switch", NULL, "[kernel]", "", 0, FRAME_KERNEL },
    { "eval(node*)", NULL, "busy", "/src/busy.cc", 60, FRAME_NATIVE },
    { "main", NULL, "busy", "/src/busy.cc", 90, FRAME_NATIVE },
};

/* Stacks, outermost first, ended by -1; how often each is hit, in parts of 1000. */
static const struct {
    int frames[DEEPEST];
    unsigned weight;
} stacks[] = {
    { { 0, 1, 2, -1 }, 386 },
    { { 0, 1, 2, 3, -1 }, 81 },
    { { 0, 1, 4, -1 }, 185 },
    { { 0, 1, 5, -1 }, 83 },
    { { 0, 1, 5, 6, -1 }, 88 },
    { { 0, 1, 5, 7, -1 }, 11 },
    { { 0, 1, 8, -1 }, 32 },
    { { 0, 1, 9, 10, 11, 12, -1 }, 35 },
    { { 0, 1, 9, 10, 13, -1 }, 28 },
    { { 0, 1, -1 }, 6 },
    { { 0, 1, 14, 14, 14, -1 }, 30 },
    { { 0, 1, 14, 14, 14, 14, 8, -1 }, 18 },
    { { -1 }, 17 }, /* broken */
};
enum { STACKS = sizeof(stacks) / sizeof(stacks[0]) };

/* Lanes: what they usually show, and what while the host stole CPU time. */
static const struct {
    enum lane_group group;
    const char *key, *label;
    enum lane_unit unit;
    int tid;
    bool alarming;
    double usual, stolen;
} lane_plans[] = {
    { LANE_TARGET, "cpu_pct", "target cpu", UNIT_PERCENT, 0, false, 183, 91 },
    { LANE_TARGET, "rss_bytes", "tgt RSS", UNIT_BYTES, 0, false, 12.5 * 1024 * 1024,
      12.5 * 1024 * 1024 },
    { LANE_TARGET, "vsize_bytes", "tgt virtual", UNIT_BYTES, 0, false, 293 << 20, 293 << 20 },
    { LANE_TARGET, "fds", "open files", UNIT_COUNT, 0, false, 7, 7 },
    { LANE_TARGET, "threads", "threads", UNIT_COUNT, 0, false, 5, 5 },
    { LANE_TARGET, "minflt", "minor flt", UNIT_PER_SECOND, 0, true, 455, 410 },
    { LANE_TARGET, "majflt", "tgt maj flt", UNIT_PER_SECOND, 0, true, 0, 0 },
    { LANE_SYSTEM, "us", "usr", UNIT_PERCENT, 0, false, 90, 45 },
    { LANE_SYSTEM, "sy", "sys", UNIT_PERCENT, 0, false, 4, 4 },
    { LANE_SYSTEM, "id", "idle", UNIT_PERCENT, 0, false, 6, 3 },
    { LANE_SYSTEM, "wa", "iowait", UNIT_PERCENT, 0, true, 0, 0 },
    { LANE_SYSTEM, "st", "STEAL", UNIT_PERCENT, 0, true, 0, 48 },
    { LANE_SYSTEM, "cpus.cpu0.id", "cpu0 idle", UNIT_PERCENT, 0, false, 5, 3 },
    { LANE_SYSTEM, "cpus.cpu1.id", "cpu1 idle", UNIT_PERCENT, 0, false, 4, 2 },
    { LANE_SYSTEM, "run_queue", "run queue", UNIT_COUNT, 0, true, 2, 5 },
    { LANE_SYSTEM, "blocked", "blocked", UNIT_COUNT, 0, true, 0, 0 },
    { LANE_SYSTEM, "context_switches", "ctx sw", UNIT_PER_SECOND, 0, false, 18700, 6100 },
    { LANE_SYSTEM, "interrupts", "irq", UNIT_PER_SECOND, 0, false, 9996, 4000 },
    { LANE_SYSTEM, "free_bytes", "free", UNIT_BYTES, 0, false, 20e9, 20e9 },
    { LANE_SYSTEM, "read_bytes", "disk read", UNIT_BYTES_PER_SECOND, 0, true, 0, 0 },
    { LANE_SYSTEM, "write_bytes", "disk write", UNIT_BYTES_PER_SECOND, 0, true, 200000, 200000 },
    { LANE_SYSTEM, "psi.cpu.some", "PSI cpu some", UNIT_PERCENT, 0, true, 9, 38 },
    { LANE_SYSTEM, "psi.io.some", "PSI io some", UNIT_PERCENT, 0, true, 0, 0 },
    { LANE_THREAD, "cpu_pct", "wrk-0", UNIT_PERCENT, 8970, false, 88, 41 },
    { LANE_THREAD, "cpu_pct", "wrk-1", UNIT_PERCENT, 8971, false, 86, 43 },
};
enum { LANES = sizeof(lane_plans) / sizeof(lane_plans[0]) };

struct recording {
    struct history *history;
    struct lanes *lanes;
    stack_id stacks[STACKS], waits[2];
    lane_id lanes_of[LANES];
    unsigned slices; /* made so far */
    uint32_t seed;
    bool two; /* processes */
};

static uint32_t next_random(struct recording *recording)
{
    recording->seed = recording->seed * 1664525 + 1013904223;
    return recording->seed >> 8;
}

static location_id locate(struct names *names, unsigned index, bool hostile)
{
    const struct plan *plan = &functions[index];
    struct frame frame = { .address = 0x1000 + index * 0x100,
                           .module = MODULE_BUSY,
                           .kind = plan->kind };
    const char *name = hostile && plan->hostile != NULL ? plan->hostile : plan->name;
    struct function function = { .kind = plan->kind,
                                 .name = name,
                                 .raw_name = name,
                                 .module = plan->module,
                                 .file = plan->file,
                                 .line = plan->line,
                                 .hue = index };
    location_id location = names_locate(names, &frame);
    struct placed placed = { names_function(names, &function),
                             plan->line != 0 ? plan->line + 2 : 0 };

    names_set(names, location, NAMING_FULL, &placed, 1);
    return location;
}

static void make_stacks(struct recording *recording, bool hostile)
{
    struct names *names = history_names(recording->history);
    struct frame broken = { .address = STACK_NO_ROWS, .module = MARK_BROKEN, .kind = FRAME_MARK };
    location_id locations[FUNCTIONS];

    for (unsigned i = 0; i < FUNCTIONS; i++)
        locations[i] = locate(names, i, hostile);
    for (unsigned i = 0; i < STACKS; i++) {
        stack_id stack = STACK_ROOT;

        for (int k = 0; stacks[i].frames[k] >= 0; k++)
            stack = names_push(names, stack, locations[stacks[i].frames[k]]);
        if (stack == STACK_ROOT)
            stack = names_push(names, stack, names_locate(names, &broken));
        recording->stacks[i] = stack;
    }
    recording->waits[0] = names_push(names, STACK_ROOT, locations[15]);
    recording->waits[1] = names_push(names, recording->stacks[9], locations[9]);
}

static void make_lanes(struct recording *recording)
{
    struct lane own = { .group = LANE_TARGET,
                        .key = "cpu_pct",
                        .label = "busy cpu",
                        .unit = UNIT_PERCENT,
                        .pid = 8968 };

    if (recording->two) /* of the first process alone: what stands for all comes later */
        lanes_add(recording->lanes, &own);
    for (int i = 0; i < LANES; i++) {
        bool share = lane_plans[i].unit == UNIT_PERCENT && lane_plans[i].group != LANE_TARGET;
        struct lane lane = { .group = lane_plans[i].group,
                             .key = lane_plans[i].key,
                             .label = lane_plans[i].label,
                             .unit = lane_plans[i].unit,
                             .pid = lane_plans[i].tid != 0 ? 8968 : 0,
                             .tid = lane_plans[i].tid,
                             .ceiling = share ? 100 : 0,
                             .alarming = lane_plans[i].alarming };

        recording->lanes_of[i] = lanes_add(recording->lanes, &lane);
    }
}

/* Threads of the other process, where there is one. */
static bool is_python(uint32_t thread)
{
    return thread >= FIRST_PYTHON && thread < THREADS - 1;
}

static void make_threads(struct recording *recording)
{
    static const char *const names[THREADS] = { "busy",  "wrk-0", "wrk-1",
                                                "wrk-2", "wrk-3", "init-tmp" };

    for (int i = 0; i < THREADS; i++) {
        struct profile_thread thread = { .pid = 8968,
                                         .tid = i == 0 ? 8968 : 8969 + i,
                                         .ppid = 4000,
                                         .began_ns = START_NS,
                                         .ended_ns = UINT64_MAX,
                                         .exit_status = -1,
                                         .process = i == 0 };

        if (i == THREADS - 1)
            thread.tid = 8969;
        if (recording->two && is_python((uint32_t)i)) {
            thread.pid = OTHER_PID;
            thread.process = i == FIRST_PYTHON;
            thread.tid = OTHER_PID + i - FIRST_PYTHON;
        }
        snprintf(thread.name, sizeof(thread.name), "%s", names[i]);
        history_add_thread(recording->history, &thread);
    }
}

static struct recording *make_recording(bool hostile, bool two)
{
    struct recording *recording = xcalloc(1, sizeof(*recording));
    struct profile_info info = { .command = (char *)"./busy --threads 4",
                                 .pid = 8968,
                                 .start_ns = START_NS,
                                 .realtime_offset_ns = REALTIME_NS,
                                 .source = (char *)"perf",
                                 .source_reason = (char *)"",
                                 .event = (char *)"cpu-clock",
                                 .note = (char *)"",
                                 .rate_hz = RATE_HZ,
                                 .cpus = 2,
                                 .exit_status = -1,
                                 .host = (char *)"box",
                                 .version = (char *)"0" };
    struct history_config config = { .info = &info };

    recording->lanes = config.lanes = lanes_new();
    recording->history = history_new(&config);
    recording->seed = 7;
    recording->two = two;
    make_lanes(recording);
    make_threads(recording);
    make_stacks(recording, hostile);
    return recording;
}

struct recording *recording_new(bool hostile)
{
    return make_recording(hostile, false);
}

struct recording *recording_of_two(void)
{
    return make_recording(false, true);
}

void recording_add_source(struct recording *recording, const char *text)
{
    history_add_source(recording->history, "/src/busy.cc", text, strlen(text));
}

void recording_exec(struct recording *recording, const char *name)
{
    struct profile_thread thread = *history_thread(recording->history, 0);

    thread.execs++;
    snprintf(thread.name, sizeof(thread.name), "%s", name);
    history_set_thread(recording->history, 0, &thread);
}

void recording_free(struct recording *recording)
{
    history_free(recording->history);
    lanes_free(recording->lanes);
    free(recording);
}

static unsigned pick(struct recording *recording)
{
    unsigned roll = next_random(recording) % 1000, i = 0;

    while (i + 1 < STACKS && roll >= stacks[i].weight)
        roll -= stacks[i++].weight;
    return i;
}

/* At 3 GHz, and the more instructions the later the stack is in the list. */
static void add_counts(struct slice_draft *draft, const struct slice_entry *entry)
{
    const uint64_t weights[COUNTED] = {
        [COUNTED_CYCLES] = 3 * entry->weight,
        [COUNTED_INSTRUCTIONS] = entry->weight * entry->stack / 4,
        [COUNTED_CACHE_MISSES] = entry->weight / 200,
        [COUNTED_BRANCH_MISSES] = entry->weight / 500,
        [COUNTED_FAULTS] = entry->weight / 1000000,
    };
    struct slice_entry counted = *entry;

    for (int i = 0; i < COUNTED; i++) {
        counted.metric = (uint8_t)counted_metric((enum counted)i);
        counted.weight = weights[i];
        draft_add_entry(draft, &counted);
    }
}

static void add_entry(struct recording *recording, struct slice_draft *draft, uint32_t thread,
                      stack_id stack, uint64_t weight, enum state state, enum wait_reason reason)
{
    bool python = recording->two && is_python(thread);
    struct slice_entry entry = { .thread = thread,
                                 .stack = stack,
                                 .weight = weight,
                                 .count = 1,
                                 .syscall = -1,
                                 .state = (uint8_t)state,
                                 .metric = METRIC_TIME,
                                 .reason = (uint8_t)reason,
                                 .gil = !python                  ? GIL_NONE
                                        : state == STATE_RUNNING ? GIL_HELD
                                                                 : GIL_WANTED };

    draft_add_entry(draft, &entry);
    if (recording->two && state == STATE_RUNNING)
        add_counts(draft, &entry);
}

/* The second from 21 to 25 is one in which the host stole half of the CPUs. */
static bool stolen(unsigned slice)
{
    return slice / 10 >= 21 && slice / 10 < 26;
}

static void add_samples(struct recording *recording, struct slice_draft *draft, unsigned slice)
{
    struct record_tally tally = { .expected = 18, .rate_hz = RATE_HZ, .received = 0 };
    uint64_t each = 100 * NS_PER_MS / 10;

    for (uint32_t thread = 1; thread <= 4; thread++) {
        unsigned due = thread <= 2 ? 9 : next_random(recording) % 10 == 0;

        for (unsigned i = 0; i < due; i++) {
            if (stolen(slice) && next_random(recording) % 2 == 0)
                continue;
            add_entry(recording, draft, thread, recording->stacks[pick(recording)], each,
                      STATE_RUNNING, 0);
            tally.received++;
        }
        if (thread > 2)
            add_entry(recording, draft, thread, recording->waits[1], 9 * each, STATE_WAITING,
                      recording->two ? WAIT_GIL
                      : thread == 3  ? WAIT_LOCK
                                     : WAIT_SLEEP);
    }
    add_entry(recording, draft, 0, recording->waits[0], 10 * each, STATE_WAITING, WAIT_LOCK);
    if (slice < GONE_AFTER_S * 10 && slice % 30 == 0) {
        add_entry(recording, draft, 5, recording->stacks[9], each, STATE_RUNNING, 0);
        tally.received++;
    }
    tally.target_cpu_ns = tally.received * each;
    draft_add_tally(draft, &tally);
}

/* Every lane is read ten times a second; in the fortieth there were major faults. */
static void add_lanes(struct recording *recording, struct slice_draft *draft, unsigned slice)
{
    static const struct other_process others[] = {
        { .pid = 31, .cpu_pct = 12, .name = "cc1" },
        { .pid = 7, .cpu_pct = 3, .read_bytes = 4096, .majflt = 1, .name = "backup\33[2J" },
    };

    for (int i = 0; i < LANES; i++) {
        double value = stolen(slice) ? lane_plans[i].stolen : lane_plans[i].usual;
        struct lane_sum sum = { recording->lanes_of[i], 1, value };

        if (slice / 10 == 40 && strcmp(lane_plans[i].key, "majflt") == 0)
            sum.sum = 120;
        draft_add_lane(draft, &sum);
    }
    if (slice % 10 == 9)
        draft_add_others(draft, others, 2, 1);
}

static void end_thread(struct recording *recording)
{
    struct profile_thread thread = *history_thread(recording->history, THREADS - 1);

    thread.ended_ns = START_NS + GONE_AFTER_S * NS_PER_S;
    history_set_thread(recording->history, THREADS - 1, &thread);
}

struct profile *recording_profile(struct recording *recording, unsigned seconds, bool ended)
{
    struct slice_draft draft;

    for (; recording->slices < seconds * 10; recording->slices++) {
        uint64_t start = START_NS + recording->slices * 100 * NS_PER_MS;

        draft_init(&draft);
        add_samples(recording, &draft, recording->slices);
        add_lanes(recording, &draft, recording->slices);
        history_add(recording->history, draft_seal(&draft, start, start + 100 * NS_PER_MS));
        history_advance(recording->history, start + 100 * NS_PER_MS);
        draft_fini(&draft);
        if (recording->slices == GONE_AFTER_S * 10)
            end_thread(recording);
    }
    if (ended)
        history_set_exit(recording->history, 0);
    return history_profile(recording->history, ended);
}

/* ---- grids --------------------------------------------------------------------------------------
 */

static char role_letter(const struct cell *cell)
{
    static const char letters[ROLES] = "_HTStCdLKPJIbGWAkyMsRffffffffo";

    return cell->role < ROLES ? letters[cell->role] : '?';
}

static void trim(FILE *out, const char *row, size_t length)
{
    while (length > 0 && (row[length - 1] == ' ' || row[length - 1] == '_'))
        length--;
    fwrite(row, 1, length, out);
    fputc('\n', out);
}

static void dump_rows(const struct grid *grid, FILE *out, bool roles)
{
    size_t room = (size_t)grid->columns * CELL_TEXT_MAX + 1;
    char *row = xmalloc(room);

    for (int y = 0; y < grid->rows; y++) {
        size_t length = 0;

        for (int x = 0; x < grid->columns; x++) {
            const struct cell *cell = &grid->cells[(size_t)y * (size_t)grid->columns + (size_t)x];

            if (roles) {
                row[length++] = role_letter(cell);
                continue;
            }
            memcpy(row + length, cell->text, strlen(cell->text));
            length += strlen(cell->text);
        }
        trim(out, row, length);
    }
    free(row);
}

char *grid_dump(const struct grid *grid, bool roles)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    dump_rows(grid, out, false);
    if (roles) {
        fputs("---- roles\n", out);
        dump_rows(grid, out, true);
    }
    fclose(out);
    return text;
}

void grid_check(const struct grid *grid)
{
    for (int y = 0; y < grid->rows; y++) {
        int columns = 0;

        for (int x = 0; x < grid->columns; x++) {
            const struct cell *cell = &grid->cells[(size_t)y * (size_t)grid->columns + (size_t)x];

            columns += cell->width;
            assert_true(cell->role < ROLES);
            assert_int_equal(text_width(cell->text), cell->width);
            for (const char *at = cell->text; *at != '\0'; at++) {
                assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
                assert_true(!grid->ascii || (unsigned char)*at < 0x80);
            }
        }
        assert_int_equal(columns, grid->columns);
    }
}
