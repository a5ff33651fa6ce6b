/* SPDX-License-Identifier: MIT */
/* Drawing the lanes of the Time view: the ruler, a row a lane, the range and who else was busy. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/text.h"
#include "time.h"

enum { TICK_COLUMNS = 10, MARK_COLUMN = 11 };

/* What the two columns of values are about. */
struct columns {
    const char *selected, *rest;
    uint64_t start_ns, end_ns; /* of the first */
    bool range;                /* the second is everything else, not everything */
};

static struct columns value_columns(const struct time_state *state,
                                    const struct screen_input *input, const struct axis *axis)
{
    struct columns columns = { .selected = _("sel"), .rest = _("rest"), .range = true };

    if (state->place.cursor_ns == 0 && time_range(input, &columns.start_ns, &columns.end_ns))
        return columns;
    if (input->scope->last_ns == 0 && time_range(input, &columns.start_ns, &columns.end_ns))
        return columns;
    columns.range = false;
    columns.rest = _("all");
    if (state->place.cursor_ns != 0) {
        columns.selected = _("here");
        columns.start_ns = axis_round(input->profile, state->place.cursor_ns, axis->bucket_ns);
    } else {
        columns.selected = _("now");
        columns.start_ns =
            axis_round(input->profile, profile_end_ns(input->profile), NS_PER_S) - NS_PER_S;
    }
    columns.end_ns = columns.start_ns + axis->bucket_ns;
    return columns;
}

static void draw_ruler(const struct time_state *state, const struct screen_input *input,
                       const struct time_layout *layout, const struct axis *axis,
                       const struct columns *columns, struct grid *grid)
{
    char zoom[16], text[32];
    int skip = axis->bucket_ns * TICK_COLUMNS % NS_PER_S != 0 ? 2 : 1, room = 0;

    axis_zoom_text(zoom, time_zoom(state, input, layout->spark_columns));
    grid_fill(grid, 0, 0, grid->columns, ROLE_HEADER, " ");
    grid_printf(grid, 0, 0, layout->label, ROLE_HEADER, _("%s/column"), zoom);
    for (int column = 0; column + TICK_COLUMNS / 2 < layout->spark_columns;
         column += TICK_COLUMNS * skip) {
        if (column < room)
            continue; /* the one before reaches here: 12:30:21.5 */
        axis_text(text, input->profile, axis_time_ns(axis, column), axis->bucket_ns,
                  state->place.clock);
        room = column + 1 +
               grid_text(grid, 0, layout->spark + column, layout->spark_columns - column,
                         ROLE_HEADER, text);
    }
    grid_text_right(grid, 0, layout->selected, layout->rest - layout->selected, ROLE_HEADER,
                    columns->selected);
    grid_text_right(grid, 0, layout->rest, grid->columns - layout->rest, ROLE_HEADER,
                    columns->rest);
}

/* The mean outside of the range, from that of everything and that of the range. */
static double mean_outside(const struct lane_row *row, const struct screen_input *input,
                           uint64_t start_ns, uint64_t end_ns)
{
    uint64_t first_ns = profile_start_ns(input->profile), last_ns = profile_end_ns(input->profile);
    double before = lane_row_mean(row, input->timeline, first_ns, start_ns);
    double after = lane_row_mean(row, input->timeline, end_ns, last_ns);
    double before_ns = start_ns > first_ns ? (double)(start_ns - first_ns) : 0;
    double after_ns = last_ns > end_ns ? (double)(last_ns - end_ns) : 0;

    if (isnan(before))
        return after;
    if (isnan(after))
        return before;
    return (before * before_ns + after * after_ns) / (before_ns + after_ns);
}

/* Cores of the chosen function inside and outside the columns' time, as far as it is in sight. */
static double function_mean(const struct axis *axis, const double *cores, uint64_t start_ns,
                            uint64_t end_ns, uint64_t known_ns, bool inside)
{
    double sum = 0;
    int count = 0;

    for (int i = 0; i < axis->count; i++) {
        uint64_t middle_ns = axis_time_ns(axis, i) + axis->bucket_ns / 2;

        if (middle_ns >= known_ns || (middle_ns >= start_ns && middle_ns < end_ns) != inside)
            continue;
        sum += cores[i];
        count++;
    }
    return count > 0 ? sum / count : NAN;
}

