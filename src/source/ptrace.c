/* SPDX-License-Identifier: MIT */
/*
 * The ptrace source, for where perf events are not permitted and for interpreters whose frames must
 * be read while the thread stands still.
 *
 *     tick:  for each thread that is due   blocked → left alone (waiting.c peeks at it)
 *                                          running → PTRACE_INTERRUPT; its stop is waited for only
 *                                                    if it has a CPU for itself (ptrace_await.c)
 *     until the next tick:  waitpid ─► a stop ─► stack, registers, resume ─► unwind (ptrace_stop.c)
 *
 * One thread is held at a time, for microseconds; nothing ever stops the world.  ptrace binds to
 * the thread that seized: this thread opens, steps and stops.  It never detaches, which would take
 * a stop: threads are let go when this thread ends, however it ends.
 */
#include "config.h"

#include "ptrace_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"

/* Ends our waitpid(), which knows no timeout; far from what others use. */
#define TICK_SIGNAL (SIGRTMAX - 3)

/* How long to wait at the end for threads that were asked to stop. */
#define COLLECT_MAX_NS (200 * NS_PER_MS)

/* We were not given a CPU when we asked for it, but when somebody's turn on it was over. */
#define LATE_NS (50 * NS_PER_US)

enum {
    TICK_MAX_MS = 100,
    IDLE_SHARE_NS = 500000, /* looks at blocked threads: one in so many ns */
    CROWD_MIN = 16,         /* so many, else each is looked at as often as asked */
    PATIENCE = 8, /* what has not moved is looked at after this part of the time it has not */
};

static void on_tick_signal(int signal)
{
    (void)signal;
}

static bool tracer_probe(const struct target *target, const struct source_config *config,
                         struct error *error)
{
    char path[PROC_PATH_MAX], call[64];
    int32_t pid = target_pid(target);
    int fd;

    if (config->event != NULL && strcmp(config->event, "cpu-clock") != 0) {
        error_set(error, STATUS_USAGE, _("the ptrace source samples CPU time, not %s"),
                  config->event);
        error_hint(error, "%s", _("--source perf samples events"));
        return false;
    }
    /* The right to read a process's memory is the right to trace it. */
    snprintf(path, sizeof(path), "%s/%" PRId32 "/mem", target_proc_root(target),
             proc_living_thread(target_proc_root(target), pid));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        return true;
    }
    snprintf(call, sizeof(call), "ptrace(PTRACE_SEIZE, %" PRId32 ")", pid);
    if (errno == EACCES || errno == EPERM)
        return target_denied(target, pid, call, errno, error);
    return error_errno(error, errno, "%s: %s", path, strerror(errno));
}

/* Stops of traced threads need no SIGCHLD: it would only wake whoever waits for children. */
static void quiet_sigchld(void)
{
    struct sigaction action;

    if (sigaction(SIGCHLD, NULL, &action) != 0)
        return;
    action.sa_flags |= SA_NOCLDSTOP;
    sigaction(SIGCHLD, &action, NULL);
}

static bool make_timer(struct tracer *tracer)
{
    struct sigaction action = { .sa_handler = on_tick_signal };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = TICK_SIGNAL };
    sigset_t signals;

    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    sigemptyset(&signals);
    sigaddset(&signals, TICK_SIGNAL);
    tracer->timer_made = sigaction(TICK_SIGNAL, &action, NULL) == 0 &&
                         pthread_sigmask(SIG_UNBLOCK, &signals, NULL) == 0 &&
                         timer_create(CLOCK_MONOTONIC, &event, &tracer->timer) == 0;
    return tracer->timer_made;
}

static void tracer_close(struct source *source);

static struct source *tracer_open(struct target *target, const struct source_config *config,
                                  struct error *error)
{
    struct tracer *tracer;

    if (!tracer_probe(target, config, error))
        return NULL;
    tracer = xcalloc(1, sizeof(*tracer));
    tracer->config = *config;
    tracer->target = target;
    tracer->period_ns = NS_PER_S / config->rate_hz;
    tracer->random = clock_now_ns() | 1;
    tracer->moved_ns = clock_now_ns();
    tracer->stack = xmalloc(TRACER_STACK_MAX);
    tracer->switched = xmalloc(TRACER_SWITCHED_BYTES);
    roster_init(&tracer->roster, target, config, &tracer->emit);
    pending_init(&tracer->pending, config->unwinder, &tracer->roster);
    waiting_init(&tracer->waiting, &tracer->roster, &tracer->pending, config);
    pythons_init(&tracer->pythons, &tracer->roster, config);
    tracer->waiting.pythons = &tracer->pythons;
    gil_lanes_init(&tracer->gil, config);
    if (!make_timer(tracer)) {
        error_errno(error, errno, _("cannot make a timer: %s"), strerror(errno));
        tracer_close((struct source *)tracer);
        return NULL;
    }
    quiet_sigchld();
    tracer_seize_early(tracer);
    /* Whoever holds others should be quick about it; not permitted is no harm. */
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), -10);
    return (struct source *)tracer;
}

