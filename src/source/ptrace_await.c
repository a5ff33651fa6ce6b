/* SPDX-License-Identifier: MIT */
/*
 * Meeting the stop that was just asked for.
 *
 *     sampler  INTERRUPT ── spins ──► registers, stack, CONT          on another CPU
 *     thread   ────── runs ──► stopped ─────────────────────► runs
 *
 *     sampler  INTERRUPT, sleeps ─┐      ┌► registers, stack, CONT    on the thread's CPU
 *     thread                      └► stops                     └► runs
 *
 * Who sleeps until another CPU's thread has stopped finds both CPUs idle then: an interrupt wakes
 * the one, and a second the other, and the thread is held meanwhile (14 us where it is 5).  So the
 * sampler stays awake, without a system call, for about as long as the last stops took; unless they
 * share a CPU, where the thread cannot stop before the sampler sleeps.
 */
#include "config.h"

#include "ptrace_private.h"

#include <sched.h>
#include <sys/wait.h>

#include "proftop/clock.h"

#define READY_NS 1500     /* a wait is shorter where the stop was there */
#define FAR_NS 10000      /* a stop takes longer where the thread is on another CPU */
#define SPIN_STEP_NS 4000 /* more, after it was too short */
#define SPIN_MAX_NS 60000

enum { SPIN_SHRINK = 32 }; /* less, of one that was long enough */

static bool shares_our_cpu(const struct tracer *tracer, const struct thread *thread)
{
    struct proc_stat stat;

    return proc_stat(target_proc_root(tracer->target), thread->pid, thread->tid, &stat) &&
           stat.cpu == sched_getcpu();
}

/* After a stop that came STOPPED_NS after it was asked for, the last WAITED_NS of them asleep. */
static void learn(const struct tracer *tracer, struct thread *thread, uint64_t stopped_ns,
                  uint64_t waited_ns)
{
    struct tracee *tracee = &thread->tracee;

    if (tracee->spin_ns == 0 ? stopped_ns < FAR_NS : waited_ns < READY_NS)
        tracee->spin_ns -= tracee->spin_ns / SPIN_SHRINK;
    else if (shares_our_cpu(tracer, thread))
        tracee->spin_ns = 0;
    else if (tracee->spin_ns < SPIN_MAX_NS)
        tracee->spin_ns += tracee->spin_ns / 4 + SPIN_STEP_NS;
}

void tracer_await(struct tracer *tracer, struct thread *thread)
{
    uint64_t asked_ns = thread->tracee.asked_ns;
    uint64_t until_ns = asked_ns + thread->tracee.spin_ns, slept_ns, woke_ns;
    int32_t tid = thread->tid;
    int status, stopped;

    while ((slept_ns = clock_now_ns()) < until_ns)
        ;
    stopped = waitpid(-1, &status, __WALL | __WNOTHREAD);
    woke_ns = clock_now_ns();
    if (stopped <= 0)
        return; /* the next tick is due: it is met with the others */
    tracer_event(tracer, stopped, status);
    thread = stopped == tid ? roster_find(&tracer->roster, tid) : NULL;
    if (thread != NULL)
        learn(tracer, thread, woke_ns - asked_ns, woke_ns - slept_ns);
}
