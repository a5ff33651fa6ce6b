/* SPDX-License-Identifier: MIT */
/* Lanes over time: buckets longer and shorter than the period, gaps, spikes, deciles, others. */
#include "config.h"

#include "proftop/timeline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/builder.h"
#include "proftop/clock.h"
#include "proftop/ring.h"
#include "src/view/lane_rows.h"
#include "tests/harness/recording.h"
#include "tests/harness/testing.h"

/* A recording with a reading of lanes every second. */
struct fixture {
    struct recording recording;
    struct timeline *timeline;
    lane_id steal, faults, rss, thread;
};

static lane_id add_lane(struct fixture *fixture, enum lane_group group, const char *key,
                        enum lane_unit unit, int32_t tid, bool alarming)
{
    return lanes_add(fixture->recording.lanes, &(struct lane){ .group = group,
                                                               .unit = unit,
                                                               .key = key,
                                                               .label = key,
                                                               .pid = tid != 0 ? 1 : 0,
                                                               .tid = tid,
                                                               .alarming = alarming });
}

static void fixture_init(struct fixture *fixture)
{
    recording_init(&fixture->recording, 1, 0);
    fixture->timeline = timeline_new();
    fixture->steal = add_lane(fixture, LANE_SYSTEM, "st", UNIT_PERCENT, 0, true);
    fixture->faults = add_lane(fixture, LANE_TARGET, "majflt", UNIT_PER_SECOND, 0, true);
    fixture->rss = add_lane(fixture, LANE_TARGET, "rss_bytes", UNIT_BYTES, 0, false);
    fixture->thread = add_lane(fixture, LANE_THREAD, "cpu_pct", UNIT_PERCENT, 7, false);
}

static void fixture_fini(struct fixture *fixture)
{
    timeline_free(fixture->timeline);
    recording_fini(&fixture->recording);
}

static uint64_t at(double seconds)
{
    return RECORDING_START_NS + (uint64_t)(seconds * (double)NS_PER_S);
}

static void read_lane(struct fixture *fixture, double seconds, lane_id lane, double value)
{
    uint64_t room[(sizeof(struct record_lanes) + sizeof(struct lane_value)) / sizeof(uint64_t)];
    struct record_lanes *record = (struct record_lanes *)room;

    *record = (struct record_lanes){ .head = { sizeof(room), RECORD_LANES, at(seconds) },
                                     .period_ns = NS_PER_S,
                                     .count = 1 };
    record->values[0] = (struct lane_value){ .lane = lane, .value = value };
    assert_true(ring_push(fixture->recording.ring, &record->head, false));
}

static void tally(struct fixture *fixture, double seconds, uint32_t expected, uint32_t received)
{
    struct record_tally record = { .head = { sizeof(record), RECORD_TALLY, at(seconds) },
                                   .expected = expected,
                                   .received = received };

    assert_true(ring_push(fixture->recording.ring, &record.head, false));
}

/* Takes in everything before SECONDS. */
static void update(struct fixture *fixture, double seconds)
{
    struct profile *profile;

    recording_step(&fixture->recording, at(seconds));
    profile = builder_profile(fixture->recording.builder);
    timeline_update(fixture->timeline, profile);
    profile_unref(profile);
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) < 1e-4 * (1 + fabs(expected))))
        fail_msg("%g is not %g", value, expected);
}

static void buckets_as_long_as_the_period_do_not_smear(void **state)
{
    struct fixture fixture;
    double values[12];

    (void)state;
    fixture_init(&fixture);
    /* Readings 0.37 s into each second; the fifth is a spike. */
    for (int i = 1; i <= 12; i++)
        read_lane(&fixture, i + 0.37, fixture.steal, i == 5 ? 50 : 1);
    update(&fixture, 14);
    timeline_series(fixture.timeline, fixture.steal, at(0), NS_PER_S, 12, values);
    for (int i = 1; i < 12; i++)
        assert_near(values[i], i == 4 ? 50 : 1);
    assert_near(timeline_mean(fixture.timeline, fixture.steal, at(4.4), at(5.4)), 50);
    assert_near(timeline_newest(fixture.timeline, fixture.steal), 1);
    assert_int_equal(timeline_period_ns(fixture.timeline, fixture.steal), NS_PER_S);
    fixture_fini(&fixture);
}

