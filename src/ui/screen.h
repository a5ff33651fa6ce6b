/* SPDX-License-Identifier: MIT */
/*
 * The terminal: a grid goes out, key events come in.  One implementation, screen_curses.c, the only
 * file that includes <curses.h>.  Main thread only.
 */
#ifndef UI_SCREEN_H
#define UI_SCREEN_H

#include <stdbool.h>

#include "keys.h"
#include "proftop/error.h"
#include "proftop/grid.h"

struct terminal_options {
    const char *theme;
    bool ascii, color, mouse;
};

struct tty;

/* Whether a screen can be drawn at all; if not, why, and the way on. */
bool tty_check(struct error *error);

/*
 * Takes the terminal over: stdout must be one; keys come from stdin, or from /dev/tty where stdin
 * is none.  When the program dies from then on, the terminal is restored first.
 */
struct tty *tty_open(const struct terminal_options *options, struct error *error);
/* Gives it back as it was. */
void tty_close(struct tty *tty);

void tty_size(const struct tty *tty, int *columns, int *rows);
/* The terminal's size may have changed. */
void tty_resized(struct tty *tty);
/* Only ASCII can be shown: asked for, or the locale or TERM=linux says so. */
bool tty_ascii(const struct tty *tty);

/* Shows GRID, writing only what differs. */
void tty_paint(struct tty *tty, const struct grid *grid);
/* The next paint writes everything. */
void tty_redraw(struct tty *tty);

/* Readable when keys are waiting. */
int tty_fd(const struct tty *tty);
/* The next event that is there; false when there is none. */
bool tty_key(struct tty *tty, struct key_event *event);

void tty_set_theme(struct tty *tty, const char *theme);
void tty_set_mouse(struct tty *tty, bool on);
/* Puts TEXT on the clipboard of the person's own terminal (OSC 52). */
void tty_copy(struct tty *tty, const char *text);

/* Gives the terminal back for as long as the shell has it, and takes it again. */
void tty_leave(struct tty *tty);
void tty_return(struct tty *tty);

#endif
