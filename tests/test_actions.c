/* SPDX-License-Identifier: MIT */
/*
 * What belongs together: Esc undoes exactly, the cursor stays on its function, and no sequence of
 * keys and sizes breaks the screen.
 */
#include "config.h"

#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/export.h"
#include "screen_bench.h"
#include "tests/harness/testing.h"

static void escape_undoes_step_by_step(void **state)
{
    static const char *const steps[] = { "\\ h Enter", ",", "5 Down Enter", "d", "o" };
    enum { STEPS = sizeof(steps) / sizeof(steps[0]) };
    struct bench *bench = bench_new(80, 24, false, false, true);
    struct scope before[STEPS];

    (void)state;
    bench_paint(bench);
    bench_press(bench, "Down Down Enter"); /* a drill: Callers */
    for (int i = 0; i < STEPS; i++) {
        before[i] = *app_scope(bench->app);
        bench_press(bench, steps[i]);
        assert_false(scope_equal(app_scope(bench->app), &before[i]));
    }
    for (int i = STEPS; i-- > 0;) {
        bench_press(bench, "Esc");
        assert_true(scope_equal(app_scope(bench->app), &before[i]));
    }
    assert_ptr_equal(app_view(bench->app), view_find("callers"));
    bench_press(bench, "Esc");
    assert_ptr_equal(app_view(bench->app), view_find("top"));
    bench_press(bench, "Esc Esc Esc Esc");
    assert_int_equal(app_wish(bench->app), WISH_NONE); /* never quits */
    bench_free(bench);
}

static void the_cursor_returns_to_its_row(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);
    char before[8192];

    (void)state;
    bench_paint(bench);
    bench_press(bench, "Down Down Down");
    snprintf(before, sizeof(before), "%s", bench_row(bench, bench_cursor(bench)));
    bench_press(bench, "Enter Up Up Esc");
    assert_string_equal(bench_row(bench, bench_cursor(bench)), before);
    bench_free(bench);
}

/* Samples arrive while a person looks: numbers change, rows stay where they are for two seconds. */
static void rows_hold_still_after_a_key(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);
    struct recording *recording = bench->recording;
    const char *name;

    (void)state;
    bench_paint(bench);
    bench_press(bench, "Down Down Down");
    for (unsigned second = 1; second <= 4; second++) {
        struct profile *profile = recording_profile(recording, 64 + second, false);

        name = bench_row(bench, bench_cursor(bench)) + 32;
        assert_non_null(strstr(name, "__memcmp_evex_movbe"));
        bench->now_ns += 600 * NS_PER_MS;
        app_set_profile(bench->app, profile, bench->now_ns);
        bench_paint(bench);
        profile_unref(profile);
    }
    bench_free(bench);
}

/* Each row of Top has no more than the one above it. */
static bool is_sorted(struct bench *bench)
{
    double above = 100;
    char *end;

    for (int row = 0; row < bench->grid->rows; row++) {
        const char *text = bench_row(bench, row);
        double self = strtod(text, &end);

        if (end == text || *end != ' ' || text[0] != ' ')
            continue;
        if (self > above)
            return false;
        above = self;
    }
    return above < 100;
}

/*
 * The first samples say nothing of the order: rows follow the numbers.  Later, where they are to
 * be read, they stay for a second.
 */
static void a_young_recording_is_sorted_each_time(void **state)
{
    static const unsigned seconds[] = { 0, 1, 2, 40, 40 };
    struct bench *bench = bench_empty(80, 24);

    (void)state;
    for (unsigned i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        struct profile *profile = recording_profile(bench->recording, seconds[i], false);

        bench->now_ns += (i == 4 ? 800 : 200) * NS_PER_MS;
        app_set_profile(bench->app, profile, bench->now_ns);
        bench_paint(bench);
        profile_unref(profile);
        if (i > 0)
            assert_int_equal(is_sorted(bench), i != 3);
    }
    bench_free(bench);
}

/*
 * PROFTOP_KEYS_SECONDS=600 PROFTOP_KEYS_SEED=7 make check TESTS=tests/test_actions presses for so
 * long, other keys.
 */
static bool pressed_enough(uint64_t rounds, uint64_t rounds_max, uint64_t began_ns)
{
    const char *seconds = getenv("PROFTOP_KEYS_SECONDS");

    if (seconds == NULL)
        return rounds >= rounds_max;
    return clock_now_ns() >= began_ns + strtoull(seconds, NULL, 10) * NS_PER_S;
}

