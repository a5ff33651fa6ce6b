/* SPDX-License-Identifier: MIT */
/*
 * Top: which functions the time is spent in.
 *
 *      SELF%▽ TOTAL%   CPU  SAMP THR LAST 10s   FUNCTION                MODULE
 *       38.6    46.7  0.71   699   2 ▅▅▅▅▅▅▅▅▅▅ Table<string,long>::sum busy
 *
 * The cursor sits on a function, not on a row: rows come and go under it.  Rows of which too little
 * was seen to say anything are gathered into a last one until asked for.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "list.h"
#include "order.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/view.h"
#include "views.h"

enum {
    NAME_MIN = 20, /* columns a name keeps when others are given up for it */
    MODULE_COLUMNS = 10,
    SPARK_COLUMNS = 10,
    SPARK_FROM = 90, /* columns of the view from which there is room for sparks */
    SCROLL_STEP = 8
};

#define SPARK_NS (10 * NS_PER_S)

struct top_state {
    struct top_place {
        struct list list;
        struct sort sort;
        function_id cursor;
        bool pinned; /* the person has put the cursor there */
        bool all;    /* the last rows too, each too few samples to mean much */
        int scroll;  /* columns that names are moved left */
    } place;
    struct order order;
    int shown; /* rows to move over when last prepared */
};

struct column {
    enum sort_key key;
    const char *title;
    int width;    /* with the cell for the arrow behind it */
    int minimum;  /* columns of the view it needs */
    bool in_unit; /* its title ends in the unit */
};