static void draw_values(const struct screen_input *input, const struct lane_row *row,
                        const struct time_layout *layout, const struct axis *axis,
                        const struct columns *columns, const double *cores, struct grid *grid,
                        int at)
{
    uint64_t end_ns = profile_end_ns(input->profile);
    double selected, rest;
    char text[24];

    if (row->kind == ROW_FUNCTION && cores == NULL)
        return;
    if (row->kind == ROW_FUNCTION) {
        double scale = row->shape.unit == UNIT_RATIO ? 1 : (double)NS_PER_S;

        selected =
            scale * function_mean(axis, cores, columns->start_ns, columns->end_ns, end_ns, true);
        rest =
            scale * function_mean(axis, cores, columns->start_ns, columns->end_ns, end_ns, false);
    } else {
        selected = lane_row_mean(row, input->timeline, columns->start_ns, columns->end_ns);
        rest = columns->range
                   ? mean_outside(row, input, columns->start_ns, columns->end_ns)
                   : lane_row_mean(row, input->timeline, profile_start_ns(input->profile), end_ns);
    }
    grid_text_right(grid, at, layout->selected, layout->rest - layout->selected, ROLE_NORMAL,
                    lane_row_text(text, row, selected));
    grid_text_right(grid, at, layout->rest, grid->columns - layout->rest, ROLE_DIM,
                    lane_row_text(text, row, rest));
}

/* The buckets of spikes stand out; so do those of the range. */
static void mark_spikes(const struct screen_input *input, const struct lane_row *row,
                        const struct time_layout *layout, const struct axis *axis,
                        struct grid *grid, int at)
{
    uint32_t count;
    const struct timeline_spike *spikes = timeline_spikes(input->timeline, &count);

    for (uint32_t i = 0; i < count; i++) {
        int first, last;

        if (!lane_row_has(row, &spikes[i]) || spikes[i].end_ns <= axis->start_ns ||
            spikes[i].start_ns >= axis_end_ns(axis))
            continue;
        first = axis_column(axis, spikes[i].start_ns + axis->bucket_ns / 2);
        last = axis_column(axis, spikes[i].end_ns - axis->bucket_ns / 2);
        if (last < first)
            last = first;
        for (int column = first < 0 ? 0 : first; column <= last && column < axis->count; column++)
            grid_role(grid, at, layout->spark + column, 1, ROLE_ALARM);
    }
}

/* What a function's lane counts: cores, or what the metric counts in a second. */
static struct lane_row row_in_metric(const struct lane_row *row, const struct screen_input *input)
{
    struct lane_row shown = *row;
    enum metric metric = input->scope->metric;

    if (row->kind == ROW_FUNCTION && metric != METRIC_TIME)
        shown.shape.unit = metric == METRIC_READ || metric == METRIC_WRITE ? UNIT_BYTES_PER_SECOND
                                                                           : UNIT_PER_SECOND;
    return shown;
}

static void draw_lane(const struct time_state *state, const struct screen_input *input,
                      const struct lane_row *given, const struct time_layout *layout,
                      const struct axis *axis, const struct columns *columns, bool cursor,
                      struct grid *grid, int at)
{
    const struct view_extra *extra = input->extra;
    struct lane_row shown = row_in_metric(given, input), *row = &shown;
    const double *cores = NULL;
    double *values;
    bool spike = lane_row_spike(row, input->timeline, axis->start_ns, axis_end_ns(axis)) != NULL;
    enum role role = spike ? ROLE_ALARM : ROLE_NORMAL;

    if (row->kind == ROW_DIVIDER) {
        int used = grid_text(grid, at, 0, grid->columns, ROLE_DIM, row->label);

        grid_fill(grid, at, used + 1, grid->columns - used - 1, ROLE_DIM,
                  grid->ascii ? "-" : "\u2500");
        return;
    }
    grid_text(grid, at, 0, layout->label - 1, role, row->label);
    if (spike)
        grid_text(grid, at, MARK_COLUMN, 1, ROLE_ALARM, "!");
    if (row->shape.absent != NULL && row->part_count > 0 &&
        !timeline_has(input->timeline, row->parts[0])) {
        grid_text(grid, at, layout->spark, grid->columns - layout->spark, ROLE_DIM,
                  row->shape.absent);
    } else {
        if (extra != NULL && extra->cores != NULL &&
            extra->wants.contrast.start_ns == axis->start_ns &&
            extra->wants.contrast.bucket_ns == axis->bucket_ns &&
            extra->wants.contrast.buckets == (uint32_t)axis->count &&
            extra->wants.contrast.function == input->chosen)
            cores = extra->cores;
        values = xcalloc((size_t)axis->count, sizeof(*values));
        lane_row_series(row, input->timeline, axis, cores, values);
        lane_row_spark(row, grid, at, layout->spark, axis->count, ROLE_BAR, values);
        mark_spikes(input, row, layout, axis, grid, at);
        draw_values(input, row, layout, axis, columns, cores, grid, at);
        free(values);
    }
    if (state->place.lift != 0 && row->part_count > 0 &&
        row->parts[0] + UINT64_C(1) == state->place.lift)
        grid_style(grid, at, 0, layout->label - 1, STYLE_UNDERLINE);
    if (cursor)
        grid_role(grid, at, 0, layout->label, ROLE_SELECTED);
}

