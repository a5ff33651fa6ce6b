/* SPDX-License-Identifier: MIT */
/* The views, and what several of them draw. */
#ifndef VIEW_VIEWS_H
#define VIEW_VIEWS_H

#include "proftop/view.h"

extern const struct view_ops top_view;
extern const struct view_ops tree_view;
extern const struct view_ops callers_view;
extern const struct view_ops flame_view;
extern const struct view_ops threads_view;
extern const struct view_ops time_view;
extern const struct view_ops system_view;
extern const struct view_ops source_view;
extern const struct view_ops output_view;

/* What a search says that came to no row. */
struct request request_not_found(const struct screen_input *input);
/* Only this thread, this process; or all again, when it is the only one already. */
struct request request_thread(const struct screen_input *input, int32_t tid);
struct request request_process(const struct screen_input *input, int32_t pid);

/* Why there is nothing to see, and what to do about it, from ROW on. */
void render_empty(const struct screen_input *input, struct grid *grid, int row);

#endif
