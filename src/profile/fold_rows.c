/* SPDX-License-Identifier: MIT */
/* The rows of a fold: nodes of the same function, summed. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fold_private.h"
#include "proftop/memory.h"
#include "proftop/sorting.h"

static struct fold_row *row_of(struct build *build, struct fold_row *rows, function_id function)
{
    struct whole_fold *whole = build->whole;

    if (whole->row_of[function] == 0) {
        rows[whole->fold.row_count] = (struct fold_row){ .function = function };
        whole->row_of[function] = ++whole->fold.row_count;
    }
    return &rows[whole->row_of[function] - 1];
}

/* Self weight by (row, line), sorted by row. */
static size_t gather_lines(const struct build *build, struct sort_key *keys)
{
    size_t count = 0;

    for (stack_id stack = 1; stack < build->sums->stack_count; stack++) {
        const struct stack_sum *sum = &build->sums->stacks[stack];
        uint32_t line;

        if (sum->weight == 0 || sum->leaf == 0 || sum->leaf == LEAF_EXCLUDED)
            continue;
        line = display_line(build->display, stack);
        if (line != 0)
            keys[count++] =
                (struct sort_key){ (uint64_t)(build->whole->row_of[sum->leaf - 1] - 1) << 32 | line,
                                   stack };
    }
    sort_keys(keys, count);
    return count;
}

/* The line with most self weight of each row. */
static void find_lines(struct build *build, struct fold_row *rows)
{
    struct sort_key *keys = xmalloc(build->sums->stack_count * sizeof(*keys));
    size_t count = gather_lines(build, keys);
    uint64_t best = 0;

    for (size_t i = 0; i < count;) {
        uint64_t key = keys[i].key, weight = 0;

        if (i == 0 || keys[i - 1].key >> 32 != key >> 32)
            best = 0;
        for (; i < count && keys[i].key == key; i++)
            weight += build->sums->stacks[keys[i].item].weight;
        if (weight > best) {
            best = weight;
            rows[key >> 32].line = (uint32_t)key;
        }
    }
    free(keys);
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

static int compare_names(const void *left, const void *right, void *context)
{
    const struct fold_row *a = left, *b = right;
    const struct names *names = context;
    int order = strcmp(names_get(names, a->function)->name, names_get(names, b->function)->name);

    return order != 0 ? order : (a->function > b->function) - (a->function < b->function);
}

/* By falling self, then falling total, then name. */
static struct fold_row *sort_rows(const struct fold *fold, const struct fold_row *rows,
                                  uint64_t most, struct arena *arena)
{
    struct sort_key *keys = xmalloc(((size_t)fold->row_count + 1) * sizeof(*keys));
    struct fold_row *sorted = arena_alloc(arena, ((size_t)fold->row_count + 1) * sizeof(*sorted));

    for (uint32_t i = 0; i < fold->row_count; i++)
        keys[i] = (struct sort_key){ most - rows[i].total, i };
    sort_keys(keys, fold->row_count);
    for (uint32_t i = 0; i < fold->row_count; i++)
        keys[i].key = most - rows[keys[i].item].self;
    sort_keys(keys, fold->row_count);
    for (uint32_t i = 0; i < fold->row_count; i++)
        sorted[i] = rows[keys[i].item];
    free(keys);
    for (uint32_t i = 0, next; i < fold->row_count; i = next) {
        for (next = i + 1; next < fold->row_count && sorted[next].self == sorted[i].self &&
                           sorted[next].total == sorted[i].total;)
            next++;
        if (next - i > 1)
            qsort_r(&sorted[i], next - i, sizeof(*sorted), compare_names, (void *)fold->names);
    }
    return sorted;
}

/* What was counted, by row as they are sorted, and of all behind the last. */
static void add_counts(struct whole_fold *whole, const struct sums *sums)
{
    size_t rows = whole->fold.row_count;
    struct fold_counts *all;

    if (sums->counts_count == 0)
        return;
    whole->counts = arena_zalloc(whole->arena, (rows + 1) * sizeof(*whole->counts));
    all = &whole->counts[rows];
    for (stack_id stack = 0; stack < sums->counts_count; stack++) {
        uint32_t leaf = sums->stacks[stack].leaf;
        uint32_t row = leaf != 0 && leaf != LEAF_EXCLUDED ? whole->row_of[leaf - 1] : 0;

        for (int i = 0; i < COUNTED; i++) {
            all->of[i] += sums->counts[stack].of[i];
            if (row != 0)
                whole->counts[row - 1].of[i] += sums->counts[stack].of[i];
        }
    }
}

void fold_build_rows(struct build *build)
{
    struct whole_fold *whole = build->whole;
    struct fold_row *rows;

    whole->function_count = names_functions(whole->fold.names);
    whole->row_of =
        arena_zalloc(whole->arena, (size_t)whole->function_count * sizeof(*whole->row_of));
    rows = xmalloc(((size_t)whole->function_count + 1) * sizeof(*rows));
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
    whole->fold.rows = sort_rows(&whole->fold, rows, build->nodes[NODE_ROOT].total, whole->arena);
    for (uint32_t i = 0; i < whole->fold.row_count; i++)
        whole->row_of[whole->fold.rows[i].function] = i + 1;
    add_counts(whole, build->sums);
    free(rows);
}

const struct fold_counts *fold_counts(const struct fold *fold, function_id function)
{
    const struct whole_fold *whole = (const struct whole_fold *)fold;

    if (whole->counts == NULL)
        return NULL;
    if (function == UINT32_MAX)
        return &whole->counts[fold->row_count];
    if (function >= whole->function_count || whole->row_of[function] == 0)
        return NULL;
    return &whole->counts[whole->row_of[function] - 1];
}

const struct fold_row *fold_find(const struct fold *fold, function_id function)
{
    const struct whole_fold *whole = (const struct whole_fold *)fold;

    if (function >= whole->function_count || whole->row_of[function] == 0)
        return NULL;
    return &fold->rows[whole->row_of[function] - 1];
}
