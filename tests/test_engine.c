/* SPDX-License-Identifier: MIT */
/*
 * All rooms together: the demo is launched, sampled by each source, unwound, named, folded, written
 * and read back; its known shares must come out.
 */
#include "config.h"

#include "proftop/engine.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "proftop/figures.h"
#include "proftop/fold.h"
#include "proftop/memory.h"
#include "proftop/session.h"
#include "proftop/target.h"
#include "tests/harness/testing.h"

enum { EVENT_MS = 30000, ALL_SEEN = 150 /* samples: each function is in them */ };

struct share {
    const char *function;
    double self_pct, total_pct;
};

static const struct share cpu_shares[] = {
    { "shade_pixels", 40, 40 },  { "blend_layers", 20, 20 }, { "split_words", 20, 20 },
    { "look_up_names", 10, 10 }, { "pack_result", 10, 10 },  { "draw_frame", 0, 60 },
    { "read_input", 0, 30 },     { "cpu_round", 0, 100 },
};

static struct engine *start(const struct source_ops *source, const char *path, char *const argv[])
{
    struct target_options options = { .children = true };
    struct error error = { 0 };
    struct engine_config config = { .target = target_launch(argv, NULL, &options, &error),
                                    .source = source,
                                    .rate_hz = 500,
                                    .waiting = true,
                                    .inlines = true,
                                    .stats = true,
                                    .session_path = path };
    struct engine *engine;

    if (config.target == NULL)
        fail_msg("%s", error.message);
    engine = engine_start(&config, &error);
    if (engine == NULL)
        fail_msg("%s", error.message);
    return engine;
}

static void await_end(struct engine *engine)
{
    struct pollfd fd = { .fd = engine_event_fd(engine), .events = POLLIN };

    do {
        assert_int_equal(poll(&fd, 1, EVENT_MS), 1);
    } while (!(engine_events(engine) & ENGINE_ENDED));
}

static const struct fold_row *row_of(const struct fold *fold, const char *name)
{
    for (uint32_t i = 0; i < fold->row_count; i++) {
        if (strcmp(names_get(fold->names, fold->rows[i].function)->name, name) == 0)
            return &fold->rows[i];
    }
    return NULL;
}

/* Within four standard errors: a check that fails by chance once in many thousand runs. */
static void check_share(const struct fold *fold, const char *name, uint64_t weight, double expected)
{
    double share = 100.0 * (double)weight / (double)fold->weight;
    double error = 400 * sqrt(0.25 / (double)fold->samples) + 2;

    if (fabs(share - expected) > error)
        fail_msg("%s has %.1f %% of %llu samples, %.0f was expected", name, share,
                 (unsigned long long)fold->samples, expected);
}

/* As many samples as were due of the CPU time that it got, and that whole time is told. */
static void check_enough(struct profile *profile, const struct fold *fold)
{
    struct figures figures;
    uint64_t used_ns;

    figures_of(profile, 0, UINT64_MAX, &figures);
    used_ns = figures.tally.target_cpu_ns;
    assert_true(used_ns > 0);
    assert_true(figures.tally.received * 2 >= figures.tally.expected);
    assert_true(fold->samples * 10 >= (uint64_t)figures.tally.received * 8);
    assert_in_range(fold->weight, used_ns / 2, used_ns * 3 / 2);
}

static void check_shares(struct profile *profile)
{
    struct folder *folder = folder_new();
    struct error error = { 0 };
    struct scope scope;
    struct fold *fold;

    scope_init(&scope);
    snprintf(scope.thread_name, sizeof(scope.thread_name), "cpu");
    fold = fold_update(folder, profile, &scope, &error);
    if (fold == NULL)
        fail_msg("%s", error.message);
    check_enough(profile, fold);
    for (size_t i = 0; i < sizeof(cpu_shares) / sizeof(cpu_shares[0]); i++) {
        const struct fold_row *row = row_of(fold, cpu_shares[i].function);

        if (row == NULL && fold->samples < ALL_SEEN)
            continue;
        if (row == NULL)
            fail_msg("%s is not there", cpu_shares[i].function);
        assert_true(row->self <= row->total);
        check_share(fold, cpu_shares[i].function, row->self, cpu_shares[i].self_pct);
        check_share(fold, cpu_shares[i].function, row->total, cpu_shares[i].total_pct);
    }
    fold_free(fold);
    folder_free(folder);
}

static void watch_demo(const struct source_ops *source)
{
    char *demo = testing_built("demo/demo"), *folder = testing_folder_new();
    char *path = xasprintf("%s/demo.proftop", folder);
    char *argv[] = { demo, "--phase", "cpu", "--seconds", "3", "--quiet", NULL };
    struct engine *engine = start(source, path, argv);
    struct error error = { 0 };
    struct profile *profile;

    await_end(engine);
    assert_int_equal(engine_exit_status(engine), 0);
    profile = engine_profile(engine);
    assert_true(profile_ended(profile));
    check_shares(profile);
    profile_unref(profile);
    if (!engine_stop(engine, &error))
        fail_msg("%s", error.message);
    engine_free(engine);

    profile = session_open(path, &error);
    if (profile == NULL)
        fail_msg("%s", error.message);
    check_shares(profile);
    profile_unref(profile);
    free(path);
    testing_folder_remove(folder);
    free(demo);
}

static void test_perf_gives_the_demos_shares(void **state)
{
    (void)state;
    watch_demo(&source_perf);
}

static void test_ptrace_gives_the_demos_shares(void **state)
{
    (void)state;
    watch_demo(&source_ptrace);
}

static void test_the_commands_own_status_comes_back(void **state)
{
    char *argv[] = { "sh", "-c", "exit 7", NULL };
    struct engine *engine = start(NULL, NULL, argv);

    (void)state;
    await_end(engine);
    assert_int_equal(WEXITSTATUS(engine_exit_status(engine)), 7);
    engine_free(engine);
}

static void test_what_cannot_start_is_an_error(void **state)
{
    char *argv[] = { "/nowhere/at-all", NULL };
    struct target_options options = { .children = true };
    struct error error = { 0 };
    struct engine_config config = { .target = target_launch(argv, NULL, &options, &error),
                                    .rate_hz = 99 };

    (void)state;
    if (config.target == NULL)
        return; /* told even earlier */
    assert_null(engine_start(&config, &error));
    assert_true(error.message[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_perf_gives_the_demos_shares),
        cmocka_unit_test(test_ptrace_gives_the_demos_shares),
        cmocka_unit_test(test_the_commands_own_status_comes_back),
        cmocka_unit_test(test_what_cannot_start_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
