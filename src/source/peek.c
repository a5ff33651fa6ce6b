/* SPDX-License-Identifier: MIT */
/* Stacks of blocked threads: see peek.h. */
#include "config.h"

#include "peek.h"

#include <string.h>
#include <sys/uio.h>

size_t peek_memory(int32_t tid, uint64_t address, void *buffer, size_t size)
{
    struct iovec ours = { buffer, size };
    struct iovec theirs = { (void *)(uintptr_t)address, size };
    ssize_t got = process_vm_readv(tid, &ours, 1, &theirs, 1, 0);

    return got > 0 ? (size_t)got : 0;
}

static bool read_whole(void *context, uint64_t address, void *buffer, size_t size)
{
    const struct peek *peek = context;

    return peek_memory(peek->tid, address, buffer, size) == size;
}

bool peek_blocked(struct peek *peek, int32_t pid, int32_t tid, const struct proc_syscall *syscall,
                  struct frozen *frozen)
{
    memset(frozen, 0, sizeof(*frozen));
    peek->tid = tid;
    frozen->pid = pid;
    frozen->tid = tid;
    frozen->registers.ip = syscall->pc;
    frozen->registers.sp = syscall->sp;
    frozen->registers.known = KNOWN_IP | KNOWN_SP;
    frozen->stack = peek->bytes;
    frozen->stack_start = syscall->sp;
    frozen->stack_size = peek_memory(tid, syscall->sp, peek->bytes, sizeof(peek->bytes));
    frozen->peek = read_whole;
    frozen->peek_context = peek;
    frozen->peeked = true;
    return frozen->stack_size > 0;
}
