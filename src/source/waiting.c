/* SPDX-License-Identifier: MIT */
/* Accounts of threads and stacks of sleeping ones: see waiting.h. */
#include "config.h"

#include "waiting.h"

#include <errno.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "pythons.h"
#include "random.h"
#include "wait_reason.h"

#define SLOW_NS (100 * NS_PER_MS)
/* One that only runs is looked at as rarely as this, and earlier where that wakes nobody. */
#define STEADY_NS (250 * NS_PER_MS)
#define FAST_MIN_NS (10 * NS_PER_MS)
/* After a look at many threads that move comes a rest: it took at most this part of the time. */
#define LOOK_SHARE 300
#define REST_MAX_NS NS_PER_S
enum {
    RARELY = 4,        /* looks in a row that were followed by the longest rest */
    STEADY_LOOKS = 10, /* in a row that met no sleep */
};
/* Less run-queue time than this is told with the next look. */
#define RUNNABLE_MIN_NS NS_PER_MS
/* Sleep that no look has met for so long is told without a stack. */
#define UNMET_MAX_NS NS_PER_S

void waiting_init(struct waiting *waiting, struct roster *roster, struct pending *pending,
                  const struct source_config *config)
{
    memset(waiting, 0, sizeof(*waiting));
    waiting->roster = roster;
    waiting->pending = pending;
    waiting->wanted = config->waiting;
    waiting->fast_ns = NS_PER_S / config->rate_hz;
    if (waiting->fast_ns < FAST_MIN_NS)
        waiting->fast_ns = FAST_MIN_NS;
    waiting->random = clock_now_ns() | 1;
}

/* ± an eighth, against lockstep with a thread that sleeps periodically. */
static uint64_t jitter(struct waiting *waiting, uint64_t period_ns)
{
    return period_ns - period_ns / 8 + random_next(&waiting->random) % (period_ns / 4 + 1);
}

static void tell(struct waiting *waiting, const struct thread *thread, enum state state,
                 uint64_t weight_ns, bool with_stack, uint64_t now_ns)
{
    const struct last_stack *stack = &thread->stack;
    struct record_sample sample = { .pid = thread->pid,
                                    .tid = thread->tid,
                                    .weight = weight_ns,
                                    .syscall = -1,
                                    .state = (uint8_t)state,
                                    .metric = METRIC_TIME,
                                    .end = STACK_NONE };

    if (with_stack) {
        sample.end = stack->end;
        if (state == STATE_WAITING) {
            sample.syscall = stack->syscall;
            sample.reason = stack->reason;
            sample.wait_on = stack->wait_on;
            sample.gil = stack->gil;
        }
    }
    emit_sample(waiting->roster->emit, now_ns, &sample, with_stack ? stack->frames : NULL,
                with_stack ? stack->count : 0);
}

static bool same_moment(const struct proc_schedstat *a, const struct proc_schedstat *b)
{
    return a->cpu_ns == b->cpu_ns && a->slices == b->slices;
}

/* By errno: what is becoming another program cannot be read either, for that moment. */
static void say_denied(struct waiting *waiting, const struct thread *thread, uint64_t now_ns)
{
    struct proc_stat stat;

    if (waiting->denied || !waiting->wanted || thread->process->unsampled ||
        (errno != EPERM && errno != EACCES))
        return;
    /* What is about to end cannot be read either, by anyone. */
    if (!proc_stat(target_proc_root(waiting->roster->target), thread->pid, thread->tid, &stat) ||
        proc_stat_dead(&stat))
        return;
    waiting->denied = true;
    emit_note(waiting->roster->emit, now_ns, NOTE_WARNING, "%s",
              _("waiting threads are shown without their stacks: reading them needs the right to "
                "trace the target (cap_sys_ptrace)"));
}

/* Of the locks that one waits for in futex() the interpreter's is a reason of its own. */
static void look_for_gil(struct thread *thread, const struct proc_syscall *syscall)
{
    struct python *python = thread->process->python;
    struct last_stack *stack = &thread->stack;

    if (python == NULL || stack->reason != WAIT_LOCK ||
        !python_waits_for_gil(python, syscall->arguments[0]))
        return;
    stack->reason = WAIT_GIL;
    stack->gil = GIL_WANTED;
    stack->wait_on = python_gil_holder(python);
}

