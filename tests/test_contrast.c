/* SPDX-License-Identifier: MIT */
/* Comparing parts of recordings: against folds of the same parts, growing, renaming, two files. */
#include "config.h"

#include "proftop/contrast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/fold.h"
#include "proftop/ring.h"
#include "proftop/timeline.h"
#include "tests/harness/recording.h"
#include "tests/harness/testing.h"

enum { FUNCTIONS = 12, THREADS = 4 };

static uint64_t at(double seconds)
{
    return RECORDING_START_NS + (uint64_t)(seconds * (double)NS_PER_S);
}

/* A hundred samples a second of random stacks from FROM to TO seconds. */
static void push_random(struct recording *recording, double from, double to)
{
    for (double t = from; t < to; t += 0.01) {
        struct recorded_sample sample = recording_invent(recording, at(t), FUNCTIONS, THREADS);

        recording_push(recording, &sample);
    }
    recording_step(recording, at(to));
    recording_name(recording);
}

/* The same stack all the time: main "f0", and FUNCTION on top of it. */
static void push_plain(struct recording *recording, double from, double to, uint32_t function)
{
    for (double t = from; t < to - 0.001; t += 0.01) {
        struct recorded_sample sample = { .time_ns = at(t),
                                          .weight = NS_PER_S / 100,
                                          .pid = 100,
                                          .tid = 100,
                                          .depth = 2,
                                          .functions = { 0, function },
                                          .state = STATE_RUNNING,
                                          .metric = METRIC_TIME,
                                          .syscall = -1 };

        recording_push(recording, &sample);
    }
    recording_step(recording, at(to));
    recording_name(recording);
}

static struct contrast *contrast_of(struct recording *recording, const struct scope *scope)
{
    struct contrast *contrast = contrast_new();
    struct profile *profile = builder_profile(recording->builder);
    struct error error;

    assert_true(contrast_update(contrast, profile, scope, &error));
    profile_unref(profile);
    return contrast;
}

/* Shares of every function as a fold of [START, END) has them. */
static void assert_like_fold(struct recording *recording, const struct scope *scope,
                             const struct comparison *comparison, bool total)
{
    struct folder *folder = folder_new();
    struct profile *profile = builder_profile(recording->builder);
    struct error error;
    struct fold *fold = fold_update(folder, profile, scope, &error);

    assert_non_null(fold);
    assert_int_equal(comparison->a_samples, fold->samples);
    for (uint32_t i = 0; i < fold->row_count; i++) {
        const struct fold_row *row = &fold->rows[i];
        const struct compare_row *found = comparison_find(comparison, row->function);
        double expected = 100 * (double)(total ? row->total : row->self) / (double)fold->weight;

        if (found == NULL)
            assert_true(expected == 0);
        else
            assert_true(fabs(found->a_pct - expected) < 1e-6);
    }
    fold_free(fold);
    profile_unref(profile);
    folder_free(folder);
}

static void shares_are_those_of_a_fold(void **state)
{
    struct recording recording;
    struct scope scope;

    (void)state;
    recording_init(&recording, 3, 0);
    push_random(&recording, 0, 30);
    scope_init(&scope);
    for (int variant = 0; variant < 4; variant++) {
        struct contrast *contrast;
        struct compare_options options = { COMPARE_SHARE, variant % 2 == 1 };
        struct comparison *comparison;

        scope.hide_kernel = variant >= 2;
        strcpy(scope.filter, variant == 3 ? "f3" : "");
        contrast = contrast_of(&recording, &scope);
        comparison = contrast_rest(contrast, at(10), at(17), &options);
        scope.start_ns = at(10);
        scope.end_ns = at(17);
        assert_like_fold(&recording, &scope, comparison, options.total);
        comparison_free(comparison);
        contrast_free(contrast);
    }
    recording_fini(&recording);
}

