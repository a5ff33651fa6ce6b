/* SPDX-License-Identifier: MIT */
/* What the formats made of stacks share. */
#include "config.h"

#include "stacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "proftop/metric.h"
#include "proftop/profile.h"
#include "proftop/text.h"

static const char *unit_name(enum metric_unit unit)
{
    static const char *const names[] = {
        [METRIC_NANOSECONDS] = "nanoseconds",
        [METRIC_BYTES] = "bytes",
        [METRIC_COUNT] = "count",
    };

    return names[unit];
}

struct measure weight_of(const struct fold *fold)
{
    const struct metric_info *info = metric_of(&fold->scope);

    return (struct measure){ .name = info->name, .unit = unit_name(info->unit) };
}

struct measure measure_of(const struct fold *fold)
{
    const struct scope *scope = &fold->scope;

    if (scope->metric == METRIC_TIME && (scope->state == SCOPE_ON_CPU || scope->state == SCOPE_GIL))
        return (struct measure){ .samples = true, .name = "samples", .unit = "count" };
    return weight_of(fold);
}

uint64_t measure_self(const struct measure *measure, const struct fold_node *node)
{
    return measure->samples ? node->self_samples : node->self;
}

uint64_t measure_total(const struct measure *measure, const struct fold_node *node)
{
    return measure->samples ? node->total_samples : node->total;
}

void path_to(struct path *path, const struct fold *fold, node_id node)
{
    size_t depth = 0;

    for (node_id at = node; at != NODE_ROOT; at = fold->nodes[at].parent)
        depth++;
    path->nodes = array_reserve(path->nodes, &path->capacity, depth + 1, sizeof(node_id));
    path->count = depth;
    for (node_id at = node; at != NODE_ROOT; at = fold->nodes[at].parent)
        path->nodes[--depth] = at;
}

void path_fini(struct path *path)
{
    free(path->nodes);
}

const struct function *node_function(const struct fold *fold, const struct fold_node *node)
{
    return names_get(fold->names, node->function);
}

static const char *process_name(const struct profile *profile, int32_t pid, char *buffer,
                                size_t size_bytes)
{
    for (uint32_t i = 0; i < profile_threads(profile); i++) {
        const struct profile_thread *thread = profile_thread(profile, i);

        if (thread->pid == pid && thread->process) {
            snprintf(buffer, size_bytes, "%s[%d]", thread->name, (int)pid);
            return buffer;
        }
    }
    snprintf(buffer, size_bytes, "[%d]", (int)pid);
    return buffer;
}

const char *node_name(const struct fold *fold, const struct fold_node *node, char *buffer,
                      size_t size_bytes)
{
    const struct function *function;

    if (node->process != 0)
        return process_name(fold->profile, (int32_t)node->process, buffer, size_bytes);
    function = node_function(fold, node);
    if (function->kind != FRAME_PYTHON || function->file[0] == '\0')
        return function->name;
    snprintf(buffer, size_bytes, "%s (%s:%u)", function->name, text_base_name(function->file),
             function->line);
    return buffer;
}

const char *kind_name(enum frame_kind kind)
{
    static const char *const names[FRAME_KINDS] = {
        [FRAME_NATIVE] = "native", [FRAME_KERNEL] = "kernel", [FRAME_JIT] = "jit",
        [FRAME_PYTHON] = "python", [FRAME_INLINE] = "inline", [FRAME_MARK] = "mark",
    };

    return names[kind];
}
