/* SPDX-License-Identifier: MIT */
/*
 * A tree with a cursor, drawn from any fold: what the Tree view and the bottom-up half of Callers
 * share.
 */
#ifndef VIEW_TREE_PANE_H
#define VIEW_TREE_PANE_H

#include "list.h"
#include "proftop/view.h"
#include "tree_rows.h"

/* Plain data: where one is. */
struct tree_place {
    struct list list;
    uint64_t path; /* of the row under the cursor */
    bool pinned;   /* the person has put the cursor there */
    bool revealed; /* it was put there for them: to be shown in the middle */
};

struct tree_pane {
    struct tree_place place;
    struct tree_rows rows;
};

struct request tree_pane_key(struct tree_pane *pane, const struct screen_input *input,
                             const struct fold *fold, enum action action, int rows);
struct request tree_pane_mouse(struct tree_pane *pane, const struct screen_input *input,
                               const struct fold *fold, const struct mouse_event *event, int rows);
/* Draws a header and the rows; ROOT is what the first row is called. */
void tree_pane_render(struct tree_pane *pane, const struct screen_input *input,
                      const struct fold *fold, struct grid *grid, const char *root);
function_id tree_pane_chosen(const struct tree_pane *pane);
void tree_pane_reveal(struct tree_pane *pane, const struct fold *fold, function_id function);

#endif
