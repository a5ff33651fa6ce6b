/* SPDX-License-Identifier: MIT */
/* Slices: what is put in comes out, summed by key, in order; and bytes that are none are refused.
 */
#include "config.h"

#include "proftop/slice.h"

#include <string.h>

#include "tests/harness/recording.h"
#include "tests/harness/testing.h"

enum { ENTRIES = 5000, STACKS = 300, THREADS = 5, KEYS = STACKS * THREADS * STATES };

static struct slice_entry random_entry(struct recording *dice)
{
    struct slice_entry entry = { .stack = recording_random(dice, STACKS),
                                 .thread = recording_random(dice, THREADS),
                                 .weight = recording_random(dice, 3)
                                               ? 10101010
                                               : recording_random(dice, 1 << 30),
                                 .count = 1 + recording_random(dice, 4) / 3,
                                 .syscall = -1,
                                 .state = (uint8_t)recording_random(dice, STATES) };

    return entry;
}

static size_t key_of(const struct slice_entry *entry)
{
    return ((size_t)entry->state * STACKS + entry->stack) * THREADS + entry->thread;
}

static void entries_come_out_summed_and_in_order(void **state)
{
    static uint64_t weights[KEYS], counts[KEYS];
    struct recording dice = { .random = 5 };
    struct slice_entry entry, last = { 0 };
    struct slice_draft draft;
    struct slice_walk walk;
    struct slice *slice;
    unsigned seen = 0;

    (void)state;
    draft_init(&draft);
    for (unsigned i = 0; i < ENTRIES; i++) {
        entry = random_entry(&dice);
        weights[key_of(&entry)] += entry.weight;
        counts[key_of(&entry)] += entry.count;
        draft_add_entry(&draft, &entry);
    }
    slice = draft_seal(&draft, 100, 200);
    assert_true(draft_empty(&draft));
    assert_int_equal(slice_start_ns(slice), 100);
    slice_entries(slice, &walk);
    while (slice_next_entry(&walk, &entry)) {
        assert_int_equal(entry.weight, weights[key_of(&entry)]);
        assert_int_equal(entry.count, counts[key_of(&entry)]);
        if (seen > 0 && last.state == entry.state)
            assert_true(last.stack < entry.stack ||
                        (last.stack == entry.stack && last.thread < entry.thread));
        counts[key_of(&entry)] = 0;
        last = entry;
        seen++;
    }
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(counts[i], 0);
    slice_unref(slice);
    draft_fini(&draft);
}

static void usual_entries_take_three_bytes(void **state)
{
    struct slice_draft draft;
    struct slice *slice;
    size_t size;

    (void)state;
    draft_init(&draft);
    for (unsigned i = 0; i < 1000; i++) {
        struct slice_entry entry = {
            .stack = i * 100, .thread = i % 8, .weight = 10101010, .count = 1, .syscall = -1
        };

        draft_add_entry(&draft, &entry);
    }
    slice = draft_seal(&draft, 0, 1);
    slice_packed(slice, &size);
    assert_true(size <= 3 * 1000 + 16);
    slice_unref(slice);
    draft_fini(&draft);
}

static void counters_are_means_and_sums(void **state)
{
    struct other_process busy = { .pid = 7, .cpu_pct = 50, .name = "cc1" }, idle = busy;
    struct lane_sum lane = { 3, 1, 10 };
    struct record_tally tally = { .expected = 5, .stopped_max_ns = 9, .rate_hz = 99 };
    struct slice_draft draft;
    struct slice *slice;
    double value;
    uint32_t count;

    (void)state;
    idle.cpu_pct = 0;
    draft_init(&draft);
    draft_add_lane(&draft, &lane);
    lane.sum = 30;
    draft_add_lane(&draft, &lane);
    draft_add_others(&draft, &busy, 1, 1);
    draft_add_others(&draft, &idle, 1, 1);
    draft_add_tally(&draft, &tally);
    tally.stopped_max_ns = 4;
    draft_add_tally(&draft, &tally);
    slice = draft_seal(&draft, 0, 1);
    assert_true(slice_lane(slice, 3, &value) && value == 20);
    assert_false(slice_lane(slice, 2, &value));
    assert_true(slice_others(slice, &count)->cpu_pct == 25);
    assert_int_equal(count, 1);
    assert_int_equal(slice_tally(slice)->expected, 10);
    assert_int_equal(slice_tally(slice)->stopped_max_ns, 9);
    slice_unref(slice);
    draft_fini(&draft);
}

static void bytes_that_are_no_entries_are_refused(void **state)
{
    static const struct {
        uint8_t bytes[8];
        size_t size;
        bool good;
    } cases[] = {
        { { 0 }, 0, true },
        { { 0, 0, 2, 4, 1 }, 5, true },     /* stack 1, thread 1 */
        { { 0, 0, 2, 4, 9 }, 5, false },    /* no such thread */
        { { 0, 0, 2, 0x7c, 1 }, 5, false }, /* no such stack */
        { { 0, 0, 3, 4, 1 }, 5, false },    /* more bytes than there are */
        { { 0, 0, 1, 4 }, 4, false },       /* an entry cut off */
        { { 0, 0, 0 }, 3, false },          /* an empty group */
        { { 3, 0, 2, 4, 1 }, 5, false },    /* no such state */
        { { 0, 0, 3, 5, 1, 0 }, 6, false }, /* no samples */
        { { 0x80 }, 1, false },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(slice_check(cases[i].bytes, cases[i].size, 10, 5), cases[i].good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_out_summed_and_in_order),
        cmocka_unit_test(usual_entries_take_three_bytes),
        cmocka_unit_test(counters_are_means_and_sums),
        cmocka_unit_test(bytes_that_are_no_entries_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
