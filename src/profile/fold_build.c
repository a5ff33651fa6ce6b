/* SPDX-License-Identifier: MIT */
/*
 * A fold from its sums.
 *
 *     weight per stack ─► self per display node ─► totals, up to the root ─► rows by function
 *                                               └► by process, where there are several ─► tree
 *
 * Rows and tree come from the same nodes, so that their numbers agree.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold_private.h"
#include "proftop/memory.h"
#include "proftop/share.h"

/* What is summed by display node; the same index as the display's. */
struct node_sum {
    function_id function; /* drawn; FUNCTION_ROOT for the root */
    uint64_t self, total, self_samples, total_samples, python;
    uint64_t threads; /* short way: a bit a thread */
    uint32_t line;
    uint64_t votes; /* how far ahead LINE is, by the majority vote of Boyer and Moore */
};

struct build {
    struct whole_fold *whole;
    const struct sums *sums;
    const struct display *display;
    struct node_sum *nodes;
    uint32_t node_count;
};

struct whole_fold *fold_new(struct profile *profile, struct display *display,
                            const struct selection *selection)
{
    struct whole_fold *whole = xcalloc(1, sizeof(*whole));

    whole->profile = profile_ref(profile);
    whole->display = display_ref(display);
    whole->selection = *selection;
    whole->arena = arena_new();
    whole->fold.profile = profile;
    whole->fold.names = profile_names(profile);
    return whole;
}

