/* SPDX-License-Identifier: MIT */
/* Threads that did not move on: see still.h. */
#include "config.h"

#include "still.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "peek.h"

enum { COMPARED_AT_ONCE = 4096 };

/*
 * Where a handler returns to, sp points at this: the signal mask outside of the handler and all
 * registers are in its first bytes.
 */
#ifdef __aarch64__
enum {
    SIGNAL_INFO_BYTES = 128,
    SIGNAL_MASK_AT = SIGNAL_INFO_BYTES + offsetof(ucontext_t, uc_sigmask),
    SIGNAL_FRAME_BYTES = SIGNAL_INFO_BYTES + offsetof(ucontext_t, uc_mcontext.__reserved),
};
#else
enum {
    SIGNAL_MASK_AT = offsetof(ucontext_t, uc_sigmask),
    SIGNAL_FRAME_BYTES = SIGNAL_MASK_AT + sizeof(uint64_t),
};
#endif

/* Whether the target's memory is as SIZE bytes of the copy from AT on. */
static bool unchanged(const struct frozen *frozen, size_t at, size_t size)
{
    uint8_t now[COMPARED_AT_ONCE];

    while (size > 0) {
        size_t part = size < sizeof(now) ? size : sizeof(now);

        if (peek_memory(frozen->tid, frozen->stack_start + at, now, part) != part ||
            memcmp(now, frozen->stack + at, part) != 0)
            return false;
        at += part;
        size -= part;
    }
    return true;
}

/* It was sampled inside the system call or page fault that it sleeps in now. */
static bool in_same_call(struct roster *roster, const struct frozen *frozen)
{
    struct thread *thread = roster_find(roster, frozen->tid);
    struct proc_syscall syscall;

    return thread != NULL && thread_syscall(roster, thread, &syscall) && !syscall.running &&
           syscall.sp == frozen->registers.sp && syscall.pc == frozen->registers.ip &&
           unchanged(frozen, 0, frozen->stack_size);
}

/*
 * A handler runs with more signals blocked than what it interrupted; once it has returned, the mask
 * is again the one in its frame.  The next signal's frame has other registers in it.
 */
static bool in_same_handler(struct roster *roster, const struct frozen *frozen, uint64_t frame)
{
    uint64_t at = frame - frozen->stack_start, outside, now;
    char mask[32];

    if (at >= frozen->stack_size || frozen->stack_size - at < SIGNAL_FRAME_BYTES ||
        !proc_status(target_proc_root(roster->target), frozen->pid, frozen->tid, "SigBlk", mask,
                     sizeof(mask)))
        return false;
    memcpy(&outside, frozen->stack + at + SIGNAL_MASK_AT, sizeof(outside));
    now = strtoull(mask, NULL, 16);
    return now != outside && (now & outside) == outside &&
           unchanged(frozen, at, SIGNAL_FRAME_BYTES);
}

bool still_there(struct roster *roster, const struct frozen *frozen, const struct unwound *cut)
{
    if (cut->end == STACK_TRUNCATED || cut->switched)
        return in_same_call(roster, frozen);
    return cut->end == STACK_ELSEWHERE && in_same_handler(roster, frozen, cut->signal_frame);
}
