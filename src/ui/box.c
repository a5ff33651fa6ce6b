/* SPDX-License-Identifier: MIT */
/* A framed box over the screen. */
#include "config.h"

#include "box.h"

/* A frame in the middle of the screen with a title, its inside blank. */
struct box box_draw(struct grid *grid, int columns, int rows, const char *title)
{
    struct box box;

    if (columns > grid->columns - 4)
        columns = grid->columns - 4;
    if (rows > grid->rows - 4)
        rows = grid->rows - 4;
    box = (struct box){ (grid->rows - rows) / 2, (grid->columns - columns) / 2, rows, columns };
    for (int i = -1; i <= rows; i++) /* no slivers of the screen beside a wide one */
        grid_fill(grid, box.row + i, columns + 8 >= grid->columns ? 0 : box.column - 2,
                  columns + 8 >= grid->columns ? grid->columns : columns + 4, ROLE_NORMAL, " ");
    for (int i = 0; i < rows; i++) {
        grid_text(grid, box.row + i, box.column - 2, 1, ROLE_TITLE, grid->ascii ? "|" : "\u2502");
        grid_text(grid, box.row + i, box.column + columns + 1, 1, ROLE_TITLE,
                  grid->ascii ? "|" : "\u2502");
    }
    for (int i = 0; i < 2; i++) {
        int row = i == 0 ? box.row - 1 : box.row + rows;

        grid_fill(grid, row, box.column - 1, columns + 2, ROLE_TITLE, "\u2500");
        grid_text(grid, row, box.column - 2, 1, ROLE_TITLE,
                  grid->ascii ? "+" : (i == 0 ? "\u250c" : "\u2514"));
        grid_text(grid, row, box.column + columns + 1, 1, ROLE_TITLE,
                  grid->ascii ? "+" : (i == 0 ? "\u2510" : "\u2518"));
    }
    grid_printf(grid, box.row - 1, box.column, columns, ROLE_TITLE, " %s ", title);
    return box;
}
