/* SPDX-License-Identifier: MIT */
/*
 * A stretch of time as columns or rows of a screen: where it begins and how long each is.  Buckets
 * lie at whole multiples of their length from the recording's start, so that they stand still while
 * time goes on.
 */
#ifndef VIEW_AXIS_H
#define VIEW_AXIS_H

#include "proftop/view.h"

struct axis {
    uint64_t start_ns, bucket_ns;
    int count;
};

enum { AXIS_ZOOMS = 13, AXIS_ZOOM_SECOND = 3 };

/* The lengths that zooming goes through: 0.1 s … an hour. */
uint64_t axis_zoom_ns(int zoom);
/* "0.1s", "5m" */
const char *axis_zoom_text(char buffer[16], int zoom);

/* COUNT buckets that end behind END_NS, in jumps of JUMP buckets (1: with each bucket). */
struct axis axis_ending(const struct profile *profile, uint64_t end_ns, int zoom, int count,
                        int jump);
/* The same, with TIME_NS in sight: AXIS is moved no farther than that takes. */
struct axis axis_showing(const struct profile *profile, struct axis axis, uint64_t time_ns);

uint64_t axis_end_ns(const struct axis *axis);
/* The bucket of TIME_NS: outside of 0 … count - 1 when it is not in sight. */
int axis_column(const struct axis *axis, uint64_t time_ns);
uint64_t axis_time_ns(const struct axis *axis, int column);
/* TIME_NS rounded down to a bucket. */
uint64_t axis_round(const struct profile *profile, uint64_t time_ns, uint64_t bucket_ns);

/* TIME_NS on the clock, or since the recording began: "12:30:21", "1:04", "0:04.2". */
const char *axis_text(char buffer[32], const struct profile *profile, uint64_t time_ns,
                      uint64_t bucket_ns, bool clock);

#endif
