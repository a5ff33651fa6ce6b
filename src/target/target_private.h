/* SPDX-License-Identifier: MIT */
/* What target.c and launch.c share. */
#ifndef PROFTOP_TARGET_PRIVATE_H
#define PROFTOP_TARGET_PRIVATE_H

#include "proftop/target.h"

#include <pthread.h>

#include "proftop/index.h"

struct target {
    char *proc_root;
    char *command;
    bool children;
    int32_t pid; /* the first one asked for */

    int32_t launched; /* 0: attached */
    int master_fd;    /* the pty's side that is ours; -1: none */
    int go_fd;        /* a byte written here lets the child exec; -1 afterwards */
    int exec_fd;      /* the child's errno when its exec failed, else end of file; -1 afterwards */

    pthread_mutex_t lock; /* guards the rest */
    struct target_process *processes;
    size_t count, capacity;
    size_t ended; /* of them */
    uint64_t ends,
        ends_seen;       /* of any process, ever; by the last look at who adopted its children */
    struct index by_pid; /* pid → processes that have or had it */
};

struct target *target_new(const struct target_options *options);
/* Adds PID if it exists: the process, valid until the next one is added, or NULL. */
struct target_process *target_append(struct target *target, int32_t pid);

#endif
