/* SPDX-License-Identifier: MIT */
/* How far a sampled share may lie from the true one: the interval holds it as often as it says. */
#include "config.h"

#include "proftop/share.h"

#include "proftop/clock.h"
#include "proftop/fold.h"
#include "tests/harness/recording.h"
#include "tests/harness/testing.h"

enum { RUNS = 400, SAMPLES = 300, WITHIN_MIN = 90 /* of a hundred */ };

static void few_samples_have_wide_intervals(void **state)
{
    struct interval none = share_interval(0, 10), all = share_interval(1, 10);

    (void)state;
    assert_true(none.low == 0 && none.high > 0.2 && none.high < 0.35);
    assert_true(all.high > 0.999 && all.low > 0.65 && all.low < 0.8);
    assert_true(share_interval(0.5, 0).low == 0 && share_interval(0.5, 0).high == 1);
    assert_true(share_error_pt(0.5, 10000) > 0.9 && share_error_pt(0.5, 10000) < 1.1);
    assert_true(share_error_pt(0.3, 100) > share_error_pt(0.3, 1000));
}

static void unequal_weights_tell_less(void **state)
{
    (void)state;
    assert_true(effective_samples(10, 10) == 10);   /* ten of 1 */
    assert_true(effective_samples(109, 10009) < 2); /* one of 100 and nine of 1 */
    assert_true(effective_samples(0, 0) == 0);
}

/* Samples of which each is in "f0" with a chance of PERCENT, weights as UNEVEN as asked. */
static struct fold *sample_share(struct recording *recording, uint32_t percent, bool uneven)
{
    struct folder *folder = folder_new();
    struct profile *profile;
    struct scope scope;
    struct fold *fold;

    for (unsigned i = 0; i < SAMPLES; i++) {
        struct recorded_sample sample = { .time_ns = RECORDING_START_NS + i * NS_PER_S / 99,
                                          .weight = NS_PER_S / 99,
                                          .pid = 100,
                                          .tid = 100,
                                          .depth = 1,
                                          .syscall = -1 };

        sample.functions[0] = recording_random(recording, 1000) < percent * 10 ? 0 : 1;
        if (uneven)
            sample.weight = 1 + recording_random(recording, 20000000);
        recording_push(recording, &sample);
    }
    recording_step(recording, RECORDING_START_NS + 10 * NS_PER_S);
    recording_name(recording);
    profile = builder_profile(recording->builder);
    scope_init(&scope);
    fold = fold_update(folder, profile, &scope, NULL);
    folder_free(folder);
    profile_unref(profile);
    return fold;
}

static unsigned runs_within(uint32_t percent, bool uneven)
{
    unsigned within = 0;

    for (unsigned i = 0; i < RUNS; i++) {
        struct recording recording;
        struct fold *fold;
        double share;

        recording_init(&recording, 1000 + i * 7919 + percent, 0);
        fold = sample_share(&recording, percent, uneven);
        share = 100.0 * (double)fold->rows[0].self / (double)fold->weight;
        if (fold->rows[0].function != recording_function(&recording, 0))
            share = 100 - share;
        within += share - fold->error_pt <= percent && percent <= share + fold->error_pt;
        fold_free(fold);
        recording_fini(&recording);
    }
    return within;
}

static void the_true_share_lies_within_the_error_that_is_shown(void **state)
{
    (void)state;
    for (uint32_t percent = 50; percent <= 95; percent += 15) {
        assert_true(runs_within(percent, false) * 100 >= RUNS * WITHIN_MIN);
        assert_true(runs_within(percent, true) * 100 >= RUNS * WITHIN_MIN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_samples_have_wide_intervals),
        cmocka_unit_test(unequal_weights_tell_less),
        cmocka_unit_test(the_true_share_lies_within_the_error_that_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
