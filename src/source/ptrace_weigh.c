/* SPDX-License-Identifier: MIT */
/*
 * What a stop says of how its thread used its time, and how much of it.
 *
 *     works ─────────── tick, stops             it had a CPU: that is what it was doing
 *     works ─┐ put off by our timer             likewise
 *            └── queued ── stops
 *     works ─┐ its turn ended                   anywhere, but for calls that end turns themselves,
 *            └── queued ── tick ── stops        as they wake others or look at the time used
 *     sleeps ─┐ woken                           it has done nothing yet
 *             └── queued ── tick ── stops
 *
 * A stop that says nothing is left out, and the time before it is for the next one.  Where threads
 * take turns, those that queued in calls are told up to the part that calls have of what each was
 * met doing when it had a CPU.
 */
#include "config.h"

#include "ptrace_private.h"

#include "proftop/clock.h"
#include "wait_reason.h"

/* A stop that takes longer was one of a thread that had no CPU. */
#define QUEUED_NS (500 * NS_PER_US)
/* So close to when we woke a thread queued that we put off. */
#define PREEMPTED_NS (100 * NS_PER_US)

enum { STOPS_ENOUGH = 4, STOPS_REMEMBERED = 256, WITHHELD_MAX = 32 };

/* Where a thread was when it was asked to stop. */
enum place { ON_CPU, PUT_OFF_BY_US, QUEUED };

/*
 * Who gave way to a sampler that woke late had come to the end of its turn: that is often in a call
 * that reads the thread's CPU time, as the kernel looks there whether the turn is over.
 */
static enum place place_of(const struct tracee *tracee, uint64_t delay_ns, uint64_t stopped_ns)
{
    uint64_t queued_ns = delay_ns - tracee->asked_delay_ns;
    uint64_t since_wake_ns = stopped_ns - tracee->woke_ns;

    if (queued_ns == 0)
        return ON_CPU;
    if (!tracee->woke_late && queued_ns + PREEMPTED_NS > since_wake_ns &&
        queued_ns < since_wake_ns + PREEMPTED_NS)
        return PUT_OFF_BY_US;
    return QUEUED;
}

static void count_stop(struct stops *stops, bool in_call)
{
    stops->all++;
    stops->in_calls += in_call;
    if (stops->all >= STOPS_REMEMBERED) {
        stops->all = (stops->all + 1) / 2;
        stops->in_calls = (stops->in_calls + 1) / 2;
    }
}

void tracer_met_call(struct tracer *tracer, struct thread *thread, uint64_t stopped_ns)
{
    struct tracee *tracee = &thread->tracee;
    struct proc_schedstat schedstat;

    if (thread->account.contended && tracee->delay_asked &&
        thread_schedstat(&tracer->roster, thread, &schedstat) &&
        place_of(tracee, schedstat.delay_ns, stopped_ns) != QUEUED)
        count_stop(&tracee->met, true);
}

/* Whether a larger part of what was told stands in calls than of what it did when it had a CPU. */
static bool is_overtold(const struct tracee *tracee)
{
    return tracee->told.in_calls * tracee->met.all > tracee->met.in_calls * (tracee->told.all + 1);
}

/*
 * Whether THREAD, found in a run queue within SYSCALL, was woken there; else it was put off in the
 * midst of it.  What it did more often since this was last asked decides; where a call is for
 * waiting, that it slept at all.  A stop of ours counts as a sleep.
 */
static bool was_woken(const struct tracer *tracer, struct thread *thread, int64_t syscall)
{
    struct tracee *tracee = &thread->tracee;
    struct proc_status status;
    uint64_t voluntary, put_off;
    int64_t slept, least;

    proc_status_read(target_proc_root(tracer->target), thread->pid, thread->tid, &status);
    voluntary = proc_status_number(&status, "voluntary_ctxt_switches", 10);
    put_off = proc_status_number(&status, "nonvoluntary_ctxt_switches", 10);
    slept = (int64_t)(voluntary - tracee->voluntary) - tracee->stops;
    least = (int64_t)(put_off - tracee->put_off);
    tracee->voluntary = voluntary;
    tracee->put_off = put_off;
    tracee->stops = 0;
    if (least > 1 && wait_is_all_of(syscall))
        least = 1;
    return slept >= least;
}

/*
 * Of one that has a CPU for itself only stops within calls are asked about.  Who gives no sample
 * for long has come to do something else than what it was met doing.
 */
static bool is_withheld(const struct tracer *tracer, struct thread *thread, int64_t syscall,
                        enum place place)
{
    struct tracee *tracee = &thread->tracee;
    bool in_call = syscall >= 0, turns = thread->account.contended;
    bool known = turns && tracee->met.all >= STOPS_ENOUGH && tracee->withheld < WITHHELD_MAX;
    /* Where a call is for waiting, who seems to be put off by us may have been woken just then. */
    bool doubtful =
        place == PUT_OFF_BY_US ? wait_is_all_of(syscall) : place == QUEUED && in_call && !known;
    bool woken = doubtful && was_woken(tracer, thread, syscall);
    bool ran = place == ON_CPU || (place == PUT_OFF_BY_US && !woken);

    if (!ran && in_call && (known ? is_overtold(tracee) : woken)) {
        tracee->withheld++;
        return true;
    }
    tracee->withheld = 0;
    if (turns && ran)
        count_stop(&tracee->met, in_call);
    if (turns)
        count_stop(&tracee->told, in_call);
    return false;
}

/*
 * CPU time since the last sample: what schedstat says where threads are known to share a CPU; else
 * a period, which stands for the threads that were on a CPU at the tick.  Who stopped late was in a
 * run queue then.
 */
uint64_t tracer_weigh(struct tracer *tracer, struct thread *thread, int64_t syscall,
                      uint64_t stopped_ns)
{
    struct proc_schedstat schedstat;
    bool exact = thread->account.contended && thread->account.started;
    bool doubtful = thread->tracee.delay_asked && (exact || syscall >= 0);

    if ((exact || doubtful) && thread_schedstat(&tracer->roster, thread, &schedstat)) {
        if (doubtful && is_withheld(tracer, thread, syscall,
                                    place_of(&thread->tracee, schedstat.delay_ns, stopped_ns)))
            return 0;
        if (exact)
            return account_weight_exact(&thread->account, schedstat.cpu_ns);
    }
    if (stopped_ns - thread->tracee.asked_ns > QUEUED_NS)
        return 0;
    return account_weight(&thread->account, tracer->period_ns);
}
