/* SPDX-License-Identifier: MIT */
/* Tree: who called whom, from the outermost frame inwards. */
#include "config.h"

#include <stdio.h>

#include "format.h"
#include "proftop/gettext.h"
#include "proftop/view.h"
#include "tree_pane.h"
#include "views.h"

/* The pane begins with its place, as struct view_ops wants it. */
static struct request key(void *state, const struct screen_input *input, enum action action,
                          int rows, int columns)
{
    (void)columns;
    if (input->fold == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    return tree_pane_key(state, input, input->fold, action, rows);
}

static struct request mouse(void *state, const struct screen_input *input,
                            const struct mouse_event *event, int rows, int columns)
{
    (void)columns;
    if (input->fold == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    return tree_pane_mouse(state, input, input->fold, event, rows);
}

static void render(void *state, const struct screen_input *input, struct grid *grid)
{
    char root[NAME_MAX_BYTES], target[NAME_MAX_BYTES];

    if (input->fold == NULL)
        return;
    snprintf(root, sizeof(root),
             ngettext("%s: %u thread", "%s: all %u threads", input->fold->thread_count),
             format_target(target, input), input->fold->thread_count);
    tree_pane_render(state, input, input->fold, grid, root);
    if (input->fold->samples == 0)
        render_empty(input, grid, 3);
}

static function_id chosen(const void *state, const struct screen_input *input)
{
    (void)input;
    return tree_pane_chosen(state);
}

static void enter(void *state, const struct screen_input *input)
{
    if (input->fold != NULL && input->chosen != FUNCTION_NONE &&
        input->chosen != tree_pane_chosen(state))
        tree_pane_reveal(state, input->fold, input->chosen);
}

static void fini(void *state)
{
    struct tree_pane *pane = state;

    tree_rows_fini(&pane->rows);
}

const struct view_ops tree_view = {
    .name = "tree",
    .label = N_("Tree"),
    .state_size = sizeof(struct tree_pane),
    .place_size = sizeof(struct tree_place),
    .key = key,
    .mouse = mouse,
    .render = render,
    .chosen = chosen,
    .enter = enter,
    .fini = fini,
};
