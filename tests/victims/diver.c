/* SPDX-License-Identifier: MIT */
/*
 * Stacks that no copy from the stack pointer on holds:
 *
 *     "diver deep"      dive() 96 KiB deep; there one system call works for long and then sleeps:
 *                       write() to a pipe that a second thread reads most of, then pauses
 *     "diver signal"    a handler burns on a stack of its own, what it interrupted is dive()
 *     "diver swing"     burns two dives deep for a while, and then as long 96 KiB deep
 *
 * Runs until its standard input ends; writes one byte to standard output when it is running.
 */
#include "config.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    DEPTH = 96,
    FRAME_BYTES = 1024,
    WRITE_BYTES = 32 << 20,
    REST_BYTES = 1 << 20,
    SIGNAL_STACK_BYTES = 64 << 10,
    SHALLOW = 64, /* dives to each deep one */
};

#define APART __attribute__((noinline, noclone))

static volatile uint64_t sink;
static int pipe_ends[2];
static char all[WRITE_BYTES];

static bool over(void)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

    return poll(&input, 1, 0) > 0;
}

static APART void fill_pipe(void)
{
    sink += (uint64_t)write(pipe_ends[1], all, sizeof(all));
}

static void empty_pipe(size_t size)
{
    static char room[64 << 10];

    while (size > 0) {
        ssize_t count = read(pipe_ends[0], room, size < sizeof(room) ? size : sizeof(room));

        if (count <= 0)
            exit(1);
        size -= (size_t)count;
    }
}

static void *read_in_turns(void *unused)
{
    static const struct timespec pause = { 0, 150000000 };

    (void)unused;
    for (;;) {
        empty_pipe(WRITE_BYTES - REST_BYTES);
        nanosleep(&pause, NULL);
        empty_pipe(REST_BYTES);
    }
    return NULL;
}

static APART void dive(unsigned depth, void (*bottom)(void))
{
    char frame[FRAME_BYTES];

    memset(frame, (int)depth, sizeof(frame));
    if (depth > 0)
        dive(depth - 1, bottom);
    else
        bottom();
    sink += (uint64_t)frame[sink % sizeof(frame)];
}

static APART void interrupt(void)
{
    raise(SIGUSR1);
    sink++;
}

static APART void burn_in_handler(int number)
{
    while (!over())
        for (int i = 0; i < 1000000; i++)
            sink = sink * 6364136223846793005u + (uint64_t)number;
}

static APART void burn_a_while(void)
{
    for (int i = 0; i < 1000000; i++)
        sink = sink * 6364136223846793005u + 1;
}

static void swing(void)
{
    for (unsigned i = 1; !over(); i++)
        dive(i % SHALLOW == 0 ? DEPTH : 2, burn_a_while);
}

static void dive_deep(void)
{
    pthread_t reader;

    if (pipe(pipe_ends) != 0 || pthread_create(&reader, NULL, read_in_turns, NULL) != 0)
        exit(1);
    while (!over())
        dive(DEPTH, fill_pipe);
}

static void dive_into_signal(void)
{
    struct sigaction action = { .sa_handler = burn_in_handler, .sa_flags = SA_ONSTACK };
    stack_t stack = { .ss_sp = malloc(SIGNAL_STACK_BYTES), .ss_size = SIGNAL_STACK_BYTES };

    if (sigaltstack(&stack, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0)
        exit(1);
    dive(3, interrupt);
}

int main(int argc, char **argv)
{
    if (argc != 2 || write(STDOUT_FILENO, "r", 1) != 1)
        return 2;
    if (strcmp(argv[1], "deep") == 0)
        dive_deep();
    else if (strcmp(argv[1], "swing") == 0)
        swing();
    else
        dive_into_signal();
    return 0;
}
