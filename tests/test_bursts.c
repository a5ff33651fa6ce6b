/* SPDX-License-Identifier: MIT */
/*
 * Bursts on purpose, recorded for real: each must show in its lane within a bucket, the function
 * behind it must lead the comparison of those seconds with the rest, and who burnt the machine
 * beside it must be named.
 */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/contrast.h"
#include "proftop/engine.h"
#include "proftop/fold.h"
#include "proftop/target.h"
#include "proftop/timeline.h"
#include "tests/harness/testing.h"

enum { STEPS_MAX = 32, WAIT_S = 120 };

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

/* A recording of the victim and what it says it did when. */
struct bench {
    char *folder, *log;
    struct engine *engine;
    struct profile *profile;
    struct timeline *timeline;
    struct contrast *contrast;
    struct {
        char name[32];
        uint64_t start_ns, end_ns;
    } steps[STEPS_MAX];
    int step_count;
};

static void bench_start(struct bench *bench, const char *const *steps, bool kernel)
{
    /* A storm spends nine tenths in the kernel, where no sample is taken unless its frames are. */
    struct engine_config config = { .rate_hz = kernel ? 499 : 4999,
                                    .kernel = kernel,
                                    .stats = true };
    struct target_options options = { .children = true };
    struct error error;
    char *victim = testing_built("tests/victims/bursts");
    char *argv[STEPS_MAX] = { victim };
    int count = 1;

    memset(bench, 0, sizeof(*bench));
    bench->folder = testing_folder_new();
    bench->log = malloc(strlen(bench->folder) + 8);
    assert_non_null(bench->log);
    sprintf(bench->log, "%s/log", bench->folder);
    setenv("BURSTS_LOG", bench->log, 1);
    for (; steps[count - 1] != NULL; count++)
        argv[count] = (char *)steps[count - 1];
    config.target = target_launch(argv, NULL, &options, &error);
    if (config.target == NULL)
        fail_msg("%s", error.message);
    bench->engine = engine_start(&config, &error);
    if (bench->engine == NULL)
        fail_msg("%s", error.message);
    bench->timeline = timeline_new();
    bench->contrast = contrast_new();
    free(victim);
}

/* Waits for the next news of the recording; true when the victim has ended. */
static bool bench_wait(struct bench *bench)
{
    struct pollfd event = { .fd = engine_event_fd(bench->engine), .events = POLLIN };
    unsigned events;

    if (poll(&event, 1, WAIT_S * 1000) != 1)
        fail_msg("no news of the recording for %d s", WAIT_S);
    events = engine_events(bench->engine);
    if (bench->profile != NULL)
        profile_unref(bench->profile);
    bench->profile = engine_profile(bench->engine);
    timeline_update(bench->timeline, bench->profile);
    return (events & ENGINE_ENDED) != 0;
}

static void read_log(struct bench *bench)
{
    FILE *file = fopen(bench->log, "re");
    double start, end;

    assert_non_null(file);
    while (bench->step_count < STEPS_MAX &&
           fscanf(file, "%31s %lf %lf", bench->steps[bench->step_count].name, &start, &end) == 3) {
        bench->steps[bench->step_count].start_ns = (uint64_t)(start * (double)NS_PER_S);
        bench->steps[bench->step_count++].end_ns = (uint64_t)(end * (double)NS_PER_S);
    }
    fclose(file);
}

static void bench_stop(struct bench *bench)
{
    struct scope scope;
    struct error error;

    assert_true(engine_stop(bench->engine, &error));
    profile_unref(bench->profile);
    bench->profile = engine_profile(bench->engine);
    timeline_update(bench->timeline, bench->profile);
    scope_init(&scope);
    assert_true(contrast_update(bench->contrast, bench->profile, &scope, &error));
    read_log(bench);
}

static void bench_free(struct bench *bench)
{
    profile_unref(bench->profile);
    engine_free(bench->engine);
    timeline_free(bench->timeline);
    contrast_free(bench->contrast);
    testing_folder_remove(bench->folder);
    free(bench->log);
}

