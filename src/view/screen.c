/* SPDX-License-Identifier: MIT */
/* Laying out and drawing the whole screen. */
#include "config.h"

#include "screen.h"

#include <string.h>

#include "chrome.h"
#include "detail.h"
#include "format.h"
#include "proftop/gettext.h"
#include "sidebar.h"
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
    return view->chosen != NULL && strcmp(view->name, "callers") != 0 &&
           strcmp(view->name, "source") != 0 && !fills_screen(view);
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

/* A part is drawn into a grid of its own, so that it cannot reach outside it. */
static struct grid *part_new(const struct grid *grid, int rows, int columns)
{
    return rows < 1 || columns < 1 ? NULL : grid_new(columns, rows, grid->ascii);
}

static void part_finish(struct grid *grid, int row, int column, struct grid *part)
{
    grid_blit(grid, row, column, part);
    grid_free(part);
}

static void render_body(const struct screen_input *input, const struct screen_layout *layout,
                        const struct view_ops *view, void *state, struct grid *grid)
{
    struct grid *part = part_new(grid, layout->body_rows, layout->body_columns);

    if (part == NULL)
        return;
    view->render(state, input, part);
    part_finish(grid, layout->body, 0, part);
}

static void render_detail(const struct screen_input *input, const struct screen_layout *layout,
                          struct grid *grid)
{
    struct grid *part = part_new(grid, layout->detail_rows, layout->body_columns);

    if (part == NULL)
        return;
    detail_render(input, part);
    part_finish(grid, layout->detail, 0, part);
}

/* Beside the body and the detail pane, behind a line. */
static void render_sidebar(const struct screen_input *input, const struct screen_layout *layout,
                           struct grid *grid)
{
    int rows = layout->status - layout->body;
    struct grid *part = part_new(grid, rows, grid->columns - layout->sidebar);

    if (part == NULL)
        return;
    for (int row = 0; row < rows; row++)
        grid_text(grid, layout->body + row, layout->sidebar - 1, 1, ROLE_DIM,
                  grid->ascii ? "|" : "\u2502");
    sidebar_render(input, part);
    part_finish(grid, layout->body, layout->sidebar, part);
}

/* A view without functions does not talk of the one that another view has chosen. */
static void render_status(const struct screen_input *input, const struct view_ops *view,
                          struct grid *grid, int row)
{
    struct screen_input told = *input;

    if (view->chosen == NULL)
        told.chosen = FUNCTION_NONE;
    chrome_status(&told, grid, row);
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
    render_body(input, &layout, view, state, grid);
    if (layout.detail >= 0 && input->fold != NULL)
        render_detail(input, &layout, grid);
    if (layout.sidebar >= 0)
        render_sidebar(input, &layout, grid);
    render_status(input, view, grid, layout.status);
    chrome_keys(grid, layout.keys, view->name);
}

void screen_wants(const struct screen_input *input, const struct view_ops *view, void *state,
                  int columns, int rows, struct view_wants *wants)
{
    struct screen_layout layout = screen_lay_out(columns, rows, view);

    memset(wants, 0, sizeof(*wants));
    wants->function = FUNCTION_NONE;
    if (layout.detail >= 0) {
        wants->function = input->chosen;
        wants->source = input->chosen != FUNCTION_NONE;
    }
    if (view->wants != NULL && !layout.too_small)
        view->wants(state, input, layout.body_rows, layout.body_columns, wants);
}
