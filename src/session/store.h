/* SPDX-License-Identifier: MIT */
/*
 * What a session file has been told so far, and the statements that tell it more.  Whoever writes
 * (the writer's thread, or a save) begins a transaction, stores, and commits.
 */
#ifndef PROFTOP_SESSION_STORE_H
#define PROFTOP_SESSION_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "codec.h"
#include "database.h"
#include "proftop/profile.h"

enum store_statement {
    STORE_INFO,
    STORE_FUNCTION,
    STORE_MODULE,
    STORE_LOCATIONS,
    STORE_NAMINGS,
    STORE_STACKS,
    STORE_THREAD,
    STORE_LANE,
    STORE_SLICE,
    STORE_NOTE,
    STORE_SECOND,
    STORE_TOTAL,
    STORE_SOURCE,
    STORE_STATEMENTS
};

struct session_store {
    sqlite3 *database;
    sqlite3_stmt *statements[STORE_STATEMENTS];
    uint64_t start_ns; /* of the profile: times in the file count from there */
    uint32_t functions, modules, locations, stacks, lanes, notes;
    const struct naming **seen; /* by location: the naming that is in the file */
    size_t seen_capacity;
    uint32_t names_version;
    const struct profile_thread **threads; /* by thread: what is in the file */
    uint32_t thread_count;
    size_t thread_capacity;
    struct bytes bytes;
    struct totals *totals;
    lane_id cpu_lane, rss_lane; /* of the target; UINT32_MAX until they are known */
};

/* Makes the tables in an empty database. */
bool store_init(struct session_store *store, sqlite3 *database, const struct profile_info *info,
                struct error *error);
void store_fini(struct session_store *store);

bool store_begin(struct session_store *store, struct error *error);
bool store_commit(struct session_store *store, struct error *error);
void store_rollback(struct session_store *store);

bool store_slice(struct session_store *store, const struct profile *profile,
                 const struct slice *slice, struct error *error);
/* A slice that takes the place of some: the seconds are counted already. */
bool store_slice_again(struct session_store *store, const struct slice *slice, struct error *error);
/* Says that the file's slices were merged, TIMES so far, to keep it below MAX bytes. */
bool store_thinned(struct session_store *store, uint64_t time_ns, uint64_t max_bytes,
                   uint32_t times, struct error *error);
/* Everything beside slices that is new or changed since the last time. */
bool store_tables(struct session_store *store, struct profile *profile, struct error *error);
/* The sums by function that the views show; they cost a fold.  LAST: source files as well. */
bool store_totals(struct session_store *store, struct profile *profile, bool last,
                  struct error *error);

#endif
