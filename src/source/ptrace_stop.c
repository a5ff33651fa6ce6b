/* SPDX-License-Identifier: MIT */
/*
 * Stops of the ptrace source: asking for them, and what to do with each.
 *
 *     PTRACE_EVENT_STOP, SIGTRAP     ours: stack, registers, resume; unwound afterwards
 *     PTRACE_EVENT_STOP, SIGSTOP…    a group stop: PTRACE_LISTEN (PTRACE_CONT would undo it)
 *     PTRACE_EVENT_EXEC              another program, under the leader's number
 *     any other                      a signal on its way: delivered.  It takes the place of a stop
 *                                    that was asked for, which the kernel forgets when it comes
 *                                    while the signal's timer is set anew
 */
#include "config.h"

#include "ptrace_private.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "ptrace_registers.h"
#include "rights.h"

enum {
    CROWD = 200, /* threads */
    DUE_MAX = 2, /* stops that were not asked for */
    CHANCES = 1 << 16,
};

#define SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))

static bool resume(const struct thread *thread, int signal)
{
    return ptrace(PTRACE_CONT, thread->tid, NULL, (void *)(intptr_t)signal) == 0;
}

/* Who traces it already, in words. */
static void tell_refused(struct tracer *tracer, const struct thread *thread, uint64_t now_ns)
{
    const char *proc_root = target_proc_root(tracer->target);
    char value[32];
    int32_t tracer_pid = 0;
    struct proc_stat stat = { .name = "?" };

    if (proc_status(proc_root, thread->pid, thread->tid, "TracerPid", value, sizeof(value)))
        tracer_pid = (int32_t)strtol(value, NULL, 10);
    if (tracer_pid == 0)
        return; /* it is about to exit, or a part of the target that is not ours to trace */
    proc_stat(proc_root, tracer_pid, 0, &stat);
    emit_note(&tracer->emit, now_ns, NOTE_WARNING,
              _("%s (%" PRId32 ") is traced by %s (pid %" PRId32 "): it cannot be stopped for "
                "samples while it runs"),
              thread->name, thread->tid, stat.name, tracer_pid);
}

void tracer_seize_early(struct tracer *tracer)
{
    struct target_process processes[64];
    size_t count = target_processes(tracer->target, processes, 64, false);

    for (size_t i = 0; i < count && i < 64; i++)
        if (ptrace(PTRACE_SEIZE, processes[i].pid, NULL, (void *)PTRACE_O_TRACEEXEC) == 0)
            proc_ids_add(&tracer->early, processes[i].pid);
}

static bool was_seized_early(const struct tracer *tracer, int32_t tid)
{
    for (size_t i = 0; i < tracer->early.count; i++)
        if (tracer->early.ids[i] == tid)
            return true;
    return false;
}

bool tracer_seize(struct tracer *tracer, struct thread *thread, uint64_t now_ns)
{
    struct tracee *tracee = &thread->tracee;

    if (tracee->seized)
        return true;
    if ((!tracer->started && was_seized_early(tracer, thread->tid)) ||
        ptrace(PTRACE_SEIZE, thread->tid, NULL, (void *)PTRACE_O_TRACEEXEC) == 0) {
        tracee->seized = true;
        tracee->refused = false;
        return true;
    }
    if (errno == EPERM && !tracee->refused) {
        tracee->refused = true;
        tell_refused(tracer, thread, now_ns);
    }
    return false;
}

static bool is_running(struct tracer *tracer, struct thread *thread)
{
    struct proc_syscall syscall;

    return thread_syscall(&tracer->roster, thread, &syscall) && syscall.running;
}

/* How long it has queued for CPUs, before it is asked to stop. */
static void note_delay(struct tracee *tracee, const struct proc_schedstat *schedstat)
{
    tracee->asked_delay_ns = schedstat->delay_ns;
    tracee->delay_asked = true;
}

