/* SPDX-License-Identifier: MIT */
/*
 * Every row of the key table does what the help says: one case a row, and a case that fails when a
 * row has none.
 */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "proftop/text.h"
#include "screen_bench.h"
#include "tests/harness/testing.h"

enum { TABLE_FIRST = 6 };

/*
 * What pressing KEYS after BEFORE must show, or must not any more: no other key's doing may pass
 * for it, unless it is the same.
 */
struct row {
    enum action action;
    const char *before, *keys;
    const char *shows, *hides; /* texts between bars; NULL: says nothing */
    const char *under;         /* in the row under the cursor; NULL: says nothing */
};

static const struct row rows[] = {
    { ACTION_UP, "Down Down Down", "Up", "[1Top]", NULL, "std::_Rb_tree_increment  " },
    { ACTION_DOWN, "", "Down", "[1Top]", NULL, "hash1  " },
    { ACTION_FIRST, "End", "g", "[1Top]", NULL, "acme::Table<std::string, long>::sum  " },
    { ACTION_LAST, "", "G", "[1Top]", NULL, "try_to_wake_up  " },
    { ACTION_LEFT, "Right Right", "Left", "[1Top]", NULL, " 4 ble<std::string, long>::sum " },
    { ACTION_RIGHT, "", "Right", "[1Top]", NULL, " 4 ble<std::string, long>::sum " },
    { ACTION_ENTER, "Down", "Enter", "[3Callers]|hash1  total", NULL, NULL },
    { ACTION_BACK, ",", "Esc", "last 10s", NULL, NULL },
    { ACTION_NEXT_VIEW, "3", "Tab", "[4Flame]", NULL, NULL },
    { ACTION_PREVIOUS_VIEW, "7", "S-Tab", "[6Time]", NULL, NULL },
    { ACTION_VIEW_1, "6", "1", "[1Top]", NULL, NULL },
    { ACTION_VIEW_2, "6", "2", "[2Tree]", NULL, NULL },
    { ACTION_VIEW_3, "", "3", "[3Callers]", NULL, NULL },
    { ACTION_VIEW_4, "", "4", "[4Flame]", NULL, NULL },
    { ACTION_VIEW_5, "", "5", "[5Threads]", NULL, NULL },
    { ACTION_VIEW_6, "", "6", "[6Time]", NULL, NULL },
    { ACTION_VIEW_7, "", "7", "[7System]", NULL, NULL },
    { ACTION_VIEW_8, "5", "8", "[8Source]", NULL, NULL },
    { ACTION_SOURCE, "Down", "a", "[8Source]|hash1", NULL, NULL },
    { ACTION_SPIKE_PREVIOUS, "", "{", "Range 12:30:40-41 (1s)", NULL, NULL },
    { ACTION_SPIKE_NEXT, "", "}", "Range 12:30:21-26 (5s)", NULL, NULL },
    { ACTION_LANES, "6", "m", "Lanes: Enter shows or hides", NULL, NULL },
    { ACTION_CLOCK, "6", "c", "[6Time]|12:30:", "0:18      0:28", NULL },
    { ACTION_SEARCH, "", "/ m e m m", "Search: memm", NULL, NULL },
    { ACTION_SEARCH_NEXT, "/ m e m Enter", "n", "[1Top]", NULL,
      "__memmove_avx512_unaligned_erms  " },
    { ACTION_SEARCH_PREVIOUS, "/ m e m Enter n", "N", "[1Top]", NULL, "__memcmp_evex_movbe  " },
    { ACTION_FILTER, "", "\\ r a n d o m Enter", "Filter random", "hash1", NULL },
    { ACTION_CLEAR, "\\ r a n d o m Enter d", "Del", "Filter -| only ", NULL, NULL },
    { ACTION_TREE, "Down", "t", "[2Tree]", NULL, "hash1" },
    { ACTION_EXPAND, "2 Down -", "+", "[2Tree]|hash1", "try_to_wake_up", "start_thread" },
    { ACTION_COLLAPSE, "2 Down Down Down", "-", "[2Tree]|worker", "_Rb_tree",
      "+ acme::Table::sum" },
    { ACTION_EXPAND_ALL, "2", "*", "[2Tree]|try_to_wake_up", NULL, NULL },
    { ACTION_EXPAND_BELOW, "2 Down -", "e", "[2Tree]|try_to_wake_up", NULL, "start_thread" },
    { ACTION_COLLAPSE_BELOW, "2 Down Down Down", "C", "[2Tree]|all 5 threads|+ start_thread",
      "worker", NULL },
    { ACTION_INVERT_TREE, "Enter", "b", "Who leads to", NULL, NULL },
    { ACTION_HOTTEST, "2 g", "H", "[2Tree]", NULL, "acme::Table::sum" },
    { ACTION_SORT_LEFT, "> > >", "<", "CPU\u25bd", NULL, NULL },
    { ACTION_SORT_RIGHT, ">", ">", "CPU\u25bd", NULL, NULL },
    { ACTION_SORT_MENU, "", "F6 3", "CPU\u25bd", NULL, NULL },
    { ACTION_SORT_INVERT, "", "I", "SELF%\u25b3", NULL, NULL },
    { ACTION_SORT_SELF, "> >", "P", "SELF%\u25bd", NULL, NULL },
    { ACTION_SORT_TOTAL, "> > >", "T", "TOTAL%\u25bd", NULL, NULL },
    { ACTION_FREEZE, "", "Space", "VIEW PAUSED, recording", "LIVE", NULL },
    { ACTION_RANGE_START, "", "[", "12:31:04-now", NULL, NULL },
    { ACTION_RANGE_END, "", "]", "12:30:54-12:31:04 (10s)", NULL, NULL },
    { ACTION_RANGE_FROM_NOW, "", "r", "12:31:04-now", NULL, NULL },
    { ACTION_RANGE_WINDOW, "", "w", "last 30s", NULL, NULL },
    { ACTION_RANGE_EARLIER, "", ",", "12:30:53-12:31:03 (10s)", NULL, NULL },
    { ACTION_RANGE_LATER, ", ,", ".", "12:30:53-12:31:03 (10s)", NULL, NULL },
    { ACTION_STATE, "", "o", "waiting", "on-CPU", NULL },
    { ACTION_METRIC, "", "v", "Shares of what?", NULL, NULL },
    { ACTION_HIDE_KERNEL, "", "K", "-kernel", "finish_task_switch", NULL },
    { ACTION_HIDE_USER, "", "U", "-user", "hash1", NULL },
    { ACTION_ONLY_MODULE, "", "d", "only busy", NULL, NULL },
    { ACTION_FOLD_LIBRARIES, "", "L", "-libs", NULL, NULL },
    { ACTION_INTERNAL, "", "J", "+internal", NULL, NULL },
    { ACTION_ALL_PROCESSES, "", "X", "of busy[8968]", NULL, NULL },
    { ACTION_NAMES, "", "p", "Names: full", NULL, NULL },
    { ACTION_UNITS, "", "%", "SELF c", NULL, NULL },
    { ACTION_FOLLOW, "", "F", "Cursor follows its function: no", NULL, NULL },
    { ACTION_INFO, "", "i", "This session", NULL, NULL },
    { ACTION_SAVE, "", "s", "Never overwrites", NULL, NULL },
    { ACTION_RUN_AGAIN, "", "R", "not started by proftop", NULL, NULL },
    { ACTION_COPY, "", "y", "copied: acme::Table", NULL, NULL },
    { ACTION_COMMAND, "", ": r a n g e Space 1 . . 3 Enter", "12:30:01-03 (2s)", NULL, NULL },
    { ACTION_HELP, "", "?", "Keys of every view", NULL, NULL },
    { ACTION_SETUP, "", "F2", "Keep the recording as", NULL, NULL },
    { ACTION_MOUSE, "", "M", "Mouse: no", NULL, NULL },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Those that a case of their own looks at, or that another view's tests do. */
static const enum action elsewhere[] = {
    ACTION_NONE,    ACTION_QUIT,      ACTION_QUIT_NOW, ACTION_SAVE_NOW,
    ACTION_REDRAW,  ACTION_SUSPEND,   ACTION_VIEW_9,   ACTION_HIGHLIGHT,
    ACTION_PAGE_UP, ACTION_PAGE_DOWN, ACTION_HALF_UP,  ACTION_HALF_DOWN,
};

static int complain(const struct row *row, const char *what, const char *text, char *screen)
{
    char *roles = strstr(screen, "---- roles");

    if (roles != NULL)
        *roles = '\0';
    print_error("%s (%s) %s \"%s\":\n%s", action_table[row->action].name, row->keys, what, text,
                screen);
    if (roles != NULL)
        *roles = '-';
    return 1;
}

/* Whether the screen has all of TEXTS, or any. */
static bool shows_texts(struct bench *bench, const char *texts, bool all)
{
    char *copy = xstrdup(texts), *rest = NULL;
    bool found = all;

    for (char *text = strtok_r(copy, "|", &rest); text != NULL; text = strtok_r(NULL, "|", &rest))
        found = all ? found && bench_shows(bench, text) : found || bench_shows(bench, text);
    free(copy);
    return found;
}

static bool is_under_cursor(struct bench *bench, const char *text)
{
    int row = bench_cursor(bench);

    return row >= 0 && strstr(bench_row(bench, row), text) != NULL;
}

static void each_key_does_what_help_says(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        struct bench *bench = bench_new(80, 24, false, false, true);
        char *before, *after;

        bench_paint(bench);
        bench_press(bench, row->before);
        before = grid_dump(bench->grid, true);
        bench_press(bench, row->keys);
        after = grid_dump(bench->grid, true);
        if (strcmp(before, after) == 0)
            wrong += complain(row, "changed nothing", "", after);
        if (row->shows != NULL && !shows_texts(bench, row->shows, true))
            wrong += complain(row, "does not show", row->shows, after);
        if (row->hides != NULL && shows_texts(bench, row->hides, false))
            wrong += complain(row, "still shows", row->hides, after);
        if (row->under != NULL && !is_under_cursor(bench, row->under))
            wrong += complain(row, "has no cursor on", row->under, after);
        free(before);
        free(after);
        bench_free(bench);
    }
    assert_int_equal(wrong, 0);
}

