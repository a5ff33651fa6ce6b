/* SPDX-License-Identifier: MIT */
/*
 * A terminal that a test holds: a program on a pty of its own, whose output is interpreted by
 * libvterm, and to which keys are typed.
 *
 *     test ──keys──► master ── pty ──► program
 *       ▲                                 │ draws to the pty, then writes one byte to
 *       │                                 │ the descriptor in PROFTOP_PAINTED_FD
 *     screen ◄── libvterm ◄── master ◄────┘
 *
 * Nothing here sleeps.  Having read a painted byte, the harness drains the pty (Linux hands over
 * what the program wrote before the byte: poll(2) on a master flushes the line's buffer), so that
 * the screen is what the program painted.  Every wait has one deadline, which only a test that
 * fails ever meets.
 */
#ifndef HARNESS_TERMINAL_H
#define HARNESS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct terminal;

struct terminal_config {
    int columns, rows;              /* 0: 80 and 24 */
    const char *term;               /* TERM; NULL: xterm-256color */
    const char *home;               /* HOME and the XDG folders; NULL: a folder that is removed */
    const char *const *environment; /* more "NAME=value", NULL at the end; or NULL */
    unsigned deadline_s;            /* 0: 30 */
};

/* Starts ARGV[0] (a path) on a terminal.  Locale C.UTF-8, TZ UTC, no other variable of ours but
 * PATH and the sanitizers' options. */
struct terminal *terminal_open(const char *const *argv, const struct terminal_config *config);

/* Kills the program if it still runs, and frees all. */
void terminal_close(struct terminal *terminal);

/* Types BYTES as they are ("\033[A" is the up arrow). */
void terminal_type(struct terminal *terminal, const char *bytes);

void terminal_resize(struct terminal *terminal, int columns, int rows);

/* Waits for the next paint.  False when the program ended or the deadline passed. */
bool terminal_wait_paint(struct terminal *terminal);

/* Waits, paint by paint, until TEXT is (or, for gone, is not) on the screen; on failure prints the
 * screen.  A program that does not tell its paints is looked at whenever it wrote. */
bool terminal_wait_text(struct terminal *terminal, const char *text);
bool terminal_wait_gone(struct terminal *terminal, const char *text);

/* Waits for the program's end; its wait status.  Fails the test at the deadline. */
int terminal_wait_exit(struct terminal *terminal);

/* The terminal goes away, as when a connection breaks; the program's wait status. */
int terminal_hang_up(struct terminal *terminal);

pid_t terminal_pid(const struct terminal *terminal);

/* The terminal's settings (tcgetattr of the program's side) as text, to compare before and after.
 */
char *terminal_settings(const struct terminal *terminal);

/* The screen now: rows without trailing blanks, each ended by a newline.  The caller frees. */
char *terminal_text(const struct terminal *terminal);

/* One row, without trailing blanks.  The caller frees. */
char *terminal_row(const struct terminal *terminal, int row);

/*
 * What is not plain, a line a run: "ROW COLUMN-COLUMN WHAT", where WHAT are words out of bold,
 * underline, italic, blink, reverse, fg=N, bg=N (a palette index or #rrggbb).
 */
char *terminal_attributes(const struct terminal *terminal);

/* The cursor, and whether it shows. */
void terminal_cursor(const struct terminal *terminal, int *column, int *row, bool *visible);

/* Whether the alternate screen is on, the mouse is reported. */
bool terminal_is_alternate(const struct terminal *terminal);
bool terminal_has_mouse(const struct terminal *terminal);

/* Bytes that came from the program so far, for byte budgets; all of them are kept. */
size_t terminal_bytes(const struct terminal *terminal, const char **bytes);

#endif
