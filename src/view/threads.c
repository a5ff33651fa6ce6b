/* SPDX-License-Identifier: MIT */
/*
 * Threads: what each was doing, exited ones too, by what of the range they lived in.
 *
 *        TID NAME       S  CPU% run/queued/wait   GIL%  WANT% LAST 20s   TOP FUNCTION NOW
 *       8970 wrk-0      R  87.5 ########..        81.0    3.2 ▇▇▇▇▇▇▇▇▇▇ Table::sum    41%
 *       8969 init-tmp   X   1.2 #---------         0.4        ▂           Init::read    99%
 *       8967 setup      X   0.0                                          until 0:02
 *
 * The lock of an interpreter has its columns only where there is one.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "list.h"
#include "proftop/gettext.h"
#include "proftop/text.h"
#include "proftop/view.h"
#include "threads_order.h"
#include "threads_row.h"
#include "views.h"

struct threads_state {
    struct threads_place {
        struct list list;
        thread_key cursor;
        uint32_t sort; /* enum thread_sort */
        bool inverted;
    } place;
    struct thread_order order;
};

static void prepare(struct threads_state *state, const struct screen_input *input, int rows)
{
    struct threads_place *place = &state->place;
    int at;

    thread_order_update(&state->order, input, (enum thread_sort)place->sort, place->inverted);
    at = input->follow && place->cursor != THREAD_KEY_NONE
             ? thread_order_find(&state->order, place->cursor)
             : -1;
    if (at >= 0)
        place->list.cursor = at;
    list_fit(&place->list, (int)state->order.count, rows);
}

static void pin(struct threads_state *state)
{
    int at = state->place.list.cursor;

    state->place.cursor =
        at > 0 && at < (int)state->order.count ? state->order.keys[at] : THREAD_KEY_NONE;
}

static const struct thread_row *row_at(const struct threads_state *state, int index)
{
    return index >= 0 && index < (int)state->order.count ? &state->order.rows[index] : NULL;
}

/* NULL on a row that is a process. */
static const struct fold_thread *thread_at(const struct threads_state *state,
                                           const struct screen_input *input, int index)
{
    const struct thread_row *row = row_at(state, index);

    return row != NULL && row->thread != THREAD_NONE ? &input->fold->threads[row->thread] : NULL;
}

/* The thread or the process that row INDEX stands for. */
static const struct profile_thread *facts_at(const struct threads_state *state,
                                             const struct screen_input *input, int index)
{
    const struct fold_thread *thread = thread_at(state, input, index);

    return threads_facts(
        input, thread != NULL ? thread : &state->order.groups[row_at(state, index)->group].sum);
}

/* Only what the row stands for; or, when it is the only one already, all again. */
static struct request only_this(const struct threads_state *state, const struct screen_input *input)
{
    int at = state->place.list.cursor;

    if (row_at(state, at) == NULL)
        return (struct request){ .kind = REQUEST_REDRAW };
    return thread_at(state, input, at) != NULL
               ? request_thread(input, facts_at(state, input, at)->tid)
               : request_process(input, facts_at(state, input, at)->pid);
}

/* Hides or shows the threads of the process under the cursor, which stays on the process. */
static void open_process(struct threads_state *state, const struct screen_input *input, bool open,
                         int rows)
{
    const struct thread_row *row = row_at(state, state->place.list.cursor);
    const struct thread_group *group;
    int at = state->place.list.cursor;

    if (row == NULL || !state->order.several)
        return;
    group = &state->order.groups[row->group];
    if (group->count < 2)
        return;
    while (at > 0 && state->order.rows[at].thread != THREAD_NONE)
        at--;
    if (!open)
        state->place.list.cursor = at;
    pin(state);
    thread_order_open(&state->order, group->pid, open);
    prepare(state, input, rows);
}

static void open_all(struct threads_state *state, const struct screen_input *input, bool open,
                     int rows)
{
    for (uint32_t i = 0; i < state->order.group_count; i++)
        thread_order_open(&state->order, state->order.groups[i].pid, open);
    prepare(state, input, rows);
}

static struct request search(struct threads_state *state, const struct screen_input *input,
                             int step, int rows)
{
    struct request request = { .kind = REQUEST_REDRAW };
    int count = (int)state->order.count, at = state->place.list.cursor + step;

    for (int i = 0; i < count; i++, at += step != 0 ? step : 1) {
        char tid[FORMAT_MAX];
        const struct profile_thread *facts;

        at = (at % count + count) % count;
        facts = facts_at(state, input, at);
        snprintf(tid, sizeof(tid), "%d", facts->tid);
        if (format_matches(input, facts->name) || format_matches(input, tid)) {
            state->place.list.cursor = at;
            list_fit(&state->place.list, count, rows);
            pin(state);
            return request;
        }
    }
    return request_not_found(input);
}