static void shorter_buckets_hold_longer_ones_average(void **state)
{
    struct fixture fixture;
    double values[40];

    (void)state;
    fixture_init(&fixture);
    for (int i = 1; i <= 20; i++)
        read_lane(&fixture, i, fixture.rss, i);
    update(&fixture, 22);
    timeline_series(fixture.timeline, fixture.rss, at(3), NS_PER_S / 10, 40, values);
    for (int i = 0; i < 40; i++)
        assert_near(values[i], 4 + i / 10);
    timeline_series(fixture.timeline, fixture.rss, at(0), 5 * NS_PER_S, 5, values);
    assert_near(values[0], 3);
    assert_near(values[1], 8);
    assert_near(values[3], 18);
    assert_true(isnan(values[4]));
    timeline_series(fixture.timeline, fixture.rss, at(100), NS_PER_S, 5, values);
    assert_true(isnan(values[0]));
    fixture_fini(&fixture);
}

static void the_period_is_that_of_all_readings(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    for (int i = 1; i <= 20; i++)
        read_lane(&fixture, i * 0.2, fixture.steal, i);
    read_lane(&fixture, 4.4, fixture.steal, 1); /* one came late */
    read_lane(&fixture, 4.4, fixture.rss, 1);
    update(&fixture, 5);
    assert_int_equal(timeline_period_ns(fixture.timeline, fixture.steal), 400 * NS_PER_MS);
    assert_in_range(timeline_mean_period_ns(fixture.timeline, fixture.steal), 200 * NS_PER_MS,
                    211 * NS_PER_MS);
    assert_int_equal(timeline_mean_period_ns(fixture.timeline, fixture.rss), 0);
    assert_int_equal(timeline_mean_period_ns(fixture.timeline, fixture.faults), 0);
    fixture_fini(&fixture);
}

static void gaps_are_gaps_but_for_threads(void **state)
{
    struct fixture fixture;
    double values[100];

    (void)state;
    fixture_init(&fixture);
    for (int i = 1; i <= 100; i++) {
        read_lane(&fixture, i, fixture.steal, 1);
        if (i <= 5 || i > 90) /* a device that was away */
            read_lane(&fixture, i, fixture.rss, 7);
        if (i == 5 || i == 50) /* a thread that ran twice */
            read_lane(&fixture, i, fixture.thread, 80);
    }
    update(&fixture, 102);
    timeline_series(fixture.timeline, fixture.rss, at(0), NS_PER_S, 100, values);
    assert_near(values[3], 7);
    assert_true(isnan(values[50]));
    assert_near(values[95], 7);
    timeline_series(fixture.timeline, fixture.thread, at(0), NS_PER_S, 100, values);
    assert_true(isnan(values[2]));
    assert_near(values[4], 80);
    assert_near(values[20], 0);
    assert_near(values[49], 80);
    assert_near(values[99], 0);
    assert_near(timeline_newest(fixture.timeline, fixture.thread), 0);
    assert_false(timeline_has(fixture.timeline, fixture.faults));
    assert_true(isnan(timeline_newest(fixture.timeline, fixture.faults)));
    fixture_fini(&fixture);
}

