/* SPDX-License-Identifier: MIT */
/* Signals as input: see signals.h. */
#include "config.h"

#include "proftop/signals.h"

#include <pthread.h>

#include "proftop/clock.h"

/* Written by the handler, which runs within a ppoll(2), once for each, and nowhere else. */
static struct signal_news came; /* its number is 0: none */

static sigset_t waiting; /* what is blocked in a ppoll(2) */

static void note(int number, siginfo_t *info, void *context)
{
    (void)context;
    came = (struct signal_news){ number, info->si_code == SI_KERNEL };
}

static bool stays_ignored(int number)
{
    struct sigaction action;

    return number == SIGHUP && sigaction(number, NULL, &action) == 0 &&
           action.sa_handler == SIG_IGN;
}

void signals_begin(const int *numbers, size_t count)
{
    struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
    sigset_t blocked;

    sigemptyset(&blocked);
    for (size_t i = 0; i < count; i++)
        sigaddset(&blocked, numbers[i]);
    action.sa_mask = blocked;
    pthread_sigmask(SIG_BLOCK, &blocked, &waiting);
    for (size_t i = 0; i < count; i++) {
        sigdelset(&waiting, numbers[i]);
        if (!stays_ignored(numbers[i]))
            sigaction(numbers[i], &action, NULL);
    }
}

int signals_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    struct timespec timeout = { timeout_ms / 1000, (long)(timeout_ms % 1000) * (long)NS_PER_MS };
    int ready = ppoll(fds, count, timeout_ms < 0 ? NULL : &timeout, &waiting);

    /* No signal comes where a descriptor was ready at once. */
    if (ready > 0)
        ppoll(NULL, 0, &(struct timespec){ 0 }, &waiting);
    for (nfds_t i = 0; ready < 0 && i < count; i++)
        fds[i].revents = 0;
    return ready;
}

bool signals_take(struct signal_news *news)
{
    *news = came;
    came.number = 0;
    return news->number != 0;
}
