/* SPDX-License-Identifier: MIT */
/* A victim at rest, frozen, and its unwound stack: what tests of whole stacks work with. */
#ifndef HARNESS_SCENE_H
#define HARNESS_SCENE_H

#include <sys/types.h>

#include "proftop/unwind.h"
#include "tests/harness/freeze.h"
#include "tests/harness/victim.h"

enum { SCENE_LIMIT = 2048, SCENE_STACK_BYTES = 1 << 20 };

struct scene {
    struct modules *modules;
    struct unwinder *unwinder;
    struct victim victim;
    pid_t tid; /* the thread that is held */
    struct freeze freeze;
    struct frame frames[SCENE_LIMIT];
    uint64_t stacks[SCENE_LIMIT];
    struct unwound unwound;
};

/* Starts a program with SHAPE as its argument, waits for its first byte, and holds it. */
struct scene *scene_of(const char *path, const char *shape);

/* The same with a program of this build. */
struct scene *scene_new(const char *program, const char *shape);
void scene_free(struct scene *scene);

void scene_unwind(struct scene *scene);
void scene_print(struct scene *scene);

/* The first frame from FROM on that is in the function NAME, or the count of frames. */
uint32_t scene_find(struct scene *scene, const char *name, uint32_t from);

/*
 * Fails unless the stack is whole and has CHAIN in it, functions from the inside out, one behind
 * the other; "…" stands for any number.
 */
void scene_expect(struct scene *scene, const char *const *chain);

#endif
