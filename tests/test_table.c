/* SPDX-License-Identifier: MIT */
/* Tables as a person and as a program reads them. */
#include "config.h"

#include "proftop/table.h"

#include <string.h>

#include "tests/harness/testing.h"

static const struct column columns[] = {
    { .key = "share", .heading = "SHARE", .decimals = 1 },
    { .key = "name", .heading = "NAME", .left = true },
    { .key = "where", .heading = "WHERE", .left = true },
};

static void add_row(struct table *table, double share, const char *name, const char *where)
{
    table_number(table, share);
    table_text(table, name);
    table_text(table, where);
}

/* What PRINT makes of ROWS, until the next. */
static const char *printed(void (*print)(const struct table *table, FILE *stream),
                           void (*rows)(struct table *table))
{
    static char text[1024];
    FILE *stream = fmemopen(text, sizeof(text), "w");
    struct table table;

    assert_non_null(stream);
    table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
    rows(&table);
    print(&table, stream);
    table_fini(&table);
    fclose(stream);
    return text;
}

static void two_rows(struct table *table)
{
    add_row(table, 98.25, "a, \"b\"", "x.c:1");
    add_row(table, 1.5, "main", "");
}

static void columns_are_aligned_for_a_person(void **state)
{
    const char *text = printed(table_print_text, two_rows);

    (void)state;
    assert_string_equal(text, "SHARE  NAME    WHERE\n"
                              " 98.2  a, \"b\"  x.c:1\n"
                              "  1.5  main\n");
}

static void cells_are_quoted_for_a_program(void **state)
{
    const char *text = printed(table_print_csv, two_rows);

    (void)state;
    assert_non_null(strstr(text, "share,name,where\r\n"));
    assert_non_null(strstr(text, ",\"a, \"\"b\"\"\",x.c:1\r\n"));
}

/* The name of a C++ template may be longer than any terminal. */
static char long_name[301];

static void a_long_row(struct table *table)
{
    memset(long_name, 'n', sizeof(long_name) - 1);
    add_row(table, 1, long_name, "here");
    add_row(table, 2, "main", "there");
}

static void a_long_cell_moves_its_own_line_only(void **state)
{
    const char *text = printed(table_print_text, a_long_row), *second = strstr(text, "main");

    (void)state;
    assert_non_null(strstr(text, "nnn  here\n"));
    assert_true(strcspn(second, "\n") < 80);
    assert_non_null(strstr(second, "  there\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned_for_a_person),
        cmocka_unit_test(cells_are_quoted_for_a_program),
        cmocka_unit_test(a_long_cell_moves_its_own_line_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
