/* SPDX-License-Identifier: MIT */
/* The help: the keys of the view shown first, then all others, then what the numbers mean. */
#ifndef VIEW_HELP_H
#define VIEW_HELP_H

#include "proftop/view.h"

/* Draws it from line TOP on; returns how many lines there are. */
int help_render(struct grid *grid, const struct view_ops *view, int top);

#endif