static void random_keys_and_sizes_keep_the_screen_sane(void **state)
{
    static const uint32_t special[] = { KEYCODE_UP,     KEYCODE_DOWN,      KEYCODE_LEFT,
                                        KEYCODE_RIGHT,  KEYCODE_PAGE_UP,   KEYCODE_PAGE_DOWN,
                                        KEYCODE_HOME,   KEYCODE_END,       KEYCODE_ENTER,
                                        KEYCODE_ESCAPE, KEYCODE_BACKSPACE, KEYCODE_TAB,
                                        KEYCODE_F1 + 1, KEYCODE_F1 + 5,    KEYCODE_DELETE };
    enum {
        ROUNDS = 6000,
        MORE_EVERY = 300,
        MORE_MAX = 500,
        SPECIAL = sizeof(special) / sizeof(special[0])
    };
    struct bench *bench = bench_new(80, 24, true, false, true);
    uint32_t seed =
        getenv("PROFTOP_KEYS_SEED") != NULL ? (uint32_t)atoi(getenv("PROFTOP_KEYS_SEED")) : 12345;
    uint64_t began_ns = clock_now_ns();
    unsigned more = 0;
    char folder[] = "/tmp/proftop-keys-XXXXXX", here[4096];

    (void)state;
    assert_non_null(getcwd(here, sizeof(here)));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0); /* a random S or F9 saves a file */
    bench_paint(bench);
    for (uint64_t i = 0; !pressed_enough(i, ROUNDS, began_ns); i++) {
        struct key_event event = { 0 };

        seed = seed * 1664525 + 1013904223;
        if (seed >> 28 == 0) {
            grid_free(bench->grid);
            bench->grid = grid_new((int)(seed >> 8 & 255), (int)(seed >> 16 & 63), false);
        } else if (seed >> 28 == 1) {
            event.code = KEYCODE_MOUSE;
            event.mouse = (struct mouse_event){ .row = (int)(seed >> 8 & 63),
                                                .column = (int)(seed >> 16 & 255),
                                                .kind = seed % 6 };
        } else if (seed >> 28 < 8) {
            event.code = special[(seed >> 8) % SPECIAL];
        } else {
            event.code = 1 + (seed >> 8) % 126;
        }
        if (event.code == 'S' || event.code == 's')
            continue;                                 /* saving has tests of its own */
        if (i % MORE_EVERY == 0 && more < MORE_MAX) { /* samples go on arriving */
            struct profile *profile = recording_profile(bench->recording, 65 + more++, false);

            app_set_profile(bench->app, profile, bench->now_ns);
            profile_unref(profile);
        }
        bench->now_ns += 50 * NS_PER_MS;
        if (event.code != 0)
            app_key(bench->app, &event, bench->grid->columns, bench->grid->rows, bench->now_ns);
        app_render(bench->app, bench->grid, bench->now_ns);
        app_step(bench->app, bench->now_ns);
        grid_check(bench->grid);
        while (app_wish(bench->app) != WISH_NONE)
            continue;
    }
    bench_free(bench);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void saving_writes_and_never_overwrites(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);
    char *folder = testing_folder_new(), here[4096];

    (void)state;
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(folder), 0);
    bench_paint(bench);
    bench_press(bench, "S");
    assert_true(bench_shows(bench, "saved ./proftop-busy-8968-20261120-123104.proftop"));
    assert_int_equal(access("proftop-busy-8968-20261120-123104.proftop", R_OK), 0);
    bench_press(bench, "S");
    assert_false(bench_shows(bench, "saved ./"));
    bench_press(bench, "s Tab Right Enter"); /* the next format */
    assert_true(bench_shows(bench, "saved ./"));
    assert_int_equal(chdir(here), 0);
    testing_folder_remove(folder);
    bench_free(bench);
}

/* Every format, of the whole run and of a range, live and of a session: written once each. */
static void every_format_can_be_saved(void **state)
{
    (void)state;
    for (int live = 0; live < 2; live++)
        for (int range = 0; range < 2; range++) {
            struct bench *bench = bench_new(80, 24, false, false, live != 0);
            char *folder = testing_folder_new(), here[4096], keys[256] = "s Tab";

            assert_non_null(getcwd(here, sizeof(here)));
            assert_int_equal(chdir(folder), 0);
            bench_paint(bench);
            bench_press(bench, range ? "}" : "w");
            for (unsigned i = 0; i + 1 < export_count; i++) { /* the table has the session too */
                char press[sizeof(keys) + 8];

                strcat(keys, " Right");
                snprintf(press, sizeof(press), "%s Enter", keys);
                bench_press(bench, press);
                assert_true(bench_shows(bench, "saved ./"));
                bench_press(bench, press);
                assert_true(bench_shows(bench, "exists already"));
            }
            assert_int_equal(chdir(here), 0);
            testing_folder_remove(folder);
            bench_free(bench);
        }
}

