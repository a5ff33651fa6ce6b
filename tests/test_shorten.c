/* SPDX-License-Identifier: MIT */
/* Names of functions made shorter: arguments, template arguments, then the left end. */
#include "config.h"

#include "proftop/symbols.h"

#include <stdio.h>
#include <string.h>

#include "src/symbols/demangle.h"
#include "tests/harness/testing.h"

static void expect(const char *name, size_t columns, const char *wanted)
{
    char out[512];

    assert_string_equal(symbol_shorten(name, columns, out, sizeof(out)), wanted);
}

static void a_name_that_fits_stays_whole(void **state)
{
    (void)state;
    expect("long acme::Table<int>::sum(int) const", 37, "long acme::Table<int>::sum(int) const");
    expect("", 0, "");
}

static void arguments_go_first(void **state)
{
    (void)state;
    expect("long acme::Table<std::string, long>::sum(int, int) const", 40,
           "acme::Table<std::string, long>::sum");
    expect("std::vector<int, std::allocator<int> >::push_back(int const&)", 60,
           "std::vector<int, std::allocator<int> >::push_back");
    expect("foo(int) [clone .cold]", 20, "foo [clone .cold]");
    expect("(anonymous namespace)::run(int)", 30, "(anonymous namespace)::run");
    expect("Foo::operator()(int) const", 20, "Foo::operator()");
    expect("Foo::operator bool() const", 20, "Foo::operator bool");
    expect("main::{lambda(int)#1}::operator()(int) const", 40, "main::{lambda#1}::operator()");
}

static void template_arguments_go_next(void **state)
{
    (void)state;
    expect("long acme::Table<std::string, long>::sum(int, int) const", 20, "acme::Table::sum");
    expect("std::ostream& operator<< <char>(std::ostream&, char)", 12, "operator<<");
    expect("bool operator< <int>(A<int>)", 12, "operator<");
    expect("core::ptr::drop_in_place::<alloc::string::String>", 30, "core::ptr::drop_in_place");
    expect("<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop", 50,
           "<alloc::vec::Vec as core::ops::drop::Drop>::drop");
}

static void the_left_end_goes_last(void **state)
{
    (void)state;
    expect("long acme::Table<std::string, long>::sum(int, int) const", 10, "…able::sum");
    expect("main.(*Server).Serve", 12, "…rver).Serve");
    expect("JS:*fold /home/me/tree.js:12:3", 12, "…ree.js:12:3");
    expect("abc", 1, "…");
    expect("abc", 0, "");
    expect("größe_über_alles", 8, "…r_alles");
}

/* A name of a few random words, as C++ has them. */
static void random_name(uint64_t *state, char out[256])
{
    static const char *const words[] = { "std::", "größe::", "Table<int>", "Table<long>",
                                         "::sum", "(int)",   "(long)",     " const",
                                         "f",     "g",       "a",          "…" };
    size_t length = 0;

    out[0] = '\0';
    for (int i = 0; i < 12; i++) {
        *state = *state * UINT64_C(6364136223846793005) + 1;
        length += (size_t)snprintf(out + length, 256 - length, "%s", words[(*state >> 40) % 12]);
    }
}

static size_t characters_of(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static void two_names_are_never_shown_alike(void **state)
{
    uint64_t random = 7;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char left[256], right[256], left_out[300], right_out[300];
        size_t columns = 4 + (size_t)i % 60;

        random_name(&random, left);
        random_name(&random, right);
        if (i % 3 == 0) /* all alike but for the beginning, or the end */
            snprintf(right, sizeof(right), "x%.250s", left);
        else if (i % 3 == 1)
            snprintf(right, sizeof(right), "%.250sx", left);
        symbol_apart(left, right, columns, left_out, sizeof(left_out));
        symbol_apart(right, left, columns, right_out, sizeof(right_out));
        assert_true(characters_of(left_out) <= columns && characters_of(right_out) <= columns);
        assert_int_equal(strcmp(left, right) == 0, strcmp(left_out, right_out) == 0);
    }
}

static void odd_brackets_do_no_harm(void **state)
{
    static const char *const odd[] = { "(((((",     ")))))",       "a<b(c>d)", "operator",
                                       "operator<", "<<<>",        ">->(",     "a(b",
                                       "::<",       "\xff\xfe(x)", " (" };

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        for (size_t columns = 0; columns < 12; columns++) {
            char out[64];

            symbol_shorten(odd[i], columns, out, sizeof(out));
            assert_true(strlen(out) <= strlen(odd[i]) + strlen("…"));
        }
    }
}

static void expect_demangled(const char *raw, const char *wanted)
{
    char name[DEMANGLED_MAX];

    assert_int_equal(demangle(raw, name), wanted != NULL);
    if (wanted != NULL)
        assert_string_equal(name, wanted);
}

static void cpp_and_both_rusts_are_demangled(void **state)
{
    (void)state;
    expect_demangled("_ZN4acme5TableIiE3sumEv", "acme::Table<int>::sum()");
    expect_demangled("_Z3fooi.cold", "foo(int) [clone .cold]");
    expect_demangled("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad");
    expect_demangled("_RNvCs1234_7mycrate3foo", "mycrate::foo");
    expect_demangled("_ZNSsC1Ev@@GLIBCXX_3.4",
                     "std::basic_string<char, std::char_traits<char>, std::allocator<char> "
                     ">::basic_string()");
    expect_demangled("main", NULL);
    expect_demangled("_Zwhatever", NULL);
    expect_demangled("_init", NULL);
    expect_demangled("", NULL);
}

static void a_name_made_to_exhaust_is_left_raw(void **state)
{
    char deep[4200], out[DEMANGLED_MAX], bomb[256] = "_Z1f";

    (void)state;
    /* As deeply nested as is accepted at all. */
    memset(deep, 'P', sizeof(deep));
    memcpy(deep, "_Z1f", 4);
    strcpy(deep + 4090, "i");
    demangle(deep, out);
    /* Too long. */
    memset(deep, 'P', sizeof(deep));
    memcpy(deep, "_Z1f", 4);
    deep[sizeof(deep) - 1] = '\0';
    expect_demangled(deep, NULL);
    /* Each substitution doubles the text of the one before. */
    strcat(bomb, "1AIiiE");
    for (int i = 0; i < 30; i++) {
        char twice[16];

        snprintf(twice, sizeof(twice), i == 0 ? "S_IS0_S0_E" : "S_IS%c_S%c_E",
                 "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i],
                 "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i]);
        if (strlen(bomb) + strlen(twice) < sizeof(bomb))
            strcat(bomb, twice);
    }
    demangle(bomb, out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_fits_stays_whole),
        cmocka_unit_test(arguments_go_first),
        cmocka_unit_test(template_arguments_go_next),
        cmocka_unit_test(the_left_end_goes_last),
        cmocka_unit_test(two_names_are_never_shown_alike),
        cmocka_unit_test(odd_brackets_do_no_harm),
        cmocka_unit_test(cpp_and_both_rusts_are_demangled),
        cmocka_unit_test(a_name_made_to_exhaust_is_left_raw),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