/* Takes the stack of a thread that seems to sleep.  False when it doesn't, or did not stay so. */
static bool peek_sleeper(struct waiting *waiting, struct thread *thread, uint64_t now_ns)
{
    struct roster *roster = waiting->roster;
    struct pending *pending = waiting->pending;
    struct last_stack *stack = &thread->stack;
    struct proc_syscall syscall;
    struct proc_schedstat after;
    struct frozen frozen;
    enum gil gil = GIL_NONE;

    if (thread->tracee.interrupted)
        return false; /* it stands still for us, not of its own will */
    errno = 0;
    if (!thread_syscall(roster, thread, &syscall)) {
        say_denied(waiting, thread, now_ns);
        return false;
    }
    if (syscall.running)
        return false;
    if (waiting->pythons != NULL)
        pythons_prepare(waiting->pythons, thread, now_ns);
    errno = 0;
    if (!peek_blocked(&waiting->peek, thread->pid, thread->tid, &syscall, &frozen)) {
        say_denied(waiting, thread, now_ns);
        return false;
    }
    if (waiting->pythons != NULL)
        pythons_freeze(waiting->pythons, thread, &frozen);
    if (!pending_unwind(pending, thread->process, &frozen, 0, now_ns))
        return false; /* its tables are being built: the next look finds them */
    if (!thread_schedstat(roster, thread, &after) ||
        !same_moment(&after, &thread->account.schedstat))
        return false;
    if (waiting->pythons != NULL)
        gil = pythons_merge(waiting->pythons, pending, &frozen, 0);
    thread_keep_stack(thread, pending->frames, pending->count, pending->unwound.end);
    stack->asleep = true;
    stack->gil = (uint8_t)gil;
    stack->syscall = (int16_t)syscall.number;
    stack->reason = (uint8_t)wait_reason_of(target_proc_root(roster->target), thread->pid,
                                            thread->tid, &syscall, 0);
    look_for_gil(thread, &syscall);
    return true;
}

/* A thread that sleeps for long may be stopped, or wait for a disk: its state letter tells. */
static void look_closer(struct waiting *waiting, struct thread *thread)
{
    const char *proc_root = target_proc_root(waiting->roster->target);
    struct last_stack *stack = &thread->stack;
    struct proc_syscall syscall;
    struct proc_stat stat;

    stack->state_known = true;
    if (!proc_stat(proc_root, thread->pid, thread->tid, &stat) ||
        !thread_syscall(waiting->roster, thread, &syscall) || syscall.running)
        return;
    stack->reason =
        (uint8_t)wait_reason_of(proc_root, thread->pid, thread->tid, &syscall, stat.state);
}

/* Many threads that sleep are told of less often: at most 1,000 records a second. */
static uint64_t telling_period(const struct roster *roster)
{
    uint64_t period_ns = roster->count * NS_PER_MS;

    if (period_ns < SLOW_NS)
        return SLOW_NS;
    return period_ns < NS_PER_S ? period_ns : NS_PER_S;
}

static void tell_runnable(struct waiting *waiting, struct thread *thread, uint64_t now_ns)
{
    struct account *account = &thread->account;

    if (account->owed_run_ns < (int64_t)RUNNABLE_MIN_NS)
        return;
    tell(waiting, thread, STATE_RUNNABLE, (uint64_t)account->owed_run_ns, thread->stack.count > 0,
         now_ns);
    account->owed_run_ns = 0;
}

/* ASLEEP: its stack is that of the sleep. */
static void tell_waiting(struct waiting *waiting, struct thread *thread, bool asleep, bool moved,
                         uint64_t now_ns)
{
    struct account *account = &thread->account;
    uint64_t since_ns = now_ns - account->told_at_ns;

    if (account->owed_wait_ns <= 0)
        return;
    if (asleep ? !moved && since_ns < telling_period(waiting->roster) - SLOW_NS / 2
               : account->owed_wait_ns < (int64_t)UNMET_MAX_NS)
        return;
    tell(waiting, thread, STATE_WAITING, (uint64_t)account->owed_wait_ns, asleep, now_ns);
    account->owed_wait_ns = 0;
    account->told_at_ns = now_ns;
}

static void start(struct waiting *waiting, struct thread *thread,
                  const struct proc_schedstat *schedstat, uint64_t now_ns)
{
    struct account *account = &thread->account;

    account_begin(account, now_ns);
    account->schedstat = *schedstat;
    /* What it was told to have used before is right on the average. */
    account->first_cpu_ns = schedstat->cpu_ns - account->told_cpu_ns;
    account->due_ns = now_ns + jitter(waiting, waiting->fast_ns);
    if (waiting->wanted)
        peek_sleeper(waiting, thread, now_ns);
}

/* What schedstat says of THREAD, without asking where its process has not run since. */
static bool look_up(struct waiting *waiting, struct thread *thread, uint64_t now_ns,
                    struct proc_schedstat *schedstat)
{
    struct account *account = &thread->account;
    uint64_t process_cpu_ns = thread->stack.asleep ? roster_cpu_ns(thread->process, now_ns) : 0;

