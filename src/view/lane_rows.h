/* SPDX-License-Identifier: MIT */
/*
 * Lanes as rows of a screen.  Most rows are one lane; some add several up ("usr+sys"); one is the
 * chosen function, one the samples that came.  Shared by the Time view and the side bar.
 */
#ifndef VIEW_LANE_ROWS_H
#define VIEW_LANE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "axis.h"
#include "proftop/timeline.h"
#include "proftop/view.h"

enum { LANE_ROWS_MAX = 256, LANE_PARTS_MAX = 5, LANE_LABEL_MAX = 48 };

enum lane_row_kind {
    ROW_LANES,    /* the sum of the parts */
    ROW_FUNCTION, /* cores that the chosen function kept busy */
    ROW_SAMPLES,  /* received / expected */
    ROW_DIVIDER   /* a title */
};

struct lane_row {
    enum lane_row_kind kind;
    char label[LANE_LABEL_MAX];
    lane_id parts[LANE_PARTS_MAX];
    int part_count;
    struct lane shape; /* unit, ceiling, alarming, absent of the sum; its texts are the lane's */
};

struct lane_rows {
    struct lane_row rows[LANE_ROWS_MAX];
    int count;
};

/* What a person added to or took from the usual rows: lanes by hash of group and key. */
enum { LANE_CHOICES_MAX = 64 };
struct lane_choices {
    uint64_t shown[LANE_CHOICES_MAX], hidden[LANE_CHOICES_MAX];
    int shown_count, hidden_count;
};

/* The rows of a recording: the usual ones, those chosen, and lanes with a spike in AXIS. */
void lane_rows_make(struct lane_rows *rows, struct timeline *timeline,
                    const struct lane_choices *choices, const struct axis *axis);
/* Every lane of the system and the whole target, for the chooser. */
void lane_rows_all(struct lane_rows *rows, const struct timeline *timeline);
bool lane_rows_shows(const struct lane_rows *rows, const struct lane_row *row);
/* Shows it from now on, or hides it. */
void lane_choices_toggle(struct lane_choices *choices, const struct lane_row *row, bool shown);

/* VALUES by bucket; NAN where nothing is known.  CORES: extra->cores for ROW_FUNCTION, or NULL. */
void lane_row_series(const struct lane_row *row, const struct timeline *timeline,
                     const struct axis *axis, const double *cores, double *values);
/* Over [start, end); for ROW_FUNCTION NAN. */
double lane_row_mean(const struct lane_row *row, const struct timeline *timeline, uint64_t start_ns,
                     uint64_t end_ns);
double lane_row_newest(const struct lane_row *row, const struct timeline *timeline);
const char *lane_row_text(char buffer[24], const struct lane_row *row, double value);
/* SPIKE is one of ROW's. */
bool lane_row_has(const struct lane_row *row, const struct timeline_spike *spike);
/* A spike of ROW's lanes that [start, end) has a part of, or NULL. */
const struct timeline_spike *lane_row_spike(const struct lane_row *row, struct timeline *timeline,
                                            uint64_t start_ns, uint64_t end_ns);

/* Draws VALUES from COLUMN on, scaled to the row's ceiling or to the highest of them. */
void lane_row_spark(const struct lane_row *row, struct grid *grid, int at, int column, int width,
                    enum role role, const double *values);

#endif
