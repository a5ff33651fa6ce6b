/* SPDX-License-Identifier: MIT */
/*
 * The screens of a recording with known shares, text and roles, at the sizes people have; and what
 * must hold at any size and with any names.
 */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "screen_bench.h"
#include "tests/harness/golden.h"
#include "tests/harness/testing.h"

static void check(struct bench *bench, const char *name)
{
    char path[128], *text = grid_dump(bench->grid, true);

    snprintf(path, sizeof(path), "screen-%s-%dx%d%s", name, bench->grid->columns, bench->grid->rows,
             bench->grid->ascii ? "-ascii" : "");
    golden_check(path, text);
    free(text);
}

/* Every view at SIZE, by the keys that lead there. */
static void check_views(int columns, int rows, bool ascii)
{
    static const struct {
        const char *name, *keys;
    } views[] = { { "top", "" },
                  { "tree", "2" },
                  { "callers", "1 Down Down Enter" },
                  { "bottom-up", "b" },
                  { "flame", "4" },
                  { "threads", "5" },
                  { "time", "6" },
                  { "time-spike", "}" },
                  { "time-lift", "Down Down Down Down Down Enter" },
                  { "time-lanes", "m" },
                  { "system", "Esc 7" },
                  { "source", "1 g a" } };
    struct bench *bench = bench_new(columns, rows, false, ascii, true);

    bench_paint(bench);
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        bench_press(bench, views[i].keys);
        check(bench, views[i].name);
    }
    bench_free(bench);
}

/* A process level in Threads, Tree, Flame and the scope; who holds the interpreter's lock. */
static void two_processes(void **state)
{
    static const struct {
        const char *name, *keys;
    } views[] = { { "two-top", "" },
                  { "two-threads", "5" },
                  { "two-tree", "2" },
                  { "two-flame", "4" },
                  { "two-only", "5 g Down Down Down Down Enter" } };

    (void)state;
    for (int size = 0; size < 2; size++) {
        struct bench *bench =
            bench_of(recording_of_two(), size == 0 ? 80 : 140, size == 0 ? 24 : 40, false, true);

        bench_paint(bench);
        for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
            bench_press(bench, views[i].keys);
            check(bench, views[i].name);
        }
        bench_free(bench);
    }
}

static void views_at_80x24(void **state)
{
    (void)state;
    check_views(80, 24, false);
}

static void views_at_140x40(void **state)
{
    (void)state;
    check_views(140, 40, false);
}

static void views_in_ascii(void **state)
{
    (void)state;
    check_views(80, 24, true);
}

static void top_at_odd_sizes(void **state)
{
    static const int sizes[][2] = { { 20, 5 }, { 40, 12 }, { 79, 23 }, { 200, 60 } };

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct bench *bench = bench_new(sizes[i][0], sizes[i][1], false, false, true);

        bench_paint(bench);
        check(bench, "top");
        bench_free(bench);
    }
}

static void overlays_at_80x24(void **state)
{
    static const struct {
        const char *name, *keys;
    } overlays[] = { { "help", "?" },           { "setup", "Esc F2" },       { "metric", "Esc v" },
                     { "sort", "Esc F6" },      { "save", "Esc s" },         { "info", "Esc i" },
                     { "search", "Esc / h a" }, { "filter", "Esc \\ m e m" } };
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    bench_paint(bench);
    for (size_t i = 0; i < sizeof(overlays) / sizeof(overlays[0]); i++) {
        bench_press(bench, overlays[i].keys);
        check(bench, overlays[i].name);
    }
    bench_free(bench);
}

/* A thread that has ended keeps its numbers for a range in which it lived. */
static void gone_threads_keep_their_numbers(void **state)
{
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        struct bench *bench = bench_new(wide ? 140 : 80, 24, false, false, true);
        const char *row;

        bench_paint(bench);
        bench_press(bench, "w w w w 5 End");
        row = bench_row(bench, bench_cursor(bench));
        assert_non_null(strstr(row, "init-tmp   X    0.2 ##########"));
        assert_non_null(strstr(row, "worker"));
        assert_int_equal(strstr(row, "until 0:41") != NULL, wide);
        bench_free(bench);
    }
}

/* Waiting is not told in CPUs. */
static void callers_name_their_unit(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    bench_paint(bench);
    bench_press(bench, "Enter");
    assert_true(bench_shows(bench, " cpu  N="));
    bench_press(bench, "1 o g Enter");
    assert_true(bench_shows(bench, " avg  N="));
    bench_free(bench);
}

/* What is to know of a function may take the room that its name leaves. */
static void footnotes_take_the_room_there_is(void **state)
{
    struct bench *bench = bench_new(66, 24, false, false, true);

    (void)state;
    bench_paint(bench);
    bench_press(bench, "/ i r q r Enter");
    assert_true(bench_shows(bench, "interrupts-off time is charged here"));
    bench_free(bench);
}

/* Nothing is wider than the whole run. */
static void an_empty_run_has_a_way_on(void **state)
{
    struct bench *bench = bench_of(recording_of_two(), 80, 24, false, false);

    (void)state;
    bench_paint(bench);
    bench_press(bench, "X o o o");
    assert_true(bench_shows(bench, "GIL held"));
    assert_true(bench_shows(bench, "in the whole run.  o: waiting too"));
    bench_free(bench);
}

/* A command that ended before it was sampled, within the range that is followed. */
static void one_too_short_has_a_way_on(void **state)
{
    struct bench *bench = bench_empty(80, 24);

    (void)state;
    bench->profile = recording_profile(bench->recording, 0, true);
    app_set_profile(bench->app, bench->profile, bench->now_ns);
    bench_paint(bench);
    assert_true(bench_shows(bench, "  Too little CPU time for a sample.  -F 4999 looks more often; "
                                   "o: waiting too."));
    bench_free(bench);
}

/* Samples of threads that were held are not the kernel's. */
static void a_target_handed_over_is_told(void **state)
{
    const struct record_tally kernel = { .received = 9 }, held = { .received = 9, .stops = 9 };
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    assert_string_equal(profile_sampler(bench->profile, &kernel), "perf");
    assert_string_equal(profile_sampler(bench->profile, &held), "perf+ptrace");
    bench_free(bench);
}

static void hostile_names_keep_the_screen_sane(void **state)
{
    (void)state;
    for (int ascii = 0; ascii < 2; ascii++)
        for (int columns = 1; columns < 200; columns += 13) {
            struct bench *bench = bench_new(columns, 30, true, ascii != 0, true);

            bench_paint(bench);
            bench_press(bench, "Down Enter 2 * End 4 1 p p / a Enter 6 } m End Esc 7 Up 1");
            if (columns == 92 && ascii == 0)
                check(bench, "hostile");
            bench_free(bench);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_at_80x24),
        cmocka_unit_test(views_at_140x40),
        cmocka_unit_test(views_in_ascii),
        cmocka_unit_test(top_at_odd_sizes),
        cmocka_unit_test(two_processes),
        cmocka_unit_test(overlays_at_80x24),
        cmocka_unit_test(gone_threads_keep_their_numbers),
        cmocka_unit_test(callers_name_their_unit),
        cmocka_unit_test(footnotes_take_the_room_there_is),
        cmocka_unit_test(an_empty_run_has_a_way_on),
        cmocka_unit_test(one_too_short_has_a_way_on),
        cmocka_unit_test(a_target_handed_over_is_told),
        cmocka_unit_test(hostile_names_keep_the_screen_sane),
    };

    if (setlocale(LC_ALL, "C.UTF-8") == NULL || setenv("TZ", "UTC", 1) != 0)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
