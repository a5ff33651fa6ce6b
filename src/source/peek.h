/* SPDX-License-Identifier: MIT */
/*
 * The stack of a blocked thread, read without stopping it: /proc tells the stack pointer and the
 * address it will return to, and process_vm_readv() the stack.  Nothing of it is visible to the
 * thread: no stop, no EINTR.  Private to source/.
 */
#ifndef PROFTOP_SOURCE_PEEK_H
#define PROFTOP_SOURCE_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/proc.h"
#include "proftop/unwind.h"

enum { PEEK_BYTES = 16 << 10 };

struct peek {
    int32_t tid;
    uint8_t bytes[PEEK_BYTES];
};

/*
 * As much of the memory at ADDRESS as can be read, up to SIZE, through a thread that has it: a
 * leader may have ended.
 */
size_t peek_memory(int32_t tid, uint64_t address, void *buffer, size_t size);

/*
 * Fills FROZEN, but for its maps, for the blocked thread whose SYSCALL was just read; it borrows
 * PEEK.  False when its memory may not be read.  The caller checks afterwards that the thread has
 * not run meanwhile.
 */
bool peek_blocked(struct peek *peek, int32_t pid, int32_t tid, const struct proc_syscall *syscall,
                  struct frozen *frozen);

#endif
