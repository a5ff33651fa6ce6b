/* SPDX-License-Identifier: MIT */
/* A framed box over the screen: what menus and forms are drawn in. */
#ifndef UI_BOX_H
#define UI_BOX_H

#include "proftop/grid.h"

struct box {
    int row, column, rows, columns; /* of what is inside */
};

/* A frame in the middle of the screen with a title, its inside blank; smaller where it must be. */
struct box box_draw(struct grid *grid, int columns, int rows, const char *title);

#endif