/* It goes on by itself, also because a signal that comes just before the wait must not be the last.
 */
static void arm(struct tracer *tracer)
{
    struct itimerspec when = { .it_value = { (time_t)(tracer->tick_ns / NS_PER_S),
                                             (long)(tracer->tick_ns % NS_PER_S) },
                               .it_interval = { (time_t)(tracer->every_ns / NS_PER_S),
                                                (long)(tracer->every_ns % NS_PER_S) } };

    timer_settime(tracer->timer, TIMER_ABSTIME, &when, NULL);
}

/* Handles one report of the target's threads; else why there is none: EINTR, ECHILD. */
static int wait_for_event(struct tracer *tracer)
{
    int status;
    pid_t tid = waitpid(-1, &status, __WALL | __WNOTHREAD);

    if (tid < 0)
        return errno;
    tracer_event(tracer, tid, status);
    return 0;
}

/*
 * Handles what the target's threads report, until the next tick is due; whether there may be more
 * to handle: an interrupted wait has just found nothing.
 */
static bool wait_for_tick(struct tracer *tracer)
{
    uint64_t now_ns = clock_now_ns();
    int failure = 0;

    while (now_ns < tracer->tick_ns) {
        failure = wait_for_event(tracer);
        if (failure == ECHILD) {
            struct pollfd wake = { .fd = tracer->config.wake_fd, .events = POLLIN };

            poll(&wake, 1, (int)((tracer->tick_ns - now_ns) / NS_PER_MS) + 1);
            return true;
        }
        now_ns = clock_now_ns();
    }
    return failure != EINTR;
}

/* What has happened already, without waiting. */
static void drain(struct tracer *tracer)
{
    int status;
    pid_t tid;

    while ((tid = waitpid(-1, &status, __WALL | __WNOTHREAD | WNOHANG)) > 0)
        tracer_event(tracer, tid, status);
}

/* An eighth of SINCE_NS, which is how long something has not moved; 100 ms at most. */
static uint64_t patience(uint64_t since_ns)
{
    uint64_t max_ns = TICK_MAX_MS * NS_PER_MS;

    return since_ns / PATIENCE < max_ns ? since_ns / PATIENCE : max_ns;
}

/*
 * Anything from half a period to one and a half, against lockstep: not only with a target that does
 * things periodically.  To look takes a CPU from a thread, and who gets it next begins to run just
 * then; were the next look a period later, it would always find the same part of what that one
 * does.
 */
static uint64_t jitter(struct tracer *tracer, uint64_t period_ns)
{
    return period_ns / 2 + random_next(&tracer->random) % (period_ns + 1);
}

/* The longer nothing has moved, the less often it is looked at. */
static uint64_t tick_period_ns(const struct tracer *tracer, uint64_t now_ns)
{
    uint64_t patience_ns = patience(now_ns - tracer->moved_ns);
    uint64_t period_ns = tracer->period_ns > patience_ns ? tracer->period_ns : patience_ns;

    return period_ns < TICK_MAX_MS * NS_PER_MS ? period_ns : TICK_MAX_MS * NS_PER_MS;
}

static void plan_tick(struct tracer *tracer, uint64_t now_ns)
{
    tracer->every_ns = jitter(tracer, tick_period_ns(tracer, now_ns));
    tracer->tick_ns += tracer->every_ns;
    arm(tracer); /* ahead of all waits */
}

static void next_tick(struct tracer *tracer, uint64_t now_ns)
{
    tracer->ticks++;
    if (now_ns > tracer->tick_ns + tick_period_ns(tracer, now_ns)) {
        tracer->late_ticks++;
        tracer->tick_ns = now_ns;
    }
    plan_tick(tracer, now_ns);
}

/* The next tick was planned for a target that seemed to sleep on, and does not. */
static void hurry(struct tracer *tracer, uint64_t now_ns)
{
    if (tracer->moved_ns < now_ns || tracer->tick_ns <= now_ns + 2 * tracer->period_ns)
        return;
    tracer->tick_ns = now_ns;
    plan_tick(tracer, now_ns);
}

/*
 * What is idle must cost next to nothing: one that is blocked is looked at the less often, the
 * longer it has been and the more there are.
 */
