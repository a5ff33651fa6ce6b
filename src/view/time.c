/* SPDX-License-Identifier: MIT */
/*
 * Time: the machine and the program second by second, and which functions ran in the chosen ones.
 *
 *                 0:10      0:20      0:30                       sel    rest
 *     target cpu  ▃▇▇▆▇▇▇▇▇▇▇▃▃▃▃▃▇▇▇▇▇▇▇▇                       87%    183%
 *     STEAL     !             ▅▆▇▆▆                              51%    0.2%
 *     range                  [===]
 *      SELF%  rest    Δpt   FUNCTION      ran during the range; not "because of" it
 *        9.8   3.5   +6.3 * _raw_spin_unlock_irqrestore
 *
 * Up and down go through lanes and functions, left and right through time.  A function's own
 * seconds are the lane "this fn"; a lane's functions are its lift (Enter on the lane).
 */
#include "config.h"

#include "time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "views.h"

/* What a key or a click meets: rows and places as they are drawn. */
struct scene {
    struct lane_rows *rows;
    struct time_layout layout;
    struct axis axis;
    int functions;
};

static void scene_init(struct scene *scene, const struct time_state *state,
                       const struct screen_input *input, int rows, int columns)
{
    struct axis all;

    scene->rows = xcalloc(1, sizeof(*scene->rows));
    scene->layout = time_lay_out(columns, rows, 0);
    all = time_axis(state, input, &scene->layout);
    lane_rows_make(scene->rows, input->timeline, &state->choices, &all);
    scene->layout = time_lay_out(columns, rows, scene->rows->count);
    scene->axis = time_axis(state, input, &scene->layout);
    scene->functions = time_table_count(input);
}

static void scene_fini(struct scene *scene)
{
    free(scene->rows);
}

/* ---- moving ---------------------------------------------------------------------------------- */

/* The cursor's row back among those there are, and in sight. */
static void fit_row(struct time_state *state, const struct scene *scene, int direction)
{
    struct time_place *place = &state->place;
    int lanes = scene->rows->count, last = lanes + scene->functions - 1;
    struct list list;

    if (place->row > last)
        place->row = last;
    if (place->row < 0)
        place->row = 0;
    if (place->row < lanes && scene->rows->rows[place->row].kind == ROW_DIVIDER)
        place->row += direction < 0 && place->row > 0 ? -1 : 1;
    if (place->row < lanes) {
        list = (struct list){ place->row, place->lane_top };
        list_fit(&list, lanes, scene->layout.lane_rows);
        place->lane_top = list.top;
    } else {
        list = (struct list){ place->row - lanes, place->table_top };
        list_fit(&list, scene->functions, scene->layout.table_rows);
        place->table_top = list.top;
    }
}

/* The cursor stays on its function while the table moves under it. */
static void rebind_row(struct time_state *state, const struct screen_input *input,
                       const struct scene *scene)
{
    struct time_place *place = &state->place;
    int lanes = scene->rows->count;

    if (place->row < lanes || place->function == 0 || !input->follow)
        return;
    for (int i = 0; i < scene->functions; i++)
        if (time_table_function(input, i) + 1 == place->function)
            place->row = lanes + i;
}

static void bind_row(struct time_state *state, const struct screen_input *input,
                     const struct scene *scene)
{
    int row = state->place.row - scene->rows->count;

    if (row >= 0)
        state->place.function = time_table_function(input, row) + 1;
}

static uint64_t clamp(const struct screen_input *input, uint64_t time_ns)
{
    uint64_t first_ns = profile_start_ns(input->profile), end_ns = profile_end_ns(input->profile);

    if (time_ns < first_ns)
        return first_ns;
    return time_ns >= end_ns && end_ns > first_ns ? end_ns - 1 : time_ns;
}

static void put_cursor(struct time_state *state, const struct screen_input *input,
                       const struct scene *scene, uint64_t time_ns)
{
    struct axis axis;

    state->place.cursor_ns = clamp(input, time_ns);
    axis = axis_showing(input->profile, scene->axis, state->place.cursor_ns);
    state->place.start_ns = axis.start_ns;
    state->place.standing = true;
}