static void growing_is_the_same_as_starting_anew(void **state)
{
    struct recording recording;
    struct contrast *grown = contrast_new(), *anew;
    struct compare_options options = { COMPARE_SHARE, true };
    struct comparison *a, *b;
    struct scope scope;
    struct error error;

    (void)state;
    recording_init(&recording, 4, 0);
    scope_init(&scope);
    for (int i = 0; i < 40; i++) {
        struct profile *profile;

        push_random(&recording, i, i + 1);
        profile = builder_profile(recording.builder);
        scope.start_ns = at(i); /* a range makes no difference */
        assert_true(contrast_update(grown, profile, &scope, &error));
        profile_unref(profile);
    }
    anew = contrast_of(&recording, &scope);
    a = contrast_rest(grown, at(5), at(9), &options);
    b = contrast_rest(anew, at(5), at(9), &options);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->a_samples, b->a_samples);
    for (uint32_t i = 0; i < a->count; i++)
        assert_true(fabs(comparison_find(b, a->rows[i].function)->delta_pt - a->rows[i].delta_pt) <
                    1e-9);
    comparison_free(a);
    comparison_free(b);
    contrast_free(grown);
    contrast_free(anew);
    recording_fini(&recording);
}

static void a_burst_is_marked_and_found_again(void **state)
{
    struct recording recording;
    struct contrast *contrast;
    struct comparison *comparison;
    struct scope scope;
    double cores[60];

    (void)state;
    recording_init(&recording, 5, 0);
    push_plain(&recording, 0, 20, 1);
    push_plain(&recording, 20, 25, 2);
    push_plain(&recording, 25, 60, 1);
    scope_init(&scope);
    contrast = contrast_of(&recording, &scope);
    comparison = contrast_rest(contrast, at(20), at(25), &(struct compare_options){ 0 });
    assert_true(comparison->enough);
    assert_int_equal(comparison->rows[0].function, recording_function(&recording, 2));
    assert_true(comparison->rows[0].significant);
    assert_true(comparison->rows[0].a_pct == 100);
    comparison_free(comparison);

    contrast_series(contrast, recording_function(&recording, 2), false, at(0), NS_PER_S, 60, cores);
    for (int i = 0; i < 60; i++)
        assert_true(fabs(cores[i] - (i >= 20 && i < 25 ? 1 : 0)) < 0.02);
    contrast_series(contrast, recording_function(&recording, 0), true, at(0), 2 * NS_PER_S, 30,
                    cores);
    for (int i = 0; i < 30; i++)
        assert_true(fabs(cores[i] - 1) < 0.02);
    contrast_free(contrast);
    recording_fini(&recording);
}

static void a_lane_lifts_what_ran_when_it_was_high(void **state)
{
    struct recording recording;
    struct contrast *contrast;
    struct timeline *timeline = timeline_new();
    struct comparison *comparison;
    struct profile *profile;
    struct scope scope;
    lane_id faults, flat;

    (void)state;
    recording_init(&recording, 6, 0);
    faults = lanes_add(recording.lanes, &(struct lane){ .group = LANE_TARGET,
                                                        .unit = UNIT_PER_SECOND,
                                                        .key = "minflt",
                                                        .label = "" });
    flat = lanes_add(recording.lanes,
                     &(struct lane){ .group = LANE_SYSTEM, .key = "us", .label = "" });
    for (int i = 0; i < 60; i++) {
        bool high = i % 10 == 3; /* every tenth second */
        uint64_t room[(sizeof(struct record_lanes) + 2 * sizeof(struct lane_value)) / 8];
        struct record_lanes *record = (struct record_lanes *)room;

        push_plain(&recording, i, i + 1, high ? 2 : 1);
        *record = (struct record_lanes){ .head = { sizeof(room), RECORD_LANES, at(i + 1) },
                                         .period_ns = NS_PER_S,
                                         .count = 2 };
        record->values[0] = (struct lane_value){ .lane = faults, .value = high ? 900 : i % 5 };
        record->values[1] = (struct lane_value){ .lane = flat, .value = 3 };
        assert_true(ring_push(recording.ring, &record->head, false));
    }
    recording_step(&recording, at(62));
    scope_init(&scope);
    contrast = contrast_of(&recording, &scope);
    profile = builder_profile(recording.builder);
    timeline_update(timeline, profile);
    profile_unref(profile);
    comparison = contrast_lift(contrast, timeline, faults, &(struct compare_options){ 0 });
    assert_non_null(comparison);
    assert_int_equal(comparison->rows[0].function, recording_function(&recording, 2));
    assert_true(comparison->rows[0].significant);
    assert_true(comparison->rows[0].delta_pt > 90);
    assert_true(fabs(comparison->a_seconds - 6) < 0.5);
    comparison_free(comparison);
    assert_null(contrast_lift(contrast, timeline, flat, &(struct compare_options){ 0 }));
    timeline_free(timeline);
    contrast_free(contrast);
    recording_fini(&recording);
}

