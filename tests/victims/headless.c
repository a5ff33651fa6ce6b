/* SPDX-License-Identifier: MIT */
/*
 * Its leader thread ends and two others go on.
 *
 *     burn ─ burn_headless     computes until its standard input ends; "headless MS": for so long
 *     rest ─ rest_headless     waits for that one to end, and is the last
 *
 * Writes one byte to standard output when the leader has ended.  A byte of input lets burn exec the
 * "chain" beside this program.
 */
#include "config.h"

#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t sink;
static long life_ms;
static pthread_t burner;
static char chain_path[PATH_MAX];

#define APART __attribute__((noinline, noclone))

static APART void burn_headless(void)
{
    for (int i = 0; i < 200000; i++)
        sink = sink * 6364136223846793005u + 1442695040888963407u;
    sink++;
}

static APART void rest_headless(void)
{
    pthread_join(burner, NULL);
    sink++;
}

static bool leader_has_ended(void)
{
    char path[64], text[512] = "";
    const char *close;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)getpid());
    file = fopen(path, "r");
    if (file == NULL)
        return false;
    close = fgets(text, sizeof(text), file) != NULL ? strrchr(text, ')') : NULL;
    fclose(file);
    return close != NULL && strncmp(close, ") Z", 3) == 0;
}

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether to go on. */
static bool look_at_input(void)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    char byte;

    if (poll(&input, 1, 0) <= 0)
        return true;
    if (read(STDIN_FILENO, &byte, 1) == 1)
        execl(chain_path, "chain", (char *)NULL);
    return false;
}

static void *burn(void *unused)
{
    long end_ms = now_ms() + life_ms;

    do
        burn_headless();
    while (life_ms != 0 ? now_ms() < end_ms : look_at_input());
    return unused;
}

static void *rest(void *unused)
{
    while (!leader_has_ended())
        sched_yield();
    if (write(STDOUT_FILENO, "r", 1) != 1)
        exit(1);
    rest_headless();
    return unused;
}

int main(int argc, char **argv)
{
    char *program = strdup(argv[0]);
    pthread_t rester;

    life_ms = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    snprintf(chain_path, sizeof(chain_path), "%s/chain", dirname(program));
    free(program);
    if (pthread_create(&burner, NULL, burn, NULL) != 0 ||
        pthread_create(&rester, NULL, rest, NULL) != 0)
        return 1;
    pthread_exit(NULL);
}
