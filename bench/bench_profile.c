/* SPDX-License-Identifier: MIT */
/*
 * One hour of eight busy CPUs at 99 Hz: what it takes in memory and on disk, how long it takes to
 * open, to fold and to look at another range; and whether recording keeps up with 10,000 samples a
 * second.
 *
 * The stacks are a real program's: a compiler is sampled first (or the session named by the first
 * argument is read), and its samples are fed to the builder in their order, again and again, as
 * eight threads' of an hour, faster than real time.
 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/bench.h"
#include "proftop/builder.h"
#include "proftop/clock.h"
#include "proftop/contrast.h"
#include "proftop/engine.h"
#include "proftop/figures.h"
#include "proftop/fold.h"
#include "proftop/history.h"
#include "proftop/lane.h"
#include "proftop/memory.h"
#include "proftop/record.h"
#include "proftop/ring.h"
#include "proftop/session.h"
#include "proftop/target.h"

enum { HOUR_S = 3600, RATE_HZ = 99, CPUS = 8, RANGES = 60, RECORD_S = 20, FRAMES_MAX = 1024 };

/* The hour to make; shorter with an argument, to try things. */
struct hour {
    unsigned seconds;
    struct profile *real;
    stack_id *stacks; /* of the real samples, in order */
    size_t count, capacity;
    struct builder *builder;
    struct ring *ring;
    struct lanes *lanes;
    location_id named; /* those before it have their names */
    struct session_writer *writer;
    char *path;
};

static uint64_t resident_bytes(void)
{
    unsigned long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%lu %lu", &pages, &resident) != 2)
        resident = 0;
    if (file != NULL)
        fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The most that was resident since forget_peak(). */
static uint64_t peak_bytes(void)
{
    char line[128];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file != NULL && kib == 0 && fgets(line, sizeof(line), file) != NULL)
        sscanf(line, "VmHWM: %llu kB", &kib);
    if (file != NULL)
        fclose(file);
    return (uint64_t)kib << 10;
}

/* See proc_pid_clear_refs(5). */
static void forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    if (file == NULL)
        return;
    fputs("5", file);
    fclose(file);
}

static double seconds_since(uint64_t begin_ns)
{
    return (double)(clock_now_ns() - begin_ns) / 1e9;
}

/* CPU time of this thread: what a person waits for on a machine with nothing else to do. */
static double cpu_ms_since(uint64_t begin_ns)
{
    return (double)(clock_thread_cpu_ns() - begin_ns) / 1e6;
}

/* ---- real stacks ----------------------------------------------------------------------------- */

static struct profile *record_compiler(struct error *error)
{
    static char *const argv[] = {
        "/bin/sh", "-c",
        "cd ${PROFTOP_SOURCE:-.} && while :; do for file in src/*/*.c; do "
        "cc -O2 -g -std=gnu11 -Iinclude -I. -I\"$PROFTOP_BUILT\" -c -o /dev/null $file "
        "2>/dev/null; "
        "done; done",
        NULL
    };
    struct target_options options = { .children = true };
    struct engine_config config = { .rate_hz = 4999, .inlines = true };
    struct engine *engine;
    struct profile *profile;
    uint64_t begin_ns = clock_now_ns();

    config.target = target_launch(argv, NULL, &options, error);
    if (config.target == NULL)
        return NULL;
    engine = engine_start(&config, error);
    if (engine == NULL)
        return NULL;
    while (seconds_since(begin_ns) < RECORD_S)
        usleep(100000);
    kill(target_pid(engine_target(engine)), SIGKILL);
    engine_stop(engine, error);
    profile = engine_profile(engine);
    /* Its names point into tables of the engine, so the engine stays. */
    return profile;
}

static void take_stacks(struct hour *hour)
{
    struct slice_cursor cursor;
    const struct slice *slice;
    struct slice_walk walk;
    struct slice_entry entry;

    profile_slices(hour->real, 0, UINT64_MAX, 0, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL) {
        slice_entries(slice, &walk);
        while (slice_next_entry(&walk, &entry)) {
            if (entry.state != STATE_RUNNING)
                continue;
            for (uint32_t i = 0; i < entry.count; i++) {
                hour->stacks = array_reserve(hour->stacks, &hour->capacity, hour->count + 1,
                                             sizeof(*hour->stacks));
                hour->stacks[hour->count++] = entry.stack;
            }
        }
    }
}

/* ---- an hour --------------------------------------------------------------------------------- */

static void write_slice(void *context, const struct slice *slice)
{
    struct hour *hour = context;
    struct profile *profile = builder_profile(hour->builder);

    session_add(hour->writer, profile, slice);
    profile_unref(profile);
}

