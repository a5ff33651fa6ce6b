/* SPDX-License-Identifier: MIT */
/* What history.c and profile.c share. */
#ifndef PROFTOP_PROFILE_PRIVATE_H
#define PROFTOP_PROFILE_PRIVATE_H

#include <stdatomic.h>

#include "span.h"
#include "proftop/arena.h"
#include "proftop/chunks.h"

/* A source file that came with a session. */
struct kept_source {
    const char *file, *text;
    size_t size_bytes;
};

/* What all profiles of one history share: append-only tables. */
struct store {
    _Atomic uint32_t refs;
    struct names *names;
    struct lanes *lanes;
    bool own_lanes;
    struct profile_info info; /* its texts; exit_status is each profile's own */
    struct arena *texts;      /* the history's thread alone adds */
    struct chunks threads;    /* of const struct profile_thread *_Atomic: replaced, never changed */
    struct chunks notes;      /* of struct profile_note */
    struct chunks sources;    /* of struct kept_source; a few hundred at most */
};

struct profile {
    _Atomic uint32_t refs;
    struct store *store;
    struct profile_info info;
    struct span **spans; /* by time */
    size_t span_count;
    uint64_t slice_ns, end_ns, serial;
    uint32_t thread_count, note_count;
    size_t slice_bytes;
    bool ended;
};

void store_unref(struct store *store);

#endif
