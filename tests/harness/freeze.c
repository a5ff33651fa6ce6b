/* SPDX-License-Identifier: MIT */
/* Freezing a thread for tests. */
#include "config.h"

#include "tests/harness/freeze.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/maps.h"
#include "proftop/memory.h"

enum {
    PAGE_BYTES = 4096,
    RED_ZONE_BYTES = 128, /* a leaf function may keep things below its stack pointer */
};

void freeze_init(struct freeze *freeze, size_t stack_max_bytes)
{
    *freeze = (struct freeze){ .capacity = stack_max_bytes };
    freeze->stack = xmalloc(stack_max_bytes);
}

void freeze_fini(struct freeze *freeze)
{
    maps_unref(freeze->maps);
    free(freeze->stack);
}

bool freeze_attach(pid_t tid)
{
    return ptrace(PTRACE_SEIZE, tid, NULL, NULL) == 0;
}

void freeze_detach(pid_t tid)
{
    int status;

    if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0 && waitpid(tid, &status, __WALL) == tid &&
        WIFSTOPPED(status))
        ptrace(PTRACE_DETACH, tid, NULL, NULL);
}

/* Until the interrupt's own stop; signals on the way are handed on. */
static bool stop(pid_t tid)
{
    int status;

    if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0)
        return false;
    for (;;) {
        if (waitpid(tid, &status, __WALL) < 0) {
            if (errno == EINTR)
                continue;
            return false;
        }
        if (!WIFSTOPPED(status))
            return false;
        if (status >> 16 == PTRACE_EVENT_STOP)
            return true;
        ptrace(PTRACE_CONT, tid, NULL, (void *)(long)WSTOPSIG(status));
    }
}

static bool take_registers(struct registers *to, pid_t tid)
{
#if defined(__aarch64__)
    struct user_regs_struct user;
    struct iovec piece = { &user, sizeof(user) };

    if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &piece) < 0)
        return false;
    *to = (struct registers){
        .ip = user.pc, .sp = user.sp, .bp = user.regs[29], .lr = user.regs[30]
    };
    for (int i = 0; i < 10; i++)
        to->general[i] = user.regs[19 + i];
#else
    struct user_regs_struct user;

    if (ptrace(PTRACE_GETREGS, tid, NULL, &user) < 0)
        return false;
    *to = (struct registers){
        .ip = user.rip,
        .sp = user.rsp,
        .bp = user.rbp,
        .general = { user.rbx, user.r12, user.r13, user.r14, user.r15, user.rax, user.rdx, user.rcx,
                     user.rsi, user.rdi, user.r10, user.r11 },
    };
#endif
    to->known = KNOWN_IP | KNOWN_SP | KNOWN_BP | KNOWN_LR | KNOWN_GENERAL;
    return true;
}

/* As much as there is, page by page where the end of the stack is near. */
static size_t take_stack(pid_t pid, uint64_t from, uint8_t *to, size_t size)
{
    size_t done = 0;

    while (done < size) {
        uint64_t at = from + done;
        size_t part = PAGE_BYTES - at % PAGE_BYTES;
        struct iovec local = { to + done, part < size - done ? part : size - done };
        struct iovec remote = { (void *)(uintptr_t)at, local.iov_len };
        ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);

        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

bool freeze_refresh(struct freeze *freeze, struct modules *modules)
{
    struct frozen *frozen = &freeze->frozen;

    if (!take_registers(&frozen->registers, frozen->tid))
        return false;
    maps_unref(freeze->maps);
    freeze->maps = maps_read("/proc", frozen->pid, 1, modules, NULL);
    if (freeze->maps == NULL)
        return false;
    frozen->maps = freeze->maps;
    frozen->stack_start = (frozen->registers.sp - RED_ZONE_BYTES) & ~UINT64_C(7);
    frozen->stack_size =
        take_stack(frozen->pid, frozen->stack_start, freeze->stack, freeze->capacity);
    return true;
}

bool freeze_take(struct freeze *freeze, pid_t pid, pid_t tid, struct modules *modules, bool hold)
{
    bool taken;

    if (!stop(tid))
        return false;
    freeze->frozen = (struct frozen){ .pid = pid, .tid = tid, .stack = freeze->stack };
    taken = freeze_refresh(freeze, modules);
    if (!hold)
        freeze_continue(tid);
    return taken;
}

bool freeze_peek(void *context, uint64_t address, void *buffer, size_t size)
{
    const struct freeze *freeze = context;
    struct iovec local = { buffer, size }, remote = { (void *)(uintptr_t)address, size };

    return process_vm_readv(freeze->frozen.pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

void freeze_continue(pid_t tid)
{
    ptrace(PTRACE_CONT, tid, NULL, NULL);
}
