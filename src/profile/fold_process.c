/* SPDX-License-Identifier: MIT */
/*
 * The tree of a fold: the display's nodes as they are, or, where there are several processes, a
 * level of processes with the nodes that each of them has.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "fold_private.h"
#include "proftop/memory.h"

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

void fold_build_tree(struct build *build)
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
