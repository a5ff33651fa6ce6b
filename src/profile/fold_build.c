/* SPDX-License-Identifier: MIT */
/*
 * A fold from its sums.
 *
 *     weight per stack ─► self per display node ─► totals, up to the root ─► fold_rows.c
 *                                                                         └► fold_process.c
 *
 * Rows and tree come from the same nodes, so that their numbers agree.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fold_private.h"
#include "proftop/memory.h"
#include "proftop/share.h"

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

void fold_build(struct whole_fold *whole, const struct sums *sums, bool rows_only)
{
    struct build build = { .whole = whole, .sums = sums, .display = whole->display };

    build.node_count = display_nodes(whole->display);
    build.nodes = xcalloc(build.node_count, sizeof(*build.nodes));
    add_stacks(&build);
    add_up(&build);
    fold_build_rows(&build);
    if (!rows_only) {
        fold_build_tree(&build);
        fold_build_threads(whole, sums);
    }
    set_totals(&whole->fold, sums);
    free(build.nodes);
}