/* Lets the worker of BENCH's app finish, painting what changes as the loop does; how often. */
static unsigned paint_until_idle(struct bench *bench)
{
    unsigned paints = 0;
    int fds[2];

    app_fds(bench->app, fds);
    app_step(bench->app, bench->now_ns);
    while (app_folding(bench->app)) {
        struct pollfd ready = { .fd = fds[0], .events = POLLIN };

        assert_int_equal(poll(&ready, 1, -1), 1);
        if (!app_step(bench->app, bench->now_ns))
            continue;
        app_render(bench->app, bench->grid, bench->now_ns);
        paints++;
    }
    return paints;
}

/* Rows that change places want other sparks: still one paint for what a second brought. */
static void a_second_is_one_paint(void **state)
{
    static const char *const keys[] = { "1", "2", "5", "6" };
    struct bench *bench = bench_new(140, 40, false, false, true);
    struct app_config config = { .title = "busy[8968]", .live = true };

    (void)state;
    app_free(bench->app);
    settings_init(&config.settings);
    scope_init(&config.scope);
    config.scope.last_ns = 2 * NS_PER_S; /* so short that rows do change places */
    bench->app = app_new(&config);
    app_set_profile(bench->app, bench->profile, bench->now_ns);
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct key_event event = { .code = keys_parse(keys[i]) };

        app_key(bench->app, &event, 140, 40, bench->now_ns);
        app_render(bench->app, bench->grid, bench->now_ns);
        paint_until_idle(bench);
        for (unsigned second = 1; second <= 8; second++) {
            bench->now_ns += NS_PER_S;
            profile_unref(bench->profile);
            bench->profile = recording_profile(bench->recording, 64 + 8 * i + second, false);
            app_set_profile(bench->app, bench->profile, bench->now_ns);
            assert_int_equal(paint_until_idle(bench), 1);
        }
    }
    bench_free(bench);
}

/* Of the first few samples every function is listed, not a last row that counts them. */
static void few_samples_are_listed(void **state)
{
    struct bench *bench = bench_new(80, 10, false, false, true);

    (void)state;
    bench_paint(bench);
    bench_press(bench, "5 g Down Down Enter 1 : r a n g e Space 5 9 . . 6 4 Enter");
    assert_true(bench_shows(bench, "N=2"));
    assert_true(bench_shows(bench, "start_thread"));
    assert_false(bench_shows(bench, "more, each under"));
    bench_free(bench);
}

/* Also where a column is so wide that a spike begins inside it: the key does not stay on it. */
static void spikes_follow_one_another(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    bench_paint(bench);
    bench_press(bench, "6 - - - }");
    assert_true(bench_shows(bench, "12:30:20-"));
    bench_press(bench, "}");
    assert_true(bench_shows(bench, "12:30:40-"));
    bench_press(bench, "{");
    assert_true(bench_shows(bench, "12:30:20-"));
    bench_free(bench);
}

/* What the pane below a large screen's rows says of the hottest lines. */
static void the_hottest_line_is_quoted(void **state)
{
    struct recording *recording = recording_new(false);
    char text[64 * 3] = "";
    struct bench *bench;

    (void)state;
    for (int line = 1; line < 19; line++)
        strcat(text, "//\n");
    strcat(text, "\t\tsum += value;\n");
    recording_add_source(recording, text);
    bench = bench_of(recording, 140, 40, false, true);
    bench_paint(bench);
    assert_true(bench_shows(bench, "sum += value;"));
    bench_free(bench);
}

/* Sideways as far as there is more of a line, and back. */
static void long_lines_are_read_to_their_end(void **state)
{
    struct recording *recording = recording_new(false);
    char text[256] = "";
    struct bench *bench;

    (void)state;
    for (int line = 1; line < 19; line++)
        strcat(text, "//\n");
    strcat(text, "sum += value; /* and a remark that goes on for longer than the line */ end();\n");
    recording_add_source(recording, text);
    bench = bench_of(recording, 80, 24, false, true);
    bench_paint(bench);
    bench_press(bench, "a");
    assert_true(bench_shows(bench, "sum += value;"));
    assert_false(bench_shows(bench, "end();"));
    bench_press(bench, "Right Right Right Right Right Right Right Right Right");
    assert_true(bench_shows(bench, "line */ end();"));
    bench_press(bench, "Left Left Left Left Left Left Left Left Left");
    assert_true(bench_shows(bench, "sum += value;"));
    bench_free(bench);
}

