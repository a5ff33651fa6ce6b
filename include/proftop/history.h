/* SPDX-License-Identifier: MIT */
/*
 * A history grows: slices, threads and notes are added on one thread, and profiles are taken of it
 * for any thread to read.  The builder has one; a session that is read makes one.
 */
#ifndef PROFTOP_HISTORY_H
#define PROFTOP_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/module.h"
#include "proftop/profile.h"
#include "proftop/slice.h"

struct history;

/* The levels of a span of a minute, finest first: see profile.h. */
enum { LEVEL_FINE, LEVEL_SECOND, LEVEL_TENTH_MINUTE, LEVEL_WHOLE, LEVELS };

struct history_config {
    const struct profile_info *info; /* texts are copied */
    struct lanes *lanes;
    bool own_lanes;    /* freed with the last profile; else they outlive it */
    uint64_t slice_ns; /* 0: 100 ms; divides a second */
    size_t memory_max; /* of slices; 0: the default */
};

struct history *history_new(const struct history_config *config);
void history_free(struct history *history);
struct names *history_names(struct history *history);
struct lanes *history_lanes(struct history *history);
uint64_t history_slice_ns(const struct history *history);

uint32_t history_add_thread(struct history *history, const struct profile_thread *thread);
/* What is known about it now; readers see the old or the new one, never a mixture. */
void history_set_thread(struct history *history, uint32_t index,
                        const struct profile_thread *thread);
const struct profile_thread *history_thread(const struct history *history, uint32_t index);
void history_add_note(struct history *history, uint64_t time_ns, enum note_level level,
                      const char *text);
/* A source file of sampled functions, copied. */
void history_add_source(struct history *history, const char *file, const char *text,
                        size_t size_bytes);
void history_set_exit(struct history *history, int32_t exit_status);

/*
 * Takes over SLICE.  One that is longer than the finest stands for detail that was given up: its
 * minute has nothing finer any more.
 */
void history_add(struct history *history, struct slice *slice);
/* Everything before HORIZON has been added, late ones apart: merges what is complete. */
void history_advance(struct history *history, uint64_t horizon_ns);
uint64_t history_horizon_ns(const struct history *history);

/* What is there now; the caller unrefs it. */
struct profile *history_profile(struct history *history, bool ended);

/*
 * Copies what PROFILE has in [START, END), with its times moved by SHIFT: only the stacks, names
 * and threads that occur there.  Modules keep their numbers where NEXT_MODULE is NULL; else they
 * get the next ones from there on, so that those of several profiles stay apart.
 */
void history_graft(struct history *history, const struct profile *profile, uint64_t start_ns,
                   uint64_t end_ns, int64_t shift_ns, module_id *next_module);

/* ---- what folds and writers need to know of a profile beyond profile.h ---- */

uint64_t profile_serial(const struct profile *profile); /* of its newest slice */
/*
 * The fine slices with a serial above SERIAL, through profile_next_fresh(); false when some are
 * no longer held as fine ones.
 */
struct fresh_cursor {
    const struct profile *profile;
    uint64_t serial;
    size_t span;
    uint32_t index;
};
bool profile_fresh(const struct profile *profile, uint64_t serial, struct fresh_cursor *cursor);
const struct slice *profile_next_fresh(struct fresh_cursor *cursor);

/* A profile of its own with what PROFILE has in [START, END). */
struct profile *profile_extract(const struct profile *profile, uint64_t start_ns, uint64_t end_ns);

/* All threads of its history, those that came after PROFILE was taken too. */
uint32_t profile_threads_now(const struct profile *profile);
uint64_t profile_slice_ns(const struct profile *profile);

/* Two profiles of one history share their ids. */
bool profile_same_history(const struct profile *a, const struct profile *b);

#endif
