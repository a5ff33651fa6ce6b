/* SPDX-License-Identifier: MIT */
/*
 * The functions under the lanes: those of the range against the rest, or of a lane's high seconds
 * against the others.  Where there is nothing to compare, the functions of the scope.
 *
 *      SELF%   rest     Δpt   FUNCTION      ran during the range; not "because of" it
 *        9.8    3.5    +6.3 * _raw_spin_unlock_irqrestore                       k kernel
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "time.h"

enum {
    SHARE_COLUMNS = 7,
    DELTA_COLUMNS = 8,
    MARK_COLUMNS = 3,
    INTERVAL_COLUMNS = 16,
    INTERVAL_FROM = 120,
    MODULE_COLUMNS = 10,
    MODULE_FROM = 60
};

static const struct comparison *comparison_of(const struct screen_input *input)
{
    const struct view_extra *extra = input->extra;

    if (extra == NULL || !extra->wants.contrast.wanted)
        return NULL;
    return extra->comparison;
}

static bool compares(const struct comparison *comparison)
{
    return comparison != NULL && comparison->a_samples > 0 && comparison->b_samples > 0;
}

int time_table_count(const struct screen_input *input)
{
    const struct comparison *comparison = comparison_of(input);

    if (compares(comparison))
        return (int)comparison->count;
    return input->fold != NULL ? (int)input->fold->row_count : 0;
}

function_id time_table_function(const struct screen_input *input, int row)
{
    const struct comparison *comparison = comparison_of(input);

    if (row < 0 || row >= time_table_count(input))
        return FUNCTION_NONE;
    return compares(comparison) ? comparison->rows[row].function : input->fold->rows[row].function;
}

struct table_layout {
    int delta, mark, interval, name, module; /* columns; -1: none */
};

static struct table_layout lay_out(int columns, bool comparing)
{
    struct table_layout layout = { .delta = -1, .mark = -1, .interval = -1, .module = -1 };
    int at = SHARE_COLUMNS;

    if (comparing) {
        layout.delta = at + SHARE_COLUMNS;
        layout.mark = layout.delta + DELTA_COLUMNS;
        at = layout.mark + MARK_COLUMNS;
        if (columns >= INTERVAL_FROM) {
            layout.interval = at;
            at += INTERVAL_COLUMNS;
        }
    } else {
        at += SHARE_COLUMNS + 1;
    }
    layout.name = at;
    if (columns >= MODULE_FROM)
        layout.module = columns - MODULE_COLUMNS;
    return layout;
}

/* What the table is about, over the names. */
static void describe(const struct time_state *state, const struct screen_input *input,
                     const struct lane_rows *rows, const struct comparison *comparison,
                     char text[200])
{
    lane_id lift = time_lift(state, rows);

    text[0] = '\0';
    if (!compares(comparison) && lift != UINT32_MAX) {
        snprintf(text, 200, _("%s hardly moves: nothing to compare"),
                 lanes_get(timeline_lanes(input->timeline), lift)->label);
        return;
    }
    if (!compares(comparison)) {
        snprintf(text, 200, "%s", _("{ } [ ] or the mouse choose seconds to compare"));
        return;
    }
    if (lift != UINT32_MAX) {
        const struct lane *lane = lanes_get(timeline_lanes(input->timeline), lift);

        snprintf(text, 200, _("in the %.0f s when %s was highest; not \"because of\" it"),
                 comparison->a_seconds, lane->label);
        return;
    }
    if (!comparison->enough)
        snprintf(text, 200, _("too few samples for a test (%llu and %llu)"),
                 (unsigned long long)comparison->a_samples,
                 (unsigned long long)comparison->b_samples);
    else
        snprintf(text, 200, "%s", _("ran during the range; not \"because of\" it"));
}

static void draw_header(const struct time_state *state, const struct screen_input *input,
                        const struct lane_rows *rows, const struct comparison *comparison,
                        const struct time_layout *where, const struct table_layout *layout,
                        struct grid *grid)
{
    bool lift = time_lift(state, rows) != UINT32_MAX;
    char text[200];
    int at = where->table, column;

