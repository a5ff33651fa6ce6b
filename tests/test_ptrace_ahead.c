/* SPDX-License-Identifier: MIT */
/* A stack is read ahead of a stop where that was seen to shorten stops. */
#include "config.h"

#include <unistd.h>

#include "src/source/ptrace_private.h"
#include "tests/harness/testing.h"

enum { STOPS = 4000, TRIED = 200, HELD_NS = 20000, ROOM = 1 << 20 };

static const uint8_t stack[4096] = { [0] = 0x5a };
static uint8_t copy[ROOM];

/* A thread of ours that has a CPU for itself and was stopped before. */
static struct thread thread_of_ours(struct tracked *process)
{
    return (struct thread){ .pid = getpid(),
                            .tid = getpid(),
                            .process = process,
                            .account = { .looked = true },
                            .tracee = { .stack_expected = (uint64_t)(uintptr_t)stack,
                                        .stack_bytes = sizeof(stack) } };
}

/* Of so many stops that are AHEAD_NS long after it was read ahead, how many were. */
static int read_ahead(struct tracer *tracer, struct thread *thread, int stops, uint64_t ahead_ns)
{
    int count = 0;

    for (int i = 0; i < stops; i++) {
        copy[0] = 0;
        tracer_read_ahead(tracer, thread);
        count += copy[0] == stack[0];
        tracer_learn_ahead(tracer, thread, copy[0] == stack[0] ? ahead_ns : HELD_NS);
    }
    return count;
}

static void it_is_where_that_makes_stops_shorter(void **state)
{
    struct tracked process = { 0 };
    struct thread thread = thread_of_ours(&process);
    struct tracer tracer = { .stack = copy };

    (void)state;
    assert_in_range(read_ahead(&tracer, &thread, STOPS, HELD_NS / 2), STOPS * 9 / 10, STOPS - 1);
}

static void it_is_not_where_it_costs_a_call_for_nothing(void **state)
{
    struct tracked process = { 0 };
    struct thread thread = thread_of_ours(&process);
    struct tracer tracer = { .stack = copy };

    (void)state;
    assert_in_range(read_ahead(&tracer, &thread, STOPS, HELD_NS - 1), 1, STOPS / 10);
}

static void it_is_tried_again(void **state)
{
    struct tracked process = { 0 };
    struct thread thread = thread_of_ours(&process);
    struct tracer tracer = { .stack = copy };

    (void)state;
    read_ahead(&tracer, &thread, STOPS, HELD_NS);
    read_ahead(&tracer, &thread, STOPS, HELD_NS / 2);
    assert_true(read_ahead(&tracer, &thread, TRIED, HELD_NS / 2) > TRIED * 3 / 4);
}

/* Whether it helps is asked of each alone. */
static void one_that_is_held_longer_than_the_other_tells_nothing(void **state)
{
    struct tracked process = { 0 };
    struct thread threads[] = { thread_of_ours(&process), thread_of_ours(&process) };
    struct tracer tracer = { .stack = copy };
    int count = 0;

    (void)state;
    for (int i = 0; i < STOPS; i++) {
        struct thread *thread = &threads[i % 2];

        tracer_read_ahead(&tracer, thread);
        count += thread->tracee.ahead;
        tracer_learn_ahead(&tracer, thread, i % 2 == 0 ? HELD_NS : HELD_NS / 2);
    }
    assert_in_range(count, 1, STOPS / 10);
}

static void who_shares_a_cpu_does_not_lose_that_time(void **state)
{
    struct tracked process = { 0 };
    struct thread thread = thread_of_ours(&process);
    struct tracer tracer = { .stack = copy };

    (void)state;
    thread.account.contended = true;
    assert_int_equal(read_ahead(&tracer, &thread, TRIED, HELD_NS / 2), 0);
    thread.account.contended = false;
    assert_true(read_ahead(&tracer, &thread, TRIED, HELD_NS / 2) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_where_that_makes_stops_shorter),
        cmocka_unit_test(it_is_not_where_it_costs_a_call_for_nothing),
        cmocka_unit_test(it_is_tried_again),
        cmocka_unit_test(one_that_is_held_longer_than_the_other_tells_nothing),
        cmocka_unit_test(who_shares_a_cpu_does_not_lose_that_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
