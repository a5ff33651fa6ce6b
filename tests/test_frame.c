/* SPDX-License-Identifier: MIT */
/* Every end of a stack and every wait has words of its own. */
#include "config.h"

#include "proftop/frame.h"

#include <string.h>

#include "proftop/clock.h"
#include "proftop/record.h"
#include "tests/harness/testing.h"

static void every_stack_end_has_its_own_words(void **state)
{
    (void)state;
    for (int i = 0; i < STACK_ENDS; i++) {
        assert_true(strlen(stack_end_text(i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(stack_end_text(i), stack_end_text(j));
    }
    assert_string_equal(stack_end_text(1000), stack_end_text(STACK_NONE));
}

static void every_wait_reason_has_its_own_words(void **state)
{
    (void)state;
    for (int i = 0; i < WAIT_REASONS; i++) {
        assert_true(strlen(wait_reason_text(i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(wait_reason_text(i), wait_reason_text(j));
    }
    assert_string_equal(wait_reason_text(1000), wait_reason_text(WAIT_UNKNOWN));
}

static void clocks_go_forward(void **state)
{
    uint64_t now = clock_now_ns(), cpu = clock_thread_cpu_ns();

    (void)state;
    while (clock_thread_cpu_ns() == cpu)
        continue;
    assert_true(clock_now_ns() > now);
    assert_true(clock_process_cpu_ns() >= clock_thread_cpu_ns() - cpu);
    /* The date is after 2020 and before 2200. */
    assert_in_range((now + (uint64_t)clock_realtime_offset_ns()) / NS_PER_S, 1577836800,
                    7258118400);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stack_end_has_its_own_words),
        cmocka_unit_test(every_wait_reason_has_its_own_words),
        cmocka_unit_test(clocks_go_forward),
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
