/* SPDX-License-Identifier: MIT */
/*
 * The loop: waits for keys, signals, samples and the command's output, and paints.  Main thread.
 *
 *     tty ──────────► keys ─┐
 *     signals ──────────────┤
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
    double duration_s;                 /* it ends by itself after so long; 0: never */
};

enum loop_end {
    LOOP_QUIT,
    LOOP_TERMINATE, /* … and end the launched command */
    LOOP_RUN_AGAIN,
    LOOP_HANGUP, /* the terminal is gone, or we were told to end */
};

enum loop_end loop_run(const struct loop_config *config);

/* signals_begin() with those that the loop minds. */
void loop_signals(void);

/* For a screen before the loop: minds a signal that came; false when it is time to leave. */
bool loop_signal_stays(struct tty *tty);

#endif