/*
 * Whether THREAD is blocked; and if it seems to run, whether it was blocked and has not been on a
 * CPU since: it is still inside its system call then, what it waited for came, and a stop could
 * hide that from it.
 *
 * Of a crowd none is asked while its process's CPU time stands still.  That comes up to a scheduler
 * tick late, so that a short burst after a sleep would never be seen: few threads are all asked.
 */
static bool is_blocked(struct tracer *tracer, struct thread *thread, uint64_t now_ns)
{
    struct tracee *tracee = &thread->tracee;
    bool crowd = tracer->roster.count >= CROWD;
    uint64_t process_cpu_ns = crowd ? roster_cpu_ns(thread->process, now_ns) : 0;
    struct proc_schedstat schedstat = { 0 };
    bool was_blocked = tracee->blocked;

    if (was_blocked && process_cpu_ns != 0 && process_cpu_ns == tracee->process_cpu_ns)
        return true;
    tracee->process_cpu_ns = process_cpu_ns;
    if (was_blocked && thread_schedstat(&tracer->roster, thread, &schedstat) &&
        schedstat.slices == tracee->slices)
        return true;
    if (was_blocked)
        note_delay(tracee, &schedstat);
    tracer->moved_ns = now_ns;
    tracee->blocked = false;
    if (is_running(tracer, thread))
        return false;
    /* Asked again after the count was taken, which is of this sleep then. */
    tracee->blocked = was_blocked || (thread_schedstat(&tracer->roster, thread, &schedstat) &&
                                      !is_running(tracer, thread));
    tracee->slices = schedstat.slices;
    tracee->blocked_ns = now_ns;
    return true;
}

/*
 * A thread that has a CPU for itself is sampled whenever it is found running.  Of several that take
 * turns each is asked at as many ticks as it has a CPU at, whichever these are, as the rate is of
 * CPU time: how much of it has passed is only known at the ends of turns, and who is asked by that
 * is always met early in one.
 */
static bool is_due(struct tracer *tracer, struct thread *thread, uint64_t now_ns)
{
    struct tracee *tracee = &thread->tracee;
    uint64_t passed_ns = now_ns - tracee->considered_ns;
    struct proc_schedstat schedstat;

    tracee->considered_ns = now_ns;
    if (!thread->account.contended || tracee->blocked)
        return true;
    tracee->due +=
        account_cpu_share(&thread->account) * (double)passed_ns / (double)tracer->period_ns;
    if (tracee->due > DUE_MAX)
        tracee->due = DUE_MAX;
    if (tracee->due <= (double)(random_next(&tracer->random) % CHANCES) / CHANCES) {
        tracer->moved_ns = now_ns;
        return false;
    }
    tracee->due--;
    if (thread_schedstat(&tracer->roster, thread, &schedstat))
        note_delay(tracee, &schedstat);
    return true;
}

/*
 * To stop a blocked thread would make its system call fail with EINTR, so the last thing before the
 * request is to ask whether it runs.  What blocks after that finds the request pending and comes
 * back at once; where that shows as EINTR the call is restarted (repair()), which costs it no time.
 */
void tracer_interrupt(struct tracer *tracer, struct thread *thread, uint64_t now_ns)
{
    bool new;

    thread->tracee.delay_asked = false;
    if (!is_due(tracer, thread, now_ns))
        return;
    tracer_read_ahead(tracer, thread);
    if (is_blocked(tracer, thread, now_ns))
        return;
    new = !thread->tracee.seized;
    if (!tracer_seize(tracer, thread, now_ns))
        return;
    if ((pythons_prepare(&tracer->pythons, thread, now_ns) || new) && !is_running(tracer, thread))
        return; /* that took a while */
    thread->tracee.woke_ns = tracer->woke_ns;
    thread->tracee.woke_late = tracer->woke_late;
    thread->tracee.asked_ns = clock_now_ns();
    if (ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL) == 0)
        thread->tracee.interrupted = true;
}

static void read_status(const struct tracer *tracer, const struct thread *thread,
                        struct proc_status *status)
{
    proc_status_read(target_proc_root(tracer->target), thread->pid, thread->tid, status);
}