static void tick(struct tracer *tracer, uint64_t now_ns)
{
    struct roster *roster = &tracer->roster;
    uint64_t idle_ns = roster->count * IDLE_SHARE_NS;

    if (roster->count < CROWD_MIN || idle_ns < tracer->period_ns)
        idle_ns = 0;
    for (size_t i = 0; i < roster->count; i++) {
        struct thread *thread = roster->threads[i];
        struct tracee *tracee = &thread->tracee;

        if (tracee->interrupted)
            tracer->moved_ns = now_ns;
        if (now_ns < tracee->due_ns || tracee->interrupted || tracee->listening)
            continue;
        tracer_interrupt(tracer, thread, now_ns);
        tracee->due_ns = 0;
        if (tracee->blocked) {
            uint64_t rest_ns = patience(now_ns - tracee->blocked_ns);

            tracee->due_ns = now_ns + (rest_ns > idle_ns ? rest_ns : idle_ns);
        }
        if (tracee->interrupted && tracer_awaits(thread))
            tracer_await(tracer, thread); /* it may be gone then */
    }
}

/*
 * While the launched child is traced its end comes through our own waits, in place of a stop; where
 * its leader has ended one of its threads may still exec, and stop under that number.
 */
static bool may_reap(const struct tracer *tracer)
{
    int32_t launched = target_launched(tracer->target);
    const struct thread *leader = roster_find(&tracer->roster, launched);
    const struct tracked *process = tracer->roster.processes;

    while (process != NULL && process->pid != launched)
        process = process->next;
    return process == NULL || (leader != NULL && !leader->tracee.seized);
}

static void settle(struct tracer *tracer, uint64_t now_ns)
{
    for (size_t i = 0; i < tracer->roster.count; i++)
        if (tracer->roster.threads[i]->account.at_ns == now_ns)
            account_settle(&tracer->roster.threads[i]->account, tracer->period_ns);
}

static int tracer_step(struct source *source, struct ring *ring)
{
    struct tracer *tracer = (struct tracer *)source;
    uint64_t now_ns, finished_ns;

    tracer->emit.ring = ring;
    if (!tracer->started) {
        tracer->tick_ns = clock_now_ns();
        tracer_watch_start(tracer, tracer->tick_ns);
    }
    if (wait_for_tick(tracer))
        drain(tracer);
    now_ns = clock_now_ns();
    tracer->woke_ns = now_ns;
    tracer->woke_late = now_ns > tracer->tick_ns + LATE_NS;
    next_tick(tracer, now_ns);
    tracer_watch(tracer, now_ns);
    tick(tracer, now_ns);
    hurry(tracer, now_ns);
    finished_ns = pending_retry(&tracer->pending, now_ns);
    waiting_look(&tracer->waiting, now_ns);
    gil_lanes_look(&tracer->gil, &tracer->roster, &tracer->emit, now_ns);
    settle(tracer, now_ns);
    emit_watermark(&tracer->emit, finished_ns < now_ns ? finished_ns : now_ns);
    return roster_over(&tracer->roster, may_reap(tracer), now_ns) && tracer->pending.first == NULL
               ? -ESRCH
               : 0;
}

static bool stops_outstanding(const struct tracer *tracer)
{
    for (size_t i = 0; i < tracer->roster.count; i++)
        if (tracer->roster.threads[i]->tracee.interrupted)
            return true;
    return false;
}

/*
 * A stop that was asked for and not collected would show as EINTR: nobody would repair it.  Who
 * does not come within the time waits for a CPU, in its own code.
 */
static void collect_stops(struct tracer *tracer)
{
    tracer->tick_ns = clock_now_ns() + COLLECT_MAX_NS;
    tracer->every_ns = COLLECT_MAX_NS;
    arm(tracer);
    while (stops_outstanding(tracer) && clock_now_ns() < tracer->tick_ns)
        if (wait_for_event(tracer) == ECHILD)
            return;
}

/* A signal for a thread that is ours stops it, and none is answered from here on. */
static void tracer_stop(struct source *source)
{
    struct tracer *tracer = (struct tracer *)source;

    collect_stops(tracer);
    if (tracer->started)
        tracer_tally(tracer, clock_now_ns());
}

static void tracer_close(struct source *source)
{
    struct tracer *tracer = (struct tracer *)source;

    if (tracer->started) {
        pending_end(&tracer->pending);
        emit_tally(&tracer->emit, clock_now_ns());
    }
    if (tracer->timer_made)
        timer_delete(tracer->timer);
    pythons_fini(&tracer->pythons);
    pending_fini(&tracer->pending);
    roster_fini(&tracer->roster);
    proc_ids_fini(&tracer->early);
    proc_file_close(&tracer->loadavg);
    free(tracer->stack);
    free(tracer->switched);
    free(tracer);
}

const struct source_ops source_ptrace = {
    .name = "ptrace",
    .probe = tracer_probe,
    .open = tracer_open,
    .step = tracer_step,
    .stop = tracer_stop,
    .close = tracer_close,
};
