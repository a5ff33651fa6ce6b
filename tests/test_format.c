/* SPDX-License-Identifier: MIT */
/* Numbers as views write them. */
#include "config.h"

#include "src/view/format.h"

#include <string.h>

#include "proftop/clock.h"
#include "proftop/text.h"
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

/* Beside the name of what it is said of, on 80 columns. */
static void code_without_a_name_has_a_way_on(void **state)
{
    const struct function function = { .kind = FRAME_JIT, .name = "[code without a name]" };
    const char *way_on = format_footnote(&function);

    (void)state;
    assert_non_null(strstr(way_on, "node --perf-basic-prof"));
    assert_non_null(strstr(way_on, "jcmd PID Compiler.perfmap"));
    assert_true(text_width(function.name) + 2 + text_width(way_on) <= 80);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_has_cores_events_or_bytes),
        cmocka_unit_test(code_without_a_name_has_a_way_on),
    };

    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
