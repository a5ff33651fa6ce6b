/* SPDX-License-Identifier: MIT */
/*
 * Working with time: ranges by keys and mouse, spikes, zoom, the lane chooser, from a lane to its
 * functions and from a function to its seconds.  The recording has a stolen stretch from second 21
 * to 26 and major faults in second 40.
 */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/grid.h"
#include "screen_bench.h"
#include "tests/harness/testing.h"

/* Where time's columns begin, and what the first one is, in a live view of 140 columns. */
enum { SPARK = 12, RANGE_LABEL = 0 };

static uint64_t seconds(struct bench *bench, uint64_t time_ns)
{
    return (time_ns - profile_start_ns(bench->profile)) / NS_PER_S;
}

static void assert_range(struct bench *bench, unsigned from, unsigned to)
{
    const struct scope *scope = app_scope(bench->app);

    assert_int_equal(scope->last_ns, 0);
    assert_int_equal(seconds(bench, scope->start_ns), from);
    assert_int_equal(seconds(bench, scope->end_ns), to);
}

static struct bench *open_time(bool live)
{
    struct bench *bench = bench_new(140, 40, false, false, live);

    bench_paint(bench);
    bench_press(bench, "6");
    return bench;
}

/* The row that begins with LABEL. */
static int row_of(struct bench *bench, const char *label)
{
    for (int row = 0; row < bench->grid->rows; row++)
        if (strncmp(bench_row(bench, row), label, strlen(label)) == 0)
            return row;
    fail_msg("no row %s", label);
    return -1;
}

static void mouse(struct bench *bench, int kind, int row, int column)
{
    struct key_event event = { .code = KEYCODE_MOUSE };

    event.mouse.kind = kind;
    event.mouse.row = row;
    event.mouse.column = column;
    bench->now_ns += 100 * NS_PER_MS;
    app_key(bench->app, &event, bench->grid->columns, bench->grid->rows, bench->now_ns);
    bench_paint(bench);
}

static void spikes_come_one_after_the_other(void **state)
{
    struct bench *bench = open_time(true);

    (void)state;
    bench_press(bench, "}");
    assert_range(bench, 21, 26);
    assert_true(bench_shows(bench, "usually"));
    bench_press(bench, "}");
    assert_range(bench, 40, 41);
    assert_true(bench_shows(bench, "tgt maj flt 120/s"));
    bench_press(bench, "}");
    assert_range(bench, 40, 41);
    assert_true(bench_shows(bench, "no spike after this"));
    bench_press(bench, "{");
    assert_range(bench, 21, 26);
    /* Esc goes back through the ranges, then to what was there before. */
    bench_press(bench, "Esc");
    assert_range(bench, 40, 41);
    bench_press(bench, "Esc Esc");
    assert_int_not_equal(app_scope(bench->app)->last_ns, 0);
    bench_free(bench);
}

static void ranges_by_keys(void **state)
{
    struct bench *bench = open_time(true);

    (void)state;
    bench_press(bench, "Home Right Right Right Right Right [");
    assert_range(bench, 5, 6);
    bench_press(bench, "Right Right Right ]");
    assert_range(bench, 5, 9);
    bench_press(bench, ".");
    assert_range(bench, 6, 10);
    bench_press(bench, ", , ,");
    assert_range(bench, 3, 7);
    bench_press(bench, ", , , , , ,"); /* not before the beginning */
    assert_range(bench, 0, 4);
    /* An end before the beginning makes a new range. */
    bench_press(bench, "Home Left ]");
    assert_range(bench, 0, 1);
    bench_free(bench);
}

static void ranges_by_mouse(void **state)
{
    struct bench *bench = open_time(true);
    int row = row_of(bench, "usr+sys");
    unsigned before;

    (void)state;
    mouse(bench, MOUSE_PRESS, row, SPARK + 10);
    mouse(bench, MOUSE_RELEASE, row, SPARK + 10);
    assert_int_not_equal(app_scope(bench->app)->last_ns, 0); /* a click chooses nothing */
    mouse(bench, MOUSE_PRESS, row, SPARK + 10);
    mouse(bench, MOUSE_DRAG, row, SPARK + 12);
    assert_int_not_equal(app_scope(bench->app)->last_ns, 0);
    assert_true(strstr(bench_row(bench, row_of(bench, "range")), "[=") != NULL);
    mouse(bench, MOUSE_DRAG, row + 30, SPARK + 19);
    mouse(bench, MOUSE_RELEASE, row, SPARK + 19);
    assert_range(bench, 10, 20);
    /* Backwards, and out of the view. */
    mouse(bench, MOUSE_PRESS, row, SPARK + 30);
    mouse(bench, MOUSE_DRAG, row, SPARK - 5);
    mouse(bench, MOUSE_RELEASE, row, 0);
    assert_range(bench, 0, 31);
    bench_press(bench, "Esc");
    assert_range(bench, 10, 20);
    /* The wheel over time zooms. */
    before = (unsigned)row_of(bench, "1s/column");
    mouse(bench, MOUSE_WHEEL_DOWN, row, SPARK + 10);
    assert_int_equal(row_of(bench, "2s/column"), (int)before);
    mouse(bench, MOUSE_WHEEL_UP, row, SPARK + 10);
    mouse(bench, MOUSE_WHEEL_UP, row, SPARK + 10);
    assert_int_equal(row_of(bench, "0.5s/column"), (int)before);
    bench_free(bench);
}

