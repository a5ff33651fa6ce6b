/* SPDX-License-Identifier: MIT */
/*
 * Every thread's stack once: what "proftop dump" prints.  Nothing runs on afterwards.
 *
 *     blocked thread ─► peeked: not stopped ───────────────┐
 *     running thread ─► stopped, copied, resumed at once ──┴─► unwound ─► Python frames put in
 * place
 */
#ifndef PROFTOP_DUMP_H
#define PROFTOP_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/frame.h"
#include "proftop/record.h"

struct codes;
struct modules;
struct target;

struct dump_thread {
    int32_t tid;
    char name[64];
    char state; /* the letter of /proc: R S D T t Z X I */
    enum wait_reason reason;
    int64_t syscall; /* the number it is in; -1: none, or not known */
    enum stack_end end;
    enum gil gil;
    struct frame *frames; /* innermost first */
    uint32_t count;
    const char *trouble; /* why there are no frames, translated; or NULL */
};

struct dump {
    struct dump_thread *threads; /* the first one first, then by tid */
    size_t count;
    char python[1024]; /* why Python frames are missing, translated; or "" */
};

/*
 * All threads of PID, a process of TARGET.  Modules and code records are added to MODULES and
 * CODES.  NULL when not one stack may be read.
 */
struct dump *dump_take(struct target *target, int32_t pid, bool python, struct modules *modules,
                       struct codes *codes, struct error *error);
void dump_free(struct dump *dump);

#endif