/* On a screen that shows eight rows. */
static void pages_are_what_is_shown(void **state)
{
    static const struct {
        const char *keys, *under;
    } pages[] = {
        { "PgDn", "_raw_spin_unlock_irqrestore  " },
        { "PgDn PgUp", "acme::Table<std::string, long>::sum  " },
        { "End PgUp", "eval  " },
        { "^D", "acme::Table::insert  " },
        { "^D ^D ^U", "acme::Table::insert  " },
        { "End ^U", "worker  " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        struct bench *bench = bench_new(80, 14, false, false, true);

        bench_paint(bench);
        bench_press(bench, pages[i].keys);
        if (!is_under_cursor(bench, pages[i].under))
            fail_msg("%s leads to %s", pages[i].keys, bench_row(bench, bench_cursor(bench)));
        bench_free(bench);
    }
}

static enum role role_of(struct bench *bench, const char *name)
{
    for (int row = TABLE_FIRST; row < bench->grid->rows; row++) {
        const char *found = strstr(bench_row(bench, row), name);

        if (found != NULL)
            return grid_at(bench->grid, row, (int)(found - bench_row(bench, row)))->role;
    }
    return ROLE_NORMAL;
}

static void highlighting_is_seen_everywhere(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    bench_paint(bench);
    bench_press(bench, "Down # g");
    assert_int_equal(role_of(bench, "hash1"), ROLE_MATCH);
    bench_press(bench, "2 g");
    assert_int_equal(role_of(bench, "hash1"), ROLE_MATCH);
    bench_press(bench, "1 Down # g");
    assert_int_not_equal(role_of(bench, "hash1"), ROLE_MATCH);
    bench_free(bench);
}

static void every_row_of_the_table_has_a_case(void **state)
{
    (void)state;
    for (unsigned action = 0; action < ACTIONS; action++) {
        bool found = false;

        for (size_t i = 0; i < ROWS; i++)
            found |= rows[i].action == action;
        for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
            found |= elsewhere[i] == action;
        if (!found)
            fail_msg("no case for action %u (%s)", action, action_table[action].name);
        assert_non_null(action_table[action].name);
    }
}

static void help_is_read_whole_on_80_columns(void **state)
{
    const int columns = 80 - 22;

    (void)state;
    for (unsigned action = 0; action < ACTIONS; action++)
        if (action_table[action].help != NULL && text_width(action_table[action].help) > columns)
            fail_msg("too long: %s", action_table[action].help);
}

/* What the numbers of each view mean is read whole too: as where there is more room. */
static void meanings_are_read_whole_on_80_columns(void **state)
{
    struct bench *narrow = bench_new(80, 90, false, false, true),
                 *wide = bench_new(200, 90, false, false, true);

    (void)state;
    bench_paint(narrow);
    bench_paint(wide);
    for (char view = '1'; view <= '8'; view++) {
        char keys[8], cut[1024];

        snprintf(keys, sizeof(keys), "%c ?", view);
        bench_press(narrow, keys);
        bench_press(wide, keys);
        for (int row = 1; row < 90; row++) {
            snprintf(cut, sizeof(cut), "%s", bench_row(narrow, row));
            assert_memory_equal(bench_row(wide, row), cut, strlen(cut));
        }
        bench_press(narrow, "Esc");
        bench_press(wide, "Esc");
    }
    bench_free(narrow);
    bench_free(wide);
}

static void help_is_read_in_ascii(void **state)
{
    struct bench *bench = bench_new(80, 90, false, true, true);

    (void)state;
    bench_paint(bench);
    bench_press(bench, "?");
    assert_true(bench_shows(bench, " N +- "));
    for (int row = 1; row < 90; row++)
        if (strncmp(bench_row(bench, row), " ? F1", 5) != 0)
            assert_null(strchr(bench_row(bench, row), '?'));
    bench_free(bench);
}

/* The title promises more only where more follows. */
static void help_knows_its_last_page(void **state)
{
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    bench_paint(bench);
    bench_press(bench, "?");
    assert_true(bench_shows(bench, "(1/4, PgDn for more)"));
    bench_press(bench, "PgDn PgDn PgDn PgDn");
    assert_true(bench_shows(bench, "(4/4)"));
    bench_free(bench);
}

/* A key that two actions of one view claim would reach only the first. */
static void no_key_means_two_things(void **state)
{
    (void)state;
    for (unsigned v = 0; v < view_count; v++)
        for (unsigned a = 1; a < ACTIONS; a++) {
            char keys[128], *rest = NULL;

            if (!keys_in_view(&action_table[a], view_table[v]->name))
                continue;
            snprintf(keys, sizeof(keys), "%s", action_table[a].keys);
            for (char *key = strtok_r(keys, " ", &rest); key != NULL;
                 key = strtok_r(NULL, " ", &rest)) {
                assert_int_not_equal(keys_parse(key), KEYCODE_NONE);
                assert_int_equal(keys_action(keys_parse(key), view_table[v]->name), a);
            }
        }
}

static void wishes_reach_the_loop(void **state)
{
    static const struct {
        const char *key;
        enum app_wish wish;
    } wishes[] = { { "q", WISH_QUIT },  { "F10", WISH_QUIT },  { "Q", WISH_QUIT },
                   { "^C", WISH_QUIT }, { "^L", WISH_REDRAW }, { "^Z", WISH_SUSPEND },
                   { "y", WISH_COPY } };
    struct bench *bench = bench_new(80, 24, false, false, true);

    (void)state;
    bench_paint(bench);
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        bench_press(bench, wishes[i].key);
        assert_int_equal(app_wish(bench->app), wishes[i].wish);
        assert_int_equal(app_wish(bench->app), WISH_NONE);
    }
    bench_press(bench, "? q"); /* closes the help only */
    assert_int_equal(app_wish(bench->app), WISH_NONE);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_does_what_help_says),
        cmocka_unit_test(pages_are_what_is_shown),
        cmocka_unit_test(highlighting_is_seen_everywhere),
        cmocka_unit_test(every_row_of_the_table_has_a_case),
        cmocka_unit_test(help_is_read_whole_on_80_columns),
        cmocka_unit_test(meanings_are_read_whole_on_80_columns),
        cmocka_unit_test(help_is_read_in_ascii),
        cmocka_unit_test(help_knows_its_last_page),
        cmocka_unit_test(no_key_means_two_things),
        cmocka_unit_test(wishes_reach_the_loop),
    };

    if (setlocale(LC_ALL, "C.UTF-8") == NULL || setenv("TZ", "UTC", 1) != 0)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
