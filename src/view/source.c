/* SPDX-License-Identifier: MIT */
/*
 * Source: the lines of one function's file and how much of its own time each took.
 *
 *      Table<string,long>::sum  busy.cc  699 self samples   ±1 line is skid
 *       SAMP   SELF%  LINE  SOURCE
 *                       17  long sum(){ long s=0;
 *        212  30.3 ▊    18    for (auto &p : t)
 *
 * Where the file is not here, the lines that have samples are shown without their text.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "list.h"
#include "proftop/gettext.h"
#include "proftop/source_text.h"
#include "proftop/text.h"
#include "proftop/view.h"
#include "views.h"

enum {
    SAMPLES_COLUMNS = 7,
    SHARE_COLUMNS = 7,
    BAR_COLUMNS = 9,
    LINE_COLUMNS = 7,
    TEXT_LEFT = SAMPLES_COLUMNS + SHARE_COLUMNS + BAR_COLUMNS + LINE_COLUMNS + 1,
    FIXED_ROWS = 2,
    SCROLL_STEP = 8
};

struct source_state {
    struct source_place {
        function_id function;
        bool known;  /* FUNCTION has been set */
        bool placed; /* the cursor has been put on the hottest line */
        int scroll;  /* columns that the text is moved left */
        struct list list;
    } place;
};

static function_id function_of(const struct source_state *state)
{
    return state->place.known ? state->place.function : FUNCTION_NONE;
}

/* What was made for this function, NULL until it has been. */
static const struct view_extra *made(const struct source_state *state,
                                     const struct screen_input *input)
{
    const struct view_extra *extra = input->extra;

    return extra != NULL && state->place.known && extra->wants.source &&
                   extra->wants.function == state->place.function
               ? extra
               : NULL;
}

static int row_count(const struct view_extra *extra)
{
    return extra->source != NULL ? (int)extra->source->count : (int)extra->line_count;
}

/* The number of the line that row INDEX shows. */
static uint32_t line_at(const struct view_extra *extra, int index)
{
    return extra->source != NULL ? (uint32_t)index + 1 : extra->lines[index].line;
}

static const struct fold_line *weight_of(const struct view_extra *extra, uint32_t line)
{
    for (uint32_t i = 0; i < extra->line_count; i++)
        if (extra->lines[i].line == line)
            return &extra->lines[i];
    return NULL;
}

static void go(struct source_state *state, const struct view_extra *extra, int index, int rows)
{
    state->place.list.cursor = index;
    state->place.list.top = index - rows / 2;
    list_fit(&state->place.list, row_count(extra), rows);
}

/* Lines come heaviest first: the first that has a number is the hottest. */
static void go_hottest(struct source_state *state, const struct view_extra *extra, int rows)
{
    for (uint32_t i = 0; i < extra->line_count; i++) {
        uint32_t line = extra->lines[i].line;

        if (line == 0 || (extra->source != NULL && line > extra->source->count))
            continue;
        go(state, extra, extra->source != NULL ? (int)line - 1 : (int)i, rows);
        return;
    }
}

static void prepare(struct source_state *state, const struct screen_input *input,
                    const struct view_extra *extra, int rows)
{
    const struct function *function = names_get(input->fold->names, state->place.function);

    if (!state->place.placed) {
        if (extra->line_count == 0 && extra->source != NULL && function->line != 0)
            go(state, extra, (int)function->line - 1, rows);
        else
            go_hottest(state, extra, rows);
    }
    state->place.placed = true;
    list_fit(&state->place.list, row_count(extra), rows);
}

/* The next line with samples, or that holds the words searched for. */
static struct request next_line(struct source_state *state, const struct screen_input *input,
                                const struct view_extra *extra, int step, int rows)
{
    bool words = input->search[0] != '\0' && extra->source != NULL;
    int count = row_count(extra), at = state->place.list.cursor;

    for (int i = 0; i < count; i++) {
        at = ((at + (step != 0 || i > 0 ? (step != 0 ? step : 1) : 0)) % count + count) % count;
        if (words ? format_matches(input, extra->source->lines[at])
                  : weight_of(extra, line_at(extra, at)) != NULL) {
            go(state, extra, at, rows);
            break;
        }
    }
    return (struct request){ .kind = REQUEST_REDRAW };
}