static uint64_t signal_set(const struct proc_status *status, const char *key)
{
    return proc_status_number(status, key, 16);
}

/* Those that do nothing when they come. */
static uint64_t ignored_signals(const struct proc_status *status)
{
    const uint64_t by_default =
        SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH);

    return signal_set(status, "SigIgn") | (by_default & ~signal_set(status, "SigCgt"));
}

/* Whether a signal waits to be handled: then EINTR is its doing, not ours. */
static bool signal_pending(const struct proc_status *status)
{
    uint64_t pending = signal_set(status, "SigPnd") | signal_set(status, "ShdPnd");

    return (pending & ~signal_set(status, "SigBlk") & ~ignored_signals(status)) != 0;
}

/* STATUS is of THREAD, which is held. */
static void repair(struct tracer *tracer, const struct thread *thread,
                   const struct proc_status *status)
{
    if (!signal_pending(status) && ptrace_restart_syscall(thread->tid))
        tracer->emit.tally.eintr_repaired++;
}

/*
 * A signal that is ignored wakes nobody but who is traced.  A wait with a time limit is let fail:
 * begun again, it would be longer than asked.
 */
static void repair_ignored(struct tracer *tracer, const struct thread *thread, int signal)
{
    struct proc_status status;

    if (!ptrace_endless_wait(thread->tid))
        return;
    read_status(tracer, thread, &status);
    if ((ignored_signals(&status) & SIGNAL_BIT(signal)) != 0)
        repair(tracer, thread, &status);
}

/*
 * Between the stop and the resume: nothing but reading.  False when there is no sample in it, as of
 * one that slept until it was stopped.
 */
static bool freeze(struct tracer *tracer, struct thread *thread, struct frozen *frozen,
                   struct stopped_call *call, int signal)
{
    struct proc_status status;

    tracer_copy_expected(tracer, thread, frozen);
    if (!ptrace_registers(thread->tid, &frozen->registers, call))
        return false;
    if (call->failed && signal == 0) {
        read_status(tracer, thread, &status);
        repair(tracer, thread, &status);
    }
    if (call->woken)
        return false;
    tracer_copy_stack(tracer, thread, frozen);
    if (thread->process->switches)
        tracer_freeze_switched(tracer, frozen);
    pythons_freeze(&tracer->pythons, thread, frozen);
    return true;
}

static void finish_sample(struct tracer *tracer, struct thread *thread, struct frozen *frozen,
                          const struct stopped_call *call, uint64_t stopped_ns)
{
    struct pending *pending = &tracer->pending;
    struct unfinished unfinished = { .time_ns = stopped_ns };

    unfinished.sample =
        (struct record_sample){ .pid = thread->pid,
                                .tid = thread->tid,
                                .weight = tracer_weigh(tracer, thread, call->number, stopped_ns),
                                .syscall = (int16_t)call->number,
                                .state = STATE_RUNNING,
                                .metric = METRIC_TIME };
    if (unfinished.sample.weight == 0)
        return; /* it had no turn on a CPU */
    tracer->emit.tally.received++;
    unfinished.process = thread->process;
    unfinished.pythons = &tracer->pythons;
    unfinished.frozen = *frozen;
    if (!pending_finish(pending, &unfinished)) {
        tracer_learn_stack(thread, NULL, frozen); /* there may be many that wait for tables */
        return;
    }
    tracer_learn_stack(thread, pending, frozen);
    thread->process->switches |= pending->unwound.switched;
    thread_keep_stack(thread, pending->frames, pending->count, pending->unwound.end);
}

