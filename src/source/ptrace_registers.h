/* SPDX-License-Identifier: MIT */
/* The registers of a stopped thread.  Private to source/. */
#ifndef PROFTOP_SOURCE_PTRACE_REGISTERS_H
#define PROFTOP_SOURCE_PTRACE_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/unwind.h"

/* The system call a thread was stopped in, as far as its registers tell. */
struct stopped_call {
    int64_t number; /* -1: none, or not known */
    bool woken;     /* the stop, or a signal, cut it short: the thread slept, or was about to */
    bool failed;    /* likewise, and the program would see that: EINTR */
};

bool ptrace_registers(int32_t tid, struct registers *registers, struct stopped_call *call);

/* Whether the stop has made a wait without a time limit fail with EINTR. */
bool ptrace_endless_wait(int32_t tid);

/* Has the kernel restart the system call that ptrace_registers() found interrupted. */
bool ptrace_restart_syscall(int32_t tid);

#endif
