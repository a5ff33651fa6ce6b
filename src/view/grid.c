/* SPDX-License-Identifier: MIT */
/*
 * The grid of cells that views draw into.
 *
 *     column  0   1   2   3
 *            [a] [漢    ] [b]     a wide character: width 2, then a cell of width 0 and no text
 *
 * Whoever writes over one half of a wide character blanks the other half, so that a row always adds
 * up to its columns.
 */
#include "config.h"

#include "proftop/grid.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "proftop/text.h"

enum { GRID_MAX = 1000 }; /* columns or rows: more than any screen has */

static const struct cell blank = {
    .text = " ", .width = 1, .role = ROLE_NORMAL, .foreground = -1, .background = -1
};

static int bounded(int value)
{
    return value < 1 ? 1 : value > GRID_MAX ? GRID_MAX : value;
}

struct grid *grid_new(int columns, int rows, bool ascii)
{
    struct grid *grid = xcalloc(1, sizeof(*grid));

    grid->columns = bounded(columns);
    grid->rows = bounded(rows);
    grid->ascii = ascii;
    grid->cells = xcalloc((size_t)grid->columns * (size_t)grid->rows, sizeof(*grid->cells));
    grid_clear(grid);
    return grid;
}

void grid_free(struct grid *grid)
{
    if (grid == NULL)
        return;
    free(grid->cells);
    free(grid);
}

void grid_clear(struct grid *grid)
{
    size_t count = (size_t)grid->columns * (size_t)grid->rows;

    for (size_t i = 0; i < count; i++)
        grid->cells[i] = blank;
    grid->cursor_column = grid->cursor_row = -1;
}

struct cell *grid_at(struct grid *grid, int row, int column)
{
    if (row < 0 || row >= grid->rows || column < 0 || column >= grid->columns)
        return NULL;
    return &grid->cells[(size_t)row * (size_t)grid->columns + (size_t)column];
}

/* Before a cell is written: the other half of a wide character that it was part of goes blank. */
static void break_wide(struct grid *grid, int row, int column)
{
    struct cell *cell = grid_at(grid, row, column), *other;

    if (cell == NULL || cell->width == 1)
        return;
    other = grid_at(grid, row, cell->width == 0 ? column - 1 : column + 1);
    if (other != NULL) {
        memcpy(other->text, " ", 2);
        other->width = 1;
    }
    memcpy(cell->text, " ", 2);
    cell->width = 1;
}

static void put(struct grid *grid, int row, int column, int width, enum role role,
                const char *character)
{
    struct cell *cell = grid_at(grid, row, column);
    size_t length = strlen(character);

    for (int i = 0; i < width; i++)
        break_wide(grid, row, column + i);
    *cell = blank;
    memcpy(cell->text, character, length < sizeof(cell->text) ? length : sizeof(cell->text) - 1);
    cell->width = (uint8_t)width;
    cell->role = (uint8_t)role;
    if (width == 2) {
        struct cell *second = grid_at(grid, row, column + 1);

        *second = *cell;
        second->text[0] = '\0';
        second->width = 0;
    }
}

/* WIDTH cut to what the grid has from COLUMN on; 0 when it has nothing there. */
static int room(const struct grid *grid, int row, int column, int width)
{
    if (row < 0 || row >= grid->rows || column < 0 || column >= grid->columns)
        return 0;
    return width > grid->columns - column ? grid->columns - column : width;
}

/* Columns TEXT takes here, counted no further than LIMIT + 1. */
static int measure(const struct grid *grid, const char *text, int limit)
{
    char character[CELL_TEXT_MAX];
    int columns, width = 0;

    while (width <= limit &&
           (columns = text_next(&text, character, sizeof(character), grid->ascii)) >= 0)
        width += columns;
    return width;
}

int grid_text(struct grid *grid, int row, int column, int width, enum role role, const char *text)
{
    char character[CELL_TEXT_MAX];
    int columns, used = 0, limit;

    width = room(grid, row, column, width);
    if (width <= 0)
        return 0;
    limit = measure(grid, text, width) > width ? width - 1 : width;
    while ((columns = text_next(&text, character, sizeof(character), grid->ascii)) >= 0 &&
           used + columns <= limit) {
        put(grid, row, column + used, columns, role, character);
        used += columns;
    }
    if (columns >= 0) {
        put(grid, row, column + used, 1, role, grid->ascii ? "~" : "\u2026");
        used++;
    }
    return used;
}

/* Where the line after the one of LENGTH bytes begins. */
static const char *line_after(const char *text, size_t length)
{
    text += length;
    return text + strspn(text, " ");
}