static bool begin_hour(struct hour *hour, struct error *error)
{
    struct builder_config config = { .info = { .command = "bench",
                                               .pid = 1000,
                                               .start_ns = NS_PER_S,
                                               .source = "perf",
                                               .event = "cpu-clock",
                                               .rate_hz = RATE_HZ,
                                               .cpus = CPUS,
                                               .exit_status = -1 } };
    struct session_config session = { .path = hour->path, .force = true };

    config.lanes = hour->lanes = lanes_new();
    hour->builder = builder_new(&config);
    hour->ring = ring_new(1 << 20);
    builder_attach(hour->builder, hour->ring, true);
    hour->writer = session_create(&session, &config.info, error);
    builder_on_sealed(hour->builder, write_slice, hour);
    return hour->writer != NULL;
}

static void push_sample(struct hour *hour, uint64_t time_ns, int32_t tid, stack_id stack)
{
    const struct names *names = profile_names(hour->real);
    struct record_sample *sample;
    struct frame frames[FRAMES_MAX];
    uint32_t count = 0;

    for (; stack != STACK_ROOT && count < FRAMES_MAX; stack = names_parent(names, stack))
        frames[count++] = *names_frame(names, names_location(names, stack));
    sample = (struct record_sample *)ring_reserve(hour->ring,
                                                  sizeof(*sample) + count * sizeof(*frames), false);
    if (sample == NULL)
        die("the ring is full");
    memset(&sample->head + 1, 0, sizeof(*sample) - sizeof(sample->head));
    sample->head.type = RECORD_SAMPLE;
    sample->head.time_ns = time_ns;
    sample->pid = 1000;
    sample->tid = tid;
    sample->weight = NS_PER_S / RATE_HZ;
    sample->count = count;
    sample->syscall = -1;
    memcpy(sample->frames, frames, count * sizeof(*frames));
    ring_commit(hour->ring, &sample->head);
}

static void push_watermark(struct hour *hour, uint64_t time_ns)
{
    struct record *record = ring_reserve(hour->ring, sizeof(*record), true);

    record->type = RECORD_WATERMARK;
    record->time_ns = time_ns;
    ring_commit(hour->ring, record);
}

/* Gives the new locations the names that the real ones have, as symbols do while they come. */
static void name_fresh(struct hour *hour, struct profile *profile)
{
    struct names *from = profile_names(hour->real), *to = profile_names(profile);

    for (; hour->named < names_locations(to); hour->named++) {
        const struct frame *frame = names_frame(to, hour->named);
        const struct naming *naming = names_of(from, names_locate(from, frame));
        struct placed frames[UINT8_MAX];

        for (unsigned k = 0; k < naming->count; k++)
            frames[k] =
                (struct placed){ names_function(to, names_get(from, naming->frames[k].function)),
                                 naming->frames[k].line };
        names_set(to, hour->named, NAMING_FULL, frames, naming->count);
    }
}

static void step(struct hour *hour, uint64_t now_ns)
{
    struct profile *profile;

    builder_step(hour->builder, now_ns);
    profile = builder_profile(hour->builder);
    name_fresh(hour, profile);
    profile_unref(profile);
}

/* Each thread goes through the real samples from a place of its own. */
static void feed(struct hour *hour)
{
    uint64_t ticks = (uint64_t)hour->seconds * RATE_HZ;

    for (uint64_t tick = 0; tick < ticks; tick++) {
        uint64_t time_ns = NS_PER_S + tick * NS_PER_S / RATE_HZ;

        for (int32_t cpu = 0; cpu < CPUS; cpu++) {
            size_t at = (tick + (uint64_t)cpu * hour->count / CPUS) % hour->count;

            push_sample(hour, time_ns, 1000 + cpu, hour->stacks[at]);
        }
        if (tick % (RATE_HZ / 10) == 0) {
            push_watermark(hour, time_ns);
            step(hour, time_ns);
        }
    }
    builder_finish(hour->builder, 0);
}

/* ---- looking at it --------------------------------------------------------------------------- */

static uint64_t random_below(uint64_t *state, uint64_t limit)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % limit;
}

