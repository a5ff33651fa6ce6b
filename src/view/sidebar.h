/* SPDX-License-Identifier: MIT */
/*
 * The side bar of wide screens: the machine and the target now, with the last twenty seconds, from
 * the same lanes as the Time view.
 */
#ifndef VIEW_SIDEBAR_H
#define VIEW_SIDEBAR_H

#include "proftop/view.h"

/* Fills GRID; what does not fit below is left out. */
void sidebar_render(const struct screen_input *input, struct grid *grid);

#endif
