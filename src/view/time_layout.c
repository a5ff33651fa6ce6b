/* SPDX-License-Identifier: MIT */
/* Where the parts of the Time view stand, and which time they show: see time.h. */
#include "config.h"

#include "time.h"

enum {
    LABEL_COLUMNS = 12,
    VALUE_COLUMNS = 8,
    TABLE_ROWS_MIN = 4,
    OTHER_ROWS = 4, /* ruler, range, table header, foot */
    JUMP = 10       /* columns the lanes move at once, so that they stand still in between */
};

int time_zoom(const struct time_state *state, const struct screen_input *input, int columns)
{
    uint64_t span_ns;
    int zoom = AXIS_ZOOM_SECOND;

    if (state->place.zoom > 0)
        return state->place.zoom - 1;
    if (input->live)
        return zoom;
    span_ns = profile_end_ns(input->profile) - profile_start_ns(input->profile);
    for (zoom = 0; zoom < AXIS_ZOOMS - 1; zoom++)
        if (span_ns <= axis_zoom_ns(zoom) * (uint64_t)columns)
            break;
    return zoom;
}

struct time_layout time_lay_out(int columns, int rows, int lanes)
{
    struct time_layout layout = { .label = LABEL_COLUMNS, .spark = LABEL_COLUMNS };
    int room = rows - OTHER_ROWS, functions;

    layout.rest = columns - VALUE_COLUMNS;
    layout.selected = layout.rest - VALUE_COLUMNS;
    layout.spark_columns = layout.selected - layout.spark;
    if (layout.spark_columns < 1)
        layout.spark_columns = 1;
    layout.lanes = 1;
    layout.others = -1;
    functions = room / 4 > TABLE_ROWS_MIN ? room / 4 : TABLE_ROWS_MIN;
    layout.lane_rows = room - functions;
    if (layout.lane_rows > lanes)
        layout.lane_rows = lanes;
    if (layout.lane_rows < 1)
        layout.lane_rows = 1;
    layout.range = layout.lanes + layout.lane_rows;
    layout.table = layout.range + 1;
    if (room >= 12)
        layout.others = layout.table++;
    layout.foot = rows - 1;
    layout.table_rows = layout.foot - layout.table - 1;
    return layout;
}

struct axis time_axis(const struct time_state *state, const struct screen_input *input,
                      const struct time_layout *layout)
{
    int columns = layout->spark_columns, jump = columns > 4 * JUMP ? JUMP : 1;
    struct axis axis = axis_ending(input->profile, timeline_end_ns(input->timeline),
                                   time_zoom(state, input, columns), columns, jump);

    if (state->place.standing)
        axis.start_ns = axis_round(input->profile, state->place.start_ns, axis.bucket_ns);
    return axis;
}

bool time_range(const struct screen_input *input, uint64_t *start_ns, uint64_t *end_ns)
{
    const struct scope *scope = input->scope;

    *start_ns = scope->start_ns;
    *end_ns = scope->end_ns;
    if (scope->last_ns != 0) {
        uint64_t newest_ns = profile_end_ns(input->profile);

        *end_ns = newest_ns;
        *start_ns = newest_ns > scope->last_ns ? newest_ns - scope->last_ns : 0;
    }
    if (*start_ns < profile_start_ns(input->profile))
        *start_ns = profile_start_ns(input->profile);
    if (*end_ns > profile_end_ns(input->profile))
        *end_ns = profile_end_ns(input->profile);
    return scope->last_ns != 0 || scope->start_ns != 0 || scope->end_ns != UINT64_MAX;
}

bool time_shown_range(const struct time_state *state, const struct screen_input *input,
                      const struct axis *axis, uint64_t *start_ns, uint64_t *end_ns)
{
    if (state->drag_ns == 0 || state->drag_to_ns == 0)
        return time_range(input, start_ns, end_ns);
    *start_ns = state->drag_ns < state->drag_to_ns ? state->drag_ns : state->drag_to_ns;
    *end_ns = state->drag_ns < state->drag_to_ns ? state->drag_to_ns : state->drag_ns;
    *end_ns += axis->bucket_ns;
    return true;
}

lane_id time_lift(const struct time_state *state, const struct lane_rows *rows)
{
    for (int i = 0; i < rows->count && state->place.lift != 0; i++)
        if (rows->rows[i].part_count > 0 &&
            rows->rows[i].parts[0] + UINT64_C(1) == state->place.lift)
            return rows->rows[i].parts[0];
    return UINT32_MAX;
}
