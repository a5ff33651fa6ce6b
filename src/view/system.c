/* SPDX-License-Identifier: MIT */
/*
 * System: the machine's history as vmstat writes it, the newest at the bottom, with the target and
 * the busiest other process beside it.
 *
 *         TIME   r  b   free  cache    si    so    bi    bo    in    cs us sy id wa st  tgt%
 * BUSIEST 1:04   2  0  22.9G   321M     0     0     0  4.0k  1.1k  2.3k 48  2 50  0  0   98% cc1
 * 53%
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axis.h"
#include "lane_rows.h"
#include "list.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/text.h"
#include "proftop/timeline.h"
#include "views.h"

enum { TIME_COLUMNS = 9, OTHER_COLUMNS = 18 };

struct system_state {
    struct system_place {
        uint64_t cursor_ns; /* 0: the newest is followed */
        int zoom;           /* + 1; 0: a second */
        bool clock;
    } place;
};

/* How a value is written: as a whole number, a count with a unit, bytes. */
enum figure { FIGURE_NUMBER, FIGURE_COUNT, FIGURE_BYTES };

static const struct column {
    const char *title;
    enum lane_group group;
    const char *keys[2]; /* their sum */
    int width;
    int from; /* columns of the screen it needs */
    enum figure figure;
} columns[] = {
    { "r", LANE_SYSTEM, { "run_queue" }, 4, 0, FIGURE_NUMBER },
    { "b", LANE_SYSTEM, { "blocked" }, 3, 0, FIGURE_NUMBER },
    { N_("free"), LANE_SYSTEM, { "free_bytes" }, 7, 0, FIGURE_BYTES },
    { N_("cache"), LANE_SYSTEM, { "cached_bytes", "buffers_bytes" }, 7, 100, FIGURE_BYTES },
    { N_("dirty"), LANE_SYSTEM, { "dirty_bytes" }, 7, 120, FIGURE_BYTES },
    { "si", LANE_SYSTEM, { "swap_in" }, 6, 88, FIGURE_BYTES },
    { "so", LANE_SYSTEM, { "swap_out" }, 6, 88, FIGURE_BYTES },
    { "bi", LANE_SYSTEM, { "read_bytes" }, 6, 0, FIGURE_BYTES },
    { "bo", LANE_SYSTEM, { "write_bytes" }, 6, 0, FIGURE_BYTES },
    { "in", LANE_SYSTEM, { "interrupts" }, 6, 0, FIGURE_COUNT },
    { "cs", LANE_SYSTEM, { "context_switches" }, 6, 0, FIGURE_COUNT },
    { N_("majf"), LANE_SYSTEM, { "majflt" }, 6, 130, FIGURE_COUNT },
    { N_("forks"), LANE_SYSTEM, { "forks" }, 6, 130, FIGURE_COUNT },
    { "us", LANE_SYSTEM, { "us", "ni" }, 4, 0, FIGURE_NUMBER },
    { "sy", LANE_SYSTEM, { "sy", "si" }, 4, 0, FIGURE_NUMBER },
    { "id", LANE_SYSTEM, { "id" }, 4, 0, FIGURE_NUMBER },
    { "wa", LANE_SYSTEM, { "wa" }, 4, 0, FIGURE_NUMBER },
    { "st", LANE_SYSTEM, { "st" }, 4, 0, FIGURE_NUMBER },
    { N_("tgt%"), LANE_TARGET, { "cpu_pct" }, 6, 0, FIGURE_NUMBER },
    { N_("rss"), LANE_TARGET, { "rss_bytes" }, 7, 140, FIGURE_BYTES },
    { N_("minf"), LANE_TARGET, { "minflt" }, 7, 140, FIGURE_COUNT },
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static bool ready(const struct screen_input *input)
{
    return input->timeline != NULL && input->profile != NULL &&
           timeline_lanes(input->timeline) != NULL;
}

static int zoom_of(const struct system_state *state)
{
    return state->place.zoom > 0 ? state->place.zoom - 1 : AXIS_ZOOM_SECOND;
}

/* The rows, the first of them the oldest. */
static struct axis axis_of(const struct system_state *state, const struct screen_input *input,
                           int rows)
{
    struct axis axis =
        axis_ending(input->profile, timeline_end_ns(input->timeline), zoom_of(state), rows - 1, 1);

    if (state->place.cursor_ns != 0)
        axis = axis_showing(input->profile, axis, state->place.cursor_ns);
    return axis;
}

static void move(struct system_state *state, const struct screen_input *input, int rows, int by)
{
    uint64_t step_ns = axis_zoom_ns(zoom_of(state)), newest_ns = profile_end_ns(input->profile);
    uint64_t at_ns = state->place.cursor_ns, first_ns = profile_start_ns(input->profile);

    (void)rows;
    if (at_ns == 0)
        at_ns = newest_ns > first_ns ? newest_ns - 1 : first_ns;
    for (; by < 0; by++)
        at_ns = at_ns >= first_ns + step_ns ? at_ns - step_ns : first_ns;
    at_ns += step_ns * (uint64_t)by;
    state->place.cursor_ns = at_ns >= newest_ns ? 0 : axis_round(input->profile, at_ns, step_ns);
}

static struct request choose_seconds(const struct system_state *state,
                                     const struct screen_input *input, enum action action)
{
    struct request request = { .kind = REQUEST_SCOPE, .scope = *input->scope };
    uint64_t step_ns = axis_zoom_ns(zoom_of(state)), at_ns = state->place.cursor_ns;
    bool ranged;

    if (at_ns == 0)
        at_ns = axis_round(input->profile, profile_end_ns(input->profile) - 1, step_ns);
    ranged = request.scope.last_ns == 0 && request.scope.end_ns != UINT64_MAX;
    if (action != ACTION_RANGE_END || !ranged || request.scope.start_ns > at_ns)
        request.scope.start_ns = at_ns;
    if (action != ACTION_RANGE_START || !ranged || request.scope.end_ns <= at_ns)
        request.scope.end_ns = at_ns + step_ns;
    request.scope.last_ns = 0;
    return request;
}

static struct request key(void *opaque, const struct screen_input *input, enum action action,
                          int rows, int width)
{
    struct system_state *state = opaque;
    struct request request = { .kind = REQUEST_REDRAW };
    int page = rows > 3 ? rows - 2 : 1, zoom = zoom_of(state);

    (void)width;
    if (!ready(input))
        return (struct request){ .kind = REQUEST_NONE };
    switch (action) {
    case ACTION_UP:
    case ACTION_DOWN:
        move(state, input, rows, action == ACTION_UP ? -1 : 1);
        return request;
    case ACTION_PAGE_UP:
    case ACTION_PAGE_DOWN:
        move(state, input, rows, action == ACTION_PAGE_UP ? -page : page);
        return request;
    case ACTION_HALF_UP:
    case ACTION_HALF_DOWN:
        move(state, input, rows, (action == ACTION_HALF_UP ? -page : page) / 2);
        return request;
    case ACTION_FIRST:
        state->place.cursor_ns = profile_start_ns(input->profile);
        return request;
    case ACTION_LAST:
        state->place.cursor_ns = 0;
        return request;
    case ACTION_EXPAND:
    case ACTION_COLLAPSE:
        zoom += action == ACTION_EXPAND ? -1 : 1;
        if (zoom >= 0 && zoom < AXIS_ZOOMS)
            state->place.zoom = zoom + 1;
        return request;
    case ACTION_CLOCK:
        state->place.clock = !state->place.clock;
        return request;
    case ACTION_ENTER:
    case ACTION_RANGE_START:
    case ACTION_RANGE_END:
        return choose_seconds(state, input, action);
    default:
        request.kind = REQUEST_NONE;
        return request;
    }
}

static struct request mouse(void *opaque, const struct screen_input *input,
                            const struct mouse_event *event, int rows, int width)
{
    struct system_state *state = opaque;
    struct request request = { .kind = REQUEST_REDRAW };
    struct axis axis;

    (void)width;
    if (!ready(input))
        return (struct request){ .kind = REQUEST_NONE };
    axis = axis_of(state, input, rows);
    if (event->kind == MOUSE_WHEEL_UP || event->kind == MOUSE_WHEEL_DOWN)
        move(state, input, rows, event->kind == MOUSE_WHEEL_UP ? -3 : 3);
    else if (event->kind == MOUSE_PRESS && event->row >= 1 && event->row <= axis.count &&
             axis_time_ns(&axis, event->row - 1) < profile_end_ns(input->profile))
        state->place.cursor_ns = axis_time_ns(&axis, event->row - 1);
    else if (event->kind == MOUSE_DOUBLE)
        return choose_seconds(state, input, ACTION_ENTER);
    return request;
}

static const char *figure_text(char buffer[24], enum figure figure, double value)
{
    char number[16];

    if (isnan(value))
        snprintf(buffer, 24, "-");
    else if (figure == FIGURE_NUMBER)
        snprintf(buffer, 24, "%.0f", value);
    else
        snprintf(buffer, 24, "%s",
                 figure == FIGURE_COUNT ? text_count(number, value) : text_bytes(number, value));
    return buffer;
}

/* The buckets of one column, from its lanes; false when the recording has none of them. */
static bool column_series(const struct screen_input *input, const struct column *column,
                          const struct axis *axis, struct lane_row *row, double *values)
{
    *row = (struct lane_row){ .kind = ROW_LANES };
    for (int i = 0; i < 2 && column->keys[i] != NULL; i++) {
        lane_id lane = timeline_find(input->timeline, column->group, column->keys[i], 0, 0);

        if (lane != UINT32_MAX && timeline_has(input->timeline, lane))
            row->parts[row->part_count++] = lane;
    }
    lane_row_series(row, input->timeline, axis, NULL, values);
    return row->part_count > 0;
}

static void draw_column(const struct screen_input *input, const struct column *column,
                        const struct axis *axis, struct grid *grid, int at)
{
    double *values = xcalloc((size_t)axis->count + 1, sizeof(*values));
    struct lane_row row;
    bool known = column_series(input, column, axis, &row, values);
    char text[24];

    grid_text_right(grid, 0, at, column->width, ROLE_HEADER, _(column->title));
    for (int i = 0; i < axis->count; i++) {
        uint64_t start_ns = axis_time_ns(axis, i), end_ns = start_ns + axis->bucket_ns;
        uint64_t middle_ns = start_ns + axis->bucket_ns / 2;
        const struct timeline_spike *spike =
            known ? lane_row_spike(&row, input->timeline, middle_ns, middle_ns + 1) : NULL;

        if (start_ns >= profile_end_ns(input->profile) ||
            (isnan(values[i]) && end_ns + NS_PER_S > profile_end_ns(input->profile)))
            continue; /* not yet: it is told with the next reading */
        grid_text_right(grid, 1 + i, at, column->width, spike != NULL ? ROLE_ALARM : ROLE_NORMAL,
                        figure_text(text, column->figure, values[i]));
    }
    free(values);
}

static void draw_others(const struct screen_input *input, const struct axis *axis,
                        struct grid *grid, int at)
{
    int width = grid->columns - at;

    grid_text(grid, 0, at, width, ROLE_HEADER, _("BUSIEST OTHER"));
    for (int i = 0; i < axis->count; i++) {
        uint64_t start_ns = axis_time_ns(axis, i);
        uint32_t count;
        struct timeline_other *others =
            timeline_others(input->profile, start_ns, start_ns + axis->bucket_ns, &count);

        if (count > 0 && others[0].cpu_pct >= 1)
            grid_printf(grid, 1 + i, at, width, ROLE_NORMAL, "%s[%d] %.0f%%", others[0].name,
                        (int)others[0].pid, others[0].cpu_pct);
        free(others);
    }
}

static void render(void *opaque, const struct screen_input *input, struct grid *grid)
{
    struct system_state *state = opaque;
    struct axis axis;
    int at = TIME_COLUMNS, cursor;
    char text[32];

    if (!ready(input)) {
        render_empty(input, grid, 1);
        return;
    }
    axis = axis_of(state, input, grid->rows);
    grid_fill(grid, 0, 0, grid->columns, ROLE_HEADER, " ");
    grid_text_right(grid, 0, 0, TIME_COLUMNS - 1, ROLE_HEADER, _("TIME"));
    for (int i = 0; i < axis.count; i++)
        if (axis_time_ns(&axis, i) < profile_end_ns(input->profile))
            grid_text_right(grid, 1 + i, 0, TIME_COLUMNS - 1, ROLE_DIM,
                            axis_text(text, input->profile, axis_time_ns(&axis, i), axis.bucket_ns,
                                      state->place.clock));
    for (int i = 0; i < COLUMNS; i++) {
        if (grid->columns < columns[i].from || at + columns[i].width > grid->columns)
            continue;
        draw_column(input, &columns[i], &axis, grid, at);
        at += columns[i].width;
    }
    if (grid->columns - at - 1 >= OTHER_COLUMNS)
        draw_others(input, &axis, grid, at + 1);
    cursor = state->place.cursor_ns != 0 ? axis_column(&axis, state->place.cursor_ns) : -1;
    if (cursor >= 0 && cursor < axis.count)
        grid_role(grid, 1 + cursor, 0, grid->columns, ROLE_SELECTED);
}

const struct view_ops system_view = {
    .name = "system",
    .label = N_("System"),
    .state_size = sizeof(struct system_state),
    .place_size = sizeof(struct system_place),
    .key = key,
    .mouse = mouse,
    .render = render,
};
