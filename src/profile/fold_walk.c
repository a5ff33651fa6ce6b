/* SPDX-License-Identifier: MIT */
/*
 * The samples of a fold in order of time, each led to its node of the tree.
 *
 *     entry of a slice ─► display node ─► node of the tree, found by (parent, function) once and
 *                                         then known
 */
#include "config.h"

#include <stdlib.h>

#include "fold_private.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"

struct fold_walk {
    const struct whole_fold *whole;
    struct slice_cursor cursor;
    const struct slice *slice; /* whose entries are being walked; NULL before the first */
    struct slice_walk entries;
    struct index nodes; /* of the tree, by parent, function and process */
    struct cells known; /* (process, display node) → node of the tree, as the cell's weight */
    bool processes;     /* the tree has a level of them */
};

static uint64_t node_hash(node_id parent, function_id function, uint32_t process)
{
    return hash_pair((uint64_t)parent << 32 | function, process);
}

/* The child of PARENT; NODE_END when the tree has none, because names have changed since. */
static node_id find_child(const struct fold_walk *walk, node_id parent, function_id function,
                          uint32_t process)
{
    const struct fold_node *nodes = walk->whole->fold.nodes;
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&walk->nodes, node_hash(parent, process != 0 ? 0 : function, process), &cursor);
    while ((item = index_next(&walk->nodes, &cursor)) != INDEX_END)
        if (nodes[item].parent == parent && nodes[item].process == process &&
            (process != 0 || nodes[item].function == function))
            return item;
    return NODE_END;
}

static node_id lead(struct fold_walk *walk, uint32_t process, uint32_t shown)
{
    size_t known = walk->known.count;
    size_t item = cells_add(&walk->known, (uint64_t)process << 32 | shown, 0, 0);
    node_id parent = NODE_ROOT, node = NODE_ROOT;

    if (walk->known.count == known)
        return (node_id)walk->known.cells[item].weight;
    if (shown != 0) {
        parent = lead(walk, process, display_node(walk->whole->display, shown)->parent);
        node = find_child(walk, parent, display_function(walk->whole->display, shown), 0);
    } else if (walk->processes) {
        node = find_child(walk, NODE_ROOT, 0, process);
    }
    if (node == NODE_END)
        node = parent;
    walk->known.cells[item].weight = node;
    return node;
}

struct fold_walk *fold_walk_new(const struct fold *fold, uint64_t resolution_ns)
{
    struct fold_walk *walk = xcalloc(1, sizeof(*walk));

    walk->whole = (const struct whole_fold *)fold;
    index_init(&walk->nodes);
    cells_init(&walk->known);
    for (node_id i = 1; i < fold->node_count; i++) {
        const struct fold_node *node = &fold->nodes[i];

        walk->processes = walk->processes || node->process != 0;
        index_add(&walk->nodes,
                  node_hash(node->parent, node->process != 0 ? 0 : node->function, node->process),
                  i);
    }
    profile_slices(fold->profile, walk->whole->selection.start_ns, walk->whole->selection.end_ns,
                   resolution_ns, &walk->cursor);
    return walk;
}

void fold_walk_free(struct fold_walk *walk)
{
    if (walk == NULL)
        return;
    index_fini(&walk->nodes);
    cells_fini(&walk->known);
    free(walk);
}

/* The next slice inside the range; false at the end. */
static bool next_slice(struct fold_walk *walk)
{
    do
        walk->slice = profile_next_slice(&walk->cursor);
    while (walk->slice != NULL && !selection_has_slice(&walk->whole->selection, walk->slice));
    if (walk->slice == NULL)
        return false;
    slice_entries(walk->slice, &walk->entries);
    return true;
}

bool fold_walk_next(struct fold_walk *walk, struct fold_sample *sample)
{
    const struct whole_fold *whole = walk->whole;
    struct slice_entry entry;

    if (walk->slice == NULL && !next_slice(walk))
        return false;
    for (;;) {
        struct shown shown;
        uint32_t process;

        while (!slice_next_entry(&walk->entries, &entry))
            if (!next_slice(walk))
                return false;
        if (!selection_has_group(&whole->selection, &entry) ||
            !selection_has_thread(&whole->selection, entry.thread))
            continue;
        shown = display_stack(whole->display, entry.stack);
        if (shown.excluded)
            continue;
        process = walk->processes ? (uint32_t)profile_thread(whole->profile, entry.thread)->pid : 0;
        *sample = (struct fold_sample){
            .start_ns = slice_start_ns(walk->slice),
            .end_ns = slice_end_ns(walk->slice),
            .thread = entry.thread,
            .node = lead(walk, process, shown.node),
            .weight = entry.weight,
            .samples = entry.count,
        };
        return true;
    }
}
