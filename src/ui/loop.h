/* SPDX-License-Identifier: MIT */
/*
 * The loop: waits for keys, signals, samples and the command's output, and paints.  Main thread.
 *
 *     tty ──────────► keys ─┐
 *     signalfd ─────────────┤
 *     engine, follower ─────┤
 *     late names ───────────┼─► app ─► grid ─► tty
 *     fold worker, saver ───┤
 *     master of the pty ────┘
 */
#ifndef UI_LOOP_H
#define UI_LOOP_H

#include <signal.h>

#include "app.h"
#include "screen.h"

struct engine;
struct late_names;
struct session_follower;

struct loop_config {
    struct app *app;
    struct tty *tty;
    struct engine *engine;             /* NULL: a saved session */
    struct session_follower *follower; /* of a session that is still being written, or NULL */
    struct late_names *late;           /* names that come for a saved session, or NULL */
    struct output *output;             /* of the launched command, or NULL */
    int signal_fd;                     /* of loop_signals() */
    double duration_s;                 /* it ends by itself after so long; 0: never */
};

enum loop_end {
    LOOP_QUIT,
    LOOP_TERMINATE, /* … and end the launched command */
    LOOP_RUN_AGAIN,
    LOOP_HANGUP, /* the terminal is gone, or we were told to end */
};

enum loop_end loop_run(const struct loop_config *config);

/*
 * The signals that the loop reads; they are blocked in this thread and in those it starts.  BEFORE
 * is what they were, for a child to get back.
 */
int loop_signals(sigset_t *before);

/* For a screen before the loop: takes what SIGNAL_FD has; false when it is time to leave. */
bool loop_signal_resizes(int signal_fd, struct tty *tty);

#endif
