/* SPDX-License-Identifier: MIT */
/*
 * Keeping a session file below a bound: the oldest slices are merged into longer ones, a second
 * first, then ten, then a minute and so on, always the oldest of the shortest.
 */
#ifndef PROFTOP_SESSION_THIN_H
#define PROFTOP_SESSION_THIN_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

enum { THIN_STEPS = 8 };

struct thinner {
    uint64_t max_bytes;
    sqlite3_stmt *select, *delete; /* NULL until needed */
    uint64_t done_ns[THIN_STEPS];  /* how far each length has been made */
    struct slice_draft draft;
    bool merged;    /* anything, in this run */
    uint32_t times; /* how many runs merged anything */
};

void thinner_init(struct thinner *thinner, uint64_t max_bytes);
void thinner_fini(struct thinner *thinner);

/* Inside a transaction: merges until the file's content is below the bound or nothing is left to
 * merge before END_NS (from the profile's start). */
bool thinner_run(struct thinner *thinner, struct session_store *store, uint64_t end_ns,
                 struct error *error);

#endif