static void growing_is_the_same_as_starting_anew(void **state)
{
    struct fixture fixture;
    struct timeline *whole = timeline_new();
    struct profile *profile;
    double grown[300], anew[300];

    (void)state;
    fixture_init(&fixture);
    for (int i = 1; i <= 300; i++) {
        read_lane(&fixture, i, fixture.steal, i % 17);
        tally(&fixture, i, 99, (uint32_t)(99 - i % 3));
        if (i % 7 == 0)
            update(&fixture, i);
    }
    update(&fixture, 301);
    profile = builder_profile(fixture.recording.builder);
    timeline_update(whole, profile);
    timeline_series(fixture.timeline, fixture.steal, at(0), NS_PER_S, 300, grown);
    timeline_series(whole, fixture.steal, at(0), NS_PER_S, 300, anew);
    for (int i = 0; i < 300; i++)
        assert_near(anew[i], grown[i]);
    profile_unref(profile);
    timeline_free(whole);
    fixture_fini(&fixture);
}

static void long_recordings_stay_small(void **state)
{
    struct fixture fixture;
    double values[20];

    (void)state;
    fixture_init(&fixture);
    for (int i = 1; i <= 20000; i++) {
        read_lane(&fixture, i, fixture.steal, i / 1000);
        tally(&fixture, i, 10, 5);
        if (i % 100 == 0)
            update(&fixture, i);
    }
    update(&fixture, 20001);
    timeline_series(fixture.timeline, fixture.steal, at(0), 1000 * NS_PER_S, 20, values);
    for (int i = 0; i < 20; i++)
        assert_true(fabs(values[i] - i) < 0.01 + 0.01 * i);
    struct timeline_tally tallies[20];

    timeline_tallies(fixture.timeline, at(0), 1000 * NS_PER_S, 20, tallies);
    for (int i = 0; i < 20; i++) {
        assert_true(fabs(tallies[i].expected - 10000) < 50);
        assert_true(fabs(tallies[i].received - 5000) < 25);
    }
    fixture_fini(&fixture);
}

/* Though it comes in the last tenth of a second of that time. */
static void a_tally_is_of_the_time_before_it(void **state)
{
    struct timeline_tally tallies[4];
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    tally(&fixture, 0.49, 50, 50);
    tally(&fixture, 1.09, 60, 30);
    update(&fixture, 10);
    timeline_tallies(fixture.timeline, at(0), NS_PER_S / 2, 4, tallies);
    assert_near(tallies[0].expected, 50);
    assert_near(tallies[1].expected, 50);
    assert_near(tallies[1].received, 25);
    assert_near(tallies[2].expected, 10);
    assert_near(tallies[3].expected, 0);
    fixture_fini(&fixture);
}

static void spikes_stand_out_of_what_is_usual(void **state)
{
    struct fixture fixture;
    const struct timeline_spike *spikes;
    uint32_t count;

    (void)state;
    fixture_init(&fixture);
    for (int i = 1; i <= 60; i++) {
        /* Noise of its own, and five seconds of steal; faults once; samples missed with both. */
        read_lane(&fixture, i, fixture.steal, i > 20 && i <= 25 ? 40 + i : i % 3);
        read_lane(&fixture, i, fixture.faults, i == 42 ? 500 : 0);
        read_lane(&fixture, i, fixture.rss, i == 30 ? 1e12 : 1e6); /* does not alarm */
        tally(&fixture, i, 99, i > 20 && i <= 25 ? 45 : 98);
    }
    update(&fixture, 61);
    spikes = timeline_spikes(fixture.timeline, &count);
    assert_int_equal(count, 3);
    assert_int_equal(spikes[0].lane, fixture.steal);
    assert_int_equal(spikes[0].start_ns, at(20));
    assert_int_equal(spikes[0].end_ns, at(25));
    assert_near(spikes[0].peak, 65);
    assert_near(spikes[0].usual, 1);
    assert_int_equal(spikes[0].peak_ns, at(24.5));
    assert_int_equal(spikes[1].lane, TIMELINE_SAMPLES);
    assert_near(spikes[1].peak, 45.0 / 99);
    assert_true(spikes[1].end_ns - spikes[1].start_ns <= 6 * NS_PER_S);
    assert_int_equal(spikes[2].lane, fixture.faults);
    assert_int_equal(spikes[2].start_ns, at(41));
    /* Asked again: the same. */
    assert_ptr_equal(timeline_spikes(fixture.timeline, &count), spikes);
    assert_int_equal(count, 3);
    fixture_fini(&fixture);
}

