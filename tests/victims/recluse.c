/* SPDX-License-Identifier: MIT */
/*
 * Computes, and closes itself to others that are not root when told so by SIGUSR1, as a program
 * does that changes its user.
 *
 * Runs until its standard input ends; writes one byte to standard output when it is running.
 */
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>

static volatile uint64_t sink;

static void close_up(int signal)
{
    (void)signal;
    prctl(PR_SET_DUMPABLE, 0);
}

int main(void)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

    signal(SIGUSR1, close_up);
    if (write(STDOUT_FILENO, "r", 1) != 1)
        return 1;
    while (poll(&input, 1, 0) == 0)
        for (int i = 0; i < 1000000; i++)
            sink = sink * 6364136223846793005u + 1442695040888963407u;
    return 0;
}