static void draw_range(const struct time_state *state, const struct screen_input *input,
                       const struct time_layout *layout, const struct axis *axis, struct grid *grid)
{
    uint64_t start_ns, end_ns;
    int at = layout->range, cursor;
    char text[32];

    grid_text(grid, at, 0, layout->label, ROLE_DIM, _("range"));
    if (time_shown_range(state, input, axis, &start_ns, &end_ns) && end_ns > axis->start_ns &&
        start_ns < axis_end_ns(axis)) {
        int first = axis_column(axis, start_ns), last = axis_column(axis, end_ns - 1);
        int from = first < 0 ? 0 : first, to = last >= axis->count ? axis->count - 1 : last;

        grid_fill(grid, at, layout->spark + from, to - from + 1, ROLE_RANGE, "=");
        if (first >= 0)
            grid_text(grid, at, layout->spark + first, 1, ROLE_RANGE, "[");
        if (last < axis->count)
            grid_text(grid, at, layout->spark + last, 1, ROLE_RANGE, first == last ? "|" : "]");
    }
    if (state->place.cursor_ns == 0)
        return;
    cursor = axis_column(axis, state->place.cursor_ns);
    if (cursor >= 0 && cursor < axis->count) {
        grid_text(grid, at, layout->spark + cursor, 1, ROLE_SELECTED, grid->ascii ? "^" : "\u25b2");
        for (int row = layout->lanes; row < layout->range; row++)
            grid_style(grid, row, layout->spark + cursor, 1, STYLE_REVERSE);
    }
    grid_text_right(grid, at, layout->selected, grid->columns - layout->selected, ROLE_NORMAL,
                    axis_text(text, input->profile, state->place.cursor_ns, axis->bucket_ns,
                              state->place.clock));
}

/* "cc1[123] 53%  dd[9] 12M": the busiest of those that were not the target. */
static void draw_others(const struct screen_input *input, const struct time_layout *layout,
                        const struct columns *columns, struct grid *grid)
{
    const double busy_pct = 1;
    uint32_t count;
    struct timeline_other *others =
        timeline_others(input->profile, columns->start_ns, columns->end_ns, &count);
    int column = layout->spark, at = layout->others;
    char name[64], bytes[16];

    grid_text(grid, at, 0, layout->label, ROLE_DIM, _("others"));
    for (uint32_t i = 0; i < count && column < grid->columns; i++) {
        const struct timeline_other *other = &others[i];
        uint64_t moved = other->read_bytes + other->write_bytes;

        if (other->cpu_pct < busy_pct && moved == 0 && other->majflt == 0)
            continue;
        snprintf(name, sizeof(name), "%s[%d]", other->name, (int)other->pid);
        column += grid_text(grid, at, column, grid->columns - column, ROLE_NORMAL, name) + 1;
        if (other->cpu_pct >= busy_pct)
            column += grid_printf(grid, at, column, grid->columns - column, ROLE_NORMAL, "%.0f%%",
                                  other->cpu_pct) +
                      1;
        if (moved > 0)
            column += grid_printf(grid, at, column, grid->columns - column, ROLE_NORMAL,
                                  _("%s disk"), text_bytes(bytes, (double)moved)) +
                      1;
        if (other->majflt > 0)
            column += grid_printf(grid, at, column, grid->columns - column, ROLE_NORMAL,
                                  _("%llu faults"), (unsigned long long)other->majflt) +
                      1;
        column++;
    }
    if (column == layout->spark)
        grid_text(grid, at, column, grid->columns - column, ROLE_DIM,
                  others != NULL ? _("nobody else was busy, as far as can be seen from here")
                                 : _("not looked at in these seconds"));
    free(others);
}

void time_draw_lanes(const struct time_state *state, const struct screen_input *input,
                     const struct lane_rows *rows, const struct time_layout *layout,
                     struct grid *grid)
{
    struct axis axis = time_axis(state, input, layout);
    struct columns columns = value_columns(state, input, &axis);

    draw_ruler(state, input, layout, &axis, &columns, grid);
    for (int i = 0; i < layout->lane_rows && state->place.lane_top + i < rows->count; i++) {
        int index = state->place.lane_top + i;

        draw_lane(state, input, &rows->rows[index], layout, &axis, &columns,
                  index == state->place.row, grid, layout->lanes + i);
    }
    draw_range(state, input, layout, &axis, grid);
    if (layout->others >= 0)
        draw_others(input, layout, &columns, grid);
}
