/* SPDX-License-Identifier: MIT */
/* Signals as input: when they are taken, in which order, and whom they leave alone. */
#include "config.h"

#include "proftop/signals.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/harness/testing.h"

static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

static void begin(void)
{
    signals_begin(numbers, sizeof(numbers) / sizeof(numbers[0]));
}

static void taken_after_a_poll_alone(void **state)
{
    struct signal_news news;
    sigset_t blocked;

    (void)state;
    begin();
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    assert_true(sigismember(&blocked, SIGTERM));
    raise(SIGTERM);
    assert_false(signals_take(&news));
    assert_int_equal(signals_poll(NULL, 0, 60000), -1);
    assert_true(signals_take(&news));
    assert_int_equal(news.number, SIGTERM);
    assert_false(news.typed);
    assert_false(signals_take(&news));
    assert_int_equal(signals_poll(NULL, 0, 0), 0);
    assert_false(signals_take(&news));
}

static void each_that_came_is_taken(void **state)
{
    struct signal_news news;
    unsigned seen = 0;

    (void)state;
    begin();
    raise(SIGTERM);
    raise(SIGINT);
    while (signals_poll(NULL, 0, 0) < 0 && signals_take(&news))
        seen += news.number == SIGTERM ? 1 : news.number == SIGINT ? 2 : 100;
    assert_int_equal(seen, 3);
}

static void interrupted_no_descriptor_is_ready(void **state)
{
    struct pollfd fd = { .fd = eventfd(0, EFD_CLOEXEC), .events = POLLIN, .revents = POLLIN };
    struct signal_news news;

    (void)state;
    begin();
    raise(SIGTERM);
    assert_int_equal(signals_poll(&fd, 1, 60000), -1);
    assert_int_equal(fd.revents, 0);
    assert_true(signals_take(&news));
    assert_int_equal(eventfd_write(fd.fd, 1), 0);
    assert_int_equal(signals_poll(&fd, 1, 60000), 1);
    assert_int_equal(fd.revents, POLLIN);
    close(fd.fd);
}

static void a_descriptor_that_is_ready_hides_no_signal(void **state)
{
    struct pollfd fd = { .fd = eventfd(1, EFD_CLOEXEC), .events = POLLIN };
    struct signal_news news;

    (void)state;
    begin();
    raise(SIGTERM);
    assert_int_equal(signals_poll(&fd, 1, 60000), 1);
    assert_int_equal(fd.revents, POLLIN);
    assert_true(signals_take(&news));
    assert_int_equal(news.number, SIGTERM);
    close(fd.fd);
}

static void an_ignored_hang_up_stays_so(void **state)
{
    struct signal_news news;

    (void)state;
    signal(SIGHUP, SIG_IGN);
    begin();
    raise(SIGHUP);
    assert_int_equal(signals_poll(NULL, 0, 0), 0);
    assert_false(signals_take(&news));
}

enum { TICKS = 50000, WAKES_MAX = 50 };

static void nothing(int number)
{
    (void)number;
}

/* As a source does that gives itself a signal a tick. */
static void *signal_oneself(void *end_fd)
{
    for (int i = 0; i < TICKS; i++)
        raise(SIGUSR1);
    eventfd_write(*(const int *)end_fd, 1);
    return NULL;
}

static void signals_of_other_threads_wake_nobody(void **state)
{
    int end_fd = eventfd(0, EFD_CLOEXEC);
    struct pollfd fd = { .fd = end_fd, .events = POLLIN };
    struct rusage before, after;
    pthread_t thread;

    (void)state;
    begin();
    signal(SIGUSR1, nothing);
    assert_int_equal(pthread_create(&thread, NULL, signal_oneself, &end_fd), 0);
    getrusage(RUSAGE_THREAD, &before);
    assert_int_equal(signals_poll(&fd, 1, 60000), 1);
    getrusage(RUSAGE_THREAD, &after);
    assert_true(after.ru_nvcsw - before.ru_nvcsw < WAKES_MAX);
    pthread_join(thread, NULL);
    close(end_fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_after_a_poll_alone),
        cmocka_unit_test(each_that_came_is_taken),
        cmocka_unit_test(interrupted_no_descriptor_is_ready),
        cmocka_unit_test(a_descriptor_that_is_ready_hides_no_signal),
        cmocka_unit_test(an_ignored_hang_up_stays_so),
        cmocka_unit_test(signals_of_other_threads_wake_nobody),
    };

    return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