static int find_step(const struct bench *bench, const char *name)
{
    for (int i = 0; i < bench->step_count; i++)
        if (strncmp(bench->steps[i].name, name, strlen(name)) == 0)
            return i;
    fail_msg("the victim did not get to %s", name);
    return -1;
}

/*
 * The highest second of the lane lies in the step or is its neighbour; inside, the lane is TIMES
 * what it is outside.
 */
static void assert_lands(const struct bench *bench, const char *step, enum lane_group group,
                         const char *key, double times)
{
    int at = find_step(bench, step);
    lane_id lane = timeline_find(bench->timeline, group, key, 0, 0);
    uint64_t start_ns = timeline_start_ns(bench->timeline), first_ns = bench->steps[at].start_ns;
    uint64_t last_ns = bench->steps[at].end_ns, end_ns = timeline_end_ns(bench->timeline);
    uint32_t count = (uint32_t)((end_ns - start_ns) / NS_PER_S), highest = 0;
    double *values = calloc(count + 1, sizeof(*values)), inside, before, after;

    assert_non_null(values);
    assert_true(lane != UINT32_MAX);
    timeline_series(bench->timeline, lane, start_ns, NS_PER_S, count, values);
    for (uint32_t i = 1; i < count; i++)
        if (!isnan(values[i]) && !(values[i] <= values[highest]))
            highest = i;
    free(values);
    if (start_ns + (highest + 1) * NS_PER_S + NS_PER_S < first_ns ||
        start_ns + highest * NS_PER_S > last_ns + NS_PER_S)
        fail_msg("%s is highest in second %u, not in %s", key, highest, step);
    inside = timeline_mean(bench->timeline, lane, first_ns, last_ns);
    before = timeline_mean(bench->timeline, lane, start_ns, first_ns - NS_PER_S);
    after = timeline_mean(bench->timeline, lane, last_ns + NS_PER_S, end_ns);
    if (!(inside > times * before) || !(inside > times * after))
        fail_msg("%s in %s: %g, before %g, after %g", key, step, inside, before, after);
}

/* The total share of FUNCTION in [start, end), in percent. */
static double total_share(const struct bench *bench, uint64_t start_ns, uint64_t end_ns,
                          const char *function)
{
    struct folder *folder = folder_new_rows();
    struct scope scope;
    struct fold *fold;
    double share = 0;

    scope_init(&scope);
    scope.start_ns = start_ns;
    scope.end_ns = end_ns;
    fold = fold_update(folder, bench->profile, &scope, NULL);
    assert_non_null(fold);
    for (uint32_t i = 0; i < fold->row_count; i++)
        if (strcmp(names_get(fold->names, fold->rows[i].function)->name, function) == 0)
            share = 100 * (double)fold->rows[i].total / (double)fold->weight;
    fold_free(fold);
    folder_free(folder);
    return share;
}

/* Whether the kernel's frames were permitted. */
static bool sees_kernel(const struct bench *bench)
{
    const struct names *names = profile_names(bench->profile);

    for (function_id i = 0; i < names_functions(names); i++)
        if (names_get(names, i)->kind == FRAME_KERNEL)
            return true;
    return false;
}

/*
 * Without the kernel's frames its time comes in few large pieces, too few for a test of chance: the
 * function has most of the step's time, and had it not before.
 */
static void assert_has_most(const struct bench *bench, int at, const char *function)
{
    uint64_t start_ns = bench->steps[at].start_ns;
    double inside = total_share(bench, start_ns, bench->steps[at].end_ns, function);
    double before = total_share(bench, 0, start_ns - NS_PER_S, function);

    if (inside < 50 || inside - before < 30)
        fail_msg("%s has %.1f %%, before %.1f %%", function, inside, before);
}