static void zoom_keeps_the_cursor_in_its_place(void **state)
{
    struct bench *bench = open_time(true);
    const char *row;
    char *place;
    ptrdiff_t column;

    (void)state;
    bench_press(bench, "}");
    row = bench_row(bench, row_of(bench, "range"));
    place = strstr(row, "\u25b2");
    assert_non_null(place);
    column = place - row;
    bench_press(bench, "+");
    row = bench_row(bench, row_of(bench, "range"));
    assert_non_null(strstr(row, "\u25b2"));
    assert_true(labs((long)(strstr(row, "\u25b2") - row - column)) <= 2);
    for (int i = 0; i < 20; i++)
        bench_press(bench, "+");
    assert_true(bench_shows(bench, "0.1s/column"));
    for (int i = 0; i < 20; i++)
        bench_press(bench, "-");
    assert_true(bench_shows(bench, "1h/column"));
    assert_range(bench, 21, 26); /* zooming looks, it does not choose */
    bench_press(bench, "End");
    bench_free(bench);
}

static void a_saved_session_is_shown_whole(void **state)
{
    struct bench *bench = open_time(false);

    (void)state;
    assert_true(bench_shows(bench, "1s/column")); /* 64 s in 112 columns */
    assert_true(bench_shows(bench, "0:00"));
    bench_press(bench, "c");
    assert_true(bench_shows(bench, "12:30:00"));
    bench_free(bench);
}

/* Clock times with tenths are as wide as their distance: every other one is left out. */
static void times_on_the_ruler_stand_apart(void **state)
{
    struct bench *bench = open_time(false);

    (void)state;
    bench_press(bench, "c } + + + +");
    assert_true(bench_shows(bench, "12:30:18.9          12:30:20.9 "));
    bench_free(bench);
}

static void lanes_lead_to_functions_and_back(void **state)
{
    struct bench *bench = open_time(true);
    int steal = row_of(bench, "STEAL");

    (void)state;
    mouse(bench, MOUSE_PRESS, steal, 2);
    bench_press(bench, "Enter");
    assert_true(bench_shows(bench, "when STEAL was highest"));
    assert_true(bench_shows(bench, "low"));
    bench_press(bench, "T");
    assert_true(bench_shows(bench, "TOTAL%"));
    bench_press(bench, "P Enter");
    assert_false(bench_shows(bench, "when STEAL was highest"));
    mouse(bench, MOUSE_PRESS, row_of(bench, "iowait"), 2);
    bench_press(bench, "Enter");
    assert_true(bench_shows(bench, "iowait hardly moves"));
    bench_press(bench, "Enter");
    /* A function of the table becomes "this fn", and Enter leads to it in Top. */
    bench_press(bench, "} PgDn PgDn");
    assert_int_not_equal(app_scope(bench->app)->start_ns, 0);
    bench_press(bench, "Enter");
    assert_string_equal(app_view(bench->app)->name, "top");
    assert_range(bench, 21, 26);
    bench_press(bench, "Esc");
    assert_string_equal(app_view(bench->app)->name, "time");
    bench_free(bench);
}

static void the_chooser_shows_and_hides(void **state)
{
    struct bench *bench = open_time(true);

    (void)state;
    bench_press(bench, "m");
    assert_true(bench_shows(bench, "Lanes: Enter shows or hides"));
    assert_true(bench_shows(bench, "[ ] open files"));
    bench_press(bench, "Down Down Down Down Down Enter");
    assert_true(bench_shows(bench, "[x] open files"));
    bench_press(bench, "Home Down Enter"); /* samples/due */
    assert_true(bench_shows(bench, "[ ] samples/due"));
    bench_press(bench, "Esc");
    assert_string_equal(app_view(bench->app)->name, "time");
    row_of(bench, "open files");
    assert_false(bench_shows(bench, "samples/due"));
    bench_free(bench);
}

static void system_rows_become_ranges(void **state)
{
    struct bench *bench = bench_new(140, 40, false, false, true);

    (void)state;
    bench_paint(bench);
    bench_press(bench, "7 Up Up Enter");
    assert_range(bench, 61, 62);
    bench_press(bench, "Home Down Enter");
    assert_range(bench, 1, 2);
    bench_press(bench, "Down Down ]");
    assert_range(bench, 1, 4);
    bench_press(bench, "- Home");
    assert_true(bench_shows(bench, "0:02"));
    assert_false(bench_shows(bench, "0:03"));
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spikes_come_one_after_the_other),
        cmocka_unit_test(ranges_by_keys),
        cmocka_unit_test(ranges_by_mouse),
        cmocka_unit_test(zoom_keeps_the_cursor_in_its_place),
        cmocka_unit_test(a_saved_session_is_shown_whole),
        cmocka_unit_test(times_on_the_ruler_stand_apart),
        cmocka_unit_test(lanes_lead_to_functions_and_back),
        cmocka_unit_test(the_chooser_shows_and_hides),
        cmocka_unit_test(system_rows_become_ranges),
    };

    if (setlocale(LC_ALL, "C.UTF-8") == NULL || setenv("TZ", "UTC", 1) != 0)
        return 77;
    return cmocka_run_group_tests_name("view_time", tests, NULL, NULL);
}
