/* SPDX-License-Identifier: MIT */
/*
 * Freezes a thread for tests: all registers and a copy of its stack, taken while ptrace holds it,
 * and its mappings.  What a source does on its way, in the plainest way.
 */
#ifndef HARNESS_FREEZE_H
#define HARNESS_FREEZE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "proftop/unwind.h"

struct freeze {
    struct frozen frozen; /* refers to the rest */
    struct maps *maps;
    uint8_t *stack;
    size_t capacity;
};

void freeze_init(struct freeze *freeze, size_t stack_max_bytes);
void freeze_fini(struct freeze *freeze);

/* Attaches to a thread (PTRACE_SEIZE), or lets it go. */
bool freeze_attach(pid_t tid);
void freeze_detach(pid_t tid);

/* Stops the thread, takes everything, and, unless HOLD, lets it run on.  False when it is gone. */
bool freeze_take(struct freeze *freeze, pid_t pid, pid_t tid, struct modules *modules, bool hold);

/* Takes everything again from a thread that is held already. */
bool freeze_refresh(struct freeze *freeze, struct modules *modules);

/* For frozen.peek of a held thread; CONTEXT is its struct freeze. */
bool freeze_peek(void *context, uint64_t address, void *buffer, size_t size);

/* Lets a held thread run on. */
void freeze_continue(pid_t tid);

#endif
