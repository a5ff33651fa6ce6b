/* SPDX-License-Identifier: MIT */
/* The tally of a source adds up: nothing is lost between two that were sent. */
#include "config.h"

#include "src/source/emit.h"

#include <string.h>

#include "proftop/clock.h"
#include "tests/harness/testing.h"

enum { ROUNDS = 400, PERIOD_NS = 10101010, TALLY_MS = 250 };

/* What was told, summed up. */
static struct record_tally read_tallies(struct ring *ring)
{
    struct record_tally sum = { 0 };
    const struct record *record;

    while ((record = ring_peek(ring)) != NULL) {
        if (record->type == RECORD_TALLY)
            tally_add(&sum, (const struct record_tally *)record);
        ring_pop(ring);
    }
    return sum;
}

/* 24.75 samples are due in each round. */
static void parts_of_a_period_are_due_too(void **state)
{
    struct emit emit = { .ring = ring_new(1 << 20) };
    struct record_tally sum;

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        emit_due(&emit, TALLY_MS * NS_PER_MS, PERIOD_NS);
        emit_tally(&emit, i);
    }
    sum = read_tallies(emit.ring);
    assert_int_equal(sum.expected, ROUNDS * TALLY_MS * NS_PER_MS / PERIOD_NS);
    assert_int_equal(sum.unseen, sum.expected);
    ring_free(emit.ring);
}

static void what_could_not_be_sent_is_in_the_next(void **state)
{
    struct ring *ring = ring_new(1 << 16);
    struct emit emit = { 0 };
    struct record_tally sum;

    (void)state;
    for (unsigned i = 1; i <= 4; i++) {
        emit.ring = i == 4 ? ring : NULL; /* nobody listens, at first */
        emit.tally.received += 20;
        emit.tally.lost += 1;
        emit_due(&emit, 25 * NS_PER_MS * 10, NS_PER_MS * 10);
        emit_stopped(&emit, i * NS_PER_US);
        emit_tally(&emit, i);
    }
    sum = read_tallies(ring);
    assert_int_equal(sum.expected, 100);
    assert_int_equal(sum.received, 80);
    assert_int_equal(sum.lost, 4);
    assert_int_equal(sum.unseen, 16);
    assert_int_equal(sum.stops, 4);
    assert_int_equal(sum.stopped_ns, 10 * NS_PER_US);
    ring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_period_are_due_too),
        cmocka_unit_test(what_could_not_be_sent_is_in_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
