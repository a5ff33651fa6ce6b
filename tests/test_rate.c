/* SPDX-License-Identifier: MIT */
/* A rate that was too much is lowered, and raised again when it has been well for long enough. */
#include "config.h"

#include "src/source/rate.h"

#include "proftop/clock.h"
#include "tests/harness/testing.h"

enum { ASKED_HZ = 999, LEAST_HZ = 100 };

/* Checks twice a second from *NOW_NS on, all being well, until it is raised; the seconds it took.
 */
static unsigned seconds_until_raised(struct rate *rate, struct emit *emit, uint64_t *now_ns)
{
    uint64_t start_ns = *now_ns;

    do
        *now_ns += NS_PER_S / 2;
    while (!rate_raise(rate, emit, *now_ns));
    return (unsigned)((*now_ns - start_ns) / NS_PER_S);
}

static void a_lowered_rate_is_raised_again(void **state)
{
    struct emit emit = { .ring = ring_new(1 << 16) };
    const struct record *record;
    uint64_t now_ns = 100 * NS_PER_S;
    unsigned notes = 0;
    struct rate rate;

    (void)state;
    rate_init(&rate, &emit, ASKED_HZ, LEAST_HZ);
    assert_int_equal(emit.tally.rate_hz, ASKED_HZ);
    assert_true(rate_lower(&rate, &emit, now_ns, "why"));
    assert_true(rate_lower(&rate, &emit, now_ns, "why"));
    assert_int_equal(rate.hz, ASKED_HZ / 4);
    assert_int_equal(emit.tally.rate_hz, ASKED_HZ / 4);
    seconds_until_raised(&rate, &emit, &now_ns);
    assert_in_range(rate.hz, ASKED_HZ / 2 - 1, ASKED_HZ / 2);
    seconds_until_raised(&rate, &emit, &now_ns);
    assert_int_equal(rate.hz, ASKED_HZ); /* the very one, though halves were rounded */
    assert_int_equal(emit.tally.rate_hz, ASKED_HZ);
    assert_false(rate_raise(&rate, &emit, now_ns + 1000 * NS_PER_S));
    for (; (record = ring_peek(emit.ring)) != NULL; ring_pop(emit.ring))
        notes += record->type == RECORD_NOTE;
    assert_int_equal(notes, 4); /* each change is told */
    ring_free(emit.ring);
}

static void each_failure_doubles_the_patience(void **state)
{
    struct emit emit = { 0 };
    uint64_t now_ns = 100 * NS_PER_S;
    unsigned first, last;
    struct rate rate;

    (void)state;
    rate_init(&rate, &emit, ASKED_HZ, LEAST_HZ);
    assert_true(rate_lower(&rate, &emit, now_ns, "why"));
    first = last = seconds_until_raised(&rate, &emit, &now_ns);
    for (unsigned failures = 1; failures < 10; failures++) {
        unsigned seconds;

        assert_true(rate_lower(&rate, &emit, now_ns, "why"));
        seconds = seconds_until_raised(&rate, &emit, &now_ns);
        assert_true(seconds == last * 2 || last == first * 16);
        last = seconds;
    }
    assert_int_equal(last, first * 16);
}

static void strain_puts_a_raise_off(void **state)
{
    struct emit emit = { 0 };
    uint64_t now_ns = 100 * NS_PER_S;
    struct rate rate;

    (void)state;
    rate_init(&rate, &emit, ASKED_HZ, LEAST_HZ);
    assert_true(rate_lower(&rate, &emit, now_ns, "why"));
    for (unsigned checks = 0; checks < 100; checks++) {
        now_ns += NS_PER_S;
        rate_strained(&rate, now_ns);
        assert_false(rate_raise(&rate, &emit, now_ns));
    }
    assert_true(seconds_until_raised(&rate, &emit, &now_ns) >= 3);
}

static void there_is_a_lowest(void **state)
{
    struct emit emit = { 0 };
    struct rate rate;

    (void)state;
    rate_init(&rate, &emit, ASKED_HZ, LEAST_HZ);
    while (rate_lower(&rate, &emit, NS_PER_S, "why"))
        ;
    assert_in_range(rate.hz, LEAST_HZ, 2 * LEAST_HZ - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lowered_rate_is_raised_again),
        cmocka_unit_test(each_failure_doubles_the_patience),
        cmocka_unit_test(strain_puts_a_raise_off),
        cmocka_unit_test(there_is_a_lowest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
