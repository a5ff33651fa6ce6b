/* SPDX-License-Identifier: MIT */
/* From the nodes of a fold to the rows of a tree.  Iterative: a hostile stack can be deep. */
#include "config.h"

#include "tree_rows.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/arena.h"
#include "proftop/hash.h"
#include "proftop/memory.h"

enum { INDENT = 2, ROWS_MAX = 200000 };
#define PATH_ROOT UINT64_C(1)
#define HOT_SHARE 0.2

/* Nodes that make one row: same function, reached by the same path of rows. */
struct group {
    const node_id *nodes;
    uint32_t count;
    uint64_t path, total;
    uint32_t rank; /* where it was shown before, among everything */
};

struct pending {
    struct group group;
    int parent, indent;
    bool chain;
};

struct build {
    struct tree_rows *out;
    const struct fold *fold;
    struct arena *arena;
    const struct tree_rows *before; /* the order to keep, or NULL */
    struct pending *stack;
    size_t depth, room;
    struct group *children; /* of the row at hand */
    size_t child_count, child_room;
    node_id *members; /* its nodes, those of its recursion too */
    size_t member_count, member_room;
};

static uint64_t path_below(uint64_t path, const struct fold_node *node)
{
    uint64_t below = hash_pair(path, (uint64_t)node->process << 32 | node->function);

    return below == PATH_NONE ? PATH_ROOT + 1 : below;
}

static struct tree_choice *find_choice(const struct tree_folding *folding, uint64_t path)
{
    struct index_cursor cursor;
    uint32_t item;

    if (folding->count == 0)
        return NULL;
    index_probe(&folding->index, path, &cursor);
    while ((item = index_next(&folding->index, &cursor)) != INDEX_END)
        if (folding->choices[item].path == path)
            return &folding->choices[item];
    return NULL;
}

static void choose(struct tree_folding *folding, uint64_t path, bool open)
{
    struct tree_choice *choice = find_choice(folding, path);

    if (choice != NULL) {
        choice->open = open;
        return;
    }
    if (folding->count == 0)
        index_init(&folding->index);
    folding->choices = array_reserve(folding->choices, &folding->room, folding->count + 1,
                                     sizeof(folding->choices[0]));
    folding->choices[folding->count] = (struct tree_choice){ path, open };
    index_add(&folding->index, path, (uint32_t)folding->count++);
}

/* A row that has once opened by itself stays so: hot and cold alternate around any threshold. */
static bool is_open(struct tree_folding *folding, uint64_t path, double share)
{
    const struct tree_choice *choice = find_choice(folding, path);

    if (choice != NULL)
        return choice->open;
    if (share < folding->open_from && path != PATH_ROOT)
        return false;
    if (folding->open_from > 0)
        choose(folding, path, true);
    return true;
}

static bool same_function(const struct fold_node *a, const struct fold_node *b)
{
    return a->function == b->function && a->process == 0 && b->process == 0;
}

static void add_member(struct build *build, node_id node)
{
    build->members = array_reserve(build->members, &build->member_room, build->member_count + 1,
                                   sizeof(build->members[0]));
    build->members[build->member_count++] = node;
}

/* The nodes of GROUP and of the recursion below them; how deep that recursion goes. */
static uint32_t gather_members(struct build *build, const struct group *group)
{
    const struct fold_node *nodes = build->fold->nodes;
    uint32_t base = UINT32_MAX, deepest = 0;

    build->member_count = 0;
    for (uint32_t i = 0; i < group->count; i++)
        add_member(build, group->nodes[i]);
    for (size_t i = 0; i < build->member_count; i++) {
        const struct fold_node *node = &nodes[build->members[i]];

        if (node->depth < base)
            base = node->depth;
        if (node->depth > deepest)
            deepest = node->depth;
        for (node_id child = node->child; child != NODE_END; child = nodes[child].next)
            if (same_function(node, &nodes[child]))
                add_member(build, child);
    }
    return deepest - base + 1;
}

/* The members at hand call anything but themselves. */
static bool has_children(const struct build *build)
{
    const struct fold_node *nodes = build->fold->nodes;

    for (size_t i = 0; i < build->member_count; i++) {
        const struct fold_node *member = &nodes[build->members[i]];

        for (node_id child = member->child; child != NODE_END; child = nodes[child].next)
            if (!same_function(member, &nodes[child]))
                return true;
    }
    return false;
}

struct child {
    node_id node;
    uint64_t path;
};

static int compare_children(const void *a, const void *b)
{
    const struct child *first = a, *second = b;

    if (first->path != second->path)
        return first->path < second->path ? -1 : 1;
    return first->node < second->node ? -1 : 1;
}

