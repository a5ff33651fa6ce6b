/* SPDX-License-Identifier: MIT */
/*
 * Output: what the launched command prints, on a terminal of its own.
 *
 *     OUTPUT  line 120-141 of 400, written at 12:30:24   Enter types into it, ^] leaves
 *
 * With a range chosen, lines written outside of it are dimmed.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "output.h"
#include "proftop/gettext.h"
#include "proftop/view.h"
#include "views.h"

enum { LINE_BYTES = 2048 };

struct output_state {
    struct output_place {
        int back;  /* lines above the newest that the last row shows */
        int found; /* line of the last match + 1; 0: none */
    } place;
};

static int rows_shown(const struct screen_input *input, int rows)
{
    int lines = output_lines(input->output);

    return lines < rows ? lines : rows;
}

static void scroll_by(struct output_state *state, const struct screen_input *input, int lines,
                      int rows)
{
    int most = output_lines(input->output) - rows_shown(input, rows);

    state->place.back += lines;
    if (state->place.back > most)
        state->place.back = most;
    if (state->place.back < 0)
        state->place.back = 0;
}

/* Upwards from the last match, as one reads a log. */
static struct request search(struct output_state *state, const struct screen_input *input, int step,
                             int rows)
{
    struct request request = { .kind = REQUEST_REDRAW };
    int count = output_lines(input->output);
    int at = state->place.found != 0 && step != 0 ? state->place.found - 1 - step : count - 1;

    for (int i = 0; i < count; i++, at -= step != 0 ? step : 1) {
        char text[LINE_BYTES];

        at = (at % count + count) % count;
        output_line_text(input->output, at, text, sizeof(text));
        if (!format_matches(input, text))
            continue;
        state->place.found = at + 1;
        state->place.back = 0;
        scroll_by(state, input, count - 1 - at - rows / 2, rows);
        return request;
    }
    return request_not_found(input);
}

static struct request key(void *opaque, const struct screen_input *input, enum action action,
                          int rows, int columns)
{
    struct output_state *state = opaque;

    (void)columns;
    rows--;
    if (input->output == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    switch (action) {
    case ACTION_UP:
        scroll_by(state, input, 1, rows);
        break;
    case ACTION_DOWN:
        scroll_by(state, input, -1, rows);
        break;
    case ACTION_PAGE_UP:
        scroll_by(state, input, rows - 1, rows);
        break;
    case ACTION_PAGE_DOWN:
        scroll_by(state, input, 1 - rows, rows);
        break;
    case ACTION_HALF_UP:
        scroll_by(state, input, rows / 2, rows);
        break;
    case ACTION_HALF_DOWN:
        scroll_by(state, input, -rows / 2, rows);
        break;
    case ACTION_FIRST:
        scroll_by(state, input, output_lines(input->output), rows);
        break;
    case ACTION_LAST:
        state->place.back = 0;
        break;
    case ACTION_ENTER:
        state->place.back = 0;
        if (input->ended)
            return (struct request){ .kind = REQUEST_SAY, .text = "" };
        return (struct request){ .kind = REQUEST_TYPE };
    case ACTION_SEARCH:
        return search(state, input, 0, rows);
    case ACTION_SEARCH_NEXT:
        return search(state, input, 1, rows);
    case ACTION_SEARCH_PREVIOUS:
        return search(state, input, -1, rows);
    default:
        return (struct request){ .kind = REQUEST_NONE };
    }
    return (struct request){ .kind = REQUEST_REDRAW };
}

static struct request mouse(void *opaque, const struct screen_input *input,
                            const struct mouse_event *event, int rows, int columns)
{
    (void)columns;
    if (input->output == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    if (event->kind == MOUSE_WHEEL_UP || event->kind == MOUSE_WHEEL_DOWN) {
        scroll_by(opaque, input, event->kind == MOUSE_WHEEL_UP ? 3 : -3, rows - 1);
        return (struct request){ .kind = REQUEST_REDRAW };
    }
    if (event->kind == MOUSE_DOUBLE && !input->ended)
        return (struct request){ .kind = REQUEST_TYPE };
    return (struct request){ .kind = REQUEST_NONE };
}

static bool in_range(const struct screen_input *input, uint64_t time_ns)
{
    const struct scope *scope = input->scope;

    return scope->last_ns != 0 || (time_ns >= scope->start_ns && time_ns < scope->end_ns);
}

static void render_header(const struct screen_input *input, struct grid *grid, int first, int rows)
{
    char clock[FORMAT_MAX] = "-";
    int count = output_lines(input->output), last = first + rows - 1, left;

    while (last > 0 && output_line_time(input->output, last) == 0)
        last--;
    if (output_line_time(input->output, last) != 0)
        format_clock(clock, input->profile, output_line_time(input->output, last));
    grid_fill(grid, 0, 0, grid->columns, ROLE_HEADER, " ");
    if (count <= 1 && output_line_time(input->output, 0) == 0)
        left =
            grid_text(grid, 0, 0, grid->columns, ROLE_HEADER, _("OUTPUT  nothing printed yet  "));
    else
        left = grid_printf(grid, 0, 0, grid->columns, ROLE_HEADER,
                           _("OUTPUT  lines %d-%d of %d, the last at %s  "), first + 1,
                           first + rows, count, clock);
    grid_text_right(grid, 0, left, grid->columns - left, ROLE_HEADER,
                    input->ended ? _("it has ended") : _("Enter types into it, ^] leaves"));
}

static void render(void *opaque, const struct screen_input *input, struct grid *grid)
{
    struct output_state *state = opaque;
    int rows, first, column, row;

    if (input->output == NULL || grid->rows < 2)
        return;
    scroll_by(state, input, 0, grid->rows - 1);
    rows = rows_shown(input, grid->rows - 1);
    first = output_lines(input->output) - rows - state->place.back;
    render_header(input, grid, first, rows);
    for (int i = 0; i < rows; i++) {
        output_draw(input->output, first + i, grid, 1 + i, 0, grid->columns);
        if (!in_range(input, output_line_time(input->output, first + i)))
            grid_role(grid, 1 + i, 0, grid->columns, ROLE_DIM);
        if (first + i + 1 == state->place.found && input->search[0] != '\0')
            grid_role(grid, 1 + i, 0, grid->columns, ROLE_MATCH);
    }
    if (output_cursor(input->output, &column, &row) && !input->ended) {
        row += output_scrolled(input->output) - first + 1;
        if (row >= 1 && row < grid->rows && column < grid->columns) {
            grid->cursor_row = row;
            grid->cursor_column = column;
        }
    }
}

static bool useful(const struct screen_input *input)
{
    return input->output != NULL;
}

const struct view_ops output_view = {
    .name = "output",
    .label = N_("Output"),
    .state_size = sizeof(struct output_state),
    .place_size = sizeof(struct output_place),
    .key = key,
    .mouse = mouse,
    .render = render,
    .useful = useful,
};
