/* SPDX-License-Identifier: MIT */
/*
 * The timeline: what reading all lanes costs beside a program of 64 threads, and how long the Time
 * view takes over an hour of two busy CPUs: to be opened, to compare another range, to be painted.
 */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "proftop/clock.h"
#include "proftop/contrast.h"
#include "proftop/memory.h"
#include "proftop/ring.h"
#include "proftop/source.h"
#include "proftop/target.h"
#include "proftop/timeline.h"
#include "proftop/view.h"
#include "tests/harness/recording.h"
#include "tests/harness/terminal.h"

enum {
    THREADS = 64,
    ROUNDS = 10,
    WRITING_S = 8,
    HOUR_S = 3600,
    RATE_HZ = 198, /* two CPUs at 99 Hz */
    FUNCTIONS = 400,
    STACKS = 4000, /* a compiler has about as many */
    LANES = 150,
    RANGES = 40
};

/* ---- reading lanes --------------------------------------------------------------------------- */

static void *work_a_little(void *unused)
{
    (void)unused;
    for (;;) {
        struct timespec rest = { .tv_nsec = 20 * NS_PER_MS };

        for (volatile int i = 0; i < 20000; i++)
            ;
        nanosleep(&rest, NULL);
    }
    return NULL;
}

static pid_t start_threads(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        pthread_t thread;

        for (int i = 1; i < THREADS; i++)
            if (pthread_create(&thread, NULL, work_a_little, NULL) != 0)
                _exit(1);
        work_a_little(NULL);
    }
    return pid;
}

/* The CPU time of ROUNDS rounds, a second apart as in life: every thread has run since the last. */
static void bench_reading(void)
{
    struct source_config config = { .period_ns = NS_PER_S, .wake_fd = -1 };
    struct target_options options = { .children = true };
    struct error error;
    pid_t pid = start_threads();
    int32_t pids[] = { pid };
    struct target *target = target_attach(pids, 1, &options, &error);
    struct ring *ring = ring_new(4 << 20);
    struct source *source;
    uint64_t before_ns = 0, last_ns = 0;
    int rounds = -2; /* the first two open files */

    if (target == NULL)
        die("%s", error.message);
    config.lanes = lanes_new();
    source = source_stats.open(target, &config, &error);
    while (rounds < ROUNDS) {
        const struct record *record;

        source_stats.step(source, ring);
        for (; (record = ring_peek(ring)) != NULL; ring_pop(ring)) {
            rounds += record->type == RECORD_LANES && record->time_ns != last_ns;
            if (record->type == RECORD_LANES)
                last_ns = record->time_ns;
        }
        if (rounds <= 0)
            before_ns = clock_thread_cpu_ns();
    }
    bench_figure("lanes", lanes_count(config.lanes), "");
    bench_figure("all of them at one a second, beside 64 threads that run",
                 100 * (double)(clock_thread_cpu_ns() - before_ns) / ROUNDS / (double)NS_PER_S,
                 "% of a core");
    source_stats.close(source);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    target_free(target);
    lanes_free(config.lanes);
    ring_free(ring);
}

/* ---- the screen ------------------------------------------------------------------------------ */

/* What proftop writes to a terminal of 140x40 that shows Time of a busy program. */
static void bench_writing(void)
{
    pid_t pid = start_threads();
    char *program = xasprintf("%s/proftop", getenv("PROFTOP_BUILT")), *id = xasprintf("%d", pid);
    const char *argv[] = { program, "-p", id, NULL }, *bytes;
    struct terminal *terminal =
        terminal_open(argv, &(struct terminal_config){ .columns = 140, .rows = 40 });
    uint64_t start_ns = clock_now_ns();
    size_t before = 0, after;

    terminal_wait_text(terminal, "N=");
    terminal_type(terminal, "6");
    while (clock_now_ns() - start_ns < 2 * WRITING_S * NS_PER_S && terminal_wait_paint(terminal))
        if (before == 0 && clock_now_ns() - start_ns > WRITING_S * NS_PER_S)
            before = terminal_bytes(terminal, &bytes);
    after = terminal_bytes(terminal, &bytes);
    bench_figure("Time at 140x40, beside 64 threads that run",
                 (double)(after - before) / 1000 / WRITING_S, "kB/s");
    terminal_type(terminal, "Q");
    terminal_wait_exit(terminal);
    terminal_close(terminal);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    free(program);
    free(id);
}

/* ---- an hour --------------------------------------------------------------------------------- */

static void push_lanes(struct recording *recording, uint64_t time_ns)
{
    size_t bytes = sizeof(struct record_lanes) + LANES * sizeof(struct lane_value);
    struct record_lanes *record = (struct record_lanes *)ring_reserve(recording->ring, bytes, true);

    if (record == NULL)
        die("a ring too small for lanes");
    record->head.type = RECORD_LANES;
    record->head.time_ns = time_ns;
    record->period_ns = NS_PER_S;
    record->count = LANES;
    record->pad = 0;
    for (uint32_t i = 0; i < LANES; i++)
        record->values[i] =
            (struct lane_value){ .lane = i, .value = recording_random(recording, 100) };
    ring_commit(recording->ring, &record->head);
}

