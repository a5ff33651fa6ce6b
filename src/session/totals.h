/* SPDX-License-Identifier: MIT */
/*
 * The sums by function of the whole recording, for the view "top_functions" of a session file.
 * Only the rows that changed are given, and while folding is dear it is done seldom.
 */
#ifndef PROFTOP_SESSION_TOTALS_H
#define PROFTOP_SESSION_TOTALS_H

#include <stdbool.h>

#include "proftop/fold.h"

struct totals;

struct totals *totals_new(void);
void totals_free(struct totals *totals);

/* A fold of the whole of PROFILE, until totals_release(). */
const struct fold *totals_update(struct totals *totals, struct profile *profile);
/* Whether functions have other names now, so that old rows have to go first. */
bool totals_started_over(const struct totals *totals);
/* The next row that differs from what was given before; NULL at the end. */
const struct fold_row *totals_next_changed(struct totals *totals);
void totals_release(struct totals *totals);
/* "cpu", or "event" for a recording without CPU time. */
const char *totals_metric(const struct totals *totals);
/* Whether the last update was so long ago that another one is cheap in comparison. */
bool totals_due(const struct totals *totals, uint64_t now_ns);

#endif