static uint32_t rank_of(const struct build *build, uint64_t path)
{
    int row = build->before != NULL ? tree_rows_find(build->before, path) : -1;

    return row >= 0 ? (uint32_t)row : UINT32_MAX;
}

static int compare_groups(const void *a, const void *b)
{
    const struct group *first = a, *second = b;

    if (first->rank != second->rank)
        return first->rank < second->rank ? -1 : 1;
    if (first->total != second->total)
        return first->total > second->total ? -1 : 1;
    return first->path < second->path ? -1 : 1;
}

/* The children of the members at hand, by function, heaviest first, as the fold has one node's. */
static void gather_children(struct build *build, uint64_t path)
{
    const struct fold_node *nodes = build->fold->nodes;
    struct child *found = NULL;
    size_t count = 0, room = 0;
    node_id *ids;

    build->child_count = 0;
    for (size_t i = 0; i < build->member_count; i++) {
        const struct fold_node *member = &nodes[build->members[i]];

        for (node_id child = member->child; child != NODE_END; child = nodes[child].next) {
            if (same_function(member, &nodes[child]))
                continue;
            found = array_reserve(found, &room, count + 1, sizeof(found[0]));
            found[count++] = (struct child){ child, path_below(path, &nodes[child]) };
        }
    }
    if (count != 0 && build->member_count > 1)
        qsort(found, count, sizeof(found[0]), compare_children);
    ids = arena_alloc(build->arena, sizeof(*ids) * (count + 1));
    for (size_t i = 0; i < count; i++) {
        struct group *group;

        ids[i] = found[i].node;
        if (i == 0 || found[i].path != found[i - 1].path) {
            build->children = array_reserve(build->children, &build->child_room,
                                            build->child_count + 1, sizeof(build->children[0]));
            build->children[build->child_count++] = (struct group){
                .nodes = &ids[i], .path = found[i].path, .rank = rank_of(build, found[i].path)
            };
        }
        group = &build->children[build->child_count - 1];
        group->count++;
        group->total += nodes[ids[i]].total;
    }
    if (build->child_count > 1 && (build->member_count > 1 || build->before != NULL))
        qsort(build->children, build->child_count, sizeof(build->children[0]), compare_groups);
    for (size_t i = 1; i < build->child_count; i++)
        build->out->held |= build->children[i].total > build->children[i - 1].total;
    free(found);
}

static void push(struct build *build, const struct pending *pending)
{
    build->stack =
        array_reserve(build->stack, &build->room, build->depth + 1, sizeof(build->stack[0]));
    build->stack[build->depth++] = *pending;
}

/* Makes the row of PENDING and leaves its children on the stack, heaviest on top. */
static void add_row(struct build *build, const struct pending *pending)
{
    const struct fold_node *nodes = build->fold->nodes;
    const struct fold_node *first = &nodes[pending->group.nodes[0]];
    struct tree_rows *out = build->out;
    int at = (int)out->count;
    struct tree_row *row;
    double share;

    out->rows = array_reserve(out->rows, &out->room, out->count + 1, sizeof(out->rows[0]));
    row = &out->rows[out->count++];
    *row = (struct tree_row){ .path = pending->group.path,
                              .function = first->function,
                              .process = first->process,
                              .line = first->line,
                              .parent = pending->parent,
                              .indent = pending->indent,
                              .chain = pending->chain };
    row->times = gather_members(build, &pending->group);
    for (uint32_t i = 0; i < pending->group.count; i++) {
        row->total += nodes[pending->group.nodes[i]].total;
        row->total_samples += nodes[pending->group.nodes[i]].total_samples;
    }
    for (size_t i = 0; i < build->member_count; i++) {
        row->self += nodes[build->members[i]].self;
        row->self_samples += nodes[build->members[i]].self_samples;
    }
    share = nodes[NODE_ROOT].total != 0 ? (double)row->total / (double)nodes[NODE_ROOT].total : 0;
    row->has_children = has_children(build);
    row->open = row->has_children && is_open(&out->folding, row->path, share);
    index_add(&out->by_path, row->path, (uint32_t)at);
    if (!row->open) /* most rows are closed: what is below them is not even looked at */
        return;
    gather_children(build, row->path);
    for (size_t i = build->child_count; i-- > 0;) {
        bool chain = build->child_count == 1 && row->self_samples == 0 && pending->parent >= 0;

        push(build, &(struct pending){ .group = build->children[i],
                                       .parent = at,
                                       .indent = row->indent + (chain ? 0 : INDENT),
                                       .chain = chain });
    }
}

