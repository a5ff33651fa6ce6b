/* SPDX-License-Identifier: MIT */
/* Numbers as views write them. */
#include "config.h"

#include "src/view/format.h"

#include "proftop/clock.h"
#include "tests/harness/testing.h"

/* Two seconds of METRIC. */
static struct fold two_seconds(enum metric metric)
{
    struct fold fold = { .start_ns = NS_PER_S, .end_ns = 3 * NS_PER_S };

    scope_init(&fold.scope);
    fold.scope.metric = metric;
    return fold;
}

static void a_second_has_cores_events_or_bytes(void **state)
{
    struct fold time = two_seconds(METRIC_TIME), faults = two_seconds(METRIC_FAULTS);
    struct fold bytes = two_seconds(METRIC_READ);
    char text[FORMAT_MAX];

    (void)state;
    assert_string_equal(format_cores(text, &time, 3 * NS_PER_S), "1.50");
    assert_string_equal(format_cores(text, &time, 0), "-");
    assert_string_equal(format_cores(text, &time, NS_PER_S / 1000), "-");
    assert_string_equal(format_cores(text, &faults, 84), "42");
    assert_string_equal(format_cores(text, &faults, 3000000), "1.5M");
    assert_string_equal(format_cores(text, &faults, 0), "-");
    assert_string_equal(format_cores(text, &bytes, 2 * 3 << 20), "3.0M");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_has_cores_events_or_bytes),
    };

    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
