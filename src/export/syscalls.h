/* SPDX-License-Identifier: MIT */
/*
 * System calls by thread and name, in the range of a fold.  Where a source counted them its counts
 * are used; else they are estimated from samples that lie inside a system call.
 */
#ifndef EXPORT_SYSCALLS_H
#define EXPORT_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/fold.h"

struct syscall_row {
    uint32_t thread; /* index in the profile; UINT32_MAX when it is not known */
    int32_t number;
    char name[32];
    const char *thread_name;
    const char *function; /* where most of the time was, in the program; "" when not known */
    uint64_t count, errors, total_ns, p99_ns;
    bool exact; /* counted, not estimated */
};

struct syscall_rows {
    struct syscall_row *rows; /* by falling time */
    size_t count;
};

void syscall_rows_of(const struct fold *fold, struct syscall_rows *rows);
void syscall_rows_fini(struct syscall_rows *rows);

#endif
