/* SPDX-License-Identifier: MIT */
/*
 * Replaying keys on a saved session, without a terminal: the screens go to a stream as text.  The
 * same script on the same session says the same on every machine.
 *
 *     # a comment
 *     key 2 Down Enter      keys by the names of the help
 *     type worker           letters, one by one
 *     size 100x30           the screen becomes that large
 *     tick 1500             so many milliseconds pass
 *     screen [NAME]         the screen as it is now
 */
#ifndef UI_SCRIPT_H
#define UI_SCRIPT_H

#include <stdio.h>

#include "app.h"
#include "proftop/error.h"

/* Plays SCRIPT (called NAME in errors) on APP, which must be synchronous, writing to OUT. */
bool script_run(struct app *app, FILE *script, const char *name, int columns, int rows, FILE *out,
                struct error *error);

#endif