/* FUNCTION leads what rose in total time, of the victim's own functions and of all. */
static void assert_leads(const struct bench *bench, const char *step, const char *function)
{
    int at = find_step(bench, step);
    struct comparison *comparison;
    const struct compare_row *row;
    const char *name;

    if (!sees_kernel(bench)) {
        assert_has_most(bench, at, function);
        return;
    }
    comparison = contrast_rest(bench->contrast, bench->steps[at].start_ns, bench->steps[at].end_ns,
                               &(struct compare_options){ .total = true });
    assert_true(comparison->enough);
    assert_true(comparison->count > 0);
    row = comparison->rows;
    name = names_get(profile_names(bench->profile), row->function)->name;
    if (strcmp(name, function) != 0 || !row->significant || row->delta_pt < 30)
        fail_msg("%s is led by %s (%+.1f points, p %g)", step, name, row->delta_pt, row->p);
    comparison_free(comparison);
}

/* What beside the victim happens while that is stopped. */
struct hog {
    pid_t pid;
    uint64_t began_ns, ended_ns;
    double used_pct; /* of a CPU, while it ran */
};

static void hog_start(struct hog *hog)
{
    hog->began_ns = clock_now_ns();
    hog->pid = fork();
    assert_true(hog->pid >= 0);
    if (hog->pid == 0)
        for (volatile unsigned i = 0;; i++)
            ;
}

