/* SPDX-License-Identifier: MIT */
/* The second thread of who names. */
#include "config.h"

#include <pthread.h>

#include "src/symbols/helper.h"
#include "tests/harness/testing.h"

enum { PIECES = 1000 };

/* What a piece of work left. */
struct left {
    int done;
    pthread_t by;
};

static void leave(void *argument)
{
    struct left *left = argument;

    left->done++;
    left->by = pthread_self();
}

static void one_thread_does_all(void **state)
{
    struct helper *helper = helper_new();
    struct left left = { 0 };
    pthread_t first = pthread_self();

    (void)state;
    for (int i = 0; i < PIECES; i++) {
        assert_true(helper_begin(helper, leave, &left));
        helper_end(helper);
        assert_int_equal(left.done, i + 1);
        first = i == 0 ? left.by : first;
        assert_true(pthread_equal(left.by, first));
    }
    assert_false(pthread_equal(first, pthread_self()));
    helper_free(helper);
}

static void what_was_begun_is_done_before_it_goes(void **state)
{
    struct helper *helper = helper_new();
    struct left left = { 0 };

    (void)state;
    assert_true(helper_begin(helper, leave, &left));
    helper_free(helper);
    assert_int_equal(left.done, 1);
}

static void there_need_be_no_work(void **state)
{
    struct helper *helper = helper_new();

    (void)state;
    helper_end(helper);
    helper_free(helper);
    helper_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_does_all),
        cmocka_unit_test(what_was_begun_is_done_before_it_goes),
        cmocka_unit_test(there_need_be_no_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
