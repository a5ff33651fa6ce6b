/* SPDX-License-Identifier: MIT */
/* The registers of a stopped thread.  Private to source/. */
#ifndef PROFTOP_SOURCE_PTRACE_REGISTERS_H
#define PROFTOP_SOURCE_PTRACE_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/unwind.h"

/*
 * Fills REGISTERS, and SYSCALL with the number of the system call the thread is in or -1.  Where
 * the stop has made that system call fail with EINTR, INTERRUPTED says so.
 */
bool ptrace_registers(int32_t tid, struct registers *registers, int64_t *syscall,
                      bool *interrupted);

/* Whether the stop has made a wait without a time limit fail with EINTR. */
bool ptrace_endless_wait(int32_t tid);

/* Has the kernel restart the system call that ptrace_registers() found interrupted. */
bool ptrace_restart_syscall(int32_t tid);

#endif
