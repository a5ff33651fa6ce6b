/* SPDX-License-Identifier: MIT */
/* What a fold answers by going through its slices again: lines of a function, series of time. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fold_private.h"
#include "proftop/memory.h"

/* For each display node whether FUNCTION is on the way to it. */
static bool *nodes_through(const struct display *display, function_id function)
{
    uint32_t count = display_nodes(display);
    bool *through = xcalloc(count, sizeof(*through));

    for (uint32_t i = 1; i < count; i++) {
        const struct display_node *node = display_node(display, i);

        through[i] = through[node->parent] || node->function == function;
    }
    return through;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static int compare_lines(const void *left, const void *right)
{
    const struct fold_line *a = left, *b = right;

    if (a->self != b->self)
        return a->self > b->self ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

static void add_lines(const struct whole_fold *whole, const struct slice *slice,
                      function_id function, struct cells *lines)
{
    struct slice_walk walk;
    struct slice_entry entry;

    slice_entries(slice, &walk);
    while (slice_next_entry(&walk, &entry)) {
        struct shown shown;

        if (!selection_has_group(&whole->selection, &entry) ||
            !selection_has_thread(&whole->selection, entry.thread))
            continue;
        shown = display_stack(whole->display, entry.stack);
        if (!shown.excluded && display_node(whole->display, shown.node)->function == function)
            cells_add(lines, display_line(whole->display, entry.stack), entry.weight, entry.count);
    }
}

struct fold_line *fold_lines(const struct fold *fold, function_id function, uint32_t *count)
{
    const struct whole_fold *whole = (const struct whole_fold *)fold;
    struct slice_cursor cursor;
    const struct slice *slice;
    struct fold_line *list;
    struct cells lines;

    cells_init(&lines);
    selection_slices(&whole->selection, whole->profile, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL) {
        if (selection_has_slice(&whole->selection, slice))
            add_lines(whole, slice, function, &lines);
    }
    list = xcalloc(lines.count + 1, sizeof(*list));
    for (size_t i = 0; i < lines.count; i++)
        list[i] = (struct fold_line){ (uint32_t)lines.cells[i].key, lines.cells[i].weight,
                                      lines.cells[i].samples };
    *count = (uint32_t)lines.count;
    qsort(list, *count, sizeof(*list), compare_lines);
    cells_fini(&lines);
    return list;
}

/* ---- series ---------------------------------------------------------------------------------- */

static void sum_slice(const struct whole_fold *whole, const struct slice *slice, uint32_t thread,
                      const bool *through, uint64_t *weight, uint64_t *samples)
{
    struct slice_walk walk;
    struct slice_entry entry;

    slice_entries(slice, &walk);
    while (slice_next_group(&walk)) {
        if (!selection_has_group(&whole->selection, &walk.last)) {
            slice_skip_group(&walk);
            continue;
        }
        while (walk.at != walk.group_end) {
            struct shown shown;

            slice_next_entry(&walk, &entry);
            if ((thread != UINT32_MAX && entry.thread != thread) ||
                !selection_has_thread(&whole->selection, entry.thread))
                continue;
            shown = display_stack(whole->display, entry.stack);
            if (shown.excluded || (through != NULL && !through[shown.node]))
                continue;
            *weight += entry.weight;
            *samples += entry.count;
        }
    }
}

void fold_series(const struct fold *fold, function_id function, uint32_t thread, uint64_t start_ns,
                 uint64_t end_ns, uint32_t count, uint64_t *weights, uint64_t *samples)
{
    const struct whole_fold *whole = (const struct whole_fold *)fold;
    uint64_t bucket_ns = count > 0 ? (end_ns - start_ns) / count : 0;
    struct slice_cursor cursor;
    const struct slice *slice;
    bool *through;

    memset(weights, 0, count * sizeof(*weights));
    memset(samples, 0, count * sizeof(*samples));
    if (bucket_ns == 0)
        return;
    through = function != UINT32_MAX ? nodes_through(whole->display, function) : NULL;
    profile_slices(whole->profile, start_ns, end_ns, bucket_ns, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL) {
        uint64_t middle_ns = slice_start_ns(slice) / 2 + slice_end_ns(slice) / 2, bucket;

        if (middle_ns < start_ns || middle_ns >= end_ns)
            continue;
        bucket = (middle_ns - start_ns) / bucket_ns;
        if (bucket < count)
            sum_slice(whole, slice, thread, through, &weights[bucket], &samples[bucket]);
    }
    free(through);
}

bool fold_split(const struct fold *fold, struct fold_split *split)
{
    uint64_t python = 0, kernel = 0;

    if (fold->weight == 0 || !names_have_python(fold->names))
        return false;
    for (uint32_t i = 0; i < fold->row_count; i++) {
        const struct function *function = names_get(fold->names, fold->rows[i].function);

        python += fold->rows[i].python_self;
        if (function->kind == FRAME_KERNEL ||
            (function->kind == FRAME_MARK && function->mark == MARK_KERNEL))
            kernel += fold->rows[i].self;
    }
    split->python_pct = 100.0 * (double)python / (double)fold->weight;
    split->kernel_pct = 100.0 * (double)kernel / (double)fold->weight;
    split->native_pct = 100 - split->python_pct - split->kernel_pct;
    return true;
}
