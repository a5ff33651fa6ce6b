/* SPDX-License-Identifier: MIT */
/* Why a blocked thread waits, from the system call it is in.  Private to source/. */
#ifndef PROFTOP_SOURCE_WAIT_REASON_H
#define PROFTOP_SOURCE_WAIT_REASON_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/proc.h"
#include "proftop/record.h"

/* STATE: the letter of /proc/…/stat where it is known, else 0. */
enum wait_reason wait_reason_of(const char *proc_root, int32_t pid, int32_t tid,
                                const struct proc_syscall *syscall, char state);

/* Whether SYSCALL, a number or -1, is for waiting: it may return at once all the same. */
bool wait_is_all_of(int64_t syscall);

#endif