/* The next column to sort by; a lock of an interpreter only where there is one. */
static void next_sort(struct threads_state *state, const struct screen_input *input, uint32_t step)
{
    do
        state->place.sort = (state->place.sort + step) % THREAD_SORTS;
    while (state->place.sort == SORT_BY_GIL && !threads_have_gil(input));
}

static struct request key(void *opaque, const struct screen_input *input, enum action action,
                          int rows, int columns)
{
    struct threads_state *state = opaque;
    struct request request = { .kind = REQUEST_REDRAW };

    (void)columns;
    if (input->fold == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    rows--;
    prepare(state, input, rows);
    if (list_key(&state->place.list, action, (int)state->order.count, rows)) {
        pin(state);
        return request;
    }
    switch (action) {
    case ACTION_ENTER:
        return only_this(state, input);
    case ACTION_LEFT:
    case ACTION_COLLAPSE:
        open_process(state, input, false, rows);
        return request;
    case ACTION_RIGHT:
    case ACTION_EXPAND:
        open_process(state, input, true, rows);
        return request;
    case ACTION_EXPAND_ALL:
    case ACTION_EXPAND_BELOW:
    case ACTION_COLLAPSE_BELOW:
        open_all(state, input, action != ACTION_COLLAPSE_BELOW, rows);
        return request;
    case ACTION_SORT_LEFT:
        next_sort(state, input, THREAD_SORTS - 1);
        return request;
    case ACTION_SORT_RIGHT:
        next_sort(state, input, 1);
        return request;
    case ACTION_SORT_INVERT:
        state->place.inverted = !state->place.inverted;
        return request;
    case ACTION_SORT_SELF:
    case ACTION_SORT_TOTAL:
    case ACTION_HOTTEST:
        state->place.sort = SORT_BY_CPU;
        state->place.inverted = false;
        if (action == ACTION_HOTTEST) {
            state->place.list = (struct list){ 0, 0 };
            state->place.cursor = THREAD_KEY_NONE;
        }
        return request;
    case ACTION_SEARCH:
        return search(state, input, 0, rows);
    case ACTION_SEARCH_NEXT:
        return search(state, input, 1, rows);
    case ACTION_SEARCH_PREVIOUS:
        return search(state, input, -1, rows);
    default:
        request.kind = REQUEST_NONE;
        return request;
    }
}

/* The column whose title is at COLUMN. */
static uint32_t sort_at(const struct screen_input *input, int columns, int column)
{
    struct threads_layout layout = threads_lay_out(input, columns);

    if (column < TID_COLUMNS)
        return SORT_BY_TID;
    if (column < TID_COLUMNS + NAME_COLUMNS)
        return SORT_BY_NAME;
    if (layout.gil >= 0 && column >= layout.gil && column < layout.gil + GIL_COLUMNS)
        return SORT_BY_GIL;
    return layout.parts >= 0 && column >= layout.parts ? SORT_BY_WAIT : SORT_BY_CPU;
}

static struct request mouse(void *opaque, const struct screen_input *input,
                            const struct mouse_event *event, int rows, int columns)
{
    struct threads_state *state = opaque;

    if (input->fold == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    prepare(state, input, rows - 1);
    if (event->row == 0 && event->kind == MOUSE_PRESS) {
        uint32_t sort = sort_at(input, columns, event->column);

        state->place.inverted = sort == state->place.sort ? !state->place.inverted : false;
        state->place.sort = sort;
    } else if (list_mouse(&state->place.list, event, 1, (int)state->order.count, rows - 1)) {
        pin(state);
        if (event->kind == MOUSE_DOUBLE)
            return only_this(state, input);
    } else {
        return (struct request){ .kind = REQUEST_NONE };
    }
    return (struct request){ .kind = REQUEST_REDRAW };
}

/* Where the arrow stands that tells the column sorted by; -1: it is not shown. */
static int arrow_column(const struct threads_state *state, const struct threads_layout *layout)
{
    switch ((enum thread_sort)(state->place.sort % THREAD_SORTS)) {
    case SORT_BY_WAIT:
        return layout->parts >= 0 ? layout->parts + PARTS_COLUMNS - 1 : -1;
    case SORT_BY_GIL:
        return layout->gil >= 0 ? layout->gil + 6 : -1;
    case SORT_BY_TID:
        return TID_COLUMNS - 1;
    case SORT_BY_NAME:
        return TID_COLUMNS + 4;
    default:
        return TID_COLUMNS + NAME_COLUMNS + STATE_COLUMNS + CPU_COLUMNS - 1;
    }
}

static void render_header(const struct threads_state *state, const struct screen_input *input,
                          struct grid *grid, const struct threads_layout *layout)
{
    const char *arrow = input->ascii ? (state->place.inverted ? "^" : "v")
                                     : (state->place.inverted ? "\u25b3" : "\u25bd");
    int at = TID_COLUMNS, width = grid->columns - layout->top;

    grid_fill(grid, 0, 0, grid->columns, ROLE_HEADER, " ");
    grid_text_right(grid, 0, 0, TID_COLUMNS - 1, ROLE_HEADER, _("TID"));
    grid_text(grid, 0, at, NAME_COLUMNS, ROLE_HEADER, _("NAME"));
    at += NAME_COLUMNS;
    grid_text(grid, 0, at, STATE_COLUMNS, ROLE_HEADER, _("S"));
    at += STATE_COLUMNS;
    grid_text_right(grid, 0, at, CPU_COLUMNS - 1, ROLE_HEADER, _("CPU%"));
    if (layout->parts >= 0)
        grid_text(grid, 0, layout->parts, PARTS_COLUMNS - 1, ROLE_HEADER, _("run/queued/wait"));
    if (layout->gil >= 0)
        grid_text(grid, 0, layout->gil, GIL_COLUMNS, ROLE_HEADER, _("  GIL%  WANT%"));
    if (layout->spark >= 0)
        grid_text(grid, 0, layout->spark, layout->spark_columns, ROLE_HEADER, _("LAST 20s"));
    if (layout->io >= 0)
        grid_text(grid, 0, layout->io, IO_COLUMNS, ROLE_HEADER, _("  RD/s   WR/s"));
    if (thread_order_held(&state->order, input)) {
        grid_text_right(grid, 0, layout->top, width, ROLE_HEADER, _("sort held"));
        width -= text_width(_("sort held")) + 1;
    }
    grid_text(grid, 0, layout->top, width, ROLE_HEADER, _("TOP FUNCTION NOW"));
    grid_text(grid, 0, arrow_column(state, layout), 1, ROLE_HEADER, arrow);
}

static void render_row(const struct threads_state *state, const struct screen_input *input,
                       struct grid *grid, int at, int index, const struct threads_layout *layout)
{
    const struct thread_group *group = &state->order.groups[row_at(state, index)->group];
    const struct fold_thread *thread = thread_at(state, input, index);

    if (thread == NULL)
        threads_draw_process(input, grid, at, &group->sum, group->count, !group->closed, layout);
    else
        threads_draw_row(input, grid, at, thread, layout,
                         state->order.several && group->count > 1 ? 1 : 0);
}

static void render(void *opaque, const struct screen_input *input, struct grid *grid)
{
    struct threads_state *state = opaque;
    const struct list *list = &state->place.list;
    struct threads_layout layout;

    if (input->fold == NULL || grid->rows < 2)
        return;
    layout = threads_lay_out(input, grid->columns);
    prepare(state, input, grid->rows - 1);
    render_header(state, input, grid, &layout);
    for (int i = 0; i < grid->rows - 1 && list->top + i < (int)state->order.count; i++) {
        render_row(state, input, grid, i + 1, list->top + i, &layout);
        if (list->top + i == list->cursor)
            grid_role(grid, i + 1, 0, grid->columns, ROLE_SELECTED);
    }
}

static void wants(void *opaque, const struct screen_input *input, int rows, int columns,
                  struct view_wants *wants)
{
    struct threads_state *state = opaque;

    struct threads_layout layout;

    if (input->fold == NULL)
        return;
    prepare(state, input, rows - 1);
    layout = threads_lay_out(input, columns);
    if (layout.spark < 0)
        return;
    wants->span_ns = SPARK_NS;
    wants->buckets = (uint32_t)layout.spark_columns;
    for (int i = 0; i < rows && wants->series_count < SERIES_MAX; i++) {
        const struct thread_row *row = row_at(state, state->place.list.top + i);

        if (row != NULL && row->thread != THREAD_NONE)
            wants->series[wants->series_count++] = (struct view_series){
                FUNCTION_NONE,
                (uint32_t)(state->order.keys[state->place.list.top + i] - 1),
            };
    }
}

static function_id chosen(const void *opaque, const struct screen_input *input)
{
    const struct threads_state *state = opaque;
    const struct fold_thread *thread =
        input->fold != NULL && state->order.version == input->fold->version
            ? thread_at(state, input, state->place.list.cursor)
            : NULL;

    return thread != NULL && thread->weight != 0 ? thread->top : FUNCTION_NONE;
}

static void fini(void *opaque)
{
    struct threads_state *state = opaque;

    thread_order_fini(&state->order);
}

const struct view_ops threads_view = {
    .name = "threads",
    .label = N_("Threads"),
    .state_size = sizeof(struct threads_state),
    .place_size = sizeof(struct threads_place),
    .key = key,
    .mouse = mouse,
    .render = render,
    .wants = wants,
    .chosen = chosen,
    .fini = fini,
};
