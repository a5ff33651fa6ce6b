/* SPDX-License-Identifier: MIT */
/*
 * Flame: the whole tree at a glance, a box as wide as its share, root on top.
 *
 *     busy                                              N=1812      100%
 *     start_thread                                               98.3% |…
 *     Table<string,long>::sum            |hash1       |Table::insert|ran
 *
 * Enter zooms into a box, Esc out again.  The layout is made anew for every paint and key: it has
 * no more boxes than the screen has cells.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "flame_layout.h"
#include "format.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/view.h"
#include "views.h"

enum { SHARE_COLUMNS = 7, SHARE_FROM = 24, HUES = 8, WHOLE_NAME_FROM = 30 };

#define ROOT_PATH UINT64_C(1)

struct flame_state {
    struct flame_place {
        uint64_t cursor; /* path of the box under it; 0: the root */
        uint64_t zoom;   /* path of the box that fills the width; 0: the root */
        int top;         /* the first row shown */
    } place;
    struct flame_layout layout;
    uint64_t *paths; /* of nodes, while the zoomed one is looked for */
    size_t path_room;
};

/* NULL where the box stands for everything or for a process. */
static const struct function *box_function(const struct fold *fold, const struct flame_box *box)
{
    if (box->node == NODE_END || box->node == NODE_ROOT || fold->nodes[box->node].process != 0)
        return NULL;
    return names_get(fold->names, fold->nodes[box->node].function);
}

/* The node that fills the width: the zoomed one as long as the fold has it. */
static node_id zoomed(struct flame_state *state, const struct fold *fold, uint64_t *path)
{
    *path = ROOT_PATH;
    if (state->place.zoom == 0)
        return NODE_ROOT;
    state->paths =
        array_reserve(state->paths, &state->path_room, fold->node_count, sizeof(*state->paths));
    state->paths[NODE_ROOT] = ROOT_PATH;
    for (node_id node = 1; node < fold->node_count; node++) { /* parents come first */
        state->paths[node] = flame_path(state->paths[fold->nodes[node].parent], fold, node);
        if (state->paths[node] == state->place.zoom) {
            *path = state->place.zoom;
            return node;
        }
    }
    return NODE_ROOT;
}

/* The last row says what is under the cursor. */
static int graph_rows(int rows)
{
    return rows > 2 ? rows - 2 : rows;
}

static void lay_out(struct flame_state *state, const struct fold *fold, int columns)
{
    enum { DEPTH_MAX = 2048 };
    uint64_t path;
    node_id root = zoomed(state, fold, &path);

    flame_layout(&state->layout, fold, root, path, columns, DEPTH_MAX);
}

/* The box under the cursor; the root where it is gone. */
static int cursor_box(const struct flame_state *state)
{
    for (int i = 0; i < state->layout.count; i++) {
        if (state->layout.boxes[i].path == state->place.cursor)
            return i;
    }
    return state->layout.count > 0 ? 0 : -1;
}

static int widest_child(const struct flame_layout *layout, int at)
{
    int best = -1;

    for (int i = at + 1; i < layout->count; i++) {
        if (layout->boxes[i].parent == at &&
            (best < 0 || layout->boxes[i].width > layout->boxes[best].width))
            best = i;
    }
    return best;
}

/* The next box of the same row: boxes are by row, then by column. */
static int beside(const struct flame_layout *layout, int at, int step)
{
    int next = at + step;

    return next >= 0 && next < layout->count && layout->boxes[next].row == layout->boxes[at].row
               ? next
               : -1;
}

/* The heaviest path from AT down. */
static int hottest(const struct flame_layout *layout, int at)
{
    int child;

    while ((child = widest_child(layout, at)) >= 0 && layout->boxes[child].node != NODE_END)
        at = child;
    return at;
}

static void go_to(struct flame_state *state, int box)
{
    if (box >= 0)
        state->place.cursor = state->layout.boxes[box].path;
}

static struct request search(struct flame_state *state, const struct screen_input *input, int at,
                             int step)
{
    const struct flame_layout *layout = &state->layout;
    struct request request = { .kind = REQUEST_REDRAW };
    int count = layout->count, box = at + step;

    for (int i = 0; i < count; i++, box += step != 0 ? step : 1) {
        const struct function *function;

        box = (box % count + count) % count;
        function = box_function(input->fold, &layout->boxes[box]);
        if (function != NULL && format_matches(input, function->name)) {
            go_to(state, box);
            return request;
        }
    }
    return request_not_found(input);
}