/* On the root of a tree no function is chosen: Callers begins with the heaviest. */
static void callers_of_a_root_are_the_heaviests(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    bench_paint(bench);
    bench_press(bench, "2 g 3");
    assert_true(bench_shows(bench, "CALLERS"));
    assert_true(bench_shows(bench, "Table::sum  total"));
    bench_free(bench);
}

static void processes_open_close_and_narrow(void **state)
{
    struct bench *bench = bench_of(recording_of_two(), 80, 24, false, true);

    (void)state;
    bench_paint(bench);
    bench_press(bench, "5 g -");
    assert_true(bench_shows(bench, "+ process of 3 threads"));
    assert_false(bench_shows(bench, "wrk-0"));
    assert_true(bench_shows(bench, "wrk-3"));
    bench_press(bench, "C");
    assert_false(bench_shows(bench, "wrk-3"));
    bench_press(bench, "g Down +");
    assert_true(bench_shows(bench, "wrk-3"));
    bench_press(bench, "Enter");
    assert_true(bench_shows(bench, "all 2 of wrk-2[9100]"));
    assert_false(bench_shows(bench, "8968 busy"));
    bench_press(bench, "Esc 2 g Down Enter"); /* a process in the tree is one too */
    assert_true(bench_shows(bench, "of busy[8968]"));
    bench_free(bench);
}

static void long_sentences_are_read_whole(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    app_say(bench->app, "%s",
            "a sentence that is so much longer than the line at the bottom that it takes another "
            "one above that line for its end");
    bench_paint(bench);
    assert_true(bench_shows(bench, "above that line for its end"));
    assert_true(bench_shows(bench, "F10Quit"));
    bench_free(bench);
}

/* What commands are given is looked at like what is typed after \\. */
static void bad_words_are_not_taken(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    bench_paint(bench);
    bench_press(bench, ": f i l t e r Space [ Enter");
    assert_true(bench_shows(bench, "no expression: "));
    assert_true(bench_shows(bench, "Filter - "));
    bench_press(bench, ": p r o c e s s Space x Enter");
    assert_true(bench_shows(bench, "is no process"));
    bench_free(bench);
}

static void a_command_may_be_shortened(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    bench_paint(bench);
    bench_press(bench, ": f i l t Space h a s h Enter");
    assert_true(bench_shows(bench, "Filter hash"));
    bench_press(bench, ": s o r t Enter");
    assert_true(bench_shows(bench, "no command is called"));
    bench_press(bench, ": q Enter");
    assert_int_equal(app_wish(bench->app), WISH_QUIT);
    bench_free(bench);
}

static void searching_on_needs_a_search(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    bench_paint(bench);
    for (char view = '1'; view <= '5'; view++) {
        bench_press(bench, (char[]){ view, ' ', 'n', '\0' });
        assert_true(bench_shows(bench, "nothing is searched for: / begins"));
        bench_press(bench, "Esc Down");
    }
    bench_free(bench);
}

static void an_exec_changes_the_title(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    bench_paint(bench);
    assert_true(bench_shows(bench, "proftop busy[8968]"));
    recording_exec(bench->recording, "server");
    profile_unref(bench->profile);
    bench->profile = recording_profile(bench->recording, 65, false);
    app_set_profile(bench->app, bench->profile, bench->now_ns);
    bench_paint(bench);
    assert_true(bench_shows(bench, "proftop server[8968]"));
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_is_one_paint),
        cmocka_unit_test(few_samples_are_listed),
        cmocka_unit_test(spikes_follow_one_another),
        cmocka_unit_test(the_hottest_line_is_quoted),
        cmocka_unit_test(long_lines_are_read_to_their_end),
        cmocka_unit_test(callers_of_a_root_are_the_heaviests),
        cmocka_unit_test(processes_open_close_and_narrow),
        cmocka_unit_test(long_sentences_are_read_whole),
        cmocka_unit_test(bad_words_are_not_taken),
        cmocka_unit_test(a_command_may_be_shortened),
        cmocka_unit_test(searching_on_needs_a_search),
        cmocka_unit_test(an_exec_changes_the_title),
        cmocka_unit_test(escape_undoes_step_by_step),
        cmocka_unit_test(the_cursor_returns_to_its_row),
        cmocka_unit_test(rows_hold_still_after_a_key),
        cmocka_unit_test(a_young_recording_is_sorted_each_time),
        cmocka_unit_test(random_keys_and_sizes_keep_the_screen_sane),
        cmocka_unit_test(saving_writes_and_never_overwrites),
        cmocka_unit_test(every_format_can_be_saved),
    };

    if (setlocale(LC_ALL, "C.UTF-8") == NULL || setenv("TZ", "UTC", 1) != 0)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
