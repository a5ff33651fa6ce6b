/* SPDX-License-Identifier: MIT */
/*
 * The whole screen: where each part lies at a given size, and drawing them all.
 *
 *     title                                        under 40x10 one line says it is too small,
 *     lanes strip (cpu, marks)                     under 80x24 no strip and no side bar,
 *     scope                                        from 120 columns a side bar,
 *     tabs                                         from 36 rows a detail pane
 *     body of the view           │ side bar
 *     detail of the function     │
 *     status
 *     key bar
 */
#ifndef VIEW_SCREEN_H
#define VIEW_SCREEN_H

#include "proftop/view.h"

/* A row, or -1 when that part is not shown. */
struct screen_layout {
    bool too_small;
    int title, strip, scope, tabs, status, keys;
    int body, body_rows, body_columns;
    int detail, detail_rows;
    int sidebar; /* column, or -1 */
};

struct screen_layout screen_lay_out(int columns, int rows, const struct view_ops *view);

/* Everything but what lies on top of it. */
void screen_render(const struct screen_input *input, const struct view_ops *view, void *state,
                   struct grid *grid);

/* What VIEW and the parts around it would like made. */
void screen_wants(const struct screen_input *input, const struct view_ops *view, void *state,
                  int columns, int rows, struct view_wants *wants);

#endif
