/* SPDX-License-Identifier: MIT */
/* How the ptrace source does: threads that came and went, its tally, and whether it keeps up. */
#include "config.h"

#include "ptrace_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"

enum {
    RATE_MIN = 10,
    OWN_CPU_MAX = 30,    /* per cent of a core */
    LATE_TICKS_MAX = 20, /* per cent */
    LATE_ROUNDS_MAX = 8, /* checks in a row */
    DEAR_ROUNDS_MAX = 3, /* likewise */
    SCAN_SHARE = 300,    /* a scan takes at most this part of the time */
    CHURN_SHARE = 50,    /* likewise while threads come and go */
};

#define CHECK_NS (250 * NS_PER_MS)
#define SCAN_MIN_NS (20 * NS_PER_MS)
#define CHURN_NS NS_PER_S /* so long threads are expected to come and go, after one came */
#define SCAN_CALM_NS (500 * NS_PER_MS) /* where nothing was born */
#define BIRTHS_NS (20 * NS_PER_MS)     /* between looks for births */
#define BIRTHS_CHURN_NS (5 * NS_PER_MS)

/* Its time is accounted for from its birth, unless it is older than the last scan. */
static void account_newborn(struct tracer *tracer, struct thread *thread, uint64_t now_ns)
{
    struct proc_schedstat schedstat;

    if (thread_schedstat(&tracer->roster, thread, &schedstat) &&
        schedstat.cpu_ns + schedstat.delay_ns <= now_ns - tracer->scanned_ns)
        account_begin(&thread->account, now_ns - schedstat.cpu_ns - schedstat.delay_ns);
}

static void found(void *context, int32_t pid, int32_t tid)
{
    struct tracer *tracer = context;
    uint64_t now_ns = clock_now_ns();
    enum thread_event event = tracer->started ? THREAD_BEGAN : THREAD_SEEN;
    struct thread *thread = roster_add(&tracer->roster, pid, tid, event, now_ns);

    if (tracer->started) {
        account_newborn(tracer, thread, now_ns);
        tracer->churn_ns = now_ns + CHURN_NS;
    }
    roster_maps(&tracer->roster, thread->process, now_ns);
    /* The leader for its exec; other threads when they are first seen to run. */
    if (pid == tid)
        tracer_seize(tracer, thread, now_ns);
    tracer->found_ns += clock_now_ns() - now_ns;
}

/* Threads are named after their birth, mostly by themselves: who has not run since keeps its name.
 */
static void read_names(struct tracer *tracer, uint64_t now_ns)
{
    struct roster *roster = &tracer->roster;

    for (size_t i = 0; i < roster->count; i++) {
        struct thread *thread = roster->threads[i];
        uint64_t cpu_ns = thread->account.schedstat.cpu_ns;
        struct proc_stat stat;

        if (cpu_ns == thread->tracee.named_cpu_ns)
            continue;
        thread->tracee.named_cpu_ns = cpu_ns;
        if (proc_stat(target_proc_root(tracer->target), thread->pid, thread->tid, &stat))
            roster_named(roster, thread, stat.name, now_ns);
    }
}

static void scan(struct tracer *tracer, uint64_t now_ns)
{
    uint64_t took_ns;

    tracer->found_ns = 0;
    roster_scan(&tracer->roster, now_ns, found, tracer);
    read_names(tracer, now_ns);
    took_ns = clock_now_ns() - now_ns - tracer->found_ns;
    tracer->scanned_ns = now_ns;
    tracer->unscanned = false;
    if (now_ns < tracer->churn_ns)
        tracer->scan_every_ns = took_ns * CHURN_SHARE;
    else
        tracer->scan_every_ns =
            took_ns * SCAN_SHARE > SCAN_MIN_NS ? took_ns * SCAN_SHARE : SCAN_MIN_NS;
}

void tracer_watch_start(struct tracer *tracer, uint64_t now_ns)
{
    rate_init(&tracer->rate, &tracer->emit, tracer->config.rate_hz, RATE_MIN);
    proc_file_open(&tracer->loadavg, target_proc_root(tracer->target), "loadavg");
    scan(tracer, now_ns);
    tracer->started = true;
    tracer->checked_ns = now_ns;
    tracer->target_cpu_ns = target_cpu_ns(tracer->target);
    tracer->thread_cpu_ns = clock_thread_cpu_ns();
}

/*
 * Whether a thread or a process was born, the target's or another's, since the last look: the
 * number given last on this machine is another.  Of our PID namespace, but all of the target have
 * numbers there, or we would not see them.
 */
