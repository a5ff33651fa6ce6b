/* SPDX-License-Identifier: MIT */
/*
 * Alternates short work with waits that a profiler must not be seen in, and counts what it sees.
 *
 *     waiter CALL     CALL: epoll_wait, epoll_pwait2, sigtimedwait, semtimedop, recv, signal,
 *                     ignored, timer, short
 *
 * "signal" waits in epoll_wait() while a timer interrupts it: there EINTR is due, once a signal.
 * "ignored" waits there without a time limit, and ignores that timer's signal.
 * "timer" only works, while a POSIX timer interrupts it all the time.
 * "short" works as long as it waits, 20 us, to be stopped often.  Runs until its standard input
 * ends; writes one byte to standard output when it is running, and at its end a line
 * "ROUNDS EINTRS SIGNALS LONGEST_US LATE": by how much a wait lasted longer than asked at most, and
 * how many did by more than a tick of the scheduler.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    WORK_NS = 20000,
    LONG_NS = 1000000, /* where the wait is as long as several ticks */
    WAIT_NS = 60000,
    SHORT_NS = 20000,
    WAIT_MS = 1,
    TICK_NS = 4000000,
    TIMER_NS = 50000
};

static atomic_bool over;
static volatile sig_atomic_t signals;

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void work(uint64_t work_ns)
{
    uint64_t end_ns = now_ns() + work_ns;

    while (now_ns() < end_ns)
        ;
}

static void on_signal(int number)
{
    (void)number;
    signals++;
}

/* Ends with the test that started it. */
static void *watch_input(void *unused)
{
    char byte;

    (void)unused;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    over = true;
    return NULL;
}

static int wait_in_epoll(void)
{
    static int epoll = -1;
    struct epoll_event event;

    if (epoll < 0)
        epoll = epoll_create1(0);
    return epoll_wait(epoll, &event, 1, WAIT_MS);
}

static int wait_in_epoll_for(long wait_ns)
{
    static int epoll = -1;
    const struct timespec timeout = { 0, wait_ns };
    struct epoll_event event;

    if (epoll < 0)
        epoll = epoll_create1(0);
    return (int)syscall(SYS_epoll_pwait2, epoll, &event, 1, &timeout, NULL, 8);
}

static int wait_in_epoll_pwait2(void)
{
    return wait_in_epoll_for(WAIT_NS);
}

static int wait_shortly(void)
{
    return wait_in_epoll_for(SHORT_NS);
}

static int wait_in_sigtimedwait(void)
{
    const struct timespec timeout = { 0, WAIT_NS };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return sigtimedwait(&set, NULL, &timeout);
}

static int wait_in_semtimedop(void)
{
    static int set = -1;
    const struct timespec timeout = { 0, WAIT_NS };
    struct sembuf take = { 0, -1, 0 };
    int result;

    if (set < 0)
        set = semget(IPC_PRIVATE, 1, 0600);
    result = semtimedop(set, &take, 1, &timeout);
    if (over)
        semctl(set, 0, IPC_RMID);
    return result;
}

static int wait_in_recv(void)
{
    static int ends[2] = { -1, -1 };
    const struct timeval timeout = { 0, WAIT_MS * 1000 };
    char byte;

    if (ends[0] < 0) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    }
    return (int)recv(ends[0], &byte, 1, 0);
}

/* Until another timer fires. */
static int wait_without_limit(void)
{
    static int epoll = -1, timer;
    const struct itimerspec when = { { 0, 0 }, { 0, WAIT_MS * 1000000 } };
    struct epoll_event event = { .events = EPOLLIN };

    if (epoll < 0) {
        epoll = epoll_create1(0);
        timer = timerfd_create(CLOCK_MONOTONIC, 0);
        epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
    }
    timerfd_settime(timer, 0, &when, NULL);
    return epoll_wait(epoll, &event, 1, -1);
}

static int wait_not(void)
{
    return 0;
}

static const struct {
    const char *name;
    int (*wait)(void);
    uint64_t wait_ns;
    int every_ms; /* a signal */
} calls[] = {
    { "epoll_wait", wait_in_epoll, WAIT_MS * 1000000, 0 },
    { "epoll_pwait2", wait_in_epoll_pwait2, WAIT_NS, 0 },
    { "sigtimedwait", wait_in_sigtimedwait, WAIT_NS, 0 },
    { "semtimedop", wait_in_semtimedop, WAIT_NS, 0 },
    { "recv", wait_in_recv, WAIT_MS * 1000000, 0 },
    { "signal", wait_in_epoll, WAIT_MS * 1000000, 3 },
    { "ignored", wait_without_limit, WAIT_MS * 1000000, 3 },
    { "timer", wait_not, 0, 0 },
    { "short", wait_shortly, SHORT_NS, 0 },
};

/* The timer's signal is for the thread that waits: the other one blocks it. */
static void start_timer(int every_ms, void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler };
    struct itimerval timer = { { 0, every_ms * 1000 }, { 0, every_ms * 1000 } };

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* The kernel sets such a timer anew as its signal is taken. */
static void start_posix_timer(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
    struct itimerspec when = { { 0, TIMER_NS }, { 0, TIMER_NS } };
    timer_t timer;

    sigaction(SIGALRM, &action, NULL);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
        timer_settime(timer, 0, &when, NULL);
}

static void *run(void *argument)
{
    const size_t call = (size_t)argument;
    uint64_t rounds = 0, interrupted = 0, longest_ns = 0, late = 0;

    for (; !over; rounds++) {
        uint64_t start_ns, took_ns;

        work(calls[call].wait == wait_in_recv ? LONG_NS : WORK_NS);
        start_ns = now_ns();
        if (calls[call].wait() < 0 && errno == EINTR)
            interrupted++;
        took_ns = now_ns() - start_ns;
        if (took_ns > calls[call].wait_ns && took_ns - calls[call].wait_ns > longest_ns)
            longest_ns = took_ns - calls[call].wait_ns;
        late += took_ns > calls[call].wait_ns + TICK_NS;
    }
    printf("%llu %llu %d %llu %llu\n", (unsigned long long)rounds, (unsigned long long)interrupted,
           (int)signals, (unsigned long long)(longest_ns / 1000), (unsigned long long)late);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t watcher;
    sigset_t alarm_set;

    for (size_t i = 0; argc > 1 && i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strcmp(argv[1], calls[i].name) != 0)
            continue;
        sigemptyset(&alarm_set);
        sigaddset(&alarm_set, SIGALRM);
        pthread_sigmask(SIG_BLOCK, &alarm_set, NULL);
        prctl(PR_SET_TIMERSLACK, 1); /* a wait is not longer than it need be */
        pthread_create(&watcher, NULL, watch_input, NULL);
        pthread_sigmask(SIG_UNBLOCK, &alarm_set, NULL);
        if (calls[i].every_ms != 0)
            start_timer(calls[i].every_ms,
                        calls[i].wait == wait_without_limit ? SIG_IGN : on_signal);
        if (calls[i].wait == wait_not)
            start_posix_timer();
        if (write(STDOUT_FILENO, "r", 1) != 1)
            return 1;
        run((void *)i);
        pthread_join(watcher, NULL);
        return 0;
    }
    fprintf(stderr, "usage: waiter epoll_wait|epoll_pwait2|sigtimedwait|semtimedop|recv|signal|"
                    "ignored|timer|short\n");
    return 2;
}
