/* SPDX-License-Identifier: MIT */
/*
 * The strip: the target's CPU over the last minute or two, the machine's troubles below it and the
 * chosen range, on every view that has room.
 */
#ifndef VIEW_STRIP_H
#define VIEW_STRIP_H

#include "proftop/view.h"

enum { STRIP_ROWS = 2 };

void strip_render(const struct screen_input *input, struct grid *grid, int row);

#endif
