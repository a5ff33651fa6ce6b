/* SPDX-License-Identifier: MIT */
/*
 * Threads with a known way to wait, named after it:
 *
 *     "nap"     nanosleep, with a little work between     WAIT_SLEEP
 *     "poll"    poll on a pipe nobody writes to           WAIT_POLL
 *     "lock"    a mutex that main holds                   WAIT_LOCK
 *     "pipe"    read of that pipe                         WAIT_PIPE
 *     "burn"    never waits
 *
 * "sleepers 100" has a hundred more that poll, "sleepers crowd" six more that burn, and
 *
 *     "ask"     works half of its time, and polls many files without waiting in the other
 *     "count"   works, and asks now and then how much CPU time that took; there its turns end
 *
 * "sleepers blink" has none that burns, but two hundred that work for 50 us and nap for 5 ms.
 *
 * A byte on its standard input renames the thread that naps "renamed".  Runs until that ends;
 * writes one byte to standard output when all have begun.
 */
#include "config.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CROWD = 6, ASKED = 250, BLINKERS = 200 };

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t begun;
static int quiet[2];
static volatile uint64_t sink;

static void work(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        sink = sink * 6364136223846793005u + 1442695040888963407u;
}

static void *nap(void *unused)
{
    const struct timespec pause = { 0, 5000000 };

    (void)unused;
    pthread_barrier_wait(&begun);
    for (;;) {
        nanosleep(&pause, NULL);
        work(300000);
    }
    return NULL;
}

static void *wait_in_poll(void *unused)
{
    struct pollfd end = { .fd = quiet[0], .events = POLLPRI };

    (void)unused;
    pthread_barrier_wait(&begun);
    poll(&end, 1, -1);
    return NULL;
}

static void *wait_for_lock(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&begun);
    pthread_mutex_lock(&held);
    return NULL;
}

static void *wait_for_pipe(void *unused)
{
    char byte;

    (void)unused;
    pthread_barrier_wait(&begun);
    if (read(quiet[0], &byte, 1) < 0)
        abort();
    return NULL;
}

static void *burn(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&begun);
    for (;;)
        work(100000);
    return NULL;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *ask(void *unused)
{
    const uint64_t half_ns = 1000000;
    struct pollfd asked[ASKED];

    (void)unused;
    for (int i = 0; i < ASKED; i++)
        asked[i] = (struct pollfd){ .fd = quiet[0], .events = POLLPRI };
    pthread_barrier_wait(&begun);
    for (;;) {
        uint64_t begin_ns = now_ns();

        while (now_ns() < begin_ns + half_ns)
            work(2000);
        begin_ns = now_ns();
        while (now_ns() < begin_ns + half_ns)
            poll(asked, ASKED, 0);
    }
    return NULL;
}

static void *count(void *unused)
{
    struct timespec used;

    (void)unused;
    pthread_barrier_wait(&begun);
    for (;;) {
        work(1000000);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    }
    return NULL;
}

static void *blink(void *unused)
{
    const struct timespec pause = { 0, 5000000 };

    (void)unused;
    pthread_barrier_wait(&begun);
    for (;;) {
        uint64_t begin_ns = now_ns();

        while (now_ns() < begin_ns + 50000)
            work(200);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void *(*run)(void *);
    } threads[] = { { "nap", nap },
                    { "poll", wait_in_poll },
                    { "lock", wait_for_lock },
                    { "pipe", wait_for_pipe },
                    { "burn", burn },
                    { "ask", ask },
                    { "count", count } };
    bool crowd = argc > 1 && strcmp(argv[1], "crowd") == 0;
    bool blinking = argc > 1 && strcmp(argv[1], "blink") == 0;
    size_t kinds = sizeof(threads) / sizeof(threads[0]) - (crowd ? 0 : blinking ? 3 : 2);
    size_t count = kinds + (crowd      ? CROWD
                            : blinking ? BLINKERS
                            : argc > 1 ? strtoul(argv[1], NULL, 10)
                                       : 0);
    void *(*more)(void *) = crowd ? burn : blinking ? blink : wait_in_poll;
    pthread_t thread, napping = pthread_self();
    char byte;

    if (pipe(quiet) != 0)
        return 1;
    pthread_mutex_lock(&held);
    pthread_barrier_init(&begun, NULL, (unsigned)count + 1);
    for (size_t i = 0; i < count; i++) {
        if (pthread_create(&thread, NULL, i < kinds ? threads[i].run : more, NULL) != 0 ||
            (i < kinds && pthread_setname_np(thread, threads[i].name) != 0))
            return 1;
        if (i == 0)
            napping = thread;
    }
    pthread_barrier_wait(&begun);
    if (write(STDOUT_FILENO, "r", 1) != 1)
        return 1;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        pthread_setname_np(napping, "renamed");
    return 0;
}