    if (process_cpu_ns != 0 && process_cpu_ns == account->process_cpu_ns) {
        *schedstat = account->schedstat;
        return true;
    }
    account->process_cpu_ns = process_cpu_ns;
    return thread_schedstat(waiting->roster, thread, schedstat);
}

static bool is_steady(const struct account *account)
{
    return account->busy_looks > STEADY_LOOKS;
}

static void look_at(struct waiting *waiting, struct thread *thread, uint64_t now_ns)
{
    struct account *account = &thread->account;
    struct proc_schedstat schedstat;
    int64_t wall_ns, cpu_ns, delay_ns, wait_ns;
    bool moved, was_asleep = thread->stack.asleep;

    account->due_ns = now_ns + SLOW_NS;
    if (!look_up(waiting, thread, now_ns, &schedstat))
        return; /* it ended: the roster will learn */
    if (!account->started) {
        start(waiting, thread, &schedstat, now_ns);
        return;
    }
    moved = !same_moment(&schedstat, &account->schedstat);
    wall_ns = (int64_t)(now_ns - account->at_ns);
    cpu_ns = (int64_t)(schedstat.cpu_ns - account->schedstat.cpu_ns);
    delay_ns = (int64_t)(schedstat.delay_ns - account->schedstat.delay_ns);
    wait_ns = wall_ns - cpu_ns - delay_ns;
    if (moved && was_asleep)
        tell_waiting(waiting, thread, true, true, now_ns); /* of that sleep, up to the last look */
    account->at_ns = now_ns;
    account->schedstat = schedstat;
    account->owed_run_ns += delay_ns;
    account->owed_wait_ns += wait_ns;
    account_queued(account, cpu_ns, delay_ns);
    if (!waiting->wanted)
        return;
    if (moved) {
        thread->stack.asleep = false;
        thread->tracee.due_ns = 0; /* it may run again */
    }
    tell_runnable(waiting, thread, now_ns);
    if (!thread->stack.asleep && account->owed_wait_ns > 0)
        peek_sleeper(waiting, thread, now_ns);
    else if (was_asleep && !moved && !thread->stack.state_known)
        look_closer(waiting, thread);
    tell_waiting(waiting, thread, thread->stack.asleep || was_asleep, moved, now_ns);
    account->busy_looks = moved && wait_ns <= wall_ns / 64 ? account->busy_looks + 1 : 0;
    if (is_steady(account))
        account->due_ns = now_ns + STEADY_NS;
    else if (moved && account->busy_looks == 0)
        account->due_ns = now_ns + jitter(waiting, waiting->fast_ns);
}

/* The first look at many threads is dear, those at many of a process that runs stay so. */
static void note_rest(struct waiting *waiting, uint64_t rest_ns, uint64_t now_ns)
{
    if (waiting->dear_looks == RARELY || !waiting->wanted)
        return;
    waiting->dear_looks = rest_ns < REST_MAX_NS ? 0 : waiting->dear_looks + 1;
    if (waiting->dear_looks < RARELY)
        return;
    emit_note(waiting->roster->emit, now_ns, NOTE_INFO,
              _("%zu threads are too many to look at all of them often: a wait may be told up to a "
                "second late, and short ones without a stack"),
              waiting->roster->count);
}

void waiting_look(struct waiting *waiting, uint64_t now_ns)
{
    struct roster *roster = waiting->roster;
    uint64_t begin_ns = 0, rest_ns;

    if (now_ns < waiting->rested_ns)
        return;
    for (size_t i = 0; i < roster->count; i++) {
        const struct account *account = &roster->threads[i]->account;

        if (account->due_ns > now_ns && (!is_steady(account) || now_ns - account->at_ns < SLOW_NS))
            continue;
        if (begin_ns == 0)
            begin_ns = clock_thread_cpu_ns();
        look_at(waiting, roster->threads[i], now_ns);
    }
    if (begin_ns == 0)
        return;
    rest_ns = (clock_thread_cpu_ns() - begin_ns) * LOOK_SHARE;
    if (rest_ns < FAST_MIN_NS)
        rest_ns = FAST_MIN_NS;
    note_rest(waiting, rest_ns, now_ns);
    waiting->rested_ns = now_ns + (rest_ns < REST_MAX_NS ? rest_ns : REST_MAX_NS);
}

uint64_t waiting_due(const struct waiting *waiting, uint64_t now_ns)
{
    const struct roster *roster = waiting->roster;
    uint64_t most_ns = now_ns + (roster->count > 0 ? STEADY_NS : SLOW_NS), due_ns = most_ns;

    for (size_t i = 0; i < roster->count; i++)
        if (roster->threads[i]->account.due_ns < due_ns)
            due_ns = roster->threads[i]->account.due_ns;
    if (due_ns < waiting->rested_ns)
        due_ns = waiting->rested_ns;
    return due_ns < most_ns ? due_ns : most_ns;
}