/* Moves the text sideways, as far as there is more of the lines in sight. */
static struct request scroll(struct source_state *state, const struct view_extra *extra, int step,
                             int rows, int room)
{
    int first = state->place.list.top, longest = 0;

    for (int i = first; extra->source != NULL && i < first + rows && i < row_count(extra); i++) {
        int width = text_width(extra->source->lines[i]);

        if (width > longest)
            longest = width;
    }
    if (step < 0 && state->place.scroll > 0)
        state->place.scroll += step;
    else if (step > 0 && state->place.scroll + room < longest)
        state->place.scroll += step;
    return (struct request){ .kind = REQUEST_REDRAW };
}

static struct request key(void *opaque, const struct screen_input *input, enum action action,
                          int rows, int columns)
{
    struct source_state *state = opaque;
    const struct view_extra *extra = made(state, input);

    rows -= FIXED_ROWS;
    if (input->fold == NULL || extra == NULL || row_count(extra) == 0)
        return (struct request){ .kind = REQUEST_NONE };
    prepare(state, input, extra, rows);
    if (list_key(&state->place.list, action, row_count(extra), rows))
        return (struct request){ .kind = REQUEST_REDRAW };
    switch (action) {
    case ACTION_LEFT:
        return scroll(state, extra, -SCROLL_STEP, rows, columns - TEXT_LEFT);
    case ACTION_RIGHT:
        return scroll(state, extra, SCROLL_STEP, rows, columns - TEXT_LEFT);
    case ACTION_HOTTEST:
        go_hottest(state, extra, rows);
        return (struct request){ .kind = REQUEST_REDRAW };
    case ACTION_SEARCH:
        return next_line(state, input, extra, 0, rows);
    case ACTION_SEARCH_NEXT:
        return next_line(state, input, extra, 1, rows);
    case ACTION_SEARCH_PREVIOUS:
        return next_line(state, input, extra, -1, rows);
    default:
        return (struct request){ .kind = REQUEST_NONE };
    }
}

static struct request mouse(void *opaque, const struct screen_input *input,
                            const struct mouse_event *event, int rows, int columns)
{
    struct source_state *state = opaque;
    const struct view_extra *extra = made(state, input);

    (void)columns;
    if (extra == NULL ||
        !list_mouse(&state->place.list, event, FIXED_ROWS, row_count(extra), rows - FIXED_ROWS))
        return (struct request){ .kind = REQUEST_NONE };
    return (struct request){ .kind = REQUEST_REDRAW };
}

static void render_header(const struct source_state *state, const struct screen_input *input,
                          struct grid *grid, const struct view_extra *extra)
{
    const struct function *function = names_get(input->fold->names, state->place.function);
    const struct fold_row *row = fold_find(input->fold, state->place.function);
    char name[NAME_MAX_BYTES];
    int left;

    format_name(name, input, function, grid->columns / 2);
    left = 1 + grid_text(grid, 0, 1, grid->columns / 2, ROLE_TITLE, name);
    left += grid_printf(grid, 0, left, grid->columns - left, ROLE_DIM, _("  %s  %llu self samples"),
                        function->file[0] != '\0' ? function->file : _("no source line known"),
                        row != NULL ? (unsigned long long)row->self_samples : 0);
    if (extra->source != NULL && extra->source->newer)
        grid_text(grid, 0, left, grid->columns - left, ROLE_WARN,
                  _("   the file is newer than the program"));
    grid_fill(grid, 1, 0, grid->columns, ROLE_HEADER, " ");
    grid_text_right(grid, 1, 0, SAMPLES_COLUMNS - 1, ROLE_HEADER, _("SAMP"));
    grid_text_right(grid, 1, SAMPLES_COLUMNS, SHARE_COLUMNS - 1, ROLE_HEADER, _("SELF%"));
    grid_text_right(grid, 1, SAMPLES_COLUMNS + SHARE_COLUMNS + BAR_COLUMNS, LINE_COLUMNS - 1,
                    ROLE_HEADER, _("LINE"));
    grid_text(grid, 1, TEXT_LEFT, grid->columns - TEXT_LEFT, ROLE_HEADER,
              grid->ascii ? _("SOURCE   H hottest   n N next   +-1 line is skid")
                          : _("SOURCE   H hottest   n N next   \u00b11 line is skid"));
}