static const struct column columns[] = {
    { SORT_SELF, N_("SELF"), 8, 0, true },       { SORT_TOTAL, N_("TOTAL"), 8, 0, true },
    { SORT_CORES, N_("CPU"), 6, 58, false },     { SORT_SAMPLES, N_("SAMP"), 6, 64, false },
    { SORT_THREADS, N_("THR"), 4, 70, false },   { SORT_NAME, N_("FUNCTION"), 0, 0, false },
    { SORT_MODULE, N_("MODULE"), 0, 50, false },
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

struct layout {
    int name, name_width, module, spark; /* where they begin; spark and module -1: none */
};

static struct layout lay_out(int width)
{
    struct layout layout = { .name = 0, .module = -1, .spark = -1 };

    for (int i = 0; i < COLUMNS; i++)
        if (columns[i].width != 0 && width >= columns[i].minimum)
            layout.name += columns[i].width;
    if (width >= SPARK_FROM) {
        layout.spark = layout.name;
        layout.name += SPARK_COLUMNS + 1;
    }
    layout.name_width = width - layout.name;
    if (layout.name_width > MODULE_COLUMNS + NAME_MIN) {
        layout.module = width - MODULE_COLUMNS;
        layout.name_width -= MODULE_COLUMNS + 1;
    }
    return layout;
}

/* How many rows there are to move over; the last of them may stand for the tail. */
static int shown_rows(const struct top_state *state, int rows)
{
    const struct order *order = &state->order;

    if (state->place.all || (int)order->count <= rows || order->tail >= order->count ||
        order->tail == 0) /* nothing but a tail, of the first few samples */
        return (int)order->count;
    return (int)order->tail + 1;
}

static bool is_tail(const struct top_state *state, int index, int rows)
{
    return shown_rows(state, rows) != (int)state->order.count && index == (int)state->order.tail;
}

/* The order for this fold, and the cursor back on its function. */
static void prepare(struct top_state *state, const struct screen_input *input, int rows)
{
    struct top_place *place = &state->place;
    int found;

    order_update(&state->order, input, &place->sort);
    if (place->pinned && input->follow && place->cursor != FUNCTION_NONE) {
        found = order_find(&state->order, place->cursor);
        if (found >= (int)state->order.tail)
            place->all = true;
        if (found >= 0)
            place->list.cursor = found;
    }
    state->shown = shown_rows(state, rows);
    list_fit(&place->list, state->shown, rows);
}

static function_id function_at(const struct top_state *state, int index)
{
    return index >= 0 && index < (int)state->order.count ? state->order.functions[index]
                                                         : FUNCTION_NONE;
}

static void pin(struct top_state *state, int rows)
{
    int at = state->place.list.cursor;

    state->place.pinned = at != 0 || state->place.list.top != 0;
    state->place.cursor = is_tail(state, at, rows) ? FUNCTION_NONE : function_at(state, at);
}

static bool row_matches(const struct top_state *state, const struct screen_input *input, int index)
{
    const struct function *function = names_get(input->fold->names, state->order.functions[index]);

    return format_matches(input, function->name) || format_matches(input, function->module);
}

/* The next row, STEP from the cursor on, that holds the words searched for. */
static struct request search(struct top_state *state, const struct screen_input *input, int step,
                             int rows)
{
    struct request request = { .kind = REQUEST_REDRAW };
    int count = (int)state->order.count, at = state->place.list.cursor + step;

    for (int i = 0; i < count; i++, at += step != 0 ? step : 1) {
        at = (at % count + count) % count;
        if (!row_matches(state, input, at))
            continue;
        if (at >= (int)state->order.tail)
            state->place.all = true;
        state->place.list.cursor = at;
        list_fit(&state->place.list, count, rows);
        pin(state, rows);
        state->place.pinned = true;
        return request;
    }
    return request_not_found(input);
}

static bool sort_action(struct sort *sort, enum action action)
{
    switch (action) {
    case ACTION_SORT_LEFT:
        sort->key = (sort->key + SORT_KEYS - 1) % SORT_KEYS;
        sort->inverted = false;
        return true;
    case ACTION_SORT_RIGHT:
        sort->key = (sort->key + 1) % SORT_KEYS;
        sort->inverted = false;
        return true;
    case ACTION_SORT_INVERT:
        sort->inverted = !sort->inverted;
        return true;
    case ACTION_SORT_SELF:
    case ACTION_SORT_TOTAL:
        sort->key = action == ACTION_SORT_SELF ? SORT_SELF : SORT_TOTAL;
        sort->inverted = false;
        return true;
    default:
        return false;
    }
}

static struct request drill(struct top_state *state, int rows)
{
    struct request request = { .kind = REQUEST_REDRAW };
    int at = state->place.list.cursor;

    if (is_tail(state, at, rows)) {
        state->place.all = true;
        return request;
    }
    request.function = function_at(state, at);
    if (request.function != FUNCTION_NONE) {
        request.kind = REQUEST_DRILL;
        request.view = "callers";
    }
    return request;
}

static struct request key(void *opaque, const struct screen_input *input, enum action action,
                          int rows, int width)
{
    struct top_state *state = opaque;
    struct request request = { .kind = REQUEST_REDRAW };
    struct layout layout = lay_out(width);

    if (input->fold == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    rows--; /* the header */
    prepare(state, input, rows);
    if (list_key(&state->place.list, action, shown_rows(state, rows), rows)) {
        pin(state, rows);
        return request;
    }
    if (sort_action(&state->place.sort, action))
        return request;
    switch (action) {
    case ACTION_ENTER:
        return drill(state, rows);
    case ACTION_SEARCH:
        return search(state, input, 0, rows);
    case ACTION_SEARCH_NEXT:
        return search(state, input, 1, rows);
    case ACTION_SEARCH_PREVIOUS:
        return search(state, input, -1, rows);
    case ACTION_LEFT:
        state->place.scroll -= state->place.scroll > 0 ? SCROLL_STEP : 0;
        return request;
    case ACTION_RIGHT:
        state->place.scroll += state->place.scroll < 10 * layout.name_width ? SCROLL_STEP : 0;
        return request;
    case ACTION_HOTTEST:
        state->place.sort = (struct sort){ SORT_SELF, false };
        state->place.list = (struct list){ 0, 0 };
        state->place.pinned = false;
        return request;
    default:
        request.kind = REQUEST_NONE;
        return request;
    }
}

/* The column of the header at screen column AT. */
static const struct column *column_at(int at, int width)
{
    struct layout layout = lay_out(width);
    int left = 0;

    for (int i = 0; i < COLUMNS; i++) {
        if (columns[i].width == 0 || width < columns[i].minimum)
            continue;
        if (at < left + columns[i].width)
            return &columns[i];
        left += columns[i].width;
    }
    return layout.module >= 0 && at >= layout.module ? &columns[SORT_MODULE] : &columns[SORT_NAME];
}

static struct request mouse(void *opaque, const struct screen_input *input,
                            const struct mouse_event *event, int rows, int width)
{
    struct top_state *state = opaque;
    struct request request = { .kind = REQUEST_REDRAW };
    struct sort *sort = &state->place.sort;

    if (input->fold == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    prepare(state, input, rows - 1);
    if (event->row == 0 && event->kind == MOUSE_PRESS) {
        const struct column *column = column_at(event->column, width);

        sort->inverted = column->key == sort->key ? !sort->inverted : false;
        sort->key = column->key;
    } else if (list_mouse(&state->place.list, event, 1, shown_rows(state, rows - 1), rows - 1)) {
        pin(state, rows - 1);
        if (event->kind == MOUSE_DOUBLE)
            return drill(state, rows - 1);
    } else {
        request.kind = REQUEST_NONE;
    }
    return request;
}

static const char *title_of(char *buffer, size_t size_bytes, const struct column *column,
                            const struct screen_input *input)
{
    const char *title = _(column->title);

    if (column->key == SORT_CORES && input->scope->metric != METRIC_TIME)
        title = _("PER S");
    else if (column->key == SORT_CORES && input->scope->state != SCOPE_ON_CPU)
        title = _("AVG");
    snprintf(buffer, size_bytes, "%s%s", title, column->in_unit ? format_unit(input) : "");
    return buffer;
}

static void render_header(const struct top_state *state, const struct screen_input *input,
                          struct grid *grid)
{
    const struct sort *sort = &state->place.sort;
    struct layout layout = lay_out(grid->columns);
    const char *arrow =
        input->ascii ? (sort->inverted ? "^" : "v") : (sort->inverted ? "\u25b3" : "\u25bd");
    char title[FORMAT_MAX];
    int left = 0;

    grid_fill(grid, 0, 0, grid->columns, ROLE_HEADER, " ");
    for (int i = 0; i < COLUMNS; i++) {
        const struct column *column = &columns[i];
        int end;

        title_of(title, sizeof(title), column, input);
        if (column->width != 0) {
            if (grid->columns < column->minimum)
                continue;
            grid_text_right(grid, 0, left, column->width - 1, ROLE_HEADER, title);
            left += column->width;
            end = left - 1;
        } else if (column->key == SORT_MODULE && layout.module < 0) {
            continue;
        } else {
            int at = column->key == SORT_MODULE ? layout.module : layout.name;

            end = at + grid_text(grid, 0, at, grid->columns, ROLE_HEADER, title);
        }
        if (sort->key == column->key)
            grid_text(grid, 0, end, 1, ROLE_HEADER, arrow);
    }
    if (layout.spark >= 0)
        grid_text(grid, 0, layout.spark, SPARK_COLUMNS, ROLE_HEADER, _("LAST 10s"));
    if (order_is_held(&state->order, input))
        grid_text_right(grid, 0, layout.name, layout.name_width, ROLE_HEADER, _("sort held"));
}

static void render_numbers(const struct screen_input *input, struct grid *grid, int at,
                           const struct fold_row *row)
{
    const struct fold *fold = input->fold;
    char text[FORMAT_MAX];
    int left = 0;

    for (int i = 0; i < COLUMNS && columns[i].width != 0; i++) {
        enum role role = row->self_samples < FEW_SAMPLES ? ROLE_DIM : ROLE_NORMAL;

        if (grid->columns < columns[i].minimum)
            continue;
        switch (columns[i].key) {
        case SORT_SELF:
            format_weight(text, input, fold, row->self, row->self_samples);
            break;
        case SORT_TOTAL:
            format_weight(text, input, fold, row->total, row->total_samples);
            role = row->total_samples < FEW_SAMPLES ? ROLE_DIM : ROLE_NORMAL;
            break;
        case SORT_CORES:
            format_cores(text, fold, row->self);
            break;
        case SORT_SAMPLES:
            snprintf(text, sizeof(text), "%llu", (unsigned long long)row->self_samples);
            break;
        default:
            snprintf(text, sizeof(text), "%u", row->threads);
        }
        grid_text_right(grid, at, left, columns[i].width - 1, role, text);
        left += columns[i].width;
    }
}

/* The last ten seconds of one function, as shares of all that ran in each. */
static void render_spark(const struct screen_input *input, struct grid *grid, int at, int column,
                         function_id function)
{
    const struct view_extra *extra = input->extra;
    double values[SPARK_COLUMNS];

    if (extra == NULL || extra->wants.buckets != SPARK_COLUMNS || extra->weights == NULL)
        return;
    for (uint32_t i = 0; i < extra->wants.series_count; i++) {
        double seconds = (double)(extra->end_ns - extra->start_ns) / 1e9 / SPARK_COLUMNS;

        if (extra->wants.series[i].function != function)
            continue;
        for (int k = 0; k < SPARK_COLUMNS; k++)
            values[k] = sqrt((double)extra->weights[i * SPARK_COLUMNS + (uint32_t)k] / 1e9 /
                             (seconds > 0 ? seconds : 1));
        grid_spark(grid, at, column, SPARK_COLUMNS, ROLE_BAR, values, 1.2);
        return;
    }
}

static void mark_match(const struct screen_input *input, struct grid *grid, int at, int column,
                       int width, const char *text)
{
    const char *found =
        input->search != NULL && input->search[0] != '\0' ? strcasestr(text, input->search) : NULL;

    if (found != NULL && found - text < width)
        grid_role(grid, at, column + (int)(found - text), (int)strlen(input->search), ROLE_MATCH);
}

static void render_row(const struct top_state *state, const struct screen_input *input,
                       struct grid *grid, int at, int index, const char *name)
{
    struct layout layout = lay_out(grid->columns);
    const struct fold_row *row = &input->fold->rows[state->order.rows[index]];
    const struct function *function = names_get(input->fold->names, row->function);
    enum role role = format_role(input, function);
    char module[FORMAT_LONG];

    render_numbers(input, grid, at, row);
    if (layout.spark >= 0)
        render_spark(input, grid, at, layout.spark, row->function);
    name = format_scrolled(name, state->place.scroll);
    grid_text(grid, at, layout.name, layout.name_width, role, name);
    mark_match(input, grid, at, layout.name, layout.name_width, name);
    if (layout.module >= 0)
        grid_text(grid, at, layout.module, MODULE_COLUMNS,
                  role == ROLE_KERNEL ? ROLE_KERNEL : ROLE_DIM, format_module(module, function));
}

static void render_tail(const struct top_state *state, const struct screen_input *input,
                        struct grid *grid, int at)
{
    const struct fold *fold = input->fold;
    uint64_t together = 0;
    char text[160];

    for (uint32_t i = state->order.tail; i < state->order.count; i++)
        together += fold->rows[state->order.rows[i]].self;
    snprintf(text, sizeof(text),
             _("---- %u more, each under %.1f%%: %.1f%% together (Enter lists them) ----"),
             state->order.count - state->order.tail, format_floor(fold),
             100 * format_part(fold, together));
    grid_text(grid, at, 2, grid->columns - 2, ROLE_DIM, text);
}

static void render(void *opaque, const struct screen_input *input, struct grid *grid)
{
    struct top_state *state = opaque;
    const struct list *list = &state->place.list;
    int rows = grid->rows - 1, count;
    struct name_set *names;

    if (input->fold == NULL || rows < 1)
        return;
    prepare(state, input, rows);
    render_header(state, input, grid);
    count = shown_rows(state, rows);
    names = format_names(
        input, state->order.functions + list->top,
        rows < (int)state->order.count - list->top ? rows : (int)state->order.count - list->top,
        lay_out(grid->columns).name_width);
    for (int i = 0; i < rows && list->top + i < count; i++) {
        int index = list->top + i;

        if (is_tail(state, index, rows))
            render_tail(state, input, grid, i + 1);
        else
            render_row(state, input, grid, i + 1, index, name_set_get(names, i));
        if (index == list->cursor)
            grid_role(grid, i + 1, 0, grid->columns, ROLE_SELECTED);
    }
    name_set_free(names);
    if (state->order.count == 0)
        render_empty(input, grid, 2);
}

static int compare_series(const void *a, const void *b)
{
    const struct view_series *first = a, *second = b;

    return first->function < second->function ? -1 : first->function > second->function;
}

/* Rows that change places want nothing else than before: hence by function, not by row. */
static void wants(void *opaque, const struct screen_input *input, int rows, int width,
                  struct view_wants *wants)
{
    struct top_state *state = opaque;

    if (input->fold == NULL)
        return;
    prepare(state, input, rows - 1);
    if (lay_out(width).spark < 0)
        return;
    wants->span_ns = SPARK_NS;
    wants->buckets = SPARK_COLUMNS;
    for (int i = 0; i < rows && state->place.list.top + i < (int)state->order.count &&
                    wants->series_count < SERIES_MAX;
         i++)
        wants->series[wants->series_count++] =
            (struct view_series){ state->order.functions[state->place.list.top + i], UINT32_MAX };
    qsort(wants->series, wants->series_count, sizeof(wants->series[0]), compare_series);
}

static function_id chosen(const void *opaque, const struct screen_input *input)
{
    const struct top_state *state = opaque;
    int at = state->place.list.cursor;

    (void)input;
    if (state->shown != (int)state->order.count && at == (int)state->order.tail)
        return FUNCTION_NONE;
    return function_at(state, at);
}

static void enter(void *opaque, const struct screen_input *input)
{
    struct top_state *state = opaque;

    if (input->chosen == FUNCTION_NONE || input->chosen == chosen(state, input))
        return;
    state->place.cursor = input->chosen;
    state->place.pinned = true;
}

static void fini(void *opaque)
{
    struct top_state *state = opaque;

    order_fini(&state->order);
}

const struct view_ops top_view = {
    .name = "top",
    .label = N_("Top"),
    .state_size = sizeof(struct top_state),
    .place_size = sizeof(struct top_place),
    .key = key,
    .mouse = mouse,
    .render = render,
    .wants = wants,
    .chosen = chosen,
    .enter = enter,
    .fini = fini,
};
