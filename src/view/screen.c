/* SPDX-License-Identifier: MIT */
/* Laying out and drawing the whole screen. */
#include "config.h"

#include "screen.h"

#include <string.h>

#include "chrome.h"
#include "detail.h"
#include "format.h"
#include "proftop/gettext.h"
#include "strip.h"

enum {
    SMALLEST_COLUMNS = 40,
    SMALLEST_ROWS = 10,
    FULL_COLUMNS = 80,
    FULL_ROWS = 24,
    SIDEBAR_FROM = 120,
    SIDEBAR_COLUMNS = 42,
    DETAIL_FROM = 36,
    DETAIL_ROWS = 7
};

/* A view that fills the screen by itself has neither strip, side bar nor detail pane. */
static bool fills_screen(const struct view_ops *view)
{
    return strcmp(view->name, "time") == 0 || strcmp(view->name, "system") == 0 ||
           strcmp(view->name, "output") == 0;
}

static bool has_detail(const struct view_ops *view)
{
    return view->chosen != NULL && strcmp(view->name, "callers") != 0 && !fills_screen(view);
}

struct screen_layout screen_lay_out(int columns, int rows, const struct view_ops *view)
{
    struct screen_layout layout = {
        .strip = -1, .detail = -1, .sidebar = -1, .keys = -1, .tabs = -1
    };
    bool full = columns >= FULL_COLUMNS && rows >= FULL_ROWS, alone = fills_screen(view);
    int top = 0, bottom = rows;

    layout.too_small = columns < SMALLEST_COLUMNS || rows < SMALLEST_ROWS;
    layout.title = top++;
    if (full && !alone) {
        layout.strip = top;
        top += STRIP_ROWS;
    }
    layout.scope = top++;
    layout.tabs = top++;
    layout.keys = --bottom;
    layout.status = --bottom;
    layout.body_columns = columns;
    if (columns >= SIDEBAR_FROM && full && !alone) {
        layout.sidebar = columns - SIDEBAR_COLUMNS;
        layout.body_columns = layout.sidebar - 1;
    }
    if (rows >= DETAIL_FROM && has_detail(view)) {
        layout.detail_rows = DETAIL_ROWS;
        layout.detail = bottom -= DETAIL_ROWS;
    }
    layout.body = top;
    layout.body_rows = bottom - top;
    return layout;
}

/* Draws a part into a grid of its own, so that it cannot reach outside it. */
static void render_part(const struct screen_input *input, struct grid *grid, int row, int column,
                        int rows, int columns, const struct view_ops *view, void *state)
{
    struct grid *part;

    if (rows < 1 || columns < 1)
        return;
    part = grid_new(columns, rows, grid->ascii);
    if (view != NULL)
        view->render(state, input, part);
    else
        detail_render(input, part);
    grid_blit(grid, row, column, part);
    grid_free(part);
}

void screen_render(const struct screen_input *input, const struct view_ops *view, void *state,
                   struct grid *grid)
{
    struct screen_layout layout = screen_lay_out(grid->columns, grid->rows, view);

    if (layout.too_small) {
        grid_text(grid, 0, 0, grid->columns, ROLE_WARN,
                  input->live && !input->ended ? _("too small, still recording") : _("too small"));
        return;
    }
    chrome_title(input, grid, layout.title);
    chrome_scope(input, grid, layout.scope);
    chrome_tabs(input, grid, layout.tabs, view);
    if (layout.strip >= 0 && input->profile != NULL)
        strip_render(input, grid, layout.strip);
    render_part(input, grid, layout.body, 0, layout.body_rows, layout.body_columns, view, state);
    if (layout.detail >= 0 && input->fold != NULL)
        render_part(input, grid, layout.detail, 0, layout.detail_rows, layout.body_columns, NULL,
                    NULL);
    chrome_status(input, grid, layout.status);
    chrome_keys(grid, layout.keys, view->name);
}

void screen_wants(const struct screen_input *input, const struct view_ops *view, const void *state,
                  int columns, int rows, struct view_wants *wants)
{
    struct screen_layout layout = screen_lay_out(columns, rows, view);

    memset(wants, 0, sizeof(*wants));
    wants->function = FUNCTION_NONE;
    if (layout.detail >= 0)
        wants->function = input->chosen;
    if (view->wants != NULL && !layout.too_small)
        view->wants(state, input, layout.body_rows, layout.body_columns, wants);
}
