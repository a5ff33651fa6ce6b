/* SPDX-License-Identifier: MIT */
/*
 * The lanes of a profile over time, ready to be drawn, searched and written out: what the Time and
 * System views, the side bar, reports and the HTML page share.
 *
 *     slices ──timeline_update()──► ticks    |1 s|1 s|1 s|…      when lanes were read
 *                                   lane 3   | 5 | 7 | · |       a value a tick, or none
 *                                   tallies  |100 ms|100 ms|…    samples expected and received
 *
 * A value is about the period before its reading.  Lanes may be read at different moments (several
 * sources); each is resampled by its own readings.  Filled by one thread and read by the same.
 */
#ifndef PROFTOP_TIMELINE_H
#define PROFTOP_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/lane.h"
#include "proftop/profile.h"

struct timeline;

struct timeline *timeline_new(void);
void timeline_free(struct timeline *timeline);

/* Takes in what PROFILE has that is new; another recording's profile starts anew. */
void timeline_update(struct timeline *timeline, struct profile *profile);
/* Goes up when something was taken in. */
uint64_t timeline_version(const struct timeline *timeline);
uint64_t timeline_start_ns(const struct timeline *timeline);
uint64_t timeline_end_ns(const struct timeline *timeline);
/* The profile taken in last; NULL before the first. */
struct profile *timeline_profile(const struct timeline *timeline);
const struct lanes *timeline_lanes(const struct timeline *timeline);

/* The lane of GROUP with KEY, of all processes, or of PID and TID; UINT32_MAX when there is none.
 */
lane_id timeline_find(const struct timeline *timeline, enum lane_group group, const char *key,
                      int32_t pid, int32_t tid);
/* It has values, not only a description. */
bool timeline_has(const struct timeline *timeline, lane_id lane);
/* How long the newest value of LANE is about: its true resolution.  0 when it has none. */
uint64_t timeline_period_ns(const struct timeline *timeline, lane_id lane);
/* The same of all its values together; 0 for fewer than two. */
uint64_t timeline_mean_period_ns(const struct timeline *timeline, lane_id lane);

/*
 * LANE in COUNT buckets of BUCKET_NS from START_NS on; NAN where nothing is known.  A bucket
 * shorter than the lane's period shows the value that its moment lies in, a longer one the mean.
 */
void timeline_series(const struct timeline *timeline, lane_id lane, uint64_t start_ns,
                     uint64_t bucket_ns, uint32_t count, double *values);
/* The mean over [start, end), weighted by time; NAN when nothing is known. */
double timeline_mean(const struct timeline *timeline, lane_id lane, uint64_t start_ns,
                     uint64_t end_ns);
/* The newest value, or NAN. */
double timeline_newest(const struct timeline *timeline, lane_id lane);

/* Samples of a bucket, expected and received; lost by us. */
struct timeline_tally {
    double expected, received, lost;
};
void timeline_tallies(const struct timeline *timeline, uint64_t start_ns, uint64_t bucket_ns,
                      uint32_t count, struct timeline_tally *tallies);

/* Stands for the samples that did not come, among spikes. */
#define TIMELINE_SAMPLES (UINT32_MAX - 1)

/*
 * Episodes in which a lane left what is usual for it: above median + 6 deviations (estimated from
 * the median of the distances from it, so that spikes do not hide themselves) and by enough to
 * matter in its unit.
 */
struct timeline_spike {
    lane_id
        lane; /* or TIMELINE_SAMPLES: received / expected fell; peak and usual are shares of 1 */
    uint64_t start_ns, end_ns, peak_ns;
    double peak, usual;
};

/* Of the alarming lanes and of samples, by start; the timeline's own until its next update. */
const struct timeline_spike *timeline_spikes(struct timeline *timeline, uint32_t *count);

/*
 * The value that the top decile of LANE's readings passes, so that about a tenth of the seconds are
 * above it; false when the lane does not move enough for that.
 */
bool timeline_top_decile(const struct timeline *timeline, lane_id lane, double *threshold);

/*
 * Who else was busy in [start, end): CPU in percent of one core, on average; bytes and faults in
 * all.  Heaviest first; NULL when nobody looked then.  The caller frees.
 */
struct timeline_other {
    int32_t pid;
    char name[32];
    double cpu_pct;
    uint64_t read_bytes, write_bytes, majflt;
};
struct timeline_other *timeline_others(const struct profile *profile, uint64_t start_ns,
                                       uint64_t end_ns, uint32_t *count);

/* "12.5M", "46%", "6.1k/s": VALUE as LANE's unit is read, at most 7 columns. */
const char *timeline_text(char buffer[24], const struct lane *lane, double value);

#endif