/* A range of any place and length each time: rows, tree and callers of the first row. */
static void change_ranges(struct hour *hour, struct profile *profile)
{
    struct folder *folder = folder_new();
    double folds[RANGES], turns[RANGES];
    uint64_t state = 1;

    for (unsigned i = 0; i < RANGES; i++) {
        uint64_t begin_ns = clock_thread_cpu_ns(), length_s;
        struct fold *fold, *turned;
        struct scope scope;

        scope_init(&scope);
        length_s = 1 + random_below(&state, hour->seconds);
        scope.start_ns = NS_PER_S + random_below(&state, hour->seconds * 1000) * NS_PER_MS;
        scope.end_ns = scope.start_ns + length_s * NS_PER_S;
        if (i == 0)
            scope_init(&scope);
        fold = fold_update(folder, profile, &scope, NULL);
        folds[i] = cpu_ms_since(begin_ns);
        begin_ns = clock_thread_cpu_ns();
        turned = fold_bottom_up(fold, UINT32_MAX);
        turns[i] = cpu_ms_since(begin_ns);
        if (i == 0) {
            bench_figure("the first fold of it all", folds[0], "ms");
            bench_figure("functions", fold->row_count, "");
            bench_figure("nodes of the tree", fold->node_count, "");
            bench_figure("nodes bottom up", turned->node_count, "");
        }
        fold_free(turned);
        fold_free(fold);
    }
    folder_free(folder);
    bench_figure("another range, median", bench_median(folds + 1, RANGES - 1), "ms");
    bench_figure("another range, worst", bench_percentile(folds + 1, RANGES - 1, 100), "ms");
    bench_figure("turned over, median", bench_median(turns, RANGES), "ms");
    bench_figure("turned over, worst", bench_percentile(turns, RANGES, 100), "ms");
}

/* The same in Time: which functions ran more in a range than in the rest. */
static void hold_against_the_rest(struct hour *hour, struct profile *profile)
{
    struct contrast *contrast = contrast_new();
    double times[RANGES];
    uint64_t state = 2, begin_ns = clock_thread_cpu_ns();
    struct scope scope;

    scope_init(&scope);
    if (!contrast_update(contrast, profile, &scope, NULL))
        die("no contrast");
    bench_figure("Time's first look at it all", cpu_ms_since(begin_ns), "ms");
    for (unsigned i = 0; i < RANGES; i++) {
        uint64_t start_ns = NS_PER_S + random_below(&state, hour->seconds) * NS_PER_S;
        uint64_t end_ns = start_ns + (1 + random_below(&state, hour->seconds / 4)) * NS_PER_S;

        begin_ns = clock_thread_cpu_ns();
        comparison_free(contrast_rest(contrast, start_ns, end_ns, &(struct compare_options){ 0 }));
        times[i] = cpu_ms_since(begin_ns);
    }
    bench_figure("a range against the rest, median", bench_median(times + 1, RANGES - 1), "ms");
    bench_figure("a range against the rest, worst", bench_percentile(times + 1, RANGES - 1, 100),
                 "ms");
    contrast_free(contrast);
}

static double fold_a_million(struct profile *profile)
{
    struct folder *folder = folder_new();
    struct scope scope;
    struct fold *fold;
    uint64_t begin_ns;
    double ms, us;

    scope_init(&scope);
    scope.end_ns = NS_PER_S + UINT64_C(1000000) * NS_PER_S / (RATE_HZ * CPUS);
    begin_ns = clock_thread_cpu_ns();
    fold = fold_update(folder, profile, &scope, NULL);
    ms = cpu_ms_since(begin_ns);
    us = ms * 1e3 / (double)fold->samples;
    bench_figure("fold the first million samples", ms, "ms");
    bench_figure("samples in it", (double)fold->samples, "");
    fold_free(fold);
    folder_free(folder);
    return us;
}

/* The text report of perf on the same compiler, sampled by perf itself, by the sample. */
static void compare_with_perf(double fold_us)
{
    static const char *const report[] = { "perf", "report", "--stdio", "-i", "bench_profile.data",
                                          NULL };
    struct bench_cost cost;
    unsigned long samples = 0;
    FILE *count;
    double perf_us;

    if (system(
            "perf record -q -g -F 1999 -o bench_profile.data -- timeout 5 sh -c "
            "'cd ${PROFTOP_SOURCE:-.} && while :; do for file in src/*/*.c; do cc -O2 -std=gnu11 "
            "-Iinclude -I. -I\"$PROFTOP_BUILT\" -c -o /dev/null $file; done; done' "
            "> /dev/null 2>&1") < 0)
        return;
    count = popen("perf script -i bench_profile.data -F pid 2> /dev/null | wc -l", "r");
    if (count == NULL || fscanf(count, "%lu", &samples) != 1)
        samples = 0;
    if (count != NULL)
        pclose(count);
    cost = bench_program(report);
    unlink("bench_profile.data");
    if (samples == 0 || cost.status != 0) {
        printf("  (perf records nothing here)\n");
        return;
    }
    perf_us = cost.cpu_s * 1e6 / (double)samples;
    bench_figure("perf report --stdio, a sample", perf_us, "us");
    bench_figure("that many times the fold", perf_us / fold_us, "x");
}

static void open_it(const struct hour *hour)
{
    struct error error = { 0 };
    uint64_t begin_ns = clock_thread_cpu_ns();
    struct profile *profile = session_open(hour->path, &error);

    if (profile == NULL)
        die("%s", error.message);
    bench_figure("opening the file", cpu_ms_since(begin_ns), "ms");
    bench_figure("its profile takes", (double)profile_bytes(profile) / 1e6, "MB");
    profile_unref(profile);
}