static void move_cursor(struct time_state *state, const struct screen_input *input,
                        const struct scene *scene, int step)
{
    uint64_t at_ns = state->place.cursor_ns, bucket_ns = scene->axis.bucket_ns;

    if (at_ns == 0)
        at_ns = axis_round(input->profile, clamp(input, UINT64_MAX), bucket_ns);
    else if (step < 0)
        at_ns = at_ns > bucket_ns ? at_ns - bucket_ns : 0;
    else
        at_ns += bucket_ns;
    put_cursor(state, input, scene, at_ns);
}

static void follow_newest(struct time_state *state)
{
    state->place.cursor_ns = 0;
    state->place.standing = false;
}

/* Keeps the moment looked at where it is on the screen. */
static void zoom(struct time_state *state, const struct screen_input *input,
                 const struct scene *scene, int step)
{
    int to = time_zoom(state, input, scene->axis.count) + step, column;
    uint64_t at_ns = state->place.cursor_ns;

    if (to < 0 || to >= AXIS_ZOOMS)
        return;
    state->place.zoom = to + 1;
    if (!state->place.standing)
        return;
    if (at_ns == 0)
        at_ns = scene->axis.start_ns + scene->axis.bucket_ns * (uint64_t)(scene->axis.count / 2);
    column = axis_column(&scene->axis, at_ns);
    if (column < 0 || column >= scene->axis.count)
        column = scene->axis.count / 2;
    state->place.start_ns = at_ns > axis_zoom_ns(to) * (uint64_t)column
                                ? at_ns - axis_zoom_ns(to) * (uint64_t)column
                                : 0;
    state->place.start_ns = axis_round(input->profile, state->place.start_ns, axis_zoom_ns(to));
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static struct request ask_range(const struct screen_input *input, uint64_t start_ns,
                                uint64_t end_ns)
{
    struct request request = { .kind = REQUEST_SCOPE, .scope = *input->scope };

    request.scope.start_ns = start_ns;
    request.scope.end_ns = end_ns;
    request.scope.last_ns = 0;
    return request;
}

/* The bucket under the cursor, or the newest. */
static uint64_t cursor_bucket(const struct time_state *state, const struct screen_input *input,
                              const struct scene *scene)
{
    uint64_t at_ns =
        state->place.cursor_ns != 0 ? state->place.cursor_ns : clamp(input, UINT64_MAX);

    return axis_round(input->profile, at_ns, scene->axis.bucket_ns);
}

static struct request set_edge(struct time_state *state, const struct screen_input *input,
                               const struct scene *scene, bool start)
{
    uint64_t bucket_ns = cursor_bucket(state, input, scene);
    uint64_t after_ns = bucket_ns + scene->axis.bucket_ns, start_ns, end_ns;

    if (!time_range(input, &start_ns, &end_ns) || input->scope->last_ns != 0) {
        start_ns = bucket_ns;
        end_ns = after_ns;
    }
    state->place.lift = 0;
    if (start)
        return ask_range(input, bucket_ns, end_ns > bucket_ns ? end_ns : after_ns);
    return ask_range(input, start_ns < after_ns ? start_ns : bucket_ns, after_ns);
}

static struct request shift_range(const struct screen_input *input, const struct scene *scene,
                                  bool later)
{
    uint64_t start_ns, end_ns, by_ns = scene->axis.bucket_ns;

    if (!time_range(input, &start_ns, &end_ns))
        return (struct request){ .kind = REQUEST_REDRAW };
    if (later)
        return ask_range(input, start_ns + by_ns, end_ns + by_ns);
    if (start_ns < profile_start_ns(input->profile) + by_ns)
        by_ns = start_ns - profile_start_ns(input->profile);
    return ask_range(input, start_ns - by_ns, end_ns - by_ns);
}

/* Where the range of a spike begins: at a bucket's edge, which may lie before the spike's own. */
static uint64_t spike_start_ns(const struct screen_input *input, const struct timeline_spike *spike,
                               uint64_t bucket_ns)
{
    return axis_round(input->profile, spike->start_ns + bucket_ns / 2, bucket_ns);
}

/* The next spike whose range begins after FROM, or the last one before it. */
static const struct timeline_spike *find_spike(const struct screen_input *input, uint64_t from_ns,
                                               uint64_t bucket_ns, bool later)
{
    const struct timeline_spike *spikes, *found = NULL;
    uint32_t count;

    spikes = timeline_spikes(input->timeline, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t start_ns = spike_start_ns(input, &spikes[i], bucket_ns);

        if (later && start_ns > from_ns)
            return &spikes[i];
        if (!later && start_ns < from_ns)
            found = &spikes[i];
    }
    return later ? NULL : found;
}

/* Goes to a spike and makes its seconds the range. */
static struct request go_to_spike(struct time_state *state, const struct screen_input *input,
                                  const struct scene *scene, bool later)
{
    uint64_t from_ns = state->place.cursor_ns, start_ns, end_ns, bucket_ns = scene->axis.bucket_ns;
    const struct timeline_spike *spike;
    struct request request = { .kind = REQUEST_SAY };

    /* From a spike's range on, its beginning is where we are. */
    if (from_ns != 0 && input->scope->last_ns == 0 && time_range(input, &start_ns, &end_ns) &&
        from_ns >= start_ns && from_ns < end_ns)
        from_ns = start_ns;
    if (from_ns == 0)
        from_ns = later ? 0 : UINT64_MAX;
    spike = find_spike(input, from_ns, bucket_ns, later);
    if (spike == NULL) {
        snprintf(request.text, sizeof(request.text), "%s",
                 later ? _("no spike after this") : _("no spike before this"));
        return request;
    }
    put_cursor(state, input, scene, spike->peak_ns);
    state->place.lift = 0;
    for (int i = 0; i < scene->rows->count; i++)
        if (lane_row_has(&scene->rows->rows[i], spike))
            state->place.row = i;
    fit_row(state, scene, 1);
    start_ns = spike_start_ns(input, spike, bucket_ns);
    end_ns = axis_round(input->profile, spike->end_ns + bucket_ns / 2, bucket_ns);
    return ask_range(input, start_ns, end_ns > start_ns ? end_ns : start_ns + bucket_ns);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static struct request enter_row(struct time_state *state, const struct screen_input *input,
                                const struct scene *scene)
{
    int row = state->place.row;
    struct request request = { .kind = REQUEST_DRILL, .view = "top", .function = input->chosen };

    if (row < scene->rows->count && scene->rows->rows[row].part_count > 0) {
        uint64_t wanted = scene->rows->rows[row].parts[0] + UINT64_C(1);

        state->place.lift = state->place.lift == wanted ? 0 : wanted;
        state->place.table_top = 0;
        request.kind = REQUEST_REDRAW;
    } else if (row >= scene->rows->count) {
        request.function = time_table_function(input, row - scene->rows->count);
    }
    return request;
}

static bool move_row(struct time_state *state, const struct scene *scene, enum action action)
{
    int before = state->place.row, page = scene->layout.lane_rows;

    switch (action) {
    case ACTION_UP:
        state->place.row--;
        break;
    case ACTION_DOWN:
        state->place.row++;
        break;
    case ACTION_PAGE_UP:
    case ACTION_HALF_UP:
        state->place.row -= action == ACTION_PAGE_UP ? page : page / 2;
        break;
    case ACTION_PAGE_DOWN:
    case ACTION_HALF_DOWN:
        state->place.row += action == ACTION_PAGE_DOWN ? page : page / 2;
        break;
    default:
        return false;
    }
    fit_row(state, scene, state->place.row - before);
    return true;
}

static struct request act(struct time_state *state, const struct screen_input *input,
                          const struct scene *scene, enum action action)
{
    struct request request = { .kind = REQUEST_REDRAW };

    if (move_row(state, scene, action))
        return request;
    switch (action) {
    case ACTION_LEFT:
    case ACTION_RIGHT:
        move_cursor(state, input, scene, action == ACTION_LEFT ? -1 : 1);
        return request;
    case ACTION_FIRST:
        put_cursor(state, input, scene, 0);
        return request;
    case ACTION_LAST:
        follow_newest(state);
        return request;
    case ACTION_EXPAND:
    case ACTION_COLLAPSE:
        zoom(state, input, scene, action == ACTION_EXPAND ? -1 : 1);
        return request;
    case ACTION_RANGE_START:
    case ACTION_RANGE_END:
        return set_edge(state, input, scene, action == ACTION_RANGE_START);
    case ACTION_RANGE_EARLIER:
    case ACTION_RANGE_LATER:
        return shift_range(input, scene, action == ACTION_RANGE_LATER);
    case ACTION_SPIKE_PREVIOUS:
    case ACTION_SPIKE_NEXT:
        return go_to_spike(state, input, scene, action == ACTION_SPIKE_NEXT);
    case ACTION_SORT_SELF:
    case ACTION_SORT_TOTAL:
        state->place.total = action == ACTION_SORT_TOTAL;
        return request;
    case ACTION_LANES:
        state->choosing = true;
        return request;
    case ACTION_CLOCK:
        state->place.clock = !state->place.clock;
        return request;
    case ACTION_ENTER:
        return enter_row(state, input, scene);
    default:
        request.kind = REQUEST_NONE;
        return request;
    }
}

static bool ready(const struct screen_input *input)
{
    return input->timeline != NULL && input->profile != NULL &&
           timeline_lanes(input->timeline) != NULL;
}

static struct request key(void *opaque, const struct screen_input *input, enum action action,
                          int rows, int columns)
{
    struct time_state *state = opaque;
    struct request request = { .kind = REQUEST_NONE };
    struct scene scene;

    if (!ready(input))
        return request;
    if (state->choosing && time_chooser_key(state, input, action, rows))
        return (struct request){ .kind = REQUEST_REDRAW };
    scene_init(&scene, state, input, rows, columns);
    rebind_row(state, input, &scene);
    request = act(state, input, &scene, action);
    bind_row(state, input, &scene);
    scene_fini(&scene);
    return request;
}

/* ---- mouse ----------------------------------------------------------------------------------- */

/* The range follows the mouse on the screen, and is asked for when the button comes up. */
static struct request drag(struct time_state *state, const struct screen_input *input,
                           const struct scene *scene, const struct mouse_event *event)
{
    struct request request = { .kind = REQUEST_REDRAW };
    int column = event->column - scene->layout.spark;
    uint64_t start_ns, end_ns;

    if (event->kind == MOUSE_DRAG) {
        column = column < 0 ? 0 : column >= scene->axis.count ? scene->axis.count - 1 : column;
        state->drag_to_ns = axis_time_ns(&scene->axis, column);
        state->place.cursor_ns = clamp(input, state->drag_to_ns);
        return request;
    }
    if (state->drag_to_ns != 0) {
        time_shown_range(state, input, &scene->axis, &start_ns, &end_ns);
        state->place.lift = 0;
        request = ask_range(input, start_ns, end_ns);
    }
    state->drag_ns = state->drag_to_ns = 0;
    return request;
}

static void click_row(struct time_state *state, const struct scene *scene, int row)
{
    const struct time_layout *layout = &scene->layout;

    if (row >= layout->lanes && row < layout->range)
        state->place.row = state->place.lane_top + row - layout->lanes;
    else if (row > layout->table && row < layout->foot)
        state->place.row = scene->rows->count + state->place.table_top + row - layout->table - 1;
    fit_row(state, scene, 1);
}

static struct request click(struct time_state *state, const struct screen_input *input,
                            const struct scene *scene, const struct mouse_event *event)
{
    int column = event->column - scene->layout.spark;
    bool over_time = event->row <= scene->layout.range && column >= 0 && column < scene->axis.count;
    bool wheel = event->kind == MOUSE_WHEEL_UP || event->kind == MOUSE_WHEEL_DOWN;
    struct request request = { .kind = REQUEST_REDRAW };

    if ((event->kind == MOUSE_DRAG || event->kind == MOUSE_RELEASE) && state->drag_ns != 0)
        return drag(state, input, scene, event);
    if (wheel && over_time)
        zoom(state, input, scene, event->kind == MOUSE_WHEEL_UP ? -1 : 1);
    else if (wheel)
        move_row(state, scene, event->kind == MOUSE_WHEEL_UP ? ACTION_UP : ACTION_DOWN);
    if (event->kind != MOUSE_PRESS && event->kind != MOUSE_DOUBLE)
        return request;
    click_row(state, scene, event->row);
    if (event->kind == MOUSE_DOUBLE)
        return enter_row(state, input, scene);
    if (over_time) {
        state->drag_ns = axis_time_ns(&scene->axis, column);
        state->drag_to_ns = 0;
        put_cursor(state, input, scene, state->drag_ns);
    }
    return request;
}

static struct request mouse(void *opaque, const struct screen_input *input,
                            const struct mouse_event *event, int rows, int columns)
{
    struct time_state *state = opaque;
    struct request request = { .kind = REQUEST_NONE };
    struct scene scene;

    if (!ready(input))
        return request;
    if (state->choosing) {
        struct lane_rows *all = xcalloc(1, sizeof(*all));

        lane_rows_all(all, input->timeline);
        list_mouse(&state->chooser, event, 1, all->count, rows - 2);
        free(all);
        return (struct request){ .kind = REQUEST_REDRAW };
    }
    scene_init(&scene, state, input, rows, columns);
    request = click(state, input, &scene, event);
    bind_row(state, input, &scene);
    scene_fini(&scene);
    return request;
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void render(void *opaque, const struct screen_input *input, struct grid *grid)
{
    struct time_state *state = opaque;
    struct scene scene;

    if (!ready(input)) {
        render_empty(input, grid, 1);
        return;
    }
    scene_init(&scene, state, input, grid->rows, grid->columns);
    rebind_row(state, input, &scene);
    fit_row(state, &scene, 1);
    if (state->choosing) {
        time_draw_chooser(state, input, scene.rows, grid);
    } else {
        time_draw_lanes(state, input, scene.rows, &scene.layout, grid);
        time_draw_table(state, input, scene.rows, &scene.layout, grid);
    }
    scene_fini(&scene);
}

static void wants(void *opaque, const struct screen_input *input, int rows, int columns,
                  struct view_wants *wanted)
{
    const struct time_state *state = opaque;
    struct scene scene;

    if (!ready(input))
        return;
    scene_init(&scene, state, input, rows, columns);
    wanted->contrast = (struct view_contrast){ .wanted = true,
                                               .lift = time_lift(state, scene.rows),
                                               .total = state->place.total,
                                               .function = input->chosen,
                                               .start_ns = scene.axis.start_ns,
                                               .bucket_ns = scene.axis.bucket_ns,
                                               .buckets = (uint32_t)scene.axis.count };
    scene_fini(&scene);
}

static bool on_top(const void *opaque)
{
    return ((const struct time_state *)opaque)->choosing;
}

static function_id chosen(const void *opaque, const struct screen_input *input)
{
    const struct time_state *state = opaque;

    return state->place.function != 0 ? state->place.function - 1 : input->chosen;
}

const struct view_ops time_view = {
    .name = "time",
    .label = N_("Time"),
    .state_size = sizeof(struct time_state),
    .place_size = sizeof(struct time_place),
    .key = key,
    .mouse = mouse,
    .render = render,
    .wants = wants,
    .chosen = chosen,
    .on_top = on_top,
};