/* SIGNAL: what is delivered as it goes on, or 0. */
static void take_sample(struct tracer *tracer, struct thread *thread, int signal)
{
    uint64_t stopped_ns = clock_now_ns(), held_ns;
    struct frozen frozen = { .pid = thread->pid, .tid = thread->tid, .stack = tracer->stack };
    struct stopped_call call = { .number = -1 };
    bool frozen_well = freeze(tracer, thread, &frozen, &call, signal);

    thread->tracee.interrupted = false;
    thread->tracee.stops++;
    resume(thread, signal);
    held_ns = clock_now_ns() - stopped_ns;
    emit_stopped(&tracer->emit, held_ns);
    if (frozen_well) {
        tracer_learn_ahead(tracer, thread, held_ns);
        finish_sample(tracer, thread, &frozen, &call, stopped_ns);
    } else if (call.woken) {
        tracer_met_call(tracer, thread, stopped_ns);
    }
}

static void tell_process(struct tracer *tracer, const struct thread *thread,
                         enum thread_event event)
{
    const struct thread_news news = { .pid = thread->pid,
                                      .tid = thread->pid,
                                      .ppid = thread->process->ppid,
                                      .event = event,
                                      .exit_status = -1,
                                      .name = thread->name };

    if (thread->process->stopped == (event == THREAD_STOPPED))
        return;
    thread->process->stopped = event == THREAD_STOPPED;
    emit_thread(&tracer->emit, clock_now_ns(), &news);
}

static void on_event_stop(struct tracer *tracer, struct thread *thread, int signal)
{
    if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
        thread->tracee.interrupted = false;
        thread->tracee.listening = true;
        tell_process(tracer, thread, THREAD_STOPPED);
        ptrace(PTRACE_LISTEN, thread->tid, NULL, NULL);
        return;
    }
    if (thread->tracee.listening) {
        thread->tracee.listening = false;
        tell_process(tracer, thread, THREAD_CONTINUED);
    }
    if (thread->tracee.interrupted)
        take_sample(tracer, thread, 0);
    else
        resume(thread, 0);
}

static void on_signal(struct tracer *tracer, struct thread *thread, int signal)
{
    repair_ignored(tracer, thread, signal);
    if (thread->tracee.interrupted)
        take_sample(tracer, thread, signal);
    else
        resume(thread, signal);
}

/* The thread that exec'd has the leader's number now; all others are gone. */
static void on_exec(struct tracer *tracer, int32_t pid)
{
    uint64_t now_ns = clock_now_ns();
    struct proc_stat stat = { .name = "?" };
    struct thread *thread;

    proc_stat(target_proc_root(tracer->target), pid, pid, &stat);
    roster_exec(&tracer->roster, pid, stat.name, now_ns);
    rights_left_out(&tracer->roster, pid, now_ns);
    thread = roster_find(&tracer->roster, pid);
    thread->tracee = (struct tracee){ .seized = true };
    resume(thread, 0);
}

static void on_end(struct tracer *tracer, int32_t tid, int status)
{
    struct thread *thread = roster_find(&tracer->roster, tid);

    if (tid == target_launched(tracer->target))
        target_ended(tracer->target, tid, status);
    if (thread != NULL)
        roster_remove(&tracer->roster, thread, clock_now_ns());
}

void tracer_event(struct tracer *tracer, int32_t tid, int status)
{
    struct thread *thread = roster_find(&tracer->roster, tid);
    int event = status >> 16;

    if (WIFEXITED(status) || WIFSIGNALED(status)) {
        on_end(tracer, tid, status);
        return;
    }
    if (!WIFSTOPPED(status))
        return;
    if (event == PTRACE_EVENT_EXEC && target_holds(tracer->target, tid)) {
        on_exec(tracer, tid); /* its leader may have ended long ago */
        return;
    }
    if (thread == NULL) {
        /* Nobody we remember: let it go. */
        ptrace(PTRACE_CONT, tid, NULL, (void *)(intptr_t)(event == 0 ? WSTOPSIG(status) : 0));
        return;
    }
    if (event == PTRACE_EVENT_STOP)
        on_event_stop(tracer, thread, WSTOPSIG(status));
    else if (event == 0)
        on_signal(tracer, thread, WSTOPSIG(status));
    else
        resume(thread, 0);
}
