/* SPDX-License-Identifier: MIT */
/*
 * The folder: keeps the sums of the last fold, and adds to them what is new while the question is
 * the same.
 *
 *     the question (range, threads, state, metric, filter) is the last one's
 *         and the new slices are still held as fine ones   → add those
 *         known stacks have other names now                → sum by leaf again
 *     else                                                 → all slices of the range
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fold_private.h"
#include "proftop/history.h"
#include "proftop/memory.h"

struct folder {
    struct profile *profile; /* of the last fold */
    struct scope scope;
    struct display *display;
    struct sums sums;
    bool rows_only;
    uint64_t serial; /* slices up to it are in sums */
    uint64_t version;
};

struct folder *folder_new(void)
{
    struct folder *folder = xcalloc(1, sizeof(*folder));

    sums_init(&folder->sums);
    return folder;
}

struct folder *folder_new_rows(void)
{
    struct folder *folder = folder_new();

    folder->rows_only = true;
    return folder;
}

void folder_free(struct folder *folder)
{
    if (folder == NULL)
        return;
    profile_unref(folder->profile);
    display_unref(folder->display);
    sums_fini(&folder->sums);
    free(folder);
}

/* Whether the sums of the last fold are a part of those of this one. */
static bool can_extend(const struct folder *folder, const struct profile *profile,
                       const struct scope *scope)
{
    struct scope shape = folder->scope; /* how stacks are shown makes no difference to sums */

    if (folder->profile == NULL || scope->last_ns != 0 ||
        !profile_same_history(folder->profile, profile))
        return false;
    shape.hide_kernel = scope->hide_kernel;
    shape.hide_user = scope->hide_user;
    shape.fold_libraries = scope->fold_libraries;
    shape.show_internal = scope->show_internal;
    memcpy(shape.only_module, scope->only_module, sizeof(shape.only_module));
    return scope_equal(&shape, scope);
}

static void sum_all(struct folder *folder, const struct profile *profile,
                    const struct selection *selection)
{
    struct slice_cursor cursor;
    const struct slice *slice;

    sums_start(&folder->sums, profile, folder->display);
    selection_slices(selection, profile, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL) {
        if (selection_has_slice(selection, slice))
            sums_add(&folder->sums, slice, selection, folder->display);
    }
}

/* Sums again what the names have changed. */
static void sum_leaves(struct folder *folder, const struct profile *profile,
                       const struct selection *selection)
{
    struct slice_cursor cursor;
    const struct slice *slice;

    sums_start_leaves(&folder->sums, folder->display);
    selection_slices(selection, profile, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL) {
        if (selection_has_slice(selection, slice))
            sums_add_leaves(&folder->sums, slice, selection, folder->display);
    }
}

static void sum_fresh(struct folder *folder, const struct selection *selection,
                      struct fresh_cursor *cursor)
{
    const struct slice *slice;

    while ((slice = profile_next_fresh(cursor)) != NULL) {
        if (selection_has_slice(selection, slice))
            sums_add(&folder->sums, slice, selection, folder->display);
    }
}

static bool take_display(struct folder *folder, const struct profile *profile,
                         const struct scope *scope, bool *moved, struct error *error)
{
    struct names *names = profile_names(profile);

    *moved = false;
    if (folder->display == NULL || !display_fits(folder->display, names, scope)) {
        struct display *display = display_new(names, scope, error);

        if (display == NULL)
            return false;
        display_unref(folder->display);
        folder->display = display;
        *moved = true;
    }
    if (display_update(folder->display))
        *moved = true;
    return true;
}

static void resolve(struct fold *fold, const struct selection *selection,
                    const struct profile *profile, const struct scope *scope)
{
    uint64_t end_ns = profile_end_ns(profile);

    fold->scope = *scope;
    fold->start_ns = selection->start_ns;
    fold->end_ns = selection->end_ns < end_ns ? selection->end_ns : end_ns;
    if (fold->end_ns < fold->start_ns)
        fold->end_ns = fold->start_ns;
    fold->scope.start_ns = fold->start_ns;
    fold->scope.end_ns = fold->end_ns;
}

struct fold *fold_update(struct folder *folder, struct profile *profile, const struct scope *scope,
                         struct error *error)
{
    struct selection selection;
    struct fresh_cursor fresh;
    struct whole_fold *whole;
    bool moved, extends, renamed;

    if (!take_display(folder, profile, scope, &moved, error))
        return NULL;
    selection_init(&selection, profile, scope);
    /* Names that came late change which stacks a filter finds, and which threads a pattern. */
    renamed = (moved && scope->filter[0] != '\0') || scope->thread_name[0] != '\0';
    extends = !renamed && can_extend(folder, profile, scope) &&
              profile_fresh(profile, folder->serial, &fresh) &&
              sums_grow(&folder->sums, profile, folder->display);
    if (!extends) {
        sum_all(folder, profile, &selection);
    } else {
        sum_fresh(folder, &selection, &fresh);
        if (moved)
            sum_leaves(folder, profile, &selection);
    }
    profile_ref(profile);
    profile_unref(folder->profile);
    folder->profile = profile;
    folder->scope = *scope;
    folder->serial = profile_serial(profile);

    whole = fold_new(profile, folder->display, &selection);
    whole->fold.version = ++folder->version;
    resolve(&whole->fold, &selection, profile, scope);
    fold_build(whole, &folder->sums, folder->rows_only);
    return &whole->fold;
}