static void measure_hour(struct hour *hour)
{
    uint64_t before = resident_bytes(), begin_ns = clock_now_ns();
    struct profile *profile;
    struct error error = { 0 };
    struct stat file;
    double fold_us;

    forget_peak();
    if (!begin_hour(hour, &error))
        die("%s", error.message);
    feed(hour);
    bench_figure("samples fed", (double)hour->seconds * RATE_HZ * CPUS, "");
    bench_figure("samples a second", hour->seconds * RATE_HZ * CPUS / seconds_since(begin_ns),
                 "/s");
    profile = builder_profile(hour->builder);
    name_fresh(hour, profile);
    bench_figure("stacks", names_stacks(profile_names(profile)), "");
    bench_figure("locations", names_locations(profile_names(profile)), "");
    bench_figure("names take", (double)names_bytes(profile_names(profile)) / 1e6, "MB");
    bench_figure("profile takes", (double)profile_bytes(profile) / 1e6, "MB");
    bench_figure("resident, with the writer", (double)(resident_bytes() - before) / 1e6, "MB");
    begin_ns = clock_now_ns();
    if (!session_finish(hour->writer, profile, &error))
        die("%s", error.message);
    bench_figure("finishing the file", seconds_since(begin_ns) * 1e3, "ms");
    bench_figure("resident, written", (double)(resident_bytes() - before) / 1e6, "MB");
    bench_figure("resident, at most", (double)(peak_bytes() - before) / 1e6, "MB");
    stat(hour->path, &file);
    bench_figure("file", (double)file.st_size / 1e6, "MB");
    fold_us = fold_a_million(profile);
    change_ranges(hour, profile);
    hold_against_the_rest(hour, profile);
    bench_figure("resident, folded", (double)(resident_bytes() - before) / 1e6, "MB");
    open_it(hour);
    compare_with_perf(fold_us);
    profile_unref(profile);
}

/* ---- 10,000 samples a second ----------------------------------------------------------------- */

/* proftop record's way with the highest rate there is: one busy thread, into a session file. */
static void keep_up(void)
{
    const char *built = getenv("PROFTOP_BUILT");
    char *demo = xasprintf("%s/demo/demo", built != NULL ? built : ".");
    char *argv[] = { demo, "--phase", "cpu", "--seconds", "8", "--quiet", NULL };
    struct target_options options = { .children = true };
    struct engine_config config = { .rate_hz = 10000,
                                    .kernel = true,
                                    .waiting = true,
                                    .inlines = true,
                                    .stats = true,
                                    .unwatched = true,
                                    .session_path = "bench_profile.proftop",
                                    .force = true };
    struct error error = { 0 };
    struct engine *engine = NULL;
    struct profile *profile;
    struct figures figures;
    struct pollfd told = { .events = POLLIN };

    bench_title("proftop record at 10,000 samples a second");
    config.target = target_launch(argv, NULL, &options, &error);
    if (config.target != NULL)
        engine = engine_start(&config, &error);
    if (engine == NULL)
        die("%s", error.message);
    told.fd = engine_event_fd(engine);
    do
        poll(&told, 1, -1);
    while ((engine_events(engine) & ENGINE_ENDED) == 0);
    if (!engine_stop(engine, &error))
        die("%s", error.message);
    profile = engine_profile(engine);
    figures_of(profile, 0, UINT64_MAX, &figures);
    bench_figure("samples", (double)figures.samples, "");
    bench_figure("of those due", percent(figures.samples, figures.tally.expected), "%");
    bench_figure("lost", figures.tally.lost, "samples");
    profile_unref(profile);
    engine_free(engine);
    unlink(config.session_path);
    free(demo);
}

int main(int argc, char **argv)
{
    struct hour hour = { .seconds = HOUR_S, .path = "bench_profile.proftop" };
    struct error error = { 0 };

    memory_begin();
    bench_title("One hour of eight CPUs at 99 Hz");
    hour.real =
        argc > 1 && *argv[1] != '\0' ? session_open(argv[1], &error) : record_compiler(&error);
    if (hour.real == NULL) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    if (argc > 2)
        hour.seconds = (unsigned)atoi(argv[2]);
    take_stacks(&hour);
    bench_figure("real samples", (double)hour.count, "");
    if (argc > 3) { /* keep what was recorded */
        struct session_config config = { .path = argv[3], .force = true };

        session_save(&config, hour.real, 0, UINT64_MAX, &error);
        return 0;
    }
    measure_hour(&hour);
    unlink(hour.path);
    keep_up();
    return 0;
}
