/* SPDX-License-Identifier: MIT */
/*
 * The profile: everything recorded so far, as a refcounted, constant list of slices of time.
 *
 *     time ─►  |100 ms|100 ms|100 ms|…      newest, fine
 *              |   1 s   |   1 s    |…      older detail is merged into coarser levels, so that
 *              |       10 s         |…      memory is bounded and a wide range costs few slices
 *
 * A slice holds entries keyed by (thread, stack, state, metric, reason) with a weight and a count,
 * the counters of lanes, tallies, others and notes.  Sealed slices never change.  The builder makes
 * a new struct profile whenever it sealed something; a reader keeps one reference a frame.
 */
#ifndef PROFTOP_PROFILE_H
#define PROFTOP_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/lane.h"
#include "proftop/names.h"
#include "proftop/record.h"

struct profile;
struct slice;

/* A thread that was seen, exited ones too.  Index = thread_index in entries. */
struct profile_thread {
    int32_t pid, tid, ppid;
    uint64_t began_ns, ended_ns; /* ended_ns: UINT64_MAX while it lives */
    int32_t exit_status;         /* -1 unknown */
    uint32_t execs;              /* how often it has become another program; not saved */
    bool process;                /* the first thread of its process */
    char name[64];
};

struct slice_entry {
    uint32_t thread; /* index */
    stack_id stack;
    uint64_t weight;
    uint32_t count; /* samples */
    int16_t syscall;
    uint8_t state, metric, reason, gil;
};

/* Facts of the whole recording, set by who makes it, saved with it. */
struct profile_info {
    char *command; /* as a person would type it */
    int32_t pid;
    uint64_t start_ns;          /* on our clock */
    int64_t realtime_offset_ns; /* + clock = date */
    char *source, *source_reason, *event, *note;
    uint32_t rate_hz;
    uint32_t cpus;
    int32_t exit_status; /* wait status, -1 while it runs */
    char *host, *version;
};

struct profile *profile_ref(struct profile *profile);
void profile_unref(struct profile *profile);

const struct profile_info *profile_info(const struct profile *profile);
/* Who took the samples that TALLY is of: perf gives targets that it cannot see whole to ptrace. */
const char *profile_sampler(const struct profile *profile, const struct record_tally *tally);
uint64_t profile_start_ns(const struct profile *profile);
uint64_t profile_end_ns(const struct profile *profile); /* the newest sealed moment */
bool profile_ended(const struct profile *profile);      /* nothing more will come */
struct names *profile_names(const struct profile *profile);
const struct lanes *profile_lanes(const struct profile *profile);
uint32_t profile_threads(const struct profile *profile);
const struct profile_thread *profile_thread(const struct profile *profile, uint32_t index);

/*
 * The fewest slices that cover [start, end), none longer than RESOLUTION_NS where finer ones are
 * still held, in order of time.  A slice partly inside is given whole with its times; callers
 * decide.  UINT64_MAX as resolution is the cheapest way over a wide range.
 */
struct slice_cursor {
    const struct profile *profile;
    uint64_t start_ns, end_ns, resolution_ns;
    uint64_t time_ns; /* what was given lies before it */
    size_t span, index, last;
    unsigned level;
};
void profile_slices(const struct profile *profile, uint64_t start_ns, uint64_t end_ns,
                    uint64_t resolution_ns, struct slice_cursor *cursor);
const struct slice *profile_next_slice(struct slice_cursor *cursor);

uint64_t slice_start_ns(const struct slice *slice);
uint64_t slice_end_ns(const struct slice *slice);

/* Walks a slice's entries: slice_entries(slice, &walk); while (slice_next_entry(&walk, &entry)) …
 */
struct slice_walk {
    const uint8_t *at, *end, *group_end;
    struct slice_entry last;
    uint64_t mean; /* weight of one sample of the last entry */
};
void slice_entries(const struct slice *slice, struct slice_walk *walk);
bool slice_next_entry(struct slice_walk *walk, struct slice_entry *entry);

/* Adds a slice's samples of running threads, by metric. */
void slice_count(const struct slice *slice, uint64_t samples[METRICS]);
/* What drove a recording that has so many samples of each: time, or what -e asked for. */
enum metric driving_metric(const uint64_t samples[METRICS]);
/* The samples of running threads that drove the recording. */
uint64_t slice_running(const struct slice *slice);

const struct record_tally *slice_tally(const struct slice *slice); /* summed; NULL when none */
/* A lane's value in this slice (mean over its parts); false when it has none. */
bool slice_lane(const struct slice *slice, lane_id lane, double *value);
const struct other_process *slice_others(const struct slice *slice, uint32_t *count);
const struct syscall_tally *slice_syscalls(const struct slice *slice, uint32_t *count);

/* Sentences told during the recording, oldest first. */
struct profile_note {
    uint64_t time_ns;
    enum note_level level;
    const char *text;
};
uint32_t profile_notes(const struct profile *profile);
const struct profile_note *profile_note(const struct profile *profile, uint32_t index);

/* The text of a source file that came with a session, SIZE bytes; NULL when it has none. */
const char *profile_source(const struct profile *profile, const char *file, size_t *size_bytes);

size_t profile_bytes(const struct profile *profile);

#endif