static void quiet_lanes_have_no_spikes(void **state)
{
    struct fixture fixture;
    uint32_t count;

    (void)state;
    fixture_init(&fixture);
    for (int i = 1; i <= 120; i++) {
        read_lane(&fixture, i, fixture.steal, (i * 7919) % 13);
        read_lane(&fixture, i, fixture.faults, (i * 104729) % 100);
        tally(&fixture, i, 99, (uint32_t)(99 - (i * 31) % 9));
    }
    update(&fixture, 121);
    timeline_spikes(fixture.timeline, &count);
    assert_int_equal(count, 0);
    fixture_fini(&fixture);
}

static void the_top_decile_is_a_tenth(void **state)
{
    struct fixture fixture;
    double threshold;

    (void)state;
    fixture_init(&fixture);
    for (int i = 1; i <= 100; i++) {
        read_lane(&fixture, i, fixture.steal, (i * 37) % 100);
        read_lane(&fixture, i, fixture.rss, 5);
    }
    update(&fixture, 101);
    assert_true(timeline_top_decile(fixture.timeline, fixture.steal, &threshold));
    assert_true(threshold >= 89 && threshold <= 91);
    assert_false(timeline_top_decile(fixture.timeline, fixture.rss, &threshold));
    for (int i = 102; i <= 200; i++) /* three of a hundred */
        read_lane(&fixture, i, fixture.faults, i % 33 == 0 ? i : 0);
    update(&fixture, 201);
    assert_true(timeline_top_decile(fixture.timeline, fixture.faults, &threshold));
    assert_true(threshold > 0 && threshold <= 132);
    fixture_fini(&fixture);
}

static void others_are_added_up_over_a_range(void **state)
{
    struct fixture fixture;
    struct profile *profile;
    struct timeline_other *others;
    uint32_t count;

    (void)state;
    fixture_init(&fixture);
    for (int i = 1; i <= 10; i++) {
        uint64_t room[(sizeof(struct record_others) + 2 * sizeof(struct other_process)) / 8];
        struct record_others *record = (struct record_others *)room;

        memset(room, 0, sizeof(room));
        record->head = (struct record){ sizeof(room), RECORD_OTHERS, at(i) };
        record->period_ns = NS_PER_S;
        record->count = 2;
        record->others[0] = (struct other_process){ .pid = 5, .cpu_pct = 10, .name = "idler" };
        record->others[1] = (struct other_process){
            .pid = i <= 5 ? 6 : 7, .cpu_pct = 90, .read_bytes = 100, .majflt = 2, .name = "hog"
        };
        assert_true(ring_push(fixture.recording.ring, &record->head, false));
    }
    recording_step(&fixture.recording, at(12));
    profile = builder_profile(fixture.recording.builder);
    others = timeline_others(profile, at(0), at(4), &count);
    assert_int_equal(count, 2);
    assert_int_equal(others[0].pid, 6);
    assert_string_equal(others[0].name, "hog");
    assert_near(others[0].cpu_pct, 90);
    assert_int_equal(others[0].read_bytes, 400);
    assert_int_equal(others[0].majflt, 8);
    assert_near(others[1].cpu_pct, 10);
    free(others);
    others = timeline_others(profile, at(0), at(10), &count);
    assert_int_equal(count, 3);
    assert_near(others[0].cpu_pct, 45);
    free(others);
    others = timeline_others(profile, at(20), at(30), &count);
    assert_int_equal(count, 0);
    free(others);
    profile_unref(profile);
    fixture_fini(&fixture);
}

