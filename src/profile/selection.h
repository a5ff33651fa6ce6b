/* SPDX-License-Identifier: MIT */
/* A scope worked out for one profile: real times, threads by index, groups of entries. */
#ifndef PROFTOP_PROFILE_SELECTION_H
#define PROFTOP_PROFILE_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/profile.h"
#include "proftop/scope.h"

struct selection {
    uint64_t start_ns, end_ns; /* end_ns: UINT64_MAX where the scope leaves it open */
    enum scope_state state;
    enum metric metric;
    bool all_threads;
    bool *threads; /* by index; NULL when all */
    uint32_t thread_count;
};

/* SELECTION is fit for the threads that PROFILE has now. */
void selection_init(struct selection *selection, const struct profile *profile,
                    const struct scope *scope);
void selection_copy(struct selection *to, const struct selection *from);
void selection_fini(struct selection *selection);

/* Whether a slice counts as inside: its middle is. */
bool selection_has_slice(const struct selection *selection, const struct slice *slice);
bool selection_has_thread(const struct selection *selection, uint32_t thread);
/* Whether entries of these attributes are looked at. */
bool selection_has_group(const struct selection *selection, const struct slice_entry *entry);

/* Whether they tell what was counted beside the samples that are looked at. */
bool selection_counts_group(const struct selection *selection, const struct slice_entry *entry);

/* The slices to go through for a range. */
void selection_slices(const struct selection *selection, const struct profile *profile,
                      struct slice_cursor *cursor);

#endif
