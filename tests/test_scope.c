/* SPDX-License-Identifier: MIT */
/* Ranges as people write them, and when two scopes ask the same. */
#include "config.h"

#include "proftop/scope.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proftop/clock.h"
#include "tests/harness/testing.h"

#define START_NS (100 * NS_PER_S)
/* The start is at 12:30:00 UTC of some day. */
#define OFFSET_NS (INT64_C(1699965000) * INT64_C(1000000000) - (int64_t)START_NS)

static struct scope parse(const char *text)
{
    struct error error = { 0 };
    struct scope scope;

    scope_init(&scope);
    assert_true(scope_parse_range(&scope, text, START_NS, OFFSET_NS, &error));
    return scope;
}

static void assert_range(const char *text, double start_s, double end_s)
{
    struct scope scope = parse(text);

    assert_int_equal(scope.start_ns, START_NS + (uint64_t)(start_s * 1e9));
    assert_int_equal(scope.end_ns, START_NS + (uint64_t)(end_s * 1e9));
}

static void ranges_are_seconds_or_clock_times(void **state)
{
    (void)state;
    assert_range("12..30", 12, 30);
    assert_range("12.5..30.25", 12.5, 30.25);
    assert_range("12s..30s", 12, 30);
    assert_range("1:04..2:00", 64, 120);
    assert_range("0:01:04..1:00:00", 64, 3600);
    assert_range("12:30:21..12:30:40.5", 21, 40.5);
    assert_range("0..12:31:00", 0, 60);
}

static void either_end_may_be_left_out(void **state)
{
    (void)state;
    assert_int_equal(parse("..").start_ns, 0);
    assert_int_equal(parse("..").end_ns, UINT64_MAX);
    assert_int_equal(parse("5..").start_ns, START_NS + 5 * NS_PER_S);
    assert_int_equal(parse("5..").end_ns, UINT64_MAX);
    assert_int_equal(parse("..7").end_ns, START_NS + 7 * NS_PER_S);
}

static void what_is_no_range_is_refused(void **state)
{
    static const char *const texts[] = {
        "",        "5",     "a..b",   "5..4",  "5..5",         "1:2..9",       "1:70..", "-1..2",
        "1..2..3", "1e3..", "1.x..2", " 1..2", "9999999999..", "1:00:00:00..", "."
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct error error = { 0 };
        struct scope scope, before;

        scope_init(&scope);
        before = scope;
        assert_false(scope_parse_range(&scope, texts[i], START_NS, OFFSET_NS, &error));
        assert_int_equal(error.code, STATUS_USAGE);
        assert_true(scope_equal(&scope, &before));
    }
}

static void scopes_are_equal_when_they_ask_the_same(void **state)
{
    struct scope a, b;

    (void)state;
    scope_init(&a);
    scope_init(&b);
    assert_true(scope_equal(&a, &b));
    strcpy(b.filter, "x");
    assert_false(scope_equal(&a, &b));
    b = a;
    b.threads[3] = 7;
    assert_false(scope_equal(&a, &b));
    b = a;
    b.hide_kernel = true;
    assert_false(scope_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_seconds_or_clock_times),
        cmocka_unit_test(either_end_may_be_left_out),
        cmocka_unit_test(what_is_no_range_is_refused),
        cmocka_unit_test(scopes_are_equal_when_they_ask_the_same),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
