/* SPDX-License-Identifier: MIT */
/* The launched command's terminal: what it prints, when, and what is typed back. */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "proftop/key.h"
#include "screen_fixture.h"
#include "src/view/output.h"
#include "tests/harness/testing.h"

static void feed(struct output *output, const char *text, uint64_t now_ns)
{
    output_feed(output, text, strlen(text), now_ns);
}

static const char *line(const struct output *output, int index)
{
    static char text[512];
    size_t length;

    output_line_text(output, index, text, sizeof(text));
    length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    return text;
}

static void lines_scroll_away_and_stay(void **state)
{
    struct output *output = output_new(20, 5);
    char text[32];

    (void)state;
    for (int i = 0; i < 10; i++) {
        snprintf(text, sizeof(text), "line %d\r\n", i);
        feed(output, text, (uint64_t)i + 1);
    }
    assert_int_equal(output_scrolled(output), 6);
    assert_string_equal(line(output, 0), "line 0");
    assert_string_equal(line(output, 9), "line 9");
    output_free(output);
}

/* What a range shows depends on when a line was written, also after it has moved. */
static void lines_know_when_they_were_written(void **state)
{
    struct output *output = output_new(20, 5);

    (void)state;
    feed(output, "one\r\n", 100);
    feed(output, "two\r\n", 200);
    feed(output, "three\r\n", 300);
    feed(output, "four\r\n\r\n\r\nlast", 400);
    assert_true(output_scrolled(output) > 0);
    assert_int_equal(output_line_time(output, 0), 100);
    assert_int_equal(output_line_time(output, 1), 200);
    assert_int_equal(output_line_time(output, 3), 400);
    assert_int_equal(output_line_time(output, 99), 0);
    output_free(output);
}

static void colours_and_styles_are_kept(void **state)
{
    struct output *output = output_new(20, 5);
    struct grid *grid = grid_new(20, 3, false);

    (void)state;
    feed(output, "\033[1;31mred\033[0m \033[7mback\033[0m", 1);
    output_draw(output, 0, grid, 0, 0, 20);
    assert_int_equal(grid_at(grid, 0, 0)->foreground, 1);
    assert_true(grid_at(grid, 0, 0)->style & STYLE_BOLD);
    assert_true(grid_at(grid, 0, 4)->style & STYLE_REVERSE);
    assert_int_equal(grid_at(grid, 0, 3)->foreground, -1);
    grid_free(grid);
    output_free(output);
}

static void the_other_screen_has_no_history(void **state)
{
    struct output *output = output_new(20, 5);

    (void)state;
    feed(output,
         "a\r\n"
         "b\r\n"
         "c\r\n"
         "d\r\n"
         "e\r\n"
         "f\r\n",
         1);
    assert_true(output_scrolled(output) > 0);
    feed(output, "\033[?1049h\033[2J\033[HEDITOR", 2);
    assert_int_equal(output_scrolled(output), 0);
    assert_string_equal(line(output, 0), "EDITOR");
    feed(output, "\033[?1049l", 3);
    assert_string_equal(line(output, 0), "a");
    output_free(output);
}

static void keys_become_bytes(void **state)
{
    static const struct {
        uint32_t code;
        const char *bytes;
    } keys[] = { { 'a', "a" },
                 { 3, "\003" },
                 { KEYCODE_ENTER, "\r" },
                 { KEYCODE_UP, "\033[A" },
                 { 0xe9, "\xc3\xa9" },
                 { KEYCODE_ESCAPE, "\033" } };
    struct output *output = output_new(20, 5);
    char bytes[32];

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        size_t count;

        output_type(output, keys[i].code);
        count = output_take(output, bytes, sizeof(bytes));
        assert_int_equal(count, strlen(keys[i].bytes));
        assert_memory_equal(bytes, keys[i].bytes, count);
        assert_int_equal(output_take(output, bytes, sizeof(bytes)), 0);
    }
    output_free(output);
}

/* A flood of questions ("where is the cursor?") is answered within bounds. */
static void answers_are_bounded(void **state)
{
    struct output *output = output_new(20, 5);
    char bytes[65536];

    (void)state;
    for (int i = 0; i < 10000; i++)
        feed(output, "\033[6n", 1);
    assert_true(output_take(output, bytes, sizeof(bytes)) <= 4096);
    output_free(output);
}

static void any_bytes_keep_the_grid_sane(void **state)
{
    struct output *output = output_new(30, 8);
    struct grid *grid = grid_new(40, 8, false);
    uint32_t seed = 99;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        char bytes[64];

        for (size_t i = 0; i < sizeof(bytes); i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = seed >> 28 == 0 ? '\033' : seed >> 28 == 1 ? '[' : (char)(seed >> 16);
        }
        output_feed(output, bytes, sizeof(bytes), (uint64_t)round);
        if (seed >> 29 == 0)
            output_resize(output, (int)(seed >> 8 & 63), (int)(seed >> 16 & 15));
        grid_clear(grid);
        for (int row = 0; row < grid->rows; row++)
            output_draw(output, output_lines(output) - grid->rows + row, grid, row, 0, 40);
        grid_check(grid);
    }
    grid_free(grid);
    output_free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_scroll_away_and_stay),
        cmocka_unit_test(lines_know_when_they_were_written),
        cmocka_unit_test(colours_and_styles_are_kept),
        cmocka_unit_test(the_other_screen_has_no_history),
        cmocka_unit_test(keys_become_bytes),
        cmocka_unit_test(answers_are_bounded),
        cmocka_unit_test(any_bytes_keep_the_grid_sane),
    };

    if (setlocale(LC_ALL, "C.UTF-8") == NULL)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
