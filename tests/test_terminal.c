/* SPDX-License-Identifier: MIT */
/* The terminal harness itself: a small program draws known cells and answers keys. */
#include "config.h"

#include "tests/harness/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/harness/golden.h"
#include "tests/harness/testing.h"

static struct terminal *open_painter(const struct terminal_config *config)
{
    char *path = testing_built("tests/victims/painter");
    const char *argv[] = { path, NULL };
    struct terminal *terminal = terminal_open(argv, config);

    free(path);
    return terminal;
}

static void a_screen_is_its_text_and_attributes(void **state)
{
    struct terminal *terminal = open_painter(&(struct terminal_config){ .columns = 40, .rows = 6 });

    (void)state;
    assert_true(terminal_wait_paint(terminal));
    golden_check_terminal("terminal-harness", terminal);
    assert_true(terminal_is_alternate(terminal));
    assert_false(terminal_has_mouse(terminal));
    terminal_close(terminal);
}

static void a_key_brings_the_next_paint(void **state)
{
    struct terminal *terminal = open_painter(NULL);
    char *row;
    int column, line;
    bool visible;

    (void)state;
    assert_true(terminal_wait_paint(terminal));
    terminal_type(terminal, "a");
    assert_true(terminal_wait_paint(terminal));
    row = terminal_row(terminal, 4);
    assert_string_equal(row, "keys: a");
    free(row);
    terminal_cursor(terminal, &column, &line, &visible);
    assert_int_equal(column, 7);
    assert_int_equal(line, 4);
    assert_false(visible);
    terminal_close(terminal);
}

static void a_paint_is_whole_each_time(void **state)
{
    struct terminal *terminal = open_painter(NULL);
    char expected[64] = "keys: ";

    (void)state;
    assert_true(terminal_wait_paint(terminal));
    for (char key = 'A'; key <= 'Z'; key++) {
        char typed[2] = { key, '\0' }, *row;

        strcat(expected, typed);
        terminal_type(terminal, typed);
        assert_true(terminal_wait_paint(terminal));
        row = terminal_row(terminal, 4);
        assert_string_equal(row, expected);
        free(row);
    }
    terminal_close(terminal);
}

static void a_resize_reaches_the_program(void **state)
{
    struct terminal *terminal = open_painter(NULL);

    (void)state;
    assert_true(terminal_wait_text(terminal, "80x24"));
    terminal_resize(terminal, 50, 10);
    assert_true(terminal_wait_text(terminal, "50x10"));
    assert_true(terminal_wait_gone(terminal, "80x24"));
    terminal_close(terminal);
}

static void the_end_gives_status_and_settings(void **state)
{
    struct terminal *terminal = open_painter(NULL);
    char *before, *during, *after;
    const char *bytes;
    int status;

    (void)state;
    before = terminal_settings(terminal);
    assert_true(terminal_wait_paint(terminal));
    during = terminal_settings(terminal);
    terminal_type(terminal, "q");
    status = terminal_wait_exit(terminal);
    after = terminal_settings(terminal);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
    assert_false(terminal_is_alternate(terminal));
    assert_string_not_equal(before, during);
    assert_string_equal(before, after);
    assert_true(terminal_bytes(terminal, &bytes) > 0);
    assert_non_null(strstr(bytes, "\033[?1049l"));
    free(before);
    free(during);
    free(after);
    terminal_close(terminal);
}

static void waiting_for_what_never_comes_ends(void **state)
{
    struct terminal *terminal = open_painter(NULL);

    (void)state;
    assert_true(terminal_wait_paint(terminal));
    terminal_type(terminal, "q");
    assert_false(terminal_wait_text(terminal, "never"));
    assert_false(terminal_wait_paint(terminal));
    terminal_close(terminal);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_screen_is_its_text_and_attributes),
        cmocka_unit_test(a_key_brings_the_next_paint),
        cmocka_unit_test(a_paint_is_whole_each_time),
        cmocka_unit_test(a_resize_reaches_the_program),
        cmocka_unit_test(the_end_gives_status_and_settings),
        cmocka_unit_test(waiting_for_what_never_comes_ends),
    };

    return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