    grid_fill(grid, at, 0, grid->columns, ROLE_HEADER, " ");
    grid_text_right(grid, at, 0, SHARE_COLUMNS, ROLE_HEADER,
                    state->place.total && compares(comparison) ? _("TOTAL%") : _("SELF%"));
    grid_text_right(grid, at, SHARE_COLUMNS, SHARE_COLUMNS, ROLE_HEADER,
                    !compares(comparison) ? _("TOTAL%")
                    : lift                ? _("low")
                                          : _("rest"));
    if (layout->delta >= 0)
        grid_text_right(grid, at, layout->delta, DELTA_COLUMNS, ROLE_HEADER,
                        grid->ascii ? _("dpt") : _("\u0394pt"));
    if (layout->interval >= 0)
        grid_text(grid, at, layout->interval, INTERVAL_COLUMNS, ROLE_HEADER, _("95% interval"));
    column = layout->name +
             grid_text(grid, at, layout->name, grid->columns, ROLE_HEADER, _("FUNCTION")) + 2;
    describe(state, input, rows, comparison, text);
    grid_text(grid, at, column, grid->columns - column, ROLE_HEADER, text);
}

/* A share of SAMPLES: what fewer than a few samples say is only that it is small. */
static const char *share_text(char buffer[FORMAT_MAX], double pct, uint64_t samples, uint64_t all)
{
    if (samples == 0)
        snprintf(buffer, FORMAT_MAX, "-");
    else if (samples < FEW_SAMPLES && all > FEW_SAMPLES)
        snprintf(buffer, FORMAT_MAX, "<%.1f", 100.0 * FEW_SAMPLES / (double)all);
    else
        snprintf(buffer, FORMAT_MAX, "%.1f", pct);
    return buffer;
}

static void draw_name(const struct screen_input *input, const struct table_layout *layout,
                      const struct name_set *names, int index, function_id id, struct grid *grid,
                      int at)
{
    const struct function *function = names_get(profile_names(input->profile), id);
    int end = layout->module >= 0 ? layout->module - 2 : grid->columns;
    char module[FORMAT_LONG];

    grid_text(grid, at, layout->name, end - layout->name, format_role(input, function),
              name_set_get(names, index));
    if (layout->module < 0)
        return;
    if (function->kind == FRAME_KERNEL)
        grid_text(grid, at, layout->module - 2, 1, ROLE_KERNEL, "k");
    grid_text(grid, at, layout->module, MODULE_COLUMNS, ROLE_DIM, format_module(module, function));
}

static void draw_row(const struct comparison *comparison, const struct compare_row *row,
                     const struct table_layout *layout, struct grid *grid, int at)
{
    enum role role = row->significant ? ROLE_NORMAL : ROLE_DIM;
    char text[FORMAT_MAX];

    grid_text_right(grid, at, 0, SHARE_COLUMNS, role,
                    share_text(text, row->a_pct, row->a_samples, comparison->a_samples));
    grid_text_right(grid, at, SHARE_COLUMNS, SHARE_COLUMNS, role,
                    share_text(text, row->b_pct, row->b_samples, comparison->b_samples));
    snprintf(text, sizeof(text), "%+.1f", row->delta_pt);
    grid_text_right(grid, at, layout->delta, DELTA_COLUMNS, role, text);
    if (row->significant) {
        grid_text(grid, at, layout->mark + 1, 1, ROLE_ALARM, "*");
        grid_style(grid, at, 0, layout->mark, STYLE_BOLD);
    }
    if (layout->interval >= 0 && isfinite(row->lo) && comparison->enough) {
        snprintf(text, sizeof(text), "%+.1f..%+.1f", row->lo, row->hi);
        grid_text(grid, at, layout->interval, INTERVAL_COLUMNS - 1, ROLE_DIM, text);
    }
}

