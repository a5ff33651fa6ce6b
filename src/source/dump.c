/* SPDX-License-Identifier: MIT */
/*
 * Every thread's stack once.  All on the calling thread, which becomes the tracer of the threads
 * that run, one after the other, for as long as a copy of the stack takes.
 */
#include "config.h"

#include "proftop/dump.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "peek.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/maps.h"
#include "proftop/memory.h"
#include "proftop/proc.h"
#include "proftop/python.h"
#include "proftop/target.h"
#include "proftop/unwind.h"
#include "ptrace_registers.h"
#include "wait_reason.h"

enum {
    STACK_BYTES = 1 << 20,
    NATIVE_MAX = 2048,
    FRAMES_MAX = NATIVE_MAX + PYTHON_FRAMES_MAX,
    TRIES = 5, /* a thread that wakes while it is peeked at is looked at again */
    PAUSE_NS = 200000
};

/* A thread that does not stop within this sits in the kernel, uninterruptible. */
#define STOP_MAX_NS (200 * NS_PER_MS)

struct dumper {
    const char *proc_root;
    int32_t pid;
    const struct maps *maps;
    struct unwinder *unwinder;
    struct python *python; /* or NULL */
    struct python_sample *sample;
    struct peek peek;
    uint8_t *stack; /* STACK_BYTES */
    struct frame frames[FRAMES_MAX];
    uint64_t stacks[FRAMES_MAX];
    struct unwind_saved saved[NATIVE_MAX];
    int denied; /* errno of the last stack that was refused */
};

/* ---- from a copy to frames ------------------------------------------------------------------- */

static void unwind_into(struct dumper *dumper, const struct frozen *frozen, bool python,
                        struct dump_thread *thread)
{
    struct unwound unwound = { 0 };
    uint32_t count;

    if (python && python_needs_registers(dumper->python))
        unwind_full(dumper->unwinder, frozen, dumper->frames, dumper->stacks, dumper->saved,
                    NATIVE_MAX, &unwound);
    else
        unwind_frozen(dumper->unwinder, frozen, dumper->frames, dumper->stacks, NATIVE_MAX,
                      &unwound);
    count = unwound.count;
    if (python && python_needs_registers(dumper->python))
        python_anchor(dumper->sample, dumper->stacks, dumper->saved, count);
    if (python) {
        count = python_merge(dumper->python, dumper->sample, dumper->frames, dumper->stacks, count,
                             FRAMES_MAX);
        thread->gil = python_sample_gil(dumper->sample);
    }
    thread->end = unwound.end;
    thread->count = count;
    thread->frames = xmemdup(dumper->frames, (count + 1) * sizeof(struct frame));
}

static bool freeze_python(struct dumper *dumper, const struct frozen *frozen)
{
    return dumper->python != NULL && python_freeze(dumper->python, frozen, dumper->sample);
}

/* ---- a blocked thread ------------------------------------------------------------------------ */

/* False when it ran meanwhile, or may not be read. */
static bool dump_blocked(struct dumper *dumper, const struct proc_syscall *syscall,
                         struct dump_thread *thread)
{
    struct proc_schedstat before, after;
    struct frozen frozen;
    bool python;

    if (!proc_schedstat(dumper->proc_root, dumper->pid, thread->tid, &before))
        return false;
    errno = 0;
    if (!peek_blocked(&dumper->peek, dumper->pid, thread->tid, syscall, &frozen)) {
        dumper->denied = errno != 0 ? errno : EFAULT;
        return false;
    }
    frozen.maps = dumper->maps;
    python = freeze_python(dumper, &frozen);
    thread->syscall = syscall->number;
    unwind_into(dumper, &frozen, python, thread);
    if (proc_schedstat(dumper->proc_root, dumper->pid, thread->tid, &after) &&
        after.slices == before.slices && after.cpu_ns == before.cpu_ns)
        return true;
    free(thread->frames);
    thread->frames = NULL;
    return false;
}

/* ---- a running one --------------------------------------------------------------------------- */

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
}

/* True once TID has stopped; STATUS is then what waitpid() gave. */
static bool await_stop(int32_t tid, int *status)
{
    uint64_t deadline_ns = clock_now_ns() + STOP_MAX_NS;

    while (waitpid(tid, status, __WALL | WNOHANG) == 0) {
        if (clock_now_ns() > deadline_ns)
            return false;
        pause_briefly();
    }
    return WIFSTOPPED(*status);
}

/* A signal that was just being delivered is passed on with the detach. */
static int signal_of(int status)
{
    return status >> 16 == 0 ? WSTOPSIG(status) : 0;
}

static bool copy_stopped(struct dumper *dumper, struct dump_thread *thread, struct frozen *frozen,
                         bool *python)
{
    struct stopped_call call;

    *frozen = (struct frozen){
        .pid = dumper->pid, .tid = thread->tid, .maps = dumper->maps, .stack = dumper->stack
    };
    if (!ptrace_registers(thread->tid, &frozen->registers, &call))
        return false;
    thread->syscall = call.number;
    if (call.failed)
        ptrace_restart_syscall(thread->tid);
    frozen->stack_start = frozen->registers.sp;
    frozen->stack_size = peek_memory(thread->tid, frozen->stack_start, dumper->stack, STACK_BYTES);
    *python = freeze_python(dumper, frozen);
    return true;
}

