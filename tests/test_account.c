/* SPDX-License-Identifier: MIT */
/* What the samples of a thread weigh, in all, is what the system says it used. */
#include "config.h"

#include "src/source/account.h"

#include "proftop/clock.h"
#include "tests/harness/testing.h"

enum { PERIOD_NS = 10 * 1000 * 1000, TOLERATED_PERIODS = 3 };

static void while_nothing_is_owed_each_weighs_its_period(void **state)
{
    struct account account = { .first_cpu_ns = 7 };

    (void)state;
    account_begin(&account, NS_PER_S);
    assert_true(account.started && account.at_ns == NS_PER_S && account.told_at_ns == NS_PER_S);
    for (unsigned i = 1; i <= 100; i++) {
        assert_int_equal(account_weight(&account, PERIOD_NS), PERIOD_NS);
        account.schedstat.cpu_ns = 7 + (uint64_t)i * PERIOD_NS;
        assert_int_equal(account_settle(&account, PERIOD_NS), 0);
    }
    assert_int_equal(account.told_cpu_ns, (uint64_t)100 * PERIOD_NS);
}

static void what_was_missed_is_in_the_next(void **state)
{
    struct account account = { .schedstat.cpu_ns = 20 * (uint64_t)PERIOD_NS };

    (void)state;
    account_begin(&account, 0);
    assert_int_equal(account_settle(&account, PERIOD_NS), 20 * (int64_t)PERIOD_NS);
    assert_int_equal(account_weight(&account, PERIOD_NS), 21 * (uint64_t)PERIOD_NS);
    assert_int_equal(account_weight(&account, PERIOD_NS), PERIOD_NS);
}

/* None weighs nothing: a function that was seen is not lost. */
static void what_was_too_much_is_taken_from_several(void **state)
{
    struct account account = { .schedstat.cpu_ns = PERIOD_NS, .told_cpu_ns = 5 * PERIOD_NS };
    uint64_t used_ns = PERIOD_NS;

    (void)state;
    account_begin(&account, 0);
    assert_int_equal(account_settle(&account, PERIOD_NS), -4 * (int64_t)PERIOD_NS);
    while (account.correction_ns < 0) {
        assert_int_equal(account_weight(&account, PERIOD_NS), PERIOD_NS / 2);
        used_ns += PERIOD_NS;
    }
    assert_int_equal(account.told_cpu_ns, used_ns);
}

/* The samples of the last periods are on their way. */
static void a_few_periods_are_no_debt(void **state)
{
    struct account account = { .schedstat.cpu_ns = TOLERATED_PERIODS * PERIOD_NS - 1 };

    (void)state;
    account_begin(&account, 0);
    assert_int_equal(account_settle(&account, PERIOD_NS), 0);
    account.schedstat.cpu_ns++;
    assert_int_equal(account_settle(&account, PERIOD_NS), TOLERATED_PERIODS * PERIOD_NS);
    account.schedstat.cpu_ns = 0;
    account.told_cpu_ns = TOLERATED_PERIODS * PERIOD_NS;
    assert_int_equal(account_settle(&account, PERIOD_NS), -TOLERATED_PERIODS * PERIOD_NS);
}

static void a_clock_read_beside_the_sample_is_believed(void **state)
{
    struct account account = { .first_cpu_ns = 100, .correction_ns = 5 };

    (void)state;
    assert_int_equal(account_weight_exact(&account, 1100), 1000);
    assert_int_equal(account.correction_ns, 0);
    assert_int_equal(account_weight_exact(&account, 1100), 0);
    assert_int_equal(account_weight_exact(&account, 1600), 500);
    assert_int_equal(account.told_cpu_ns, 1500);
}

/* A parent was told 1 ms too much in ten, which its children lack. */
static void what_short_lives_lack_is_shared_by_them(void **state)
{
    struct account parent = { .looked = true };
    struct shortage shortage = { 0 };
    uint64_t told_ns = 0, used_ns = 0;

    (void)state;
    for (int stretch = 0; stretch < 100; stretch++) {
        uint64_t now_told_ns = 0;

        for (int i = 0; i < 9; i++) {
            struct account child = { 0 };
            uint64_t share_ns = shortage_share(&shortage, &child, PERIOD_NS);

            assert_in_range(share_ns, 0, PERIOD_NS / 8);
            assert_int_equal(child.told_cpu_ns, share_ns);
            now_told_ns += PERIOD_NS + share_ns;
        }
        assert_int_equal(shortage_share(&shortage, &parent, PERIOD_NS), 0);
        used_ns += 9 * PERIOD_NS + PERIOD_NS / 2;
        told_ns += now_told_ns;
        shortage_add(&shortage, 9 * PERIOD_NS + PERIOD_NS / 2, now_told_ns, PERIOD_NS / 4);
    }
    assert_in_range(told_ns, used_ns * 99 / 100, used_ns);
}

static void what_others_are_yet_to_be_told_is_no_shortage(void **state)
{
    struct shortage shortage = { 0 };
    struct account child = { 0 };

    (void)state;
    shortage_add(&shortage, 3 * PERIOD_NS, PERIOD_NS, 2 * PERIOD_NS);
    assert_int_equal(shortage_share(&shortage, &child, PERIOD_NS), 0);
    shortage_add(&shortage, 3 * PERIOD_NS, PERIOD_NS, 2 * PERIOD_NS);
    assert_int_equal(shortage_share(&shortage, &child, PERIOD_NS), PERIOD_NS / 8);
}

/* As the time of a child is, which was told when it was used and then comes with its end. */
static void time_that_goes_and_comes_back_is_no_shortage(void **state)
{
    struct shortage shortage = { 0 };
    struct account child = { 0 };

    (void)state;
    shortage_add(&shortage, -40 * (int64_t)PERIOD_NS, PERIOD_NS, 6 * PERIOD_NS);
    assert_int_equal(shortage_share(&shortage, &child, PERIOD_NS), 0);
    shortage_add(&shortage, 42 * PERIOD_NS, PERIOD_NS, 6 * PERIOD_NS);
    assert_int_equal(shortage_share(&shortage, &child, PERIOD_NS), 0);
    assert_in_range(shortage.owed_ns, 0, 6 * PERIOD_NS);
}

static void who_queued_lately_shares_its_cpu(void **state)
{
    struct account account = { .started = true };

    (void)state;
    account_queued(&account, PERIOD_NS, 0);
    assert_true(account.looked && !account.contended && account_cpu_share(&account) == 1);
    account_queued(&account, PERIOD_NS, PERIOD_NS);
    assert_true(account.contended);
    account_queued(&account, 0, 0); /* asleep */
    assert_true(account.contended);
    for (int i = 0; i < 20; i++)
        account_queued(&account, PERIOD_NS, 0);
    assert_false(account.contended);
    for (int i = 0; i < 20; i++)
        account_queued(&account, PERIOD_NS, 3 * PERIOD_NS);
    assert_in_range(100 * account_cpu_share(&account), 24, 26);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_nothing_is_owed_each_weighs_its_period),
        cmocka_unit_test(what_was_missed_is_in_the_next),
        cmocka_unit_test(what_was_too_much_is_taken_from_several),
        cmocka_unit_test(a_few_periods_are_no_debt),
        cmocka_unit_test(a_clock_read_beside_the_sample_is_believed),
        cmocka_unit_test(what_short_lives_lack_is_shared_by_them),
        cmocka_unit_test(what_others_are_yet_to_be_told_is_no_shortage),
        cmocka_unit_test(time_that_goes_and_comes_back_is_no_shortage),
        cmocka_unit_test(who_queued_lately_shares_its_cpu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
