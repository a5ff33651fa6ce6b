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
 * From here on NUMBERS are blocked in this thread and those it starts, and taken by signals_poll().
 * A hang-up that is ignored (nohup(1)) stays so.
 */
void signals_begin(const int *numbers, size_t count);

/* poll(2); a signal ends it and is there for signals_take().  Interrupted, nothing is ready. */
int signals_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

/* The signal that came in the last wait, once; false when there was none. */
bool signals_take(struct signal_news *news);

#endif