/* PTRACE_SEIZE, not ATTACH: nothing of it shows to the thread or to its parent. */
static bool dump_running(struct dumper *dumper, struct dump_thread *thread)
{
    struct frozen frozen;
    bool copied, python = false;
    int status;

    if (ptrace(PTRACE_SEIZE, thread->tid, NULL, NULL) != 0) {
        dumper->denied = errno;
        return false;
    }
    if (ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL) != 0 || !await_stop(thread->tid, &status))
        return false; /* gone, or let go when we end */
    copied = copy_stopped(dumper, thread, &frozen, &python);
    ptrace(PTRACE_DETACH, thread->tid, NULL, (void *)(intptr_t)signal_of(status));
    if (copied)
        unwind_into(dumper, &frozen, python, thread);
    return copied;
}

/* ---- each thread ----------------------------------------------------------------------------- */

static void describe_state(struct dumper *dumper, struct dump_thread *thread)
{
    struct proc_syscall syscall = { .running = true };
    struct proc_stat stat;

    if (!proc_stat(dumper->proc_root, dumper->pid, thread->tid, &stat))
        return;
    snprintf(thread->name, sizeof(thread->name), "%s", stat.name);
    thread->state = stat.state;
    if (stat.state != 'R' && proc_syscall(dumper->proc_root, dumper->pid, thread->tid, &syscall) &&
        !syscall.running)
        thread->reason =
            wait_reason_of(dumper->proc_root, dumper->pid, thread->tid, &syscall, stat.state);
}

static const char *trouble_of(const struct dumper *dumper, const struct dump_thread *thread)
{
    if (thread->state == 'Z')
        return _("it has ended");
    switch (dumper->denied) {
    case 0:
        return _("it did not hold still");
    case ESRCH:
        return _("it has ended");
    case EPERM:
    case EACCES:
        return _("not permitted");
    default:
        return _("its memory can't be read");
    }
}

static void dump_one(struct dumper *dumper, struct dump_thread *thread)
{
    bool done = false;

    thread->syscall = -1;
    thread->state = '?';
    thread->end = STACK_NONE;
    dumper->denied = 0;
    if (dumper->python != NULL)
        python_prepare(dumper->python, thread->tid);
    for (int i = 0; i < TRIES && !done && dumper->denied == 0; i++) {
        struct proc_syscall syscall;

        if (!proc_syscall(dumper->proc_root, dumper->pid, thread->tid, &syscall)) {
            dumper->denied = EPERM;
            break;
        }
        done =
            syscall.running ? dump_running(dumper, thread) : dump_blocked(dumper, &syscall, thread);
    }
    describe_state(dumper, thread);
    if (!done)
        thread->trouble = trouble_of(dumper, thread);
}

static int by_tid(const void *a, const void *b)
{
    int32_t first = *(const int32_t *)a, second = *(const int32_t *)b;

    return (first > second) - (first < second);
}

static void open_python(struct dumper *dumper, struct codes *codes, char *trouble, size_t size)
{
    struct error error = { 0 };

    if (!python_suspected(dumper->maps))
        return;
    dumper->python = python_open(dumper->proc_root, dumper->maps, codes, &error);
    if (dumper->python == NULL)
        snprintf(trouble, size, "%s", error.message);
    else
        dumper->sample = python_sample_new();
}

static void dumper_free(struct dumper *dumper)
{
    if (dumper->python != NULL) {
        python_sample_free(dumper->sample);
        python_close(dumper->python);
    }
    unwinder_free(dumper->unwinder);
    free(dumper->stack);
    free(dumper);
}

static bool any_stack(const struct dump *dump)
{
    for (size_t i = 0; i < dump->count; i++)
        if (dump->threads[i].frames != NULL)
            return true;
    return dump->count == 0;
}

struct dump *dump_take(struct target *target, int32_t pid, bool python, struct modules *modules,
                       struct codes *codes, struct error *error)
{
    const char *proc_root = target_proc_root(target);
    struct maps *maps = maps_read(proc_root, pid, 0, modules, error);
    struct proc_ids tids = { 0 };
    struct dumper *dumper;
    struct dump *dump;
    int denied = 0;

    if (maps == NULL) {
        if (error->code == STATUS_DENIED)
            target_denied(target, pid, "open(/proc/PID/maps)", EACCES, error);
        return NULL;
    }
    dump = xcalloc(1, sizeof(*dump));
    dumper = xcalloc(1, sizeof(*dumper));
    dumper->proc_root = proc_root;
    dumper->pid = pid;
    dumper->maps = maps;
    dumper->stack = xmalloc(STACK_BYTES);
    dumper->unwinder = unwinder_new();
    unwinder_prepare(dumper->unwinder, maps);
    unwinder_wait(dumper->unwinder, UINT64_MAX);
    if (python)
        open_python(dumper, codes, dump->python, sizeof(dump->python));
    proc_tids(proc_root, pid, &tids);
    if (tids.count > 1)
        qsort(tids.ids, tids.count, sizeof(tids.ids[0]), by_tid);
    dump->threads = xcalloc(tids.count + 1, sizeof(dump->threads[0]));
    for (dump->count = 0; dump->count < tids.count; dump->count++) {
        dump->threads[dump->count].tid = tids.ids[dump->count];
        dump_one(dumper, &dump->threads[dump->count]);
        denied = dumper->denied != 0 ? dumper->denied : denied;
    }
    if (!any_stack(dump) && (denied == EPERM || denied == EACCES)) {
        target_denied(target, pid, "PTRACE_SEIZE", denied, error);
        dump_free(dump);
        dump = NULL;
    }
    proc_ids_fini(&tids);
    dumper_free(dumper);
    maps_unref(maps);
    return dump;
}

void dump_free(struct dump *dump)
{
    if (dump == NULL)
        return;
    for (size_t i = 0; i < dump->count; i++)
        free(dump->threads[i].frames);
    free(dump->threads);
    free(dump);
}
