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

/*
 * A parent works 1 ms in ten of its target's, and is met MET times in a hundred instead.  Returns
 * what was told in all, in per cent.
 */
static uint64_t tell_of_children(int met)
{
    struct account parent = { .started = true, .looked = true };
    struct short_lives lives = { 0 };
    uint64_t told_ns = 0;

    for (int stretch = 1; stretch <= 100; stretch++) {
        uint64_t now_told_ns = 0;

        for (int i = 0; i < met; i++)
            now_told_ns += short_lives_weight(&lives, &parent, PERIOD_NS);
        for (int i = met; i < 100; i++) {
            struct account child = { 0 };
            uint64_t weight_ns = short_lives_weight(&lives, &child, PERIOD_NS);

            assert_in_range(weight_ns, PERIOD_NS - PERIOD_NS / 8, PERIOD_NS + PERIOD_NS / 8);
            assert_int_equal(child.told_cpu_ns, weight_ns);
            now_told_ns += weight_ns;
        }
        parent.schedstat.cpu_ns = (uint64_t)stretch * 10 * PERIOD_NS;
        account_settle(&parent, PERIOD_NS);
        short_lives_settle(&lives, (int64_t)100 * PERIOD_NS, now_told_ns,
                           ACCOUNT_TOLERATED * PERIOD_NS);
        told_ns += now_told_ns;
    }
    return told_ns / PERIOD_NS / 100;
}

static void what_a_parent_is_told_too_much_its_children_lack(void **state)
{
    (void)state;
    assert_in_range(tell_of_children(10), 100, 100);
    assert_in_range(tell_of_children(14), 99, 100);
    assert_in_range(tell_of_children(6), 100, 101);
}

static void what_others_are_yet_to_be_told_is_not_theirs(void **state)
{
    struct short_lives lives = { 0 };

    (void)state;
    short_lives_settle(&lives, 3 * PERIOD_NS, PERIOD_NS, 2 * PERIOD_NS);
    assert_int_equal(lives.due_ns, 0);
    short_lives_settle(&lives, 3 * PERIOD_NS, PERIOD_NS, 2 * PERIOD_NS);
    assert_in_range(lives.due_ns, 3 * PERIOD_NS, 4 * PERIOD_NS);
}

/* As the time of a child is, which was told when it was used and then comes with its end. */
static void time_that_goes_and_comes_back_is_not_theirs(void **state)
{
    struct short_lives lives = { 0 };

    (void)state;
    short_lives_settle(&lives, -40 * (int64_t)PERIOD_NS, PERIOD_NS, 6 * PERIOD_NS);
    assert_int_equal(lives.due_ns, 0);
    short_lives_settle(&lives, 42 * PERIOD_NS, PERIOD_NS, 6 * PERIOD_NS);
    assert_int_equal(lives.due_ns, 0);
}

/* As that of children whom nobody waits for. */
static void time_that_never_comes_takes_nothing_from_them(void **state)
{
    struct short_lives lives = { 0 };

    (void)state;
    for (int i = 0; i < 20; i++)
        short_lives_settle(&lives, 0, 50 * PERIOD_NS, 3 * PERIOD_NS);
    assert_int_equal(lives.due_ns, 0);
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
        cmocka_unit_test(what_a_parent_is_told_too_much_its_children_lack),
        cmocka_unit_test(what_others_are_yet_to_be_told_is_not_theirs),
        cmocka_unit_test(time_that_goes_and_comes_back_is_not_theirs),
        cmocka_unit_test(time_that_never_comes_takes_nothing_from_them),
        cmocka_unit_test(who_queued_lately_shares_its_cpu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