int grid_lines_taken(const char *text, int width)
{
    int taken = 0;
    size_t length;

    for (; (length = text_line(text, width)) > 0; text = line_after(text, length))
        taken++;
    return taken;
}

int grid_lines(struct grid *grid, int row, int column, int width, int rows, enum role role,
               const char *text)
{
    size_t length;
    int used = 0;

    while (used < rows && (length = text_line(text, width)) > 0) {
        const char *next = line_after(text, length);
        bool last = used + 1 == rows; /* what is left over is cut here */

        grid_printf(grid, row + used, column, width, role, "%.*s",
                    last ? (int)strlen(text) : (int)length, text);
        text = next;
        used++;
    }
    return used;
}

int grid_text_right(struct grid *grid, int row, int column, int width, enum role role,
                    const char *text)
{
    int used = measure(grid, text, width), shift = width > used ? width - used : 0;

    return shift + grid_text(grid, row, column + shift, width - shift, role, text);
}

int grid_printf(struct grid *grid, int row, int column, int width, enum role role,
                const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return grid_text(grid, row, column, width, role, text);
}

void grid_fill(struct grid *grid, int row, int column, int width, enum role role, const char *glyph)
{
    char character[CELL_TEXT_MAX];
    const char *at = glyph;

    width = room(grid, row, column, width);
    if (text_next(&at, character, sizeof(character), grid->ascii) != 1)
        memcpy(character, " ", 2);
    if (grid->ascii && (unsigned char)glyph[0] >= 0x80)
        memcpy(character, "-", 2); /* the only glyphs we fill with are lines */
    for (int i = 0; i < width; i++)
        put(grid, row, column + i, 1, role, character);
}

void grid_role(struct grid *grid, int row, int column, int width, enum role role)
{
    width = room(grid, row, column, width);
    for (int i = 0; i < width; i++)
        grid_at(grid, row, column + i)->role = (uint8_t)role;
}

void grid_style(struct grid *grid, int row, int column, int width, unsigned style)
{
    width = room(grid, row, column, width);
    for (int i = 0; i < width; i++)
        grid_at(grid, row, column + i)->style |= (uint8_t)style;
}

void grid_blit(struct grid *grid, int row, int column, const struct grid *from)
{
    for (int i = 0; i < from->rows; i++) {
        const struct cell *cells = &from->cells[(size_t)i * (size_t)from->columns];
        int width = room(grid, row + i, column, from->columns);

        if (width <= 0)
            continue;
        break_wide(grid, row + i, column);
        break_wide(grid, row + i, column + width - 1);
        memcpy(grid_at(grid, row + i, column), cells, (size_t)width * sizeof(*cells));
        if (width < from->columns && cells[width].width == 0)
            put(grid, row + i, column + width - 1, 1, cells[width - 1].role, " ");
    }
    if (from->cursor_row >= 0) {
        grid->cursor_row = row + from->cursor_row;
        grid->cursor_column = column + from->cursor_column;
    }
}

/* NaN and infinity count as nothing: they come from divisions by an empty range. */
static double share_of(double value, double ceiling)
{
    double share = ceiling > 0 ? value / ceiling : 0;

    if (!isfinite(share) || share < 0)
        return 0;
    return share > 1 ? 1 : share;
}

void grid_bar(struct grid *grid, int row, int column, int width, enum role role, double share)
{
    static const char *const eighths[] = { " ",      "\u258f", "\u258e", "\u258d",
                                           "\u258c", "\u258b", "\u258a", "\u2589" };
    int parts, whole;

    width = room(grid, row, column, width);
    parts = (int)(share_of(share, 1) * width * 8 + 0.5);
    if (parts == 0 && share > 0)
        parts = 1; /* something is never drawn as nothing */
    whole = grid->ascii ? (parts + 4) / 8 : parts / 8;
    for (int i = 0; i < whole && i < width; i++)
        put(grid, row, column + i, 1, role, grid->ascii ? "#" : "\u2588");
    if (!grid->ascii && parts % 8 != 0 && whole < width)
        put(grid, row, column + whole, 1, role, eighths[parts % 8]);
}

void grid_spark(struct grid *grid, int row, int column, int width, enum role role,
                const double *values, double ceiling)
{
    static const char *const levels[] = { " ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                          "\u2585", "\u2586", "\u2587", "\u2588" };
    static const char *const ascii_levels[] = { " ", ".", ".", ":", ":", "-", "=", "+", "#" };

    width = room(grid, row, column, width);
    for (int i = 0; i < width; i++) {
        int level = (int)(share_of(values[i], ceiling) * 8 + 0.5);

        if (level == 0 && values[i] > 0)
            level = 1;
        put(grid, row, column + i, 1, role, grid->ascii ? ascii_levels[level] : levels[level]);
    }
}