/* "insert(long)" of "acme::Table<long>::insert(long)": where the function's own name begins. */
static const char *own_name(const char *name)
{
    const char *own = name;
    int depth = 0;

    for (const char *at = name; *at != '\0' && (*at != '(' || depth > 0 || at == name); at++) {
        if (*at == '<')
            depth++;
        else if (*at == '>' && depth > 0)
            depth--;
        else if (at[0] == ':' && at[1] == ':' && depth == 0)
            own = at + 2;
    }
    return *own != '\0' ? own : name;
}

/* What a box is called, in COLUMNS; where that is too little, its own name's beginning. */
static const char *box_name(char buffer[NAME_MAX_BYTES], const struct screen_input *input,
                            const struct flame_box *box, int columns)
{
    const struct function *function = box_function(input->fold, box);

    if (function != NULL && columns >= WHOLE_NAME_FROM)
        return format_name(buffer, input, function, columns);
    if (function != NULL)
        return own_name(function->name);
    if (box->node == NODE_ROOT)
        return format_target(buffer, input);
    return format_process(buffer, input->profile, (int32_t)input->fold->nodes[box->node].process);
}

static struct request key(void *data, const struct screen_input *input, enum action action,
                          int rows, int columns)
{
    struct flame_state *state = data;
    struct request request = { .kind = REQUEST_REDRAW };
    const struct flame_layout *layout = &state->layout;
    int at;

    (void)rows;
    if (input->fold == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    lay_out(state, input->fold, columns);
    at = cursor_box(state);
    if (at < 0)
        return (struct request){ .kind = REQUEST_NONE };
    switch (action) {
    case ACTION_UP:
        go_to(state, layout->boxes[at].parent);
        break;
    case ACTION_DOWN:
        go_to(state, widest_child(layout, at));
        break;
    case ACTION_LEFT:
        go_to(state, beside(layout, at, -1));
        break;
    case ACTION_RIGHT:
        go_to(state, beside(layout, at, 1));
        break;
    case ACTION_FIRST:
        go_to(state, 0);
        break;
    case ACTION_LAST:
    case ACTION_HOTTEST:
        go_to(state, hottest(layout, action == ACTION_LAST ? 0 : at));
        break;
    case ACTION_ENTER:
        if (layout->boxes[at].node != NODE_END) {
            state->place.zoom = layout->boxes[at].path;
            state->place.top = 0;
        }
        break;
    case ACTION_BACK:
        if (state->place.zoom == 0)
            return (struct request){ .kind = REQUEST_NONE };
        state->place.cursor = state->place.zoom;
        state->place.zoom = 0;
        state->place.top = 0;
        break;
    case ACTION_SEARCH:
        return search(state, input, at, 0);
    case ACTION_SEARCH_NEXT:
        return search(state, input, at, 1);
    case ACTION_SEARCH_PREVIOUS:
        return search(state, input, at, -1);
    default:
        return (struct request){ .kind = REQUEST_NONE };
    }
    return request;
}

static int box_at(const struct flame_layout *layout, int row, int column)
{
    for (int i = 0; i < layout->count; i++) {
        const struct flame_box *box = &layout->boxes[i];

        if (box->row == row && column >= box->column && column < box->column + box->width)
            return i;
    }
    return -1;
}

static struct request mouse(void *data, const struct screen_input *input,
                            const struct mouse_event *event, int rows, int columns)
{
    struct flame_state *state = data;
    int box;

    (void)rows;
    if (input->fold == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    lay_out(state, input->fold, columns);
    if (event->kind == MOUSE_WHEEL_UP || event->kind == MOUSE_WHEEL_DOWN)
        return key(data, input, event->kind == MOUSE_WHEEL_UP ? ACTION_UP : ACTION_DOWN, rows,
                   columns);
    box = box_at(&state->layout, event->row + state->place.top, event->column);
    if (box < 0)
        return (struct request){ .kind = REQUEST_NONE };
    go_to(state, box);
    if (event->kind == MOUSE_DOUBLE)
        return key(data, input, ACTION_ENTER, rows, columns);
    return (struct request){ .kind = REQUEST_REDRAW };
}

static void fit(struct flame_state *state, int at, int rows)
{
    int row = state->layout.boxes[at].row;

    if (state->place.top > row)
        state->place.top = row;
    if (state->place.top < row - rows + 1)
        state->place.top = row - rows + 1;
    if (state->place.top > state->layout.rows - rows)
        state->place.top = state->layout.rows - rows;
    if (state->place.top < 0)
        state->place.top = 0;
}

static enum role box_role(const struct screen_input *input, const struct function *function,
                          bool under_cursor)
{
    if (under_cursor)
        return ROLE_SELECTED;
    if (function == NULL)
        return ROLE_NORMAL;
    if (input->search[0] != '\0' && format_matches(input, function->name))
        return ROLE_MATCH;
    return ROLE_FLAME_0 + (enum role)(function->hue % HUES);
}

static void draw_box(const struct flame_state *state, const struct screen_input *input,
                     struct grid *grid, const struct flame_box *box, bool under_cursor)
{
    const struct fold *fold = input->fold;
    const struct fold_node *node = &fold->nodes[box->node];
    const struct function *function = box_function(fold, box);
    enum role role = box_role(input, function, under_cursor);
    int row = box->row - state->place.top, column = box->column, width = box->width;
    char name[NAME_MAX_BYTES], share[FORMAT_MAX];

    grid_fill(grid, row, column, width, role, " ");
    if (box->column > 0) { /* colour alone must not tell boxes apart */
        grid_text(grid, row, column, 1, role, "|");
        column++;
        width--;
    }
    if (node->function == input->marked)
        grid_style(grid, row, box->column, box->width, STYLE_UNDERLINE);
    if (width >= SHARE_FROM) {
        width -= SHARE_COLUMNS;
        grid_text_right(grid, row, column + width, SHARE_COLUMNS - 1, role,
                        format_weight(share, input, fold, node->total, node->total_samples));
    }
    if (width > 1)
        grid_text(grid, row, column, width, role, box_name(name, input, box, width));
}

static void draw_foot(const struct flame_state *state, const struct screen_input *input,
                      struct grid *grid, const struct flame_box *box)
{
    const struct fold *fold = input->fold;
    char name[NAME_MAX_BYTES], place[NAME_MAX_BYTES], self[FORMAT_MAX], total[FORMAT_MAX];
    int row = grid->rows - 2;

    if (state->layout.hidden != 0)
        grid_printf(grid, row, 0, grid->columns, ROLE_DIM,
                    ngettext("%s = %u frame narrower than a column",
                             "%s = %u frames narrower than a column", state->layout.hidden),
                    grid->ascii ? "~" : "…", state->layout.hidden);
    if (state->place.zoom != 0)
        grid_text_right(grid, row, 0, grid->columns, ROLE_DIM, _("zoomed, Esc goes out"));
    row++;
    if (box->node == NODE_END) {
        grid_printf(grid, row, 0, grid->columns, ROLE_NORMAL,
                    ngettext("%u frame narrower than a column", "%u frames narrower than a column",
                             box->hidden),
                    box->hidden);
    } else {
        const struct fold_node *node = &fold->nodes[box->node];
        const struct function *function = box_function(fold, box);

        grid_printf(grid, row, 0, grid->columns, ROLE_NORMAL,
                    _("%s   total %s  self %s   %llu samples   %s"),
                    box_name(name, input, box, grid->columns / 2),
                    format_weight(total, input, fold, node->total, node->total_samples),
                    format_weight(self, input, fold, node->self, node->self_samples),
                    (unsigned long long)node->total_samples,
                    function != NULL ? format_place(place, function, node->line) : "");
    }
}

static void render(void *data, const struct screen_input *input, struct grid *grid)
{
    struct flame_state *state = data;
    const struct flame_layout *layout = &state->layout;
    int rows = graph_rows(grid->rows), at;

    if (input->fold == NULL || input->fold->samples == 0) {
        render_empty(input, grid, 1);
        return;
    }
    lay_out(state, input->fold, grid->columns);
    at = cursor_box(state);
    if (at < 0)
        return;
    fit(state, at, rows);
    for (int i = 0; i < layout->count; i++) {
        const struct flame_box *box = &layout->boxes[i];
        int row = box->row - state->place.top;

        if (row < 0 || row >= rows)
            continue;
        if (box->node == NODE_END)
            grid_text(grid, row, box->column, 1, i == at ? ROLE_SELECTED : ROLE_DIM,
                      grid->ascii ? "~" : "…");
        else
            draw_box(state, input, grid, box, i == at);
    }
    if (grid->rows > rows)
        draw_foot(state, input, grid, &layout->boxes[at]);
}

static function_id chosen(const void *data, const struct screen_input *input)
{
    const struct flame_state *state = data;
    int at = cursor_box(state);
    node_id node = at >= 0 ? state->layout.boxes[at].node : NODE_END;

    if (input->fold == NULL || node == NODE_END || node == NODE_ROOT ||
        node >= input->fold->node_count)
        return FUNCTION_NONE;
    return input->fold->nodes[node].function;
}

static void fini(void *data)
{
    struct flame_state *state = data;

    flame_layout_fini(&state->layout);
    free(state->paths);
}

const struct view_ops flame_view = {
    .name = "flame",
    .label = N_("Flame"),
    .state_size = sizeof(struct flame_state),
    .place_size = sizeof(struct flame_place),
    .key = key,
    .mouse = mouse,
    .render = render,
    .chosen = chosen,
    .fini = fini,
};