static void render_line(const struct view_extra *extra, struct grid *grid, int at, int index,
                        uint64_t self, int scroll)
{
    uint32_t line = line_at(extra, index);
    const struct fold_line *weight = weight_of(extra, line);
    int left = SAMPLES_COLUMNS + SHARE_COLUMNS;
    char text[FORMAT_MAX];

    if (weight != NULL && self != 0) {
        double share = (double)weight->self / (double)self;

        snprintf(text, sizeof(text), "%llu", (unsigned long long)weight->samples);
        grid_text_right(grid, at, 0, SAMPLES_COLUMNS - 1, ROLE_NORMAL, text);
        snprintf(text, sizeof(text), "%.1f", 100 * share);
        grid_text_right(grid, at, SAMPLES_COLUMNS, SHARE_COLUMNS - 1, ROLE_NORMAL, text);
        grid_bar(grid, at, left, BAR_COLUMNS - 1, ROLE_BAR, share);
    }
    left += BAR_COLUMNS;
    if (line == 0)
        snprintf(text, sizeof(text), "?");
    else
        snprintf(text, sizeof(text), "%u", line);
    grid_text_right(grid, at, left, LINE_COLUMNS - 1, ROLE_DIM, text);
    if (extra->source != NULL && text_width(extra->source->lines[index]) > scroll)
        grid_text(grid, at, TEXT_LEFT, grid->columns - TEXT_LEFT,
                  weight != NULL ? ROLE_NORMAL : ROLE_LIBRARY,
                  format_scrolled(extra->source->lines[index], scroll));
}

static void render(void *opaque, const struct screen_input *input, struct grid *grid)
{
    struct source_state *state = opaque;
    const struct list *list = &state->place.list;
    const struct view_extra *extra;
    const struct fold_row *row;
    int rows = grid->rows - FIXED_ROWS;

    if (input->fold == NULL || rows < 1)
        return;
    if (!state->place.known && input->chosen != FUNCTION_NONE) {
        state->place.function = input->chosen;
        state->place.known = true;
    }
    extra = made(state, input);
    if (extra == NULL) {
        grid_text(grid, 0, 2, grid->columns - 2, ROLE_DIM,
                  state->place.known ? _("reading…") : _("Choose a function in Top, then a."));
        return;
    }
    prepare(state, input, extra, rows);
    row = fold_find(input->fold, state->place.function);
    render_header(state, input, grid, extra);
    for (int i = 0; i < rows && list->top + i < row_count(extra); i++) {
        render_line(extra, grid, FIXED_ROWS + i, list->top + i, row != NULL ? row->self : 0,
                    state->place.scroll);
        if (list->top + i == list->cursor)
            grid_role(grid, FIXED_ROWS + i, 0, grid->columns, ROLE_SELECTED);
    }
    if (row_count(extra) == 0)
        grid_text(grid, FIXED_ROWS + 1, 2, grid->columns - 2, ROLE_DIM,
                  _("No lines are known of it: build with -g, or allow --debuginfod."));
    else if (extra->source == NULL && extra->source_trouble != NULL)
        grid_lines(grid, FIXED_ROWS + row_count(extra) + 1, 2, grid->columns - 2,
                   grid->rows - FIXED_ROWS - row_count(extra) - 1, ROLE_WARN,
                   extra->source_trouble);
}

static void wants(void *opaque, const struct screen_input *input, int rows, int columns,
                  struct view_wants *wants)
{
    const struct source_state *state = opaque;

    (void)rows;
    (void)columns;
    wants->function = state->place.known ? state->place.function : input->chosen;
    wants->source = true;
}

static function_id chosen(const void *opaque, const struct screen_input *input)
{
    (void)input;
    return function_of(opaque);
}

static void enter(void *opaque, const struct screen_input *input)
{
    struct source_state *state = opaque;

    if (input->chosen != FUNCTION_NONE && input->chosen != function_of(state))
        state->place = (struct source_place){ .function = input->chosen, .known = true };
}

const struct view_ops source_view = {
    .name = "source",
    .label = N_("Source"),
    .state_size = sizeof(struct source_state),
    .place_size = sizeof(struct source_place),
    .key = key,
    .mouse = mouse,
    .render = render,
    .wants = wants,
    .chosen = chosen,
    .enter = enter,
};
