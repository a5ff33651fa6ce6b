/* SPDX-License-Identifier: MIT */
/*
 * What a launched command printed: its own terminal, interpreted by libvterm.
 *
 *     master of its pty ──output_feed()──► screen of cells ┬─ the Output view
 *                                          scrollback ─────┘
 *     keys ──output_key()──► bytes ──output_take()──► master
 *
 * Nothing here reads or writes a descriptor.  Every line knows when it was last written to, so that
 * a range can show what the program printed then.
 */
#ifndef VIEW_OUTPUT_H
#define VIEW_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/grid.h"

struct output;

struct output *output_new(int columns, int rows);
void output_free(struct output *output);

/* Bytes the command wrote at NOW_NS. */
void output_feed(struct output *output, const char *bytes, size_t count, uint64_t now_ns);
void output_resize(struct output *output, int columns, int rows);
void output_size(const struct output *output, int *columns, int *rows);
/* A character or a special key (enum keycode) typed by the person. */
void output_type(struct output *output, uint32_t code);
/* Takes the bytes that the command is to read; their number. */
size_t output_take(struct output *output, char *buffer, size_t size_bytes);

/* Lines in all: those scrolled away, then the screen. */
int output_lines(const struct output *output);
int output_scrolled(const struct output *output);
/* Draws LINE at ROW of GRID. */
void output_draw(const struct output *output, int line, struct grid *grid, int row, int column,
                 int columns);
uint64_t output_line_time(const struct output *output, int line);
/* LINE's text, for searching. */
void output_line_text(const struct output *output, int line, char *buffer, size_t size_bytes);
/* Where the command's cursor is on its screen; false when hidden. */
bool output_cursor(const struct output *output, int *column, int *row);
/* Goes up with everything that is written. */
uint64_t output_version(const struct output *output);

#endif