static void two_recordings_share_functions_by_name(void **state)
{
    struct recording base, changed;
    struct contrast *a, *b;
    struct comparison *comparison;
    const struct compare_row *row;
    struct scope scope;

    (void)state;
    recording_init(&base, 7, 0);
    recording_init(&changed, 8, 0);
    for (int i = 0; i < 30; i++) {
        push_plain(&base, i, i + 0.5, 1);
        push_plain(&base, i + 0.5, i + 1, 2);
        push_plain(&changed, i, i + 0.2, 9); /* new here, and numbered before the others */
        push_plain(&changed, i + 0.2, i + 0.7, 2);
        push_plain(&changed, i + 0.7, i + 1, 1);
    }
    scope_init(&scope);
    a = contrast_of(&base, &scope);
    b = contrast_of(&changed, &scope);
    for (int twice = 0; twice < 2; twice++) {
        comparison = contrast_ranges(&(struct contrast_range){ a, 0, UINT64_MAX },
                                     &(struct contrast_range){ b, 0, UINT64_MAX },
                                     &(struct compare_options){ 0 });
        assert_int_equal(comparison->count, 3);
        row = comparison_find(comparison, recording_function(&base, 1));
        assert_true(fabs(row->a_pct - 50) < 1 && fabs(row->b_pct - 30) < 1);
        assert_true(row->significant);
        row = comparison_find(comparison, recording_function(&base, 2));
        assert_true(fabs(row->delta_pt) < 1);
        assert_false(row->significant);
        row = comparison_find(comparison, recording_function(&base, 9));
        assert_true(row->a_pct == 0 && fabs(row->b_pct - 20) < 1);
        comparison_free(comparison);
    }
    contrast_free(a);
    contrast_free(b);
    recording_fini(&base);
    recording_fini(&changed);
}

/* What was named anew once its file was known leaves a function that nothing runs in any more. */
static void functions_are_paired_by_file(void **state)
{
    struct recording base, changed;
    struct comparison *comparison;
    struct contrast *a, *b;
    struct scope scope;

    (void)state;
    recording_init(&base, 7, 0);
    recording_init(&changed, 8, 0);
    for (uint32_t number = 0; number < 2; number++) {
        struct function twin = *names_get(base.names, recording_function(&base, number));

        twin.file = "elsewhere.c";
        names_function(changed.names, &twin);
    }
    push_plain(&base, 0, 30, 1);
    push_plain(&changed, 0, 30, 1);
    scope_init(&scope);
    a = contrast_of(&changed, &scope);
    b = contrast_of(&base, &scope);
    comparison = contrast_ranges(&(struct contrast_range){ a, 0, UINT64_MAX },
                                 &(struct contrast_range){ b, 0, UINT64_MAX },
                                 &(struct compare_options){ 0 });
    for (uint32_t i = 0; i < comparison->count; i++)
        assert_true(fabs(comparison->rows[i].delta_pt) < 0.001);
    assert_true(comparison_find(comparison, recording_function(&changed, 1))->a_pct > 99);
    comparison_free(comparison);
    contrast_free(a);
    contrast_free(b);
    recording_fini(&base);
    recording_fini(&changed);
}

static void a_bad_filter_is_an_error(void **state)
{
    struct recording recording;
    struct contrast *contrast = contrast_new();
    struct profile *profile;
    struct scope scope;
    struct error error;

    (void)state;
    recording_init(&recording, 9, 0);
    push_random(&recording, 0, 1);
    profile = builder_profile(recording.builder);
    scope_init(&scope);
    strcpy(scope.filter, "(");
    assert_false(contrast_update(contrast, profile, &scope, &error));
    assert_true(error.message[0] != '\0');
    strcpy(scope.filter, "");
    assert_true(contrast_update(contrast, profile, &scope, &error));
    profile_unref(profile);
    contrast_free(contrast);
    recording_fini(&recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_those_of_a_fold),
        cmocka_unit_test(growing_is_the_same_as_starting_anew),
        cmocka_unit_test(a_burst_is_marked_and_found_again),
        cmocka_unit_test(a_lane_lifts_what_ran_when_it_was_high),
        cmocka_unit_test(two_recordings_share_functions_by_name),
        cmocka_unit_test(functions_are_paired_by_file),
        cmocka_unit_test(a_bad_filter_is_an_error),
    };

    return cmocka_run_group_tests_name("contrast", tests, NULL, NULL);
}