/* One of the stacks that there are, some much more often than others. */
static const struct recorded_sample *pick(struct recording *recording,
                                          const struct recorded_sample *stacks)
{
    uint32_t limit = 1 + recording_random(recording, STACKS);

    return &stacks[recording_random(recording, 1 + recording_random(recording, limit))];
}

static void make_hour(struct recording *recording)
{
    struct recorded_sample *stacks = xcalloc(STACKS, sizeof(*stacks));
    static const char *const keys[] = { "us", "sy", "wa", "st", "run_queue", "context_switches" };

    recording_init(recording, 7, 0);
    for (int i = 0; i < STACKS; i++)
        stacks[i] = recording_invent(recording, 0, FUNCTIONS, 8);
    for (uint32_t i = 0; i < LANES; i++) {
        char key[32];

        snprintf(key, sizeof(key), "lane%u", (unsigned)i);
        lanes_add(recording->lanes,
                  &(struct lane){ .group = LANE_SYSTEM,
                                  .unit = UNIT_PERCENT,
                                  .key = i < sizeof(keys) / sizeof(keys[0]) ? keys[i] : key,
                                  .label = key,
                                  .alarming = i % 2 == 0 });
    }
    for (uint64_t second = 0; second < HOUR_S; second++) {
        uint64_t start_ns = RECORDING_START_NS + second * NS_PER_S;

        for (uint64_t i = 0; i < RATE_HZ; i++) {
            struct recorded_sample sample = *pick(recording, stacks);

            sample.time_ns = start_ns + i * (NS_PER_S / RATE_HZ);

            recording_push(recording, &sample);
        }
        push_lanes(recording, start_ns + NS_PER_S);
        recording_step(recording, start_ns + NS_PER_S);
    }
    recording_name(recording);
    free(stacks);
}

static double milliseconds_since(uint64_t before_ns)
{
    return (double)(clock_now_ns() - before_ns) / 1e6;
}

static void bench_ranges(struct recording *recording, struct contrast *contrast)
{
    double times[RANGES];

    for (int i = 0; i < RANGES; i++) {
        uint64_t start_ns = RECORDING_START_NS + recording_random(recording, 3000) * NS_PER_S;
        uint64_t end_ns = start_ns + (1 + recording_random(recording, 600)) * NS_PER_S;
        uint64_t before_ns = clock_now_ns();

        comparison_free(contrast_rest(contrast, start_ns, end_ns, &(struct compare_options){ 0 }));
        times[i] = milliseconds_since(before_ns);
    }
    bench_figure("another range against the rest, median", bench_median(times, RANGES), "ms");
    bench_figure("  slowest", bench_percentile(times, RANGES, 100), "ms");
}

static void bench_painting(struct profile *profile, struct timeline *timeline)
{
    const struct view_ops *view = view_find("time");
    struct grid *grid = grid_new(140, 36, false);
    void *state = xcalloc(1, view->state_size);
    struct scope scope;
    struct screen_input input = { .profile = profile,
                                  .timeline = timeline,
                                  .scope = &scope,
                                  .title = "hour",
                                  .search = "",
                                  .chosen = FUNCTION_NONE,
                                  .marked = FUNCTION_NONE };
    double times[RANGES];

    scope_init(&scope);
    for (int i = 0; i < RANGES; i++) {
        uint64_t before_ns = clock_now_ns();

        scope.start_ns = RECORDING_START_NS + (uint64_t)i * 60 * NS_PER_S;
        scope.end_ns = scope.start_ns + 60 * NS_PER_S;
        grid_clear(grid);
        view->render(state, &input, grid);
        times[i] = milliseconds_since(before_ns);
    }
    bench_figure("painting it at 140x40, first", times[0], "ms");
    bench_figure("  then, median", bench_median(times, RANGES), "ms");
    free(state);
    grid_free(grid);
}

static void bench_hour(void)
{
    struct recording recording;
    struct contrast *contrast = contrast_new();
    struct timeline *timeline = timeline_new();
    struct profile *profile;
    struct scope scope;
    struct error error;
    uint64_t before_ns;

    make_hour(&recording);
    profile = builder_profile(recording.builder);
    scope_init(&scope);
    before_ns = clock_now_ns();
    timeline_update(timeline, profile);
    bench_figure("taking in its lanes, once", milliseconds_since(before_ns), "ms");
    before_ns = clock_now_ns();
    if (!contrast_update(contrast, profile, &scope, &error))
        die("%s", error.message);
    bench_figure("taking in its samples, once", milliseconds_since(before_ns), "ms");
    bench_figure("  held in", (double)blocks_bytes(contrast_blocks(contrast)) / 1e6, "MB");
    bench_ranges(&recording, contrast);
    bench_painting(profile, timeline);
    profile_unref(profile);
    timeline_free(timeline);
    contrast_free(contrast);
    recording_fini(&recording);
}

int main(void)
{
    bench_title("Lanes");
    bench_reading();
    bench_title("The Time view's screen");
    if (getenv("PROFTOP_BUILT") != NULL)
        bench_writing();
    bench_title("An hour of two CPUs in the Time view");
    bench_hour();
    return 0;
}
