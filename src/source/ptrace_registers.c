/* SPDX-License-Identifier: MIT */
/* Registers through PTRACE_GETREGSET, for each processor we know. */
#include "config.h"

#include "ptrace_registers.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

static bool get(int32_t tid, struct user_regs_struct *user)
{
    struct iovec area = { user, sizeof(*user) };

    /* A 32-bit program gives fewer bytes: it is not ours to unwind. */
    return ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &area) == 0 && area.iov_len == sizeof(*user);
}

#ifdef __x86_64__

/* The kernel's own errors, never seen by programs: how a call that was cut short goes on. */
enum {
    RESTART_SYSTEM = 512,
    RESTART_NO_INTERRUPT = 513, /* again, whatever the signal was */
    RESTART_NO_HANDLER = 514,
    RESTART_BLOCK = 516,
};

static bool cut_short(int64_t result)
{
    return result == -EINTR || result == -RESTART_SYSTEM || result == -RESTART_NO_INTERRUPT ||
           result == -RESTART_NO_HANDLER || result == -RESTART_BLOCK;
}

bool ptrace_registers(int32_t tid, struct registers *registers, struct stopped_call *call)
{
    struct user_regs_struct user;

    if (!get(tid, &user))
        return false;
    *registers = (struct registers){
        .ip = user.rip,
        .sp = user.rsp,
        .bp = user.rbp,
        .general = { user.rbx, user.r12, user.r13, user.r14, user.r15, user.rax, user.rdx, user.rcx,
                     user.rsi, user.rdi, user.r10, user.r11 },
        .known = KNOWN_IP | KNOWN_SP | KNOWN_BP | KNOWN_GENERAL,
    };
    call->number = (int64_t)user.orig_rax >= 0 ? (int64_t)user.orig_rax : -1;
    call->woken = call->number >= 0 && cut_short((int64_t)user.rax);
    call->failed = call->woken && (int64_t)user.rax == -EINTR;
    return true;
}

/* Of the calls that fail with EINTR whatever the signal was; the kernel restarts others itself. */
bool ptrace_endless_wait(int32_t tid)
{
    struct user_regs_struct user;

    if (!get(tid, &user) || (int64_t)user.rax != -EINTR)
        return false;
    switch (user.orig_rax) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
        return (int32_t)user.r10 < 0;
    case SYS_epoll_pwait2:
        return user.r10 == 0;
    case SYS_rt_sigtimedwait:
        return user.rdx == 0;
    case SYS_io_getevents:
        return user.r8 == 0;
    case SYS_semop:
        return true;
    default:
        return false;
    }
}

bool ptrace_restart_syscall(int32_t tid)
{
    struct user_regs_struct user;
    struct iovec area = { &user, sizeof(user) };

    if (!get(tid, &user))
        return false;
    user.rax = (unsigned long long)-RESTART_NO_INTERRUPT;
    return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &area) == 0;
}

#elif defined(__aarch64__)

bool ptrace_registers(int32_t tid, struct registers *registers, struct stopped_call *call)
{
    struct user_regs_struct user;

    if (!get(tid, &user))
        return false;
    registers->ip = user.pc;
    registers->sp = user.sp;
    registers->bp = user.regs[29];
    registers->lr = user.regs[30];
    for (size_t i = 0; i < 10; i++)
        registers->general[i] = user.regs[19 + i];
    registers->known = KNOWN_IP | KNOWN_SP | KNOWN_BP | KNOWN_LR | KNOWN_GENERAL;
    *call = (struct stopped_call){ .number = -1 };
    return true;
}

/* arm64 decides on a restart before it stops for the tracer: nothing is left to rewrite. */
bool ptrace_endless_wait(int32_t tid)
{
    (void)tid;
    return false;
}

bool ptrace_restart_syscall(int32_t tid)
{
    (void)tid;
    return false;
}

#endif