static void values_are_written_by_their_unit(void **state)
{
    static const struct {
        enum lane_unit unit;
        double value;
        const char *text;
    } cases[] = {
        { UNIT_PERCENT, 46.2, "46%" },
        { UNIT_PERCENT, 0.25, "0.2%" },
        { UNIT_PERCENT, 0, "0%" },
        { UNIT_COUNT, 4.1, "4.1" },
        { UNIT_COUNT, 7, "7" },
        { UNIT_PER_SECOND, 6100, "6.1k/s" },
        { UNIT_PER_SECOND, 0.2, "0.2/s" },
        { UNIT_BYTES, 13107200, "12.5M" },
        { UNIT_MS, 0.4, "0.4ms" },
        { UNIT_RATIO, 1.234, "1.23" },
        { UNIT_BYTES, NAN, "-" },
    };
    char text[24];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(
            timeline_text(text, &(struct lane){ .unit = cases[i].unit }, cases[i].value),
            cases[i].text);
}

/* The rows of the Time view from "threads" on, joined. */
static void thread_rows(const struct fixture *fixture, char *text, size_t size)
{
    const struct lane_choices choices = { .shown_count = 0 };
    const struct axis axis = { .start_ns = at(0), .bucket_ns = NS_PER_S, .count = 4 };
    struct lane_rows *rows = calloc(1, sizeof(*rows));
    bool inside = false;

    assert_non_null(rows);
    text[0] = '\0';
    lane_rows_make(rows, fixture->timeline, &choices, &axis);
    for (int i = 0; i < rows->count; i++) {
        inside |= rows->rows[i].kind == ROW_DIVIDER && strcmp(rows->rows[i].label, "threads") == 0;
        if (inside)
            snprintf(text + strlen(text), size - strlen(text), "%s|", rows->rows[i].label);
    }
    free(rows);
}

static void the_counters_of_a_thread_follow_its_cpu(void **state)
{
    struct fixture fixture;
    char text[256];
    lane_id ipc, misses;

    (void)state;
    fixture_init(&fixture);
    ipc = add_lane(&fixture, LANE_THREAD, "ipc", UNIT_RATIO, 7, false);
    misses = add_lane(&fixture, LANE_THREAD, "branch_misses", UNIT_PER_SECOND, 7, false);
    add_lane(&fixture, LANE_THREAD, "cache_misses", UNIT_PER_SECOND, 7, false); /* never read */
    add_lane(&fixture, LANE_THREAD, "ipc", UNIT_RATIO, 8, false);
    for (int i = 1; i <= 3; i++)
        read_lane(&fixture, i, fixture.thread, 50);
    update(&fixture, 3);
    thread_rows(&fixture, text, sizeof(text));
    assert_string_equal(text, "threads|7 cpu_pct|"); /* as on a machine without counters */
    read_lane(&fixture, 4, ipc, 1.5);
    read_lane(&fixture, 4, misses, 1000);
    update(&fixture, 5);
    thread_rows(&fixture, text, sizeof(text));
    assert_string_equal(text, "threads|7 cpu_pct|7 IPC|7 branch misses|");
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_as_long_as_the_period_do_not_smear),
        cmocka_unit_test(shorter_buckets_hold_longer_ones_average),
        cmocka_unit_test(the_period_is_that_of_all_readings),
        cmocka_unit_test(gaps_are_gaps_but_for_threads),
        cmocka_unit_test(growing_is_the_same_as_starting_anew),
        cmocka_unit_test(long_recordings_stay_small),
        cmocka_unit_test(a_tally_is_of_the_time_before_it),
        cmocka_unit_test(spikes_stand_out_of_what_is_usual),
        cmocka_unit_test(quiet_lanes_have_no_spikes),
        cmocka_unit_test(the_top_decile_is_a_tenth),
        cmocka_unit_test(others_are_added_up_over_a_range),
        cmocka_unit_test(values_are_written_by_their_unit),
        cmocka_unit_test(the_counters_of_a_thread_follow_its_cpu),
    };

    return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
