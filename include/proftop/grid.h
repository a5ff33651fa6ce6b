/* SPDX-License-Identifier: MIT */
/*
 * A grid of cells: what a view draws into and a terminal backend shows.  Cells carry roles, not
 * colours; a theme turns roles into colours.  Every text that enters is sanitised and measured in
 * columns, so that a hostile name cannot break a screen.
 */
#ifndef PROFTOP_GRID_H
#define PROFTOP_GRID_H

#include <stdbool.h>
#include <stdint.h>

enum role {
    ROLE_NORMAL,
    ROLE_HEADER, /* column titles */
    ROLE_TITLE,
    ROLE_SCOPE,
    ROLE_TAB,
    ROLE_TAB_CHOSEN,
    ROLE_DIM,
    ROLE_LIBRARY,
    ROLE_KERNEL,
    ROLE_PYTHON,
    ROLE_JIT,
    ROLE_INLINE,
    ROLE_BAR,
    ROLE_GOOD,
    ROLE_WARN,
    ROLE_ALARM,
    ROLE_KEY,      /* key bar: the key … */
    ROLE_KEY_TEXT, /* … and what it does */
    ROLE_MATCH,    /* search hit */
    ROLE_SELECTED,
    ROLE_RANGE,
    ROLE_FLAME_0, /* 8 warm hues */
    ROLE_FLAME_7 = ROLE_FLAME_0 + 7,
    ROLE_TERMINAL, /* Output: style holds the child's own colours */
    ROLES
};

enum {
    CELL_TEXT_MAX = 24,
    STYLE_BOLD = 1,
    STYLE_UNDERLINE = 2,
    STYLE_REVERSE = 4,
    STYLE_ITALIC = 8
};

struct cell {
    char text[CELL_TEXT_MAX]; /* one character with its combining marks, UTF-8; "" in a wide one's
                                 second column */
    uint8_t width;            /* 1, 2, or 0 for the second column of a wide one */
    uint8_t role;             /* enum role */
    uint8_t style;            /* STYLE_ bits on top of the role's */
    uint8_t pad;
    int16_t foreground, background; /* TERMINAL: 0–255, -1 default */
};

struct grid {
    int columns, rows;
    int cursor_column, cursor_row; /* -1: hidden */
    bool ascii;                    /* only ASCII may be drawn */
    struct cell *cells;
};

struct grid *grid_new(int columns, int rows, bool ascii);
void grid_free(struct grid *grid);
void grid_clear(struct grid *grid);
struct cell *grid_at(struct grid *grid, int row, int column); /* NULL outside */

/* Draws TEXT from COLUMN within WIDTH columns, cut with "…" when longer; returns the columns used.
 */
int grid_text(struct grid *grid, int row, int column, int width, enum role role, const char *text);
int grid_text_right(struct grid *grid, int row, int column, int width, enum role role,
                    const char *text);
/*
 * Draws TEXT broken into lines from ROW on, at most ROWS of them, the last cut where there is more;
 * returns the rows used.  The second only counts all that it takes.
 */
int grid_lines(struct grid *grid, int row, int column, int width, int rows, enum role role,
               const char *text);
int grid_lines_taken(const char *text, int width);
int grid_printf(struct grid *grid, int row, int column, int width, enum role role,
                const char *format, ...) __attribute__((format(printf, 6, 7)));
void grid_fill(struct grid *grid, int row, int column, int width, enum role role,
               const char *glyph);
void grid_role(struct grid *grid, int row, int column, int width, enum role role);
void grid_style(struct grid *grid, int row, int column, int width, unsigned style);

/* Copies FROM so that its first cell lies at ROW, COLUMN; what does not fit is left out. */
void grid_blit(struct grid *grid, int row, int column, const struct grid *from);

/* A horizontal bar of SHARE (0–1) in eighths of a cell, and a spark of values scaled to CEILING. */
void grid_bar(struct grid *grid, int row, int column, int width, enum role role, double share);
void grid_spark(struct grid *grid, int row, int column, int width, enum role role,
                const double *values, double ceiling);

#endif