static void hog_end(struct hog *hog)
{
    struct rusage usage = { 0 };

    hog->ended_ns = clock_now_ns();
    kill(hog->pid, SIGKILL);
    wait4(hog->pid, NULL, 0, &usage);
    hog->used_pct = 100 * ((double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6) *
                    (double)NS_PER_S / (double)(hog->ended_ns - hog->began_ns);
}

/* Whether the recording says by now that the victim is stopped. */
static bool is_stopped(const struct bench *bench)
{
    lane_id lane = timeline_find(bench->timeline, LANE_TARGET, "stopped", 0, 0);

    return lane != UINT32_MAX && timeline_newest(bench->timeline, lane) > 0;
}

static void assert_stopped(const struct bench *bench)
{
    int at = find_step(bench, "stop");
    lane_id cpu = timeline_find(bench->timeline, LANE_TARGET, "cpu_pct", 0, 0);

    assert_lands(bench, "stop", LANE_TARGET, "stopped", 0);
    assert_true(timeline_mean(bench->timeline, cpu, bench->steps[at].start_ns + NS_PER_S,
                              bench->steps[at].end_ns) < 5);
}

/*
 * The hog is named with what it used; on a machine so busy that it was none of the five busiest,
 * those that were named used as much.
 */
static void assert_named(const struct bench *bench, const struct hog *hog)
{
    uint32_t count, place = 0;
    struct timeline_other *others =
        timeline_others(bench->profile, hog->began_ns + NS_PER_S, hog->ended_ns, &count);

    while (place < count && others[place].pid != hog->pid)
        place++;
    if (place < count)
        assert_true(fabs(others[place].cpu_pct - hog->used_pct) < 20 + hog->used_pct / 2);
    else
        assert_true(count >= 5 && others[4].cpu_pct > hog->used_pct / 2);
    free(others);
    others = timeline_others(bench->profile, 0, hog->began_ns, &count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_not_equal(others[i].pid, hog->pid);
    free(others);
}

/* One recording of all: most of its time passes by itself. */
static void bursts_land_in_their_lanes(void **state)
{
    static const char *const steps[] = { "quiet:3", "faults:2", "quiet:1", "sync:2",  "quiet:1",
                                         "forks:2", "quiet:1",  "stop",    "quiet:2", NULL };
    struct bench bench;
    struct hog hog = { .pid = 0 };
    bool seeing;

    (void)state;
    bench_start(&bench, steps, true);
    while (!bench_wait(&bench)) {
        if (hog.pid == 0 && is_stopped(&bench)) {
            hog_start(&hog);
        } else if (hog.pid != 0 && hog.ended_ns == 0 &&
                   timeline_end_ns(bench.timeline) > hog.began_ns + 3 * NS_PER_S) {
            hog_end(&hog);
            kill(target_pid(engine_target(bench.engine)), SIGCONT);
        }
    }
    bench_stop(&bench);
    assert_lands(&bench, "faults", LANE_TARGET, "minflt", 20);
    assert_leads(&bench, "faults", "fault_storm");
    assert_lands(&bench, "sync", LANE_TARGET, "write_bytes", 10);
    assert_leads(&bench, "sync", "sync_storm");
    assert_lands(&bench, "forks", LANE_SYSTEM, "forks", 3);
    /*
     * Nearly all of it is in the kernel and in children too short to be met without its frames; and
     * those of a sanitizer spend most of it after their exit, on unmapping its shadow.
     */
    seeing = sees_kernel(&bench) && !SANITIZED;
    if (seeing)
        assert_leads(&bench, "forks", "fork_storm");
    assert_true(hog.ended_ns != 0);
    assert_stopped(&bench);
    assert_named(&bench, &hog);
    bench_free(&bench);
    if (!seeing)
        skip_because("who leads while it forks: the kernel's time there, which few pieces tell "
                     "of where its frames are not permitted, and is a sanitizer's where there is "
                     "one");
}

/* As for a user who may not see into the kernel: its time still has the function that caused it. */
static void a_fault_storm_leads_without_the_kernels_frames(void **state)
{
    static const char *const steps[] = { "quiet:2", "faults:2", NULL };
    struct bench bench;

    (void)state;
    bench_start(&bench, steps, false);
    while (!bench_wait(&bench))
        ;
    bench_stop(&bench);
    assert_leads(&bench, "faults", "fault_storm");
    bench_free(&bench);
}

static bool write_text(const char *folder, const char *name, const char *text)
{
    char path[512];
    FILE *file;
    bool written;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "we");
    if (file == NULL)
        return false;
    written = fputs(text, file) >= 0;
    return fclose(file) == 0 && written;
}

/* A group of version 1 with a fifth of a CPU, or NULL where none can be made. */
static const char *make_group(void)
{
    static const char folder[] = "/sys/fs/cgroup/cpu/proftop-test";

    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return NULL;
    if (write_text(folder, "cpu.cfs_period_us", "100000") &&
        write_text(folder, "cpu.cfs_quota_us", "20000"))
        return folder;
    rmdir(folder);
    return NULL;
}

static void a_cpu_quota_shows_as_throttling(void **state)
{
    static const char *const steps[] = { "busy:7", NULL };
    const char *group = make_group();
    struct bench bench;
    uint64_t moved_ns = 0, back_ns = 0;
    char pid[16];
    lane_id throttled, cpu;

    (void)state;
    if (group == NULL)
        skip_because("no cgroup v1 cpu controller that we may write to");
    bench_start(&bench, steps, true);
    snprintf(pid, sizeof(pid), "%d", (int)target_pid(engine_target(bench.engine)));
    while (!bench_wait(&bench)) {
        uint64_t past_ns = timeline_end_ns(bench.timeline) - timeline_start_ns(bench.timeline);

        if (moved_ns == 0 && past_ns > NS_PER_S) {
            assert_true(write_text(group, "cgroup.procs", pid));
            moved_ns = clock_now_ns();
        } else if (back_ns == 0 && past_ns > 5 * NS_PER_S) {
            assert_true(write_text("/sys/fs/cgroup/cpu", "cgroup.procs", pid));
            back_ns = clock_now_ns();
        }
    }
    bench_stop(&bench);
    rmdir(group);
    assert_true(back_ns != 0);
    throttled = timeline_find(bench.timeline, LANE_SYSTEM, "cgroup.throttled_us", 0, 0);
    assert_true(throttled != UINT32_MAX);
    /* The first second in the new group only says what its counters were. */
    assert_true(timeline_mean(bench.timeline, throttled, moved_ns + 2 * NS_PER_S, back_ns) >
                100000);
    cpu = timeline_find(bench.timeline, LANE_TARGET, "cpu_pct", 0, 0);
    assert_true(timeline_mean(bench.timeline, cpu, moved_ns + NS_PER_S, back_ns) < 40);
    bench_free(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bursts_land_in_their_lanes),
        cmocka_unit_test(a_fault_storm_leads_without_the_kernels_frames),
        cmocka_unit_test(a_cpu_quota_shows_as_throttling),
    };

    return cmocka_run_group_tests_name("bursts", tests, NULL, NULL);
}
