/* SPDX-License-Identifier: MIT */
/* The lane chooser: every lane there is, whether it is shown, its newest value or why it has none.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "time.h"

enum { MARK_COLUMNS = 4, LABEL_COLUMNS = 22, KEY_COLUMNS = 28, VALUE_COLUMNS = 10 };

bool time_chooser_key(struct time_state *state, const struct screen_input *input,
                      enum action action, int rows)
{
    struct lane_rows *all, *now;
    struct time_layout layout = time_lay_out(80, rows, 0);
    struct axis axis = time_axis(state, input, &layout);
    bool used = true;

    if (action == ACTION_LANES || action == ACTION_BACK || action == ACTION_QUIT) {
        state->choosing = false;
        return true;
    }
    all = xcalloc(1, sizeof(*all));
    now = xcalloc(1, sizeof(*now));
    lane_rows_all(all, input->timeline);
    lane_rows_make(now, input->timeline, &state->choices, &axis);
    if (action == ACTION_ENTER || action == ACTION_FREEZE) {
        const struct lane_row *row = &all->rows[state->chooser.cursor];

        if (state->chooser.cursor < all->count)
            lane_choices_toggle(&state->choices, row, !lane_rows_shows(now, row));
    } else {
        used = list_key(&state->chooser, action, all->count, rows - 2);
    }
    free(all);
    free(now);
    return used;
}

static void draw_row(const struct screen_input *input, const struct lane_row *row, bool shown,
                     struct grid *grid, int at)
{
    const struct timeline *timeline = input->timeline;
    int value = MARK_COLUMNS + LABEL_COLUMNS + KEY_COLUMNS;
    const char *group = row->shape.group == LANE_TARGET ? _("target") : _("system");
    char text[64];

    grid_text(grid, at, 0, MARK_COLUMNS, ROLE_NORMAL, shown ? "[x]" : "[ ]");
    grid_text(grid, at, MARK_COLUMNS, LABEL_COLUMNS - 1, ROLE_NORMAL, row->label);
    if (row->part_count == 0)
        return;
    snprintf(text, sizeof(text), "%s.%.40s", group, row->shape.key);
    grid_text(grid, at, MARK_COLUMNS + LABEL_COLUMNS, KEY_COLUMNS - 1, ROLE_DIM, text);
    if (!timeline_has(timeline, row->parts[0])) {
        grid_text(grid, at, value, grid->columns - value, ROLE_DIM,
                  row->shape.absent != NULL ? row->shape.absent : _("no value yet"));
        return;
    }
    grid_text_right(grid, at, value, VALUE_COLUMNS, ROLE_NORMAL,
                    lane_row_text(text, row, lane_row_newest(row, timeline)));
    grid_printf(grid, at, value + VALUE_COLUMNS + 2, grid->columns, ROLE_DIM, _("every %.1f s"),
                (double)timeline_period_ns(timeline, row->parts[0]) / (double)NS_PER_S);
}

void time_draw_chooser(struct time_state *state, const struct screen_input *input,
                       const struct lane_rows *rows, struct grid *grid)
{
    struct lane_rows *all = xcalloc(1, sizeof(*all));
    int shown = grid->rows - 2;

    lane_rows_all(all, input->timeline);
    list_fit(&state->chooser, all->count, shown);
    grid_fill(grid, 0, 0, grid->columns, ROLE_HEADER, " ");
    grid_printf(grid, 0, 0, grid->columns, ROLE_HEADER,
                _("Lanes: Enter shows or hides, Esc goes back  (%d)"), all->count);
    for (int i = 0; i < shown && state->chooser.top + i < all->count; i++) {
        int index = state->chooser.top + i;
        const struct lane_row *row = &all->rows[index];

        draw_row(input, row, lane_rows_shows(rows, row), grid, 1 + i);
        if (index == state->chooser.cursor)
            grid_role(grid, 1 + i, 0, grid->columns, ROLE_SELECTED);
    }
    free(all);
}
