/* SPDX-License-Identifier: MIT */
/*
 * What is around every view: the title, the scope line, the tabs, the status line and the key bar.
 * Each draws one row.
 */
#ifndef VIEW_CHROME_H
#define VIEW_CHROME_H

#include "proftop/view.h"

void chrome_title(const struct screen_input *input, struct grid *grid, int row);
void chrome_scope(const struct screen_input *input, struct grid *grid, int row);
void chrome_tabs(const struct screen_input *input, struct grid *grid, int row,
                 const struct view_ops *shown);
void chrome_status(const struct screen_input *input, struct grid *grid, int row);
void chrome_keys(struct grid *grid, int row, const char *view);

/* The view whose tab, the key whose word is at COLUMN of its row; NULL and ACTION_NONE: none. */
const struct view_ops *chrome_tab_at(const struct screen_input *input, int columns, int column,
                                     const struct view_ops *shown);
enum action chrome_key_at(int columns, int column);

/* The view of digit NUMBER (1–9), NULL when there is none. */
const struct view_ops *chrome_view(const struct screen_input *input, unsigned number);
/* VIEW has a tab now. */
bool chrome_has_tab(const struct screen_input *input, const struct view_ops *view);

#endif
