/* SPDX-License-Identifier: MIT */
/*
 * The parts of the Time view.
 *
 *     time.c          keys, mouse, what it asks for
 *     time_layout.c   where everything stands, and when
 *     time_lanes.c    the lanes, the ruler above and the range below them
 *     time_table.c    the functions under them
 *     time_chooser.c  which lanes are shown
 */
#ifndef VIEW_TIME_H
#define VIEW_TIME_H

#include "axis.h"
#include "lane_rows.h"
#include "list.h"
#include "proftop/compare.h"

/* All of it is plain data: what Esc brings back. */
struct time_state {
    struct time_place {
        uint64_t cursor_ns;   /* 0: none, the newest is shown as it comes */
        uint64_t start_ns;    /* of what is in sight, when the newest is not followed */
        uint64_t lift;        /* identity of the lane whose lift is shown + 1; 0: the range */
        int zoom;             /* + 1; 0: the usual one */
        int row;              /* of lanes, then of functions */
        function_id function; /* + 1, of the row when it is a function's; 0: none */
        int lane_top, table_top;
        bool clock, standing; /* standing: the newest is not followed */
        bool total;           /* functions by total time */
    } place;
    struct lane_choices choices;
    struct list chooser;
    bool choosing;
    uint64_t drag_ns, drag_to_ns; /* where the mouse went down and is; 0: nowhere, no farther */
};

struct time_layout {
    int label, spark, spark_columns; /* widths and places of columns */
    int selected, rest;              /* the columns of values */
    int lanes, lane_rows;            /* rows */
    int range, others, table, table_rows, foot;
};

struct time_layout time_lay_out(int columns, int rows, int lanes);
struct axis time_axis(const struct time_state *state, const struct screen_input *input,
                      const struct time_layout *layout);
/* The zoom chosen, or the one that shows a whole saved session, or a second a column. */
int time_zoom(const struct time_state *state, const struct screen_input *input, int columns);

/* The range asked for, or being drawn with the mouse; false when it is everything. */
bool time_shown_range(const struct time_state *state, const struct screen_input *input,
                      const struct axis *axis, uint64_t *start_ns, uint64_t *end_ns);
/* The range asked for; false when it is everything. */
bool time_range(const struct screen_input *input, uint64_t *start_ns, uint64_t *end_ns);

/* The lane whose lift is shown, UINT32_MAX when none is. */
lane_id time_lift(const struct time_state *state, const struct lane_rows *rows);

void time_draw_lanes(const struct time_state *state, const struct screen_input *input,
                     const struct lane_rows *rows, const struct time_layout *layout,
                     struct grid *grid);

/* The functions to list: comparison's rows, or the fold's where nothing is compared. */
int time_table_count(const struct screen_input *input);
function_id time_table_function(const struct screen_input *input, int row);
void time_draw_table(const struct time_state *state, const struct screen_input *input,
                     const struct lane_rows *rows, const struct time_layout *layout,
                     struct grid *grid);

bool time_chooser_key(struct time_state *state, const struct screen_input *input,
                      enum action action, int rows);
void time_draw_chooser(struct time_state *state, const struct screen_input *input,
                       const struct lane_rows *rows, struct grid *grid);

#endif
