/* SPDX-License-Identifier: MIT */
/*
 * Callers: one function in the centre, who called it above, whom it called below; or, turned over,
 * the tree of its callers from the leaf outwards.
 *
 *      CALLERS               each as a share of the 63 samples of the centre function
 *        54.0 █████▍      34  try_to_wake_up                                    kernel
 *      ── _raw_spin_unlock_irqrestore  total 3.5  self 3.5  0.06 cpu  N=63  3 thr ────
 *      CALLEES
 *       100.0 ██████████  63  (self)
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "proftop/gettext.h"
#include "proftop/text.h"
#include "proftop/view.h"
#include "tree_pane.h"
#include "views.h"

enum {
    SHARE_COLUMNS = 8,
    BAR_COLUMNS = 11,
    SAMPLES_COLUMNS = 6,
    MODULE_COLUMNS = 10,
    BAR_FROM = 60,
    NAME_MIN = 12, /* columns the centre's name keeps beside its figures */
    FIXED_ROWS = 3 /* the two headers and the centre */
};

struct callers_state {
    struct callers_place {
        function_id centre;
        bool known; /* CENTRE has been set: a zeroed state means function 0 otherwise */
        bool bottom_up;
        int cursor; /* rows above the centre are negative, 0 is the centre */
        int callers_top, callees_top;
        struct tree_place tree;
    } place;
    struct tree_rows rows; /* of the tree turned over */
};

static function_id centre_of(const struct callers_state *state)
{
    return state->place.known ? state->place.centre : FUNCTION_NONE;
}

/* Whom to begin with: who is chosen; else, as on the root of a tree, the heaviest. */
static function_id first_centre(const struct screen_input *input)
{
    if (input->chosen != FUNCTION_NONE || input->fold == NULL || input->fold->row_count == 0)
        return input->chosen;
    return input->fold->rows[0].function;
}

static const struct fold_callers *callers_of(const struct callers_state *state,
                                             const struct screen_input *input)
{
    const struct view_extra *extra = input->extra;

    return extra != NULL && state->place.known && extra->wants.function == state->place.centre
               ? extra->callers
               : NULL;
}

static const struct fold *turned_over(const struct callers_state *state,
                                      const struct screen_input *input)
{
    const struct view_extra *extra = input->extra;

    return state->place.bottom_up && extra != NULL && extra->wants.function == centre_of(state)
               ? extra->bottom_up
               : NULL;
}

/* The pane of the tree turned over lives as long as one call; its place and rows are kept here. */
static struct tree_pane borrow_pane(const struct callers_state *state)
{
    return (struct tree_pane){ .place = state->place.tree, .rows = state->rows };
}

static void return_pane(struct callers_state *state, const struct tree_pane *pane)
{
    state->place.tree = pane->place;
    state->rows = pane->rows;
}

static const struct fold_neighbour *neighbour(const struct fold_callers *callers, int row)
{
    if (row < 0 && -row <= (int)callers->caller_count)
        return &callers->callers[callers->caller_count - (uint32_t)-row];
    if (row > 0 && row <= (int)callers->callee_count)
        return &callers->callees[row - 1];
    return NULL;
}

static bool move_cursor(struct callers_state *state, const struct fold_callers *callers,
                        enum action action, int rows)
{
    int above = callers != NULL ? (int)callers->caller_count : 0;
    int below = callers != NULL ? (int)callers->callee_count : 0;
    struct list list = { state->place.cursor + above, 0 };

    if (!list_key(&list, action, above + 1 + below, rows))
        return false;
    state->place.cursor = list.cursor - above;
    return true;
}

static struct request search(struct callers_state *state, const struct screen_input *input,
                             const struct fold_callers *callers, int step)
{
    struct request request = { .kind = REQUEST_REDRAW };
    int above = (int)callers->caller_count, count = above + 1 + (int)callers->callee_count;
    int at = state->place.cursor + above + step;

    for (int i = 0; i < count; i++, at += step != 0 ? step : 1) {
        const struct fold_neighbour *row;

        at = (at % count + count) % count;
        row = neighbour(callers, at - above);
        if (row != NULL &&
            format_matches(input, names_get(input->fold->names, row->function)->name)) {
            state->place.cursor = at - above;
            return request;
        }
    }
    return request_not_found(input);
}

static struct request key_butterfly(struct callers_state *state, const struct screen_input *input,
                                    enum action action, int rows)
{
    struct request request = { .kind = REQUEST_REDRAW };
    const struct fold_callers *callers = callers_of(state, input);
    const struct fold_neighbour *row;

