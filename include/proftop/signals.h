/* SPDX-License-Identifier: MIT */
/*
 * Signals as input of the main thread: blocked in every thread, and handled only while that thread
 * waits in signals_poll(); so nothing else is ever interrupted.
 *
 * Not by a signalfd(2): whoever polls one is woken by each signal that any thread of the process is
 * sent, and the ptrace source gives itself one a tick.
 */
#ifndef PROFTOP_SIGNALS_H
#define PROFTOP_SIGNALS_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct signal_news {
    int number;
    bool typed; /* at the terminal, for all of its foreground */
};

/*
 * From here on NUMBERS are blocked in this thread, those it starts, and taken by signals_poll().
 * BEFORE, unless NULL, is what was blocked, for a child to get back.  A hang-up that is ignored
 * (nohup(1)) stays so.
 */
void signals_begin(const int *numbers, size_t count, sigset_t *before);

/* poll(2); ends with the first signal, for signals_take(), and no descriptor is ready then. */
int signals_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

/* The signal that the last wait was interrupted by, once; false when there was none. */
bool signals_take(struct signal_news *news);

#endif