void tree_rows_update(struct tree_rows *rows, const struct fold *fold, bool hold)
{
    static const node_id root = NODE_ROOT;
    struct tree_rows before = *rows;
    struct build build = { .out = rows, .fold = fold };

    rows->rows = NULL;
    rows->count = rows->room = 0;
    rows->held = false;
    index_init(&rows->by_path);
    if (!before.valid && rows->folding.open_from == 0)
        rows->folding.open_from = HOT_SHARE;
    if (fold->node_count != 0) {
        build.arena = arena_new();
        build.before = hold && before.valid ? &before : NULL;
        push(&build, &(struct pending){ .group = { .nodes = &root, .count = 1, .path = PATH_ROOT },
                                        .parent = -1 });
        while (build.depth > 0 && rows->count < ROWS_MAX) {
            struct pending pending = build.stack[--build.depth];

            add_row(&build, &pending);
        }
        arena_free(build.arena);
    }
    free(build.stack);
    free(build.children);
    free(build.members);
    free(before.rows);
    if (before.valid)
        index_fini(&before.by_path);
    rows->version = fold->version;
    rows->valid = true;
    rows->touched = false;
}

void tree_rows_fini(struct tree_rows *rows)
{
    free(rows->rows);
    if (rows->valid)
        index_fini(&rows->by_path);
    free(rows->folding.choices);
    if (rows->folding.count != 0)
        index_fini(&rows->folding.index);
    memset(rows, 0, sizeof(*rows));
}

int tree_rows_find(const struct tree_rows *rows, uint64_t path)
{
    struct index_cursor cursor;
    uint32_t item;

    if (!rows->valid || rows->count == 0)
        return -1;
    index_probe(&rows->by_path, path, &cursor);
    while ((item = index_next(&rows->by_path, &cursor)) != INDEX_END)
        if (rows->rows[item].path == path)
            return (int)item;
    return -1;
}

void tree_rows_set(struct tree_rows *rows, uint64_t path, bool open)
{
    choose(&rows->folding, path, open);
    rows->touched = true;
}

void tree_rows_set_all(struct tree_rows *rows, double share)
{
    if (rows->folding.count != 0)
        index_fini(&rows->folding.index);
    rows->folding.count = 0;
    rows->folding.open_from = share;
    rows->touched = true;
}

/* The path of NODE as rows see it: a function called by itself makes no step. */
static uint64_t open_above(struct tree_rows *rows, const struct fold *fold, node_id node)
{
    node_id *up = NULL;
    size_t depth = 0, room = 0;
    uint64_t path = PATH_ROOT;

    for (; node != NODE_ROOT; node = fold->nodes[node].parent) {
        const struct fold_node *parent = &fold->nodes[fold->nodes[node].parent];

        if (same_function(parent, &fold->nodes[node]) && fold->nodes[node].parent != NODE_ROOT)
            continue;
        up = array_reserve(up, &room, depth + 1, sizeof(up[0]));
        up[depth++] = node;
    }
    while (depth-- > 0) {
        choose(&rows->folding, path, true);
        path = path_below(path, &fold->nodes[up[depth]]);
    }
    free(up);
    rows->touched = true;
    return path;
}

uint64_t tree_rows_reveal(struct tree_rows *rows, const struct fold *fold, function_id function)
{
    node_id best = NODE_ROOT;

    for (node_id node = 1; node < fold->node_count; node++)
        if (fold->nodes[node].function == function && fold->nodes[node].process == 0 &&
            (best == NODE_ROOT || fold->nodes[node].total > fold->nodes[best].total))
            best = node;
    return best == NODE_ROOT ? PATH_NONE : open_above(rows, fold, best);
}

/* The node that PATH leads to, by walking down; NODE_ROOT when none does. */
static node_id node_at(const struct tree_rows *rows, const struct fold *fold, uint64_t path)
{
    uint64_t *steps = NULL;
    size_t depth = 0, room = 0;
    node_id node = NODE_ROOT, child;

    for (int row = tree_rows_find(rows, path); row > 0; row = rows->rows[row].parent) {
        steps = array_reserve(steps, &room, depth + 1, sizeof(steps[0]));
        steps[depth++] = rows->rows[row].path;
    }
    for (uint64_t at = PATH_ROOT; depth-- > 0; at = steps[depth]) {
        child = fold->nodes[node].child;
        while (child != NODE_END && path_below(at, &fold->nodes[child]) != steps[depth])
            child = fold->nodes[child].next;
        if (child == NODE_END)
            break;
        node = child;
    }
    free(steps);
    return node;
}

uint64_t tree_rows_hottest(struct tree_rows *rows, const struct fold *fold, uint64_t path)
{
    node_id node = node_at(rows, fold, path);

    while (fold->nodes[node].child != NODE_END &&
           fold->nodes[fold->nodes[node].child].total > fold->nodes[node].self)
        node = fold->nodes[node].child; /* the first child is the heaviest */
    return node == NODE_ROOT ? PATH_NONE : open_above(rows, fold, node);
}
