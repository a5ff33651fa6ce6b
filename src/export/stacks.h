/* SPDX-License-Identifier: MIT */
/*
 * What the formats made of stacks share: which number of a node they show, the path from the root
 * to it, and what a node is called.
 */
#ifndef EXPORT_STACKS_H
#define EXPORT_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/fold.h"

/* The one number of a format that has but one. */
struct measure {
    bool samples;     /* count samples, else sum the metric */
    const char *name; /* "samples", "cpu", "wait", "faults"… */
    const char *unit; /* "count", "nanoseconds", "bytes" */
};

struct measure weight_of(const struct fold *fold); /* always the metric */
struct measure measure_of(const struct fold *fold);
uint64_t measure_self(const struct measure *measure, const struct fold_node *node);
uint64_t measure_total(const struct measure *measure, const struct fold_node *node);

/* Starts zeroed; ends with path_fini(). */
struct path {
    node_id *nodes; /* root's child first */
    size_t count, capacity;
};

void path_to(struct path *path, const struct fold *fold, node_id node);
void path_fini(struct path *path);

/*
 * What NODE is called, in BUFFER where it had to be composed: the function's name, a Python
 * function with its file, a process with its pid.
 */
const char *node_name(const struct fold *fold, const struct fold_node *node, char *buffer,
                      size_t size_bytes);
const struct function *node_function(const struct fold *fold, const struct fold_node *node);

/* "native", "kernel", "python", "jit", "inline", "mark". */
const char *kind_name(enum frame_kind kind);

#endif