static void draw_plain_row(const struct fold *fold, const struct fold_row *row, struct grid *grid,
                           int at)
{
    char text[FORMAT_MAX];

    grid_text_right(grid, at, 0, SHARE_COLUMNS, ROLE_NORMAL,
                    format_share(text, fold, row->self, row->self_samples));
    grid_text_right(grid, at, SHARE_COLUMNS, SHARE_COLUMNS, ROLE_NORMAL,
                    format_share(text, fold, row->total, row->total_samples));
}

/* The spike that the cursor is in, of several that of the lane it is on; NULL when it is in none.
 */
static const struct timeline_spike *spike_at_cursor(const struct time_state *state,
                                                    const struct screen_input *input,
                                                    const struct lane_rows *rows)
{
    uint32_t count;
    const struct timeline_spike *spikes = timeline_spikes(input->timeline, &count), *found = NULL;
    uint64_t at_ns = state->place.cursor_ns;

    for (uint32_t i = 0; i < count && at_ns != 0; i++) {
        if (at_ns < spikes[i].start_ns || at_ns >= spikes[i].end_ns)
            continue;
        if (state->place.row < rows->count &&
            lane_row_has(&rows->rows[state->place.row], &spikes[i]))
            return &spikes[i];
        if (found == NULL)
            found = &spikes[i];
    }
    return found;
}

/* The spike at the cursor in words; else what the keys do. */
static void draw_foot(const struct time_state *state, const struct screen_input *input,
                      const struct lane_rows *rows, const struct time_layout *layout,
                      struct grid *grid)
{
    static const struct lane samples = { .unit = UNIT_PERCENT };
    const struct timeline_spike *spike = spike_at_cursor(state, input, rows);
    bool missed = spike != NULL && spike->lane == TIMELINE_SAMPLES;
    double scale = missed ? 100 : 1;
    const struct lane *lane;
    char peak[24], usual[24], clock[32];

    if (spike == NULL) {
        grid_text(
            grid, layout->foot, 0, grid->columns, ROLE_DIM,
            _("* beyond noise  { } spike  [ ] , . range  + - zoom  Enter: lane's functions, Top"));
        return;
    }
    lane = missed ? &samples : lanes_get(timeline_lanes(input->timeline), spike->lane);
    grid_printf(grid, layout->foot, 0, grid->columns, ROLE_WARN,
                _("%s %s at %s, usually %s  * beyond noise  { } next spike"),
                missed ? _("samples/due") : lane->label,
                timeline_text(peak, lane, spike->peak * scale),
                axis_text(clock, input->profile, spike->peak_ns, NS_PER_S, state->place.clock),
                timeline_text(usual, lane, spike->usual * scale));
}

void time_draw_table(const struct time_state *state, const struct screen_input *input,
                     const struct lane_rows *rows, const struct time_layout *where,
                     struct grid *grid)
{
    const struct comparison *comparison = comparison_of(input);
    struct table_layout layout = lay_out(grid->columns, compares(comparison));
    int count = time_table_count(input), top = state->place.table_top;
    int shown = count - top < where->table_rows ? count - top : where->table_rows;
    function_id *functions;
    struct name_set *names;

    draw_header(state, input, rows, comparison, where, &layout, grid);
    draw_foot(state, input, rows, where, grid);
    if (shown <= 0)
        return;
    functions = xcalloc((size_t)shown, sizeof(*functions));
    for (int i = 0; i < shown; i++)
        functions[i] = time_table_function(input, top + i);
    names = format_names(input, functions, shown,
                         (layout.module >= 0 ? layout.module - 2 : grid->columns) - layout.name);
    for (int i = 0; i < shown; i++) {
        int at = where->table + 1 + i;

        if (compares(comparison))
            draw_row(comparison, &comparison->rows[top + i], &layout, grid, at);
        else
            draw_plain_row(input->fold, &input->fold->rows[top + i], grid, at);
        draw_name(input, &layout, names, i, functions[i], grid, at);
        if (functions[i] == input->marked)
            grid_style(grid, at, layout.name, grid->columns - layout.name, STYLE_BOLD);
        if (rows->count + top + i == state->place.row)
            grid_role(grid, at, 0, grid->columns, ROLE_SELECTED);
    }
    name_set_free(names);
    free(functions);
}