    if (move_cursor(state, callers, action, rows - FIXED_ROWS))
        return request;
    if (callers == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    switch (action) {
    case ACTION_ENTER:
        row = neighbour(callers, state->place.cursor);
        if (row != NULL && row->function != state->place.centre)
            return (struct request){ .kind = REQUEST_DRILL,
                                     .view = "callers",
                                     .function = row->function };
        return request;
    case ACTION_HOTTEST:
        if (callers->caller_count != 0)
            state->place.cursor = -(int)callers->caller_count;
        return request;
    case ACTION_SEARCH:
        return search(state, input, callers, 0);
    case ACTION_SEARCH_NEXT:
        return search(state, input, callers, 1);
    case ACTION_SEARCH_PREVIOUS:
        return search(state, input, callers, -1);
    default:
        request.kind = REQUEST_NONE;
        return request;
    }
}

static struct request key(void *opaque, const struct screen_input *input, enum action action,
                          int rows, int columns)
{
    struct callers_state *state = opaque;
    const struct fold *tree = turned_over(state, input);
    struct request request;
    struct tree_pane pane;

    (void)columns;
    if (input->fold == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    if (action == ACTION_INVERT_TREE) {
        state->place.bottom_up = !state->place.bottom_up;
        return (struct request){ .kind = REQUEST_REDRAW };
    }
    if (!state->place.bottom_up)
        return key_butterfly(state, input, action, rows);
    if (tree == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    pane = borrow_pane(state);
    request = tree_pane_key(&pane, input, tree, action, rows - 1);
    return_pane(state, &pane);
    return request;
}

/* How the rows between the fixed ones are shared out. */
static void share_rows(const struct fold_callers *callers, int rows, int *above, int *below)
{
    int room = rows - FIXED_ROWS, callers_wanted = (int)callers->caller_count;
    int callees_wanted = (int)callers->callee_count;

    if (room < 0)
        room = 0;
    *above = callers_wanted < room / 2 ? callers_wanted : room / 2;
    *below = callees_wanted < room - *above ? callees_wanted : room - *above;
    if (room - *below > *above)
        *above = callers_wanted < room - *below ? callers_wanted : room - *below;
}

/* The first row shown of a half: CURSOR (0 the first, -1 in the other half) stays in sight. */
static int scroll(int top, int cursor, int count, int rows)
{
    struct list list = { cursor >= 0 ? cursor : top, top };

    list_fit(&list, count, rows);
    return list.top;
}

static void prepare(struct callers_state *state, const struct fold_callers *callers, int rows)
{
    int above, below, callers_count = (int)callers->caller_count;

    if (state->place.cursor < -callers_count)
        state->place.cursor = -callers_count;
    if (state->place.cursor > (int)callers->callee_count)
        state->place.cursor = (int)callers->callee_count;
    share_rows(callers, rows, &above, &below);
    state->place.callers_top = scroll(
        state->place.callers_top,
        state->place.cursor < 0 ? callers_count + state->place.cursor : -1, callers_count, above);
    state->place.callees_top = scroll(state->place.callees_top, state->place.cursor - 1,
                                      (int)callers->callee_count, below);
}

/* Which row (as the cursor counts) is drawn at screen row AT; false on a header. */
static bool row_at(const struct callers_state *state, const struct fold_callers *callers, int rows,
                   int at, int *row)
{
    int above, below;

    share_rows(callers, rows, &above, &below);
    if (at == above + 1)
        *row = 0;
    else if (at >= 1 && at <= above)
        *row = state->place.callers_top + at - 1 - (int)callers->caller_count;
    else if (at >= above + FIXED_ROWS && at < above + FIXED_ROWS + below)
        *row = state->place.callees_top + at - above - FIXED_ROWS + 1;
    else
        return false;
    return true;
}

static struct request mouse(void *opaque, const struct screen_input *input,
                            const struct mouse_event *event, int rows, int columns)
{
    struct callers_state *state = opaque;
    const struct fold_callers *callers = callers_of(state, input);
    const struct fold *tree = turned_over(state, input);
    struct request request = { .kind = REQUEST_NONE };
    int row;

    if (input->fold == NULL)
        return request;
    if (tree != NULL) {
        struct tree_pane pane = borrow_pane(state);
        struct mouse_event below = *event;

        below.row--;
        request = tree_pane_mouse(&pane, input, tree, &below, rows - 1);
        return_pane(state, &pane);
        return request;
    }
    if (event->kind == MOUSE_WHEEL_UP || event->kind == MOUSE_WHEEL_DOWN)
        return key(state, input, event->kind == MOUSE_WHEEL_UP ? ACTION_UP : ACTION_DOWN, rows,
                   columns);
    if (callers == NULL || (event->kind != MOUSE_PRESS && event->kind != MOUSE_DOUBLE) ||
        !row_at(state, callers, rows, event->row, &row))
        return request;
    state->place.cursor = row;
    if (event->kind == MOUSE_DOUBLE)
        return key_butterfly(state, input, ACTION_ENTER, rows);
    request.kind = REQUEST_REDRAW;
    return request;
}

/* What is to know of the function comes behind where it fits; the status line has it in any case.
 */
static void self_text(char *text, size_t size_bytes, const struct function *function, int width)
{
    const char *footnote = function_footnote(function);

    if (footnote != NULL)
        snprintf(text, size_bytes, "%s   %s", _("(self)"), footnote);
    if (footnote == NULL || text_width(text) > width)
        snprintf(text, size_bytes, "%s", _("(self)"));
}

static void render_neighbour(const struct callers_state *state, const struct screen_input *input,
                             struct grid *grid, int at, const struct fold_neighbour *row,
                             uint64_t whole, bool callee)
{
    const struct function *function = names_get(input->fold->names, row->function);
    bool self = callee && row->function == state->place.centre;
    int left = SHARE_COLUMNS, width;
    char text[NAME_MAX_BYTES];
    enum role role = format_role(input, function);
    double share = whole != 0 ? (double)row->weight / (double)whole : 0;

    grid_printf(grid, at, 2, SHARE_COLUMNS - 3, row->samples < FEW_SAMPLES ? ROLE_DIM : ROLE_NORMAL,
                "%5.1f", 100 * share);
    if (grid->columns >= BAR_FROM) {
        grid_bar(grid, at, left, BAR_COLUMNS - 1, ROLE_BAR, share);
        left += BAR_COLUMNS;
    }
    snprintf(text, sizeof(text), "%llu", (unsigned long long)row->samples);
    grid_text_right(grid, at, left - 1, SAMPLES_COLUMNS - 1, ROLE_NORMAL, text);
    left += SAMPLES_COLUMNS;
    width = grid->columns - left - MODULE_COLUMNS - 1;
    if (self)
        self_text(text, sizeof(text), function, width);
    else
        format_name(text, input, function, width);
    grid_text(grid, at, left, width, self ? ROLE_TITLE : role, text);
    if (!self) {
        char module[FORMAT_LONG];

        grid_text(grid, at, grid->columns - MODULE_COLUMNS, MODULE_COLUMNS,
                  role == ROLE_KERNEL ? ROLE_KERNEL : ROLE_DIM, format_module(module, function));
    }
}

/* What a second of the range is counted in, as the column of Top is called. */
static const char *unit_of(const struct scope *scope)
{
    return scope->metric != METRIC_TIME   ? "/s"
           : scope->state == SCOPE_ON_CPU ? _(" cpu")
                                          : _(" avg");
}

static void render_centre(const struct callers_state *state, const struct screen_input *input,
                          struct grid *grid, int at, const struct fold_row *row)
{
    const struct function *function = names_get(input->fold->names, state->place.centre);
    char name[NAME_MAX_BYTES], total[FORMAT_MAX], self[FORMAT_MAX], cores[FORMAT_MAX];
    char facts[256];
    int left, width;

    grid_fill(grid, at, 0, grid->columns, ROLE_HEADER, "\u2500");
    facts[0] = '\0';
    if (row != NULL)
        snprintf(facts, sizeof(facts), _("  total %s  self %s  %s%s  N=%llu  %u thr "),
                 format_weight(total, input, input->fold, row->total, row->total_samples),
                 format_weight(self, input, input->fold, row->self, row->self_samples),
                 format_cores(cores, input->fold, row->total), unit_of(input->scope),
                 (unsigned long long)row->total_samples, row->threads);
    width = grid->columns - 4 - text_width(facts);
    if (width < NAME_MIN)
        width = grid->columns < NAME_MIN + 4 ? grid->columns - 4 : NAME_MIN;
    format_name(name, input, function, width);
    grid_text(grid, at, 3, 1, ROLE_HEADER, " ");
    left = 4 + grid_text(grid, at, 4, width, ROLE_HEADER, name);
    grid_text(grid, at, left, grid->columns - left, ROLE_HEADER, facts);
}

static void render_butterfly(struct callers_state *state, const struct screen_input *input,
                             struct grid *grid)
{
    const struct fold_callers *callers = callers_of(state, input);
    const struct fold_row *row = fold_find(input->fold, state->place.centre);
    int above, below;
    uint64_t whole = row != NULL ? row->total : 0;

    if (callers == NULL) {
        render_centre(state, input, grid, 1, row);
        return;
    }
    prepare(state, callers, grid->rows);
    share_rows(callers, grid->rows, &above, &below);
    grid_fill(grid, 0, 0, grid->columns, ROLE_HEADER, " ");
    grid_text(grid, 0, 1, grid->columns, ROLE_HEADER, _("CALLERS"));
    if (row != NULL)
        grid_printf(grid, 0, 23, grid->columns - 23, ROLE_HEADER,
                    _("each as a share of the %llu samples of the centre function"),
                    (unsigned long long)row->total_samples);
    for (int i = 0; i < above; i++)
        render_neighbour(state, input, grid, 1 + i, &callers->callers[state->place.callers_top + i],
                         whole, false);
    render_centre(state, input, grid, above + 1, row);
    grid_fill(grid, above + 2, 0, grid->columns, ROLE_HEADER, " ");
    grid_text(grid, above + 2, 1, grid->columns, ROLE_HEADER, _("CALLEES"));
    for (int i = 0; i < below; i++)
        render_neighbour(state, input, grid, above + FIXED_ROWS + i,
                         &callers->callees[state->place.callees_top + i], whole, true);
    for (int at = 0; at < grid->rows; at++) {
        int which;

        if (row_at(state, callers, grid->rows, at, &which) && which == state->place.cursor)
            grid_role(grid, at, 0, grid->columns, ROLE_SELECTED);
    }
}

static void render_tree(struct callers_state *state, const struct screen_input *input,
                        struct grid *grid)
{
    const struct function *function = names_get(input->fold->names, state->place.centre);
    const struct fold *fold = turned_over(state, input);
    const char *back = _("b: callers and callees");
    struct grid *below;
    struct tree_pane pane;
    char name[NAME_MAX_BYTES];

    grid_text_right(grid, 0, grid->columns - text_width(back), text_width(back), ROLE_TITLE, back);
    format_name(name, input, function, grid->columns - text_width(back) - 22);
    grid_printf(grid, 0, 1, grid->columns - text_width(back) - 2, ROLE_TITLE, _("Who leads to %s"),
                name);
    if (fold == NULL)
        return;
    pane = borrow_pane(state);
    below = grid_new(grid->columns, grid->rows - 1, grid->ascii);
    tree_pane_render(&pane, input, fold, below, _("leaf first, callers below"));
    grid_blit(grid, 1, 0, below);
    grid_free(below);
    return_pane(state, &pane);
}

static void render(void *opaque, const struct screen_input *input, struct grid *grid)
{
    struct callers_state *state = opaque;

    if (input->fold == NULL)
        return;
    if (!state->place.known && first_centre(input) != FUNCTION_NONE) {
        state->place.centre = first_centre(input);
        state->place.known = true;
    }
    if (!state->place.known)
        render_empty(input, grid, 2);
    else if (state->place.bottom_up && grid->rows > 3)
        render_tree(state, input, grid);
    else
        render_butterfly(state, input, grid);
}

static void wants(void *opaque, const struct screen_input *input, int rows, int columns,
                  struct view_wants *wants)
{
    const struct callers_state *state = opaque;

    (void)rows;
    (void)columns;
    wants->function = state->place.known ? state->place.centre : first_centre(input);
    wants->bottom_up = state->place.bottom_up;
}

static function_id chosen(const void *opaque, const struct screen_input *input)
{
    const struct callers_state *state = opaque;
    const struct fold_callers *callers = callers_of(state, input);
    const struct fold_neighbour *row =
        callers != NULL ? neighbour(callers, state->place.cursor) : NULL;
    struct tree_pane pane = borrow_pane(state);
    function_id function = state->place.bottom_up ? tree_pane_chosen(&pane) : FUNCTION_NONE;

    if (function != FUNCTION_NONE)
        return function;
    return row != NULL && !state->place.bottom_up ? row->function : centre_of(state);
}

static void enter(void *opaque, const struct screen_input *input)
{
    struct callers_state *state = opaque;

    if (input->chosen == FUNCTION_NONE || input->chosen == centre_of(state))
        return;
    state->place = (struct callers_place){ .centre = input->chosen,
                                           .known = true,
                                           .bottom_up = state->place.bottom_up };
}

static void fini(void *opaque)
{
    struct callers_state *state = opaque;

    tree_rows_fini(&state->rows);
}

const struct view_ops callers_view = {
    .name = "callers",
    .label = N_("Callers"),
    .state_size = sizeof(struct callers_state),
    .place_size = sizeof(struct callers_place),
    .key = key,
    .mouse = mouse,
    .render = render,
    .wants = wants,
    .chosen = chosen,
    .enter = enter,
    .fini = fini,
};
