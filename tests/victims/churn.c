/* SPDX-License-Identifier: MIT */
/*
 * One short life after the other: "churn threads", "churn forks", and "churn exec", where a thread
 * that is not the first one execs "chain" after a moment.  "churn crowd": six at a time, which have
 * to queue for a CPU.
 *
 * Each life burns 0.8 ms, one in a crowd 15 ms of CPU time.  Runs until its standard input ends;
 * writes one byte to standard output when it is running.
 */
#include "config.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIFE_NS = 800000, BEFORE_EXEC_NS = 300000000, CROWD = 6, CROWD_LIFE_NS = 15000000 };

static void burn(clockid_t clock, long for_ns)
{
    struct timespec start, now;

    clock_gettime(clock, &start);
    do
        clock_gettime(clock, &now);
    while ((now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec < for_ns);
}

static void *live(void *unused)
{
    burn(CLOCK_MONOTONIC, LIFE_NS);
    return unused;
}

static void *live_in_crowd(void *unused)
{
    burn(CLOCK_THREAD_CPUTIME_ID, CROWD_LIFE_NS);
    return unused;
}

static void live_as_crowd(void)
{
    pthread_t threads[CROWD];
    int count = 0;

    while (count < CROWD && pthread_create(&threads[count], NULL, live_in_crowd, NULL) == 0)
        count++;
    while (count > 0)
        pthread_join(threads[--count], NULL);
}

static void live_as_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, live, NULL) == 0)
        pthread_join(thread, NULL);
}

static void live_as_process(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        burn(CLOCK_MONOTONIC, LIFE_NS);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void *exec_chain(void *path)
{
    burn(CLOCK_MONOTONIC, BEFORE_EXEC_NS);
    execl(path, "chain", (char *)NULL);
    return NULL;
}

/* argv[0] with its last part replaced. */
static void exec_from_thread(const char *self)
{
    static char path[4096];
    const char *slash = strrchr(self, '/');
    pthread_t thread;

    snprintf(path, sizeof(path), "%.*s/chain", (int)(slash != NULL ? slash - self : 0), self);
    if (pthread_create(&thread, NULL, exec_chain, path) == 0)
        pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

    if (argc != 2 || write(STDOUT_FILENO, "r", 1) != 1)
        return 2;
    if (strcmp(argv[1], "exec") == 0)
        exec_from_thread(argv[0]);
    while (poll(&input, 1, 0) == 0) {
        if (strcmp(argv[1], "forks") == 0)
            live_as_process();
        else if (strcmp(argv[1], "crowd") == 0)
            live_as_crowd();
        else
            live_as_thread();
    }
    return 0;
}
