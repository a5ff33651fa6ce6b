/* SPDX-License-Identifier: MIT */
/* Texts of strangers: what reaches the screen of them, and how wide it is. */
#include "config.h"

#include "proftop/text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *fit(const char *text, int columns, bool ascii)
{
    static char buffer[256];

    text_fit(buffer, sizeof(buffer), text, columns, ascii);
    return buffer;
}

static void plain_text_stays(void **state)
{
    (void)state;
    assert_string_equal(fit("main", 10, false), "main");
    assert_int_equal(text_width("main"), 4);
    assert_int_equal(text_width(""), 0);
}

static void escapes_become_questions(void **state)
{
    (void)state;
    assert_string_equal(fit("\033[31mred\007", 20, false), "?[31mred?");
    assert_string_equal(fit("a\nb\rc\177", 20, false), "a?b?c?");
    assert_string_equal(fit("\302\233[2J", 20, false), "?[2J"); /* the C1 form of CSI */
}

static void invalid_bytes_are_replaced_one_by_one(void **state)
{
    (void)state;
    assert_string_equal(fit("a\xff\xfe z", 20, false), "a\ufffd\ufffd z");
    assert_string_equal(fit("\xc0\xaf", 20, false), "\ufffd\ufffd");           /* overlong */
    assert_string_equal(fit("\xed\xa0\x80", 20, false), "\ufffd\ufffd\ufffd"); /* a surrogate */
    assert_string_equal(fit("\xe6\xbc", 20, false), "\ufffd\ufffd");           /* cut short */
    assert_string_equal(fit("a\xff", 20, true), "a?");
}

static void wide_characters_take_two(void **state)
{
    (void)state;
    assert_int_equal(text_width("漢字"), 4);
    assert_string_equal(fit("漢字x", 5, false), "漢字x");
    assert_string_equal(fit("漢字x", 4, false), "漢…");
    assert_string_equal(fit("漢字x", 3, false), "漢…");
    assert_string_equal(fit("漢字x", 2, false), "…");
}

static void marks_ride_along_bounded(void **state)
{
    const char *text = "e\u0301x";
    char buffer[24];

    (void)state;
    assert_int_equal(text_width(text), 2);
    assert_int_equal(text_next(&text, buffer, sizeof(buffer), false), 1);
    assert_string_equal(buffer, "e\u0301");
    text = "a\u0301\u0302\u0303\u0304\u0305\u0306z";
    assert_int_equal(text_next(&text, buffer, sizeof(buffer), false), 1);
    assert_string_equal(buffer, "a\u0301\u0302\u0303");
    assert_string_equal(text, "z");
    text = "\u0301";
    assert_int_equal(text_next(&text, buffer, sizeof(buffer), false), 1);
    assert_string_equal(buffer, " \u0301");
}

static void direction_and_joiners_are_dropped(void **state)
{
    (void)state;
    assert_string_equal(fit("a\u202eb\u2066c\u200dd\ufeff", 20, false), "abcd");
    assert_int_equal(text_width("\u200b\u200b"), 0);
    assert_string_equal(fit("\u05d0\u05d1", 20, false), "\u05d0\u05d1");
}

static void a_cut_never_overflows(void **state)
{
    char buffer[8];

    (void)state;
    for (int columns = 0; columns < 12; columns++)
        assert_true(text_width(fit("ab漢字cd\033漢", columns, false)) <= columns);
    text_fit(buffer, sizeof(buffer), "漢字漢字漢字", 100, false);
    assert_true(strlen(buffer) < sizeof(buffer));
    assert_int_equal(strlen(buffer) % 3, 0); /* no half character */
}

static void numbers_are_short(void **state)
{
    char buffer[24];

    (void)state;
    assert_string_equal(text_bytes(buffer, 0), "0");
    assert_string_equal(text_bytes(buffer, 486), "486");
    assert_string_equal(text_bytes(buffer, 1536), "1.5K");
    assert_string_equal(text_bytes(buffer, 12.5 * 1024 * 1024), "12.5M");
    assert_string_equal(text_bytes(buffer, 1000), "1.0K");
    assert_string_equal(text_count(buffer, 18700), "18.7k");
    assert_string_equal(text_count(buffer, 0.25), "0.2");
    assert_string_equal(text_count(buffer, 455), "455");
    assert_string_equal(text_count(buffer, 999.7), "1.0k");
    assert_true(strlen(text_bytes(buffer, 1e30)) < 16);
    assert_string_equal(text_elapsed(buffer, 64 * UINT64_C(1000000000)), "1:04");
    assert_string_equal(text_elapsed(buffer, 7389 * UINT64_C(1000000000)), "2:03:09");
    assert_string_equal(text_duration(buffer, 12300000), "12.3 ms");
    assert_string_equal(text_duration(buffer, 4100000000), "4.1 s");
    assert_string_equal(text_duration(buffer, 250), "250 ns");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays),
        cmocka_unit_test(escapes_become_questions),
        cmocka_unit_test(invalid_bytes_are_replaced_one_by_one),
        cmocka_unit_test(wide_characters_take_two),
        cmocka_unit_test(marks_ride_along_bounded),
        cmocka_unit_test(direction_and_joiners_are_dropped),
        cmocka_unit_test(a_cut_never_overflows),
        cmocka_unit_test(numbers_are_short),
    };

    if (setlocale(LC_ALL, "C.UTF-8") == NULL)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
