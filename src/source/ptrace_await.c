/* SPDX-License-Identifier: MIT */
/*
 * Meeting the stop that was just asked for.
 *
 *     sampler  INTERRUPT ── asks ──► stack, registers, CONT           on another CPU
 *     thread   ────── runs ──► stopped ─────────────────────► runs
 *
 *     sampler  INTERRUPT, sleeps ─┐      ┌► stack, registers, CONT    on the thread's CPU
 *     thread                      └► stops                     └► runs
 *
 * Who sleeps until another CPU's thread has stopped finds both CPUs idle then: an interrupt wakes
 * the one, and a second the other, and the thread stands still meanwhile (25 us where 5 would do).
 * So the sampler asks again and again; unless they share a CPU, where the thread cannot stop before
 * the sampler sleeps.
 */
#include "config.h"

#include "ptrace_private.h"

#include <sched.h>
#include <sys/wait.h>

#include "proftop/clock.h"

#define FAR_NS 10000 /* a stop takes longer where the thread is on another CPU */
#define ASK_MAX_NS 60000

enum { NAPS = 16 }; /* stops that were slept for until it is looked at again where the thread is */

static bool shares_our_cpu(const struct tracer *tracer, const struct thread *thread)
{
    struct proc_stat stat;

    return proc_stat(target_proc_root(tracer->target), thread->pid, thread->tid, &stat) &&
           stat.cpu == sched_getcpu();
}

/* After a stop that came TOOK_NS after it was asked for, the sampler having been ASLEEP or not. */
static void learn(const struct tracer *tracer, struct thread *thread, uint64_t took_ns, bool asleep)
{
    struct tracee *tracee = &thread->tracee;

    if (!asleep) {
        tracee->ask_ns = ASK_MAX_NS;
        return;
    }
    if (tracee->naps > 0) {
        tracee->naps--;
        return;
    }
    tracee->naps = NAPS;
    if (took_ns < FAR_NS || shares_our_cpu(tracer, thread)) {
        tracee->ask_ns = 0;
    } else if (tracee->ask_ns == 0) {
        tracee->ask_ns = ASK_MAX_NS;
    } else if (tracee->ask_ns / 2 > FAR_NS) {
        tracee->ask_ns /= 2; /* it is deep in the kernel */
    }
}

bool tracer_awaits(const struct thread *thread)
{
    return thread->account.looked && !thread->account.contended;
}

void tracer_await(struct tracer *tracer, struct thread *thread)
{
    uint64_t asked_ns = thread->tracee.asked_ns, until_ns = asked_ns + thread->tracee.ask_ns;
    uint64_t took_ns;
    int32_t tid = thread->tid;
    pid_t stopped = 0;
    int status;
    bool asleep;

    while (stopped == 0 && clock_now_ns() < until_ns)
        stopped = waitpid(-1, &status, __WALL | __WNOTHREAD | WNOHANG);
    asleep = stopped == 0;
    if (asleep)
        stopped = waitpid(-1, &status, __WALL | __WNOTHREAD);
    if (stopped <= 0)
        return; /* the next tick is due: it is met with the others */
    took_ns = clock_now_ns() - asked_ns;
    tracer_event(tracer, stopped, status);
    thread = stopped == tid ? roster_find(&tracer->roster, tid) : NULL;
    if (thread != NULL)
        learn(tracer, thread, took_ns, asleep);
}