static bool anything_born(struct tracer *tracer, uint64_t now_ns)
{
    const char *text, *last;
    long number;

    if (now_ns - tracer->counted_ns < (now_ns < tracer->churn_ns ? BIRTHS_CHURN_NS : BIRTHS_NS))
        return false;
    tracer->counted_ns = now_ns;
    text = proc_file_read(&tracer->loadavg);
    last = text != NULL ? strrchr(text, ' ') : NULL;
    number = last != NULL ? strtol(last, NULL, 10) : 0;
    if (number != 0 && number == tracer->last_born)
        return false;
    tracer->last_born = number;
    tracer->unscanned = true;
    return true;
}

/* Threads came or went: the folder of a process that ran has a link for each. */
static bool threads_changed(struct tracer *tracer, uint64_t now_ns)
{
    bool changed = false;

    for (struct tracked *process = tracer->roster.processes; process != NULL;
         process = process->next) {
        char path[PROC_PATH_MAX];
        struct stat status;
        uint64_t cpu_ns = roster_cpu_ns(process, now_ns);

        if (cpu_ns != 0 && cpu_ns == process->links_cpu_ns)
            continue;
        process->links_cpu_ns = cpu_ns;
        snprintf(path, sizeof(path), "%s/%d/task", target_proc_root(tracer->target), process->pid);
        if (stat(path, &status) != 0 || status.st_nlink == process->task_links)
            continue;
        changed = changed || process->task_links != 0;
        process->task_links = status.st_nlink;
    }
    return changed;
}

/* A scan finds who was born, and who is gone without having told. */
static bool scan_is_due(struct tracer *tracer, uint64_t now_ns)
{
    uint64_t since_ns = now_ns - tracer->scanned_ns;

    if (anything_born(tracer, now_ns) && threads_changed(tracer, now_ns))
        return true;
    return since_ns >= tracer->scan_every_ns && (tracer->unscanned || since_ns >= SCAN_CALM_NS);
}

void tracer_tally(struct tracer *tracer, uint64_t now_ns)
{
    struct record_tally *tally = &tracer->emit.tally;
    uint64_t cpu_ns = target_cpu_ns(tracer->target);
    uint64_t own_cpu_ns = clock_thread_cpu_ns();
    uint64_t used_ns = cpu_ns > tracer->target_cpu_ns ? cpu_ns - tracer->target_cpu_ns : 0;

    /* What a process used last is gone with it, but for its samples. */
    if (used_ns < tally->received * tracer->period_ns && !target_alive(tracer->target))
        used_ns = tally->received * tracer->period_ns;
    tally->target_cpu_ns += used_ns;
    emit_due(&tracer->emit, used_ns, tracer->period_ns);
    tally->source_cpu_ns += own_cpu_ns - tracer->thread_cpu_ns;
    tally->behind += tracer->late_ticks;
    tracer->target_cpu_ns = cpu_ns;
    tracer->thread_cpu_ns = own_cpu_ns;
    emit_tally(&tracer->emit, now_ns);
}

static void check_rate(struct tracer *tracer, uint64_t now_ns)
{
    uint64_t own_cpu_ns = clock_thread_cpu_ns() - tracer->thread_cpu_ns;
    uint64_t period_ns = now_ns - tracer->checked_ns;
    const char *why = NULL;

    /* The first looks at thousands of threads are dear, and soon over. */
    tracer->dear_rounds = own_cpu_ns * 100 > period_ns * OWN_CPU_MAX ? tracer->dear_rounds + 1 : 0;
    if (tracer->late_ticks * 100 <= tracer->ticks * LATE_TICKS_MAX)
        tracer->late_rounds = 0;
    else
        tracer->late_rounds++;
    if (tracer->dear_rounds >= DEAR_ROUNDS_MAX)
        why = _("stopping and unwinding took too much of a core");
    else if (tracer->late_rounds == LATE_ROUNDS_MAX)
        why = _("the machine is too busy for it");
    else if (tracer->late_rounds > 0 || own_cpu_ns * 200 > period_ns * OWN_CPU_MAX)
        rate_strained(&tracer->rate, now_ns);
    if (why != NULL ? rate_lower(&tracer->rate, &tracer->emit, now_ns, why)
                    : rate_raise(&tracer->rate, &tracer->emit, now_ns)) {
        tracer->period_ns = NS_PER_S / tracer->rate.hz;
        tracer->late_rounds = tracer->dear_rounds = 0;
    }
}

void tracer_watch(struct tracer *tracer, uint64_t now_ns)
{
    if (scan_is_due(tracer, now_ns))
        scan(tracer, now_ns);
    if (now_ns - tracer->checked_ns < CHECK_NS)
        return;
    check_rate(tracer, now_ns);
    tracer_tally(tracer, now_ns);
    tracer->checked_ns = now_ns;
    tracer->ticks = tracer->late_ticks = 0;
}