void fold_free(struct fold *fold)
{
    struct whole_fold *whole = (struct whole_fold *)fold;

    if (whole == NULL)
        return;
    profile_unref(whole->profile);
    display_unref(whole->display);
    selection_fini(&whole->selection);
    arena_free(whole->arena);
    free(whole);
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static void vote(struct node_sum *node, uint32_t line, uint64_t weight)
{
    if (line == 0)
        return;
    if (node->line == line) {
        node->votes += weight;
    } else if (node->votes < weight) {
        node->line = line;
        node->votes = weight - node->votes;
    } else {
        node->votes -= weight;
    }
}

static void add_stacks(struct build *build)
{
    const struct names *names = build->whole->fold.names;
    size_t count = build->sums->stack_count;
    uint64_t *totals = xmalloc(count * sizeof(*totals));

    for (size_t i = 0; i < count; i++)
        totals[i] = build->sums->stacks[i].weight;
    for (stack_id stack = (stack_id)count; stack-- > 0;) {
        const struct stack_sum *sum = &build->sums->stacks[stack];
        struct shown shown;
        struct node_sum *node;

        if (totals[stack] == 0 && sum->samples == 0)
            continue;
        shown = display_stack(build->display, stack);
        node = &build->nodes[shown.node];
        node->self += sum->weight;
        node->self_samples += sum->samples;
        node->python += shown.python ? sum->weight : 0;
        node->threads |= sum->threads;
        if (stack == STACK_ROOT)
            continue;
        vote(node, display_line(build->display, stack), totals[stack]);
        totals[names_parent(names, stack)] += totals[stack];
    }
    free(totals);
}

static void add_up(struct build *build)
{
    for (uint32_t i = build->node_count; i-- > 0;) {
        struct node_sum *node = &build->nodes[i];

        node->total += node->self;
        node->total_samples += node->self_samples;
        if (i != 0) {
            struct node_sum *parent = &build->nodes[display_node(build->display, i)->parent];

            parent->total += node->total;
            parent->total_samples += node->total_samples;
            parent->threads |= node->threads;
        }
    }
    for (uint32_t i = 0; i < build->node_count; i++) {
        if (build->nodes[i].total_samples != 0)
            build->nodes[i].function = display_function(build->whole->display, i);
    }
}

/* ---- rows ------------------------------------------------------------------------------------ */

static struct fold_row *row_of(struct build *build, struct fold_row *rows, function_id function)
{
    struct whole_fold *whole = build->whole;

    if (whole->row_of[function] == 0) {
        rows[whole->fold.row_count] = (struct fold_row){ .function = function };
        whole->row_of[function] = ++whole->fold.row_count;
    }
    return &rows[whole->row_of[function] - 1];
}

/* The line with most self weight of each row. */
static void find_lines(struct build *build, struct fold_row *rows)
{
    struct cells lines;
    uint64_t *best = xcalloc(build->whole->fold.row_count + 1, sizeof(*best));

    cells_init(&lines);
    for (stack_id stack = 1; stack < build->sums->stack_count; stack++) {
        const struct stack_sum *sum = &build->sums->stacks[stack];
        uint32_t node, line;

        if (sum->weight == 0)
            continue;
        node = display_stack(build->display, stack).node;
        line = node != 0 ? display_line(build->display, stack) : 0;
        if (line != 0)
            cells_add(&lines, (uint64_t)build->nodes[node].function << 32 | line, sum->weight, 0);
    }
    for (size_t i = 0; i < lines.count; i++) {
        uint32_t row = build->whole->row_of[lines.cells[i].key >> 32] - 1;

        if (lines.cells[i].weight > best[row]) {
            best[row] = lines.cells[i].weight;
            rows[row].line = (uint32_t)lines.cells[i].key;
        }
    }
    cells_fini(&lines);
    free(best);
}

/* On how many threads each function was, by the bits of its nodes. */
static void count_bits(struct build *build, struct fold_row *rows)
{
    uint64_t *bits = xcalloc(build->whole->fold.row_count + 1, sizeof(*bits));

    for (uint32_t i = 1; i < build->node_count; i++) {
        if (build->nodes[i].total_samples != 0)
            bits[build->whole->row_of[build->nodes[i].function] - 1] |= build->nodes[i].threads;
    }
    for (uint32_t i = 0; i < build->whole->fold.row_count; i++)
        rows[i].threads = (uint32_t)__builtin_popcountll(bits[i]);
    free(bits);
}

/* The same from each thread's nodes up, each node once a thread. */
static void count_threads(struct build *build, struct fold_row *rows)
{
    uint32_t threads = profile_threads(build->whole->profile);
    uint32_t *node_seen = xcalloc(build->node_count, sizeof(*node_seen));
    uint32_t *row_seen = xcalloc(build->whole->fold.row_count + 1, sizeof(*row_seen));
    struct grouped grouped;

    group_by_thread(&grouped, &build->sums->tops, threads);
    for (uint32_t thread = 0; thread < threads; thread++) {
        for (uint32_t i = grouped.first[thread]; i < grouped.first[thread + 1]; i++) {
            uint32_t node = (uint32_t)grouped.order[i]->key;

            while (node != 0 && node_seen[node] != thread + 1) {
                uint32_t row = build->whole->row_of[build->nodes[node].function] - 1;

                node_seen[node] = thread + 1;
                rows[row].threads += row_seen[row] != thread + 1;
                row_seen[row] = thread + 1;
                node = display_node(build->display, node)->parent;
            }
        }
    }
    grouped_fini(&grouped);
    free(node_seen);
    free(row_seen);
}

static int compare_rows(const void *left, const void *right, void *context)
{
    const struct fold_row *a = left, *b = right;
    const struct names *names = context;
    int order;

    if (a->self != b->self)
        return a->self > b->self ? -1 : 1;
    if (a->total != b->total)
        return a->total > b->total ? -1 : 1;
    order = strcmp(names_get(names, a->function)->name, names_get(names, b->function)->name);
    return order != 0 ? order : (a->function > b->function) - (a->function < b->function);
}

static void build_rows(struct build *build)
{
    struct whole_fold *whole = build->whole;
    struct fold_row *rows;

    whole->function_count = names_functions(whole->fold.names);
    whole->row_of =
        arena_zalloc(whole->arena, (size_t)whole->function_count * sizeof(*whole->row_of));
    rows = arena_alloc(whole->arena, ((size_t)build->node_count + 1) * sizeof(*rows));
    for (uint32_t i = 1; i < build->node_count; i++) {
        const struct node_sum *node = &build->nodes[i];
        struct fold_row *row;

        if (node->total_samples == 0)
            continue;
        row = row_of(build, rows, node->function);
        row->self += node->self;
        row->self_samples += node->self_samples;
        row->python_self += node->python;
        if (!display_node(build->display, i)->recursive) {
            row->total += node->total;
            row->total_samples += node->total_samples;
        }
    }
    find_lines(build, rows);
    if (build->sums->short_way)
        count_bits(build, rows);
    else
        count_threads(build, rows);
    qsort_r(rows, whole->fold.row_count, sizeof(*rows), compare_rows, (void *)whole->fold.names);
    for (uint32_t i = 0; i < whole->fold.row_count; i++)
        whole->row_of[rows[i].function] = i + 1;
    whole->fold.rows = rows;
}

/* ---- tree ------------------------------------------------------------------------------------ */

static struct raw_node raw_of(const struct build *build, uint32_t node)
{
    const struct node_sum *sum = &build->nodes[node];
    const struct display_node *shown = display_node(build->display, node);

    return (struct raw_node){ .function = sum->function,
                              .parent = shown->parent,
                              .depth = shown->depth,
                              .line = sum->line,
                              .self = sum->self,
                              .total = sum->total,
                              .self_samples = sum->self_samples,
                              .total_samples = sum->total_samples };
}

static void build_tree(struct build *build)
{
    struct raw_node *raw = xmalloc((size_t)build->node_count * sizeof(*raw));

    for (uint32_t i = 0; i < build->node_count; i++)
        raw[i] = raw_of(build, i);
    raw[0].function = FUNCTION_ROOT;
    fold_set_tree(build->whole, raw, build->node_count);
    free(raw);
}

/* ---- several processes ----------------------------------------------------------------------- */

/* One tree with a level of processes: an instance of a display node in each process that has it. */
struct instances {
    struct cells index; /* (process, display node) → instance, in the order they came */
    struct raw_node *raw;
    size_t capacity;
    int32_t *pids;
    uint32_t pid_count;
};

static uint32_t process_of(struct instances *instances, int32_t pid)
{
    for (uint32_t i = 0; i < instances->pid_count; i++) {
        if (instances->pids[i] == pid)
            return i;
    }
    instances->pids[instances->pid_count] = pid;
    return instances->pid_count++;
}

static function_id process_function(const struct whole_fold *whole, int32_t pid)
{
    const char *name = "";
    char text[96];
    struct function function = { .kind = FRAME_MARK, .mark = UINT32_MAX, .name = text };

    for (uint32_t i = 0; i < profile_threads(whole->profile); i++) {
        const struct profile_thread *thread = profile_thread(whole->profile, i);

        if (thread->pid == pid && (thread->process || *name == '\0'))
            name = thread->name;
    }
    snprintf(text, sizeof(text), "%s[%d]", name, (int)pid);
    return names_function(profile_names(whole->profile), &function);
}

/* The instance of NODE in the process, made with its ancestors when it is new. */
static uint32_t instance_of(struct build *build, struct instances *instances, uint32_t process,
                            uint32_t node)
{
    size_t known = instances->index.count;
    size_t item = cells_add(&instances->index, (uint64_t)(process + 1) << 32 | node, 0, 0);
    struct raw_node raw;

    if (instances->index.count == known)
        return (uint32_t)instances->index.cells[item].weight;
    raw = raw_of(build, node);
    raw.self = raw.total = raw.self_samples = raw.total_samples = 0;
    raw.depth++;
    if (node == 0) {
        raw.function = process_function(build->whole, instances->pids[process]);
        raw.process = (uint32_t)instances->pids[process];
        raw.parent = 0;
    } else {
        raw.parent =
            instance_of(build, instances, process, display_node(build->display, node)->parent);
    }
    /* The parent's place comes first; the root of all is 0. */
    known = instances->index.cells[0].samples++ + 1;
    instances->index.cells[item].weight = known;
    instances->raw =
        array_reserve(instances->raw, &instances->capacity, known + 1, sizeof(*instances->raw));
    instances->raw[known] = raw;
    return (uint32_t)known;
}

static void build_process_tree(struct build *build, struct instances *instances)
{
    const struct cells *tops = &build->sums->tops;
    uint32_t count;

    cells_add(&instances->index, 0, 0, 0); /* counts the instances */
    instances->raw = array_reserve(NULL, &instances->capacity, 1, sizeof(*instances->raw));
    instances->raw[0] = raw_of(build, 0);
    instances->raw[0].function = FUNCTION_ROOT;
    instances->raw[0].self = instances->raw[0].total = 0;
    instances->raw[0].self_samples = instances->raw[0].total_samples = 0;
    for (size_t i = 0; i < tops->count; i++) {
        const struct cell *cell = &tops->cells[i];
        int32_t pid = profile_thread(build->whole->profile, (uint32_t)(cell->key >> 32))->pid;
        uint32_t at =
            instance_of(build, instances, process_of(instances, pid), (uint32_t)cell->key);

        instances->raw[at].self += cell->weight;
        instances->raw[at].self_samples += cell->samples;
    }
    count = (uint32_t)instances->index.cells[0].samples + 1;
    for (uint32_t i = count; i-- > 0;) {
        struct raw_node *raw = &instances->raw[i];

        raw->total += raw->self;
        raw->total_samples += raw->self_samples;
        if (i != 0) {
            instances->raw[raw->parent].total += raw->total;
            instances->raw[raw->parent].total_samples += raw->total_samples;
        }
    }
    fold_set_tree(build->whole, instances->raw, count);
}

static bool several_processes(const struct build *build)
{
    const struct cells *tops = &build->sums->tops; /* none the short way: one process */
    int32_t first = 0;

    for (size_t i = 0; i < tops->count; i++) {
        uint32_t thread = (uint32_t)(tops->cells[i].key >> 32);
        int32_t pid = profile_thread(build->whole->profile, thread)->pid;

        if (i == 0)
            first = pid;
        else if (pid != first)
            return true;
    }
    return false;
}

static void build_trees(struct build *build)
{
    struct instances instances = { 0 };

    if (!several_processes(build)) {
        build_tree(build);
        return;
    }
    cells_init(&instances.index);
    instances.pids =
        xmalloc((size_t)profile_threads(build->whole->profile) * sizeof(*instances.pids));
    build_process_tree(build, &instances);
    cells_fini(&instances.index);
    free(instances.pids);
    free(instances.raw);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void set_totals(struct fold *fold, const struct sums *sums)
{
    double effective = effective_samples((double)sums->weight, sums->square_sum);
    double largest = 0.5, length_ns = (double)(fold->end_ns - fold->start_ns);

    fold->weight = sums->weight;
    fold->samples = sums->samples;
    fold->tally = sums->tally;
    if (fold->row_count > 0 && sums->weight > 0)
        largest = (double)fold->rows[0].self / (double)sums->weight;
    fold->error_pt = share_error_pt(largest, effective);
    if (fold->scope.metric == METRIC_TIME && fold->scope.state == SCOPE_ON_CPU && length_ns > 0)
        fold->cores = (double)sums->weight / length_ns;
}

void fold_build(struct whole_fold *whole, const struct sums *sums)
{
    struct build build = { .whole = whole, .sums = sums, .display = whole->display };

    build.node_count = display_nodes(whole->display);
    build.nodes = xcalloc(build.node_count, sizeof(*build.nodes));
    add_stacks(&build);
    add_up(&build);
    build_rows(&build);
    build_trees(&build);
    fold_build_threads(whole, sums);
    set_totals(&whole->fold, sums);
    free(build.nodes);
}

const struct fold_row *fold_find(const struct fold *fold, function_id function)
{
    const struct whole_fold *whole = (const struct whole_fold *)fold;

    if (function >= whole->function_count || whole->row_of[function] == 0)
        return NULL;
    return &fold->rows[whole->row_of[function] - 1];
}
