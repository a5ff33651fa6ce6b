/* SPDX-License-Identifier: MIT */
/*
 * When rows may change places: at most once a second, or with each refresh while the recording is
 * young; never under the hands of a person who presses keys; at once when something else is asked
 * for or nobody was looking.
 */
#ifndef VIEW_RESORT_H
#define VIEW_RESORT_H

#include "proftop/view.h"

struct resort {
    uint64_t sorted_ns, seen_ns; /* SEEN: when last drawn */
    uint32_t asked;
    bool valid;
};

/* The rows are drawn now: may they be sorted? */
bool resort_due(struct resort *resort, const struct screen_input *input);
/* They were made anew, SORTED or kept as they stood. */
void resort_done(struct resort *resort, const struct screen_input *input, bool sorted);
/* A key was pressed so lately that rows stay where they are. */
bool resort_waits(const struct screen_input *input);

#endif
