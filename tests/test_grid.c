/* SPDX-License-Identifier: MIT */
/* The grid: whatever is drawn, every row stays as wide as the screen and printable. */
#include "config.h"

#include "proftop/grid.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proftop/text.h"

static const char *row_text(struct grid *grid, int row)
{
    static char text[4096];

    text[0] = '\0';
    for (int column = 0; column < grid->columns; column++)
        strcat(text, grid_at(grid, row, column)->text);
    return text;
}

/* No control byte, and the widths add up. */
static void check_sane(struct grid *grid)
{
    for (int row = 0; row < grid->rows; row++) {
        int columns = 0;

        for (int column = 0; column < grid->columns; column++) {
            const struct cell *cell = grid_at(grid, row, column);

            columns += cell->width;
            for (const char *at = cell->text; *at != '\0'; at++)
                assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
            assert_int_equal(text_width(cell->text), cell->width);
        }
        assert_int_equal(columns, grid->columns);
    }
}

static void text_is_cut_with_an_ellipsis(void **state)
{
    struct grid *grid = grid_new(12, 2, false);

    (void)state;
    assert_int_equal(grid_text(grid, 0, 0, 6, ROLE_NORMAL, "function"), 6);
    assert_string_equal(row_text(grid, 0), "funct…      ");
    assert_int_equal(grid_text(grid, 1, 8, 10, ROLE_NORMAL, "worker"), 4);
    assert_string_equal(row_text(grid, 1), "        wor…");
    grid_free(grid);
}

static void numbers_sit_right(void **state)
{
    struct grid *grid = grid_new(8, 1, false);

    (void)state;
    assert_int_equal(grid_text_right(grid, 0, 0, 6, ROLE_NORMAL, "38.6"), 6);
    assert_string_equal(row_text(grid, 0), "  38.6  ");
    grid_free(grid);
}

static void wide_characters_are_never_halved(void **state)
{
    struct grid *grid = grid_new(6, 1, false);

    (void)state;
    grid_text(grid, 0, 0, 6, ROLE_NORMAL, "漢字漢");
    assert_string_equal(row_text(grid, 0), "漢字漢");
    grid_text(grid, 0, 1, 1, ROLE_NORMAL, "x");
    assert_string_equal(row_text(grid, 0), " x字漢");
    grid_text(grid, 0, 2, 1, ROLE_NORMAL, "y");
    assert_string_equal(row_text(grid, 0), " xy 漢");
    grid_text(grid, 0, 3, 2, ROLE_NORMAL, "語");
    assert_string_equal(row_text(grid, 0), " xy語 ");
    grid_text(grid, 0, 5, 2, ROLE_NORMAL, "語");
    check_sane(grid);
    grid_free(grid);
}

static void ascii_grids_hold_ascii(void **state)
{
    struct grid *grid = grid_new(16, 4, true);
    const double values[] = { 0, 1, 2, 3, 4, NAN, INFINITY, -1 };

    (void)state;
    grid_text(grid, 0, 0, 16, ROLE_NORMAL, "漢é\xff a very long name");
    grid_bar(grid, 1, 0, 10, ROLE_BAR, 0.5);
    grid_spark(grid, 2, 0, 8, ROLE_BAR, values, 4);
    grid_fill(grid, 3, 0, 16, ROLE_DIM, "─");
    assert_string_equal(row_text(grid, 1), "#####           ");
    assert_string_equal(row_text(grid, 3), "----------------");
    for (int row = 0; row < 4; row++)
        for (const char *at = row_text(grid, row); *at != '\0'; at++)
            assert_true((unsigned char)*at < 0x80);
    grid_free(grid);
}

static void bars_have_eighths(void **state)
{
    struct grid *grid = grid_new(4, 1, false);
    const struct {
        double share;
        const char *text;
    } cases[] = { { 0, "    " }, { 1, "████" },  { 0.5, "██  " }, { 0.001, "▏   " },
                  { 2, "████" }, { -1, "    " }, { NAN, "    " }, { 0.28125, "█▏  " } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        grid_clear(grid);
        grid_bar(grid, 0, 0, 4, ROLE_BAR, cases[i].share);
        assert_string_equal(row_text(grid, 0), cases[i].text);
    }
    grid_free(grid);
}

static void outside_is_ignored(void **state)
{
    struct grid *grid = grid_new(4, 2, false);
    const double value = 1;

    (void)state;
    grid_text(grid, -1, 0, 4, ROLE_NORMAL, "x");
    grid_text(grid, 2, 0, 4, ROLE_NORMAL, "x");
    grid_text(grid, 0, 4, 4, ROLE_NORMAL, "x");
    grid_text(grid, 0, -3, 4, ROLE_NORMAL, "x");
    grid_text(grid, 0, 0, -5, ROLE_NORMAL, "x");
    grid_fill(grid, 9, 9, 9, ROLE_DIM, "─");
    grid_bar(grid, 0, 9, 9, ROLE_BAR, 1);
    grid_spark(grid, 0, -1, 1, ROLE_BAR, &value, 1);
    grid_role(grid, 5, 5, 5, ROLE_DIM);
    grid_style(grid, -5, 5, 5, STYLE_BOLD);
    assert_string_equal(row_text(grid, 0), "    ");
    assert_string_equal(row_text(grid, 1), "    ");
    assert_null(grid_at(grid, 2, 0));
    grid_free(grid);
}

static void random_bytes_keep_a_row_whole(void **state)
{
    struct grid *grid = grid_new(23, 5, false);
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[40];
        size_t length = (seed = seed * 1103515245 + 12345) >> 16 & 31;

        for (size_t i = 0; i < length; i++)
            text[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
        text[length] = '\0';
        if (round % 3 == 0)
            memcpy(text, "漢", 3);
        seed = seed * 1103515245 + 12345;
        grid_text(grid, (int)(seed >> 8 & 7) - 1, (int)(seed >> 12 & 31) - 2,
                  (int)(seed >> 20 & 15), ROLE_NORMAL, text);
    }
    check_sane(grid);
    grid_free(grid);
}

/* Broken behind words, a word that is longer than a line inside it; nothing is left out but blanks.
 */
static void sentences_are_broken_into_lines(void **state)
{
    struct grid *grid = grid_new(10, 4, false);

    (void)state;
    assert_int_equal(grid_lines_taken("", 10), 0);
    assert_int_equal(grid_lines_taken("one two three four", 10), 2);
    assert_int_equal(grid_lines_taken("0123456789abc", 10), 2);
    assert_int_equal(grid_lines_taken("漢字漢字漢字", 5), 3);
    assert_int_equal(grid_lines(grid, 0, 0, 10, 3, ROLE_NORMAL, "one two three four five six"), 3);
    assert_string_equal(grid_at(grid, 1, 0)->text, "t");
    assert_string_equal(grid_at(grid, 2, 0)->text, "f");
    assert_int_equal(grid_lines(grid, 0, 0, 10, 1, ROLE_NORMAL, "one two three four five six"), 1);
    assert_string_equal(grid_at(grid, 0, 9)->text, "\u2026");
    check_sane(grid);
    grid_free(grid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cut_with_an_ellipsis),
        cmocka_unit_test(numbers_sit_right),
        cmocka_unit_test(wide_characters_are_never_halved),
        cmocka_unit_test(ascii_grids_hold_ascii),
        cmocka_unit_test(bars_have_eighths),
        cmocka_unit_test(outside_is_ignored),
        cmocka_unit_test(sentences_are_broken_into_lines),
        cmocka_unit_test(random_bytes_keep_a_row_whole),
    };

    if (setlocale(LC_ALL, "C.UTF-8") == NULL)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
