/* SPDX-License-Identifier: MIT */
/*
 * From the kernel's records to ours.  The rings of the CPUs are merged by time, so that a program
 * is exec'd, named and mapped before its samples, wherever it ran.
 */
#include "config.h"

#include "perf_private.h"

#include <string.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "proftop/proc.h"

/* For so long after a thread's exit, samples of it are expected. */
#define LEAVING_NS (50 * NS_PER_MS)

/* PF_EXITING, of the flags in /proc/PID/stat. */
enum { FLAG_EXITING = 0x4 };

static const struct module *kernel_module(const struct perf *perf)
{
    return maps_kernel(perf->config.modules);
}

/*
 * The thread a record is about, when it belongs to the target.  What was launched may have ended
 * before its first record is read.
 */
static struct thread *member(struct perf *perf, int32_t pid, int32_t tid, uint64_t time_ns)
{
    struct thread *thread = roster_find(&perf->roster, tid);
    struct target_process process;

    if (thread != NULL && thread->pid == pid)
        return thread;
    if (!target_process(perf->target, pid, &process) ||
        (process.ended && (!process.asked || perf->roster.told_end)))
        return NULL;
    return roster_add(&perf->roster, pid, tid, THREAD_SEEN, time_ns);
}

/* The kernel's frames, innermost first; of a call chain all but the first are return addresses. */
static uint32_t kernel_frames(struct perf *perf, const struct perf_sample *sample)
{
    size_t room = sizeof(perf->kernel) / sizeof(perf->kernel[0]);
    uint32_t module = sample->kernel_count > 0 ? kernel_module(perf)->id : 0;
    uint32_t count = 0;

    if (sample->kernel_count > 0 && !perf->show_kernel) {
        perf->kernel[0] = (struct frame){ .module = MARK_KERNEL, .kind = FRAME_MARK };
        return 1;
    }
    for (; count < sample->kernel_count && count < room; count++)
        perf->kernel[count] = (struct frame){ .address = sample->kernel[count] - (count > 0),
                                              .module = module,
                                              .kind = FRAME_KERNEL };
    return count;
}

static uint64_t weigh(struct perf *perf, struct thread *thread, const struct perf_sample *sample)
{
    uint64_t weight_ns;

    if (perf->events.wish.event.metric != METRIC_TIME)
        return perf_counted_weight(perf, sample);
    weight_ns =
        short_lives_weight(&perf->watch.lives, &thread->account, perf_events_period(&perf->events));
    perf->watch.told_ns += weight_ns;
    return weight_ns;
}

static bool is_leaving(const struct perf *perf, int32_t tid)
{
    for (size_t i = 0; i < perf->leaving.count; i++)
        if (perf->leaving.threads[i].tid == tid)
            return true;
    return false;
}

static void take_sample(struct perf *perf, const struct perf_event_header *header, size_t ring)
{
    struct perf_sample sample;
    struct unfinished unfinished;
    struct frozen *frozen = &unfinished.frozen;
    struct thread *thread;
    struct pending *pending = &perf->pending;
    bool left; /* and with it its stack */

    if (!perf_parse_sample(header, perf_wish_layout(&perf->events.wish), &sample))
        return;
    thread = member(perf, sample.pid, sample.tid, sample.time_ns);
    if (thread == NULL)
        return;
    memset(&unfinished, 0, sizeof(unfinished));
    unfinished.time_ns = sample.time_ns;
    unfinished.sample = (struct record_sample){ .pid = sample.pid,
                                                .tid = sample.tid,
                                                .weight = weigh(perf, thread, &sample),
                                                .syscall = -1,
                                                .state = STATE_RUNNING,
                                                .metric = (uint8_t)perf->events.wish.event.metric };
    perf_beside_take(perf, thread, ring, &sample, unfinished.sample.counted);
    unfinished.kernel = perf->kernel;
    unfinished.kernel_count = kernel_frames(perf, &sample);
    perf->emit.tally.received++;
    perf->watch.received++;
    frozen->pid = sample.pid;
    frozen->tid = sample.tid;
    frozen->registers = sample.registers;
    frozen->stack = sample.stack;
    frozen->stack_start = sample.registers.sp;
    frozen->stack_size = sample.stack_size;
    unfinished.process = thread->process;
    left = is_leaving(perf, sample.tid);
    if (left || sample.registers.known == 0 || sample.compat) {
        unfinished.sample.end = left ? STACK_COMPLETE : STACK_NONE;
        perf->emit.tally.broken += !left;
        emit_sample(&perf->emit, sample.time_ns, &unfinished.sample, perf->kernel,
                    unfinished.kernel_count);
        return;
    }
    if (!pending_finish(pending, &unfinished))
        return;
    perf_python_count(perf, thread->process, unfinished.sample.weight);
    thread_keep_stack(thread, pending->frames, pending->count, pending->unwound.end);
}

/* Another has that number now: one that exec'd has its leader's. */
static void do_not_leave(struct perf *perf, int32_t tid)
{
    for (size_t i = 0; i < perf->leaving.count; i++)
        if (perf->leaving.threads[i].tid == tid)
            perf->leaving.threads[i].tid = 0;
}

static void take_comm(struct perf *perf, const struct perf_event_header *header, uint64_t time_ns)
{
    struct thread *thread;
    const char *name;
    int32_t pid, tid;

    if (!perf_parse_comm(header, &pid, &tid, &name))
        return;
    thread = member(perf, pid, tid, time_ns);
    if (thread == NULL)
        return;
    if (header->misc & PERF_RECORD_MISC_COMM_EXEC) {
        do_not_leave(perf, pid);
        roster_exec(&perf->roster, pid, name, time_ns);
        /* Its mappings follow as records: what /proc shows may be of a later exec already. */
        roster_process(&perf->roster, pid)->stale = false;
    } else {
        roster_named(&perf->roster, thread, name, time_ns);
    }
}

static void take_mmap(struct perf *perf, const struct perf_event_header *header)
{
    struct maps_line line;
    int32_t pid;

    if (perf_parse_mmap(header, &pid, &line) && line.executable && target_holds(perf->target, pid))
        roster_mapped(&perf->roster, roster_process(&perf->roster, pid), &line);
}

/* A process that was forked has the mappings of its parent until it execs. */
static void take_process(struct perf *perf, const struct perf_task *task)
{
    struct tracked *child, *parent;

    if (!target_add(perf->target, task->pid, task->ppid) && !target_holds(perf->target, task->pid))
        return;
    child = roster_process(&perf->roster, task->pid);
    parent = roster_process(&perf->roster, task->ppid);
    child->ppid = task->ppid;
    if (child->maps == NULL && parent->maps != NULL) {
        child->maps = maps_ref(parent->maps);
        child->stale = parent->stale;
    }
}

static void take_fork(struct perf *perf, const struct perf_event_header *header, uint64_t time_ns)
{
    struct perf_task task;
    struct thread *thread;

    if (!perf_parse_task(header, &task))
        return;
    if (task.pid != task.ppid)
        take_process(perf, &task);
    if (!target_holds(perf->target, task.pid))
        return;
    do_not_leave(perf, task.tid);
    thread = roster_add(&perf->roster, task.pid, task.tid, THREAD_BEGAN, time_ns);
    if (!thread->account.started)
        account_begin(&thread->account, time_ns);
}

/*
 * With the exec of a set-user-ID program the kernel takes a thread's events away and tells that as
 * its exit.  It lives on, and gets new events where our rights reach that far.
 */
static bool lives_on(const struct perf *perf, const struct perf_task *task)
{
    struct proc_stat stat;

    return task->pid == task->tid &&
           proc_stat(target_proc_root(perf->target), task->pid, 0, &stat) &&
           !proc_stat_dead(&stat) && (stat.flags & FLAG_EXITING) == 0;
}

/*
 * A thread that execs ends its leader before it takes its number, and keeps its own events; it has
 * its old number until then.
 */
static bool has_others(const struct perf *perf, const struct thread *leader)
{
    for (size_t i = 0; i < perf->roster.count; i++)
        if (perf->roster.threads[i]->pid == leader->pid && perf->roster.threads[i] != leader)
            return true;
    return false;
}

/*
 * A thread's events end with it, but events of a CPU go on to see the kernel take its memory apart,
 * which is a twentieth of the time of a process that lives 1 ms.
 */
static void leave(struct perf *perf, struct thread *thread, uint64_t time_ns)
{
    struct perf_leaving *leaving = &perf->leaving;

    if (!perf->events.system) {
        roster_remove(&perf->roster, thread, time_ns);
        return;
    }
    leaving->threads = array_reserve(leaving->threads, &leaving->capacity, leaving->count + 1,
                                     sizeof(*leaving->threads));
    leaving->threads[leaving->count++] = (struct leaving){ thread->tid, time_ns };
}

/* Removes those who left long ago. */
static void see_off(struct perf *perf, uint64_t now_ns)
{
    struct perf_leaving *leaving = &perf->leaving;
    size_t gone = 0;

    for (; gone < leaving->count && leaving->threads[gone].exit_ns + LEAVING_NS < now_ns; gone++) {
        struct thread *thread = roster_find(&perf->roster, leaving->threads[gone].tid);

        if (thread != NULL)
            roster_remove(&perf->roster, thread, leaving->threads[gone].exit_ns);
    }
    if (gone == 0)
        return;
    leaving->count -= gone;
    memmove(leaving->threads, leaving->threads + gone, leaving->count * sizeof(*leaving->threads));
}

static void take_exit(struct perf *perf, const struct perf_event_header *header, uint64_t time_ns)
{
    struct perf_task task;
    struct thread *thread;

    if (!perf_parse_task(header, &task))
        return;
    thread = roster_find(&perf->roster, task.tid);
    if (thread == NULL || thread->pid != task.pid)
        return;
    /* The leader of others stays a zombie until they end; its exit is told with the last. */
    if (!lives_on(perf, &task))
        leave(perf, thread, time_ns);
    else if (!has_others(perf, thread))
        perf_watch_attach_again(perf, thread->process);
}

/* RING: which one it came from. */
static void take_record(struct perf *perf, const struct perf_event_header *header, size_t ring)
{
    uint64_t time_ns = perf_record_time(header);
    uint64_t lost;

    switch (header->type) {
    case PERF_RECORD_SAMPLE:
        take_sample(perf, header, ring);
        break;
    case PERF_RECORD_COMM:
        take_comm(perf, header, time_ns);
        break;
    case PERF_RECORD_MMAP2:
        take_mmap(perf, header);
        break;
    case PERF_RECORD_FORK:
        take_fork(perf, header, time_ns);
        break;
    case PERF_RECORD_EXIT:
        take_exit(perf, header, time_ns);
        break;
    case PERF_RECORD_LOST:
    case PERF_RECORD_LOST_SAMPLES:
        lost = perf_parse_lost(header);
        if (perf->events.wish.event.metric != METRIC_TIME) {
            perf->counted.lost += lost;
            break;
        }
        perf->emit.tally.lost += (uint32_t)lost;
        perf->watch.lost += lost;
        break;
    case PERF_RECORD_THROTTLE:
        perf->emit.tally.throttled++;
        break;
    default:
        break;
    }
}

void perf_take(struct perf *perf, uint64_t now_ns)
{
    struct perf_events *events = &perf->events;
    bool counted = events->wish.event.metric != METRIC_TIME;

    for (size_t i = 0; i < events->ring_count; i++)
        perf_ring_begin(&events->rings[i]);
    if (counted)
        perf_counted_begin(perf, now_ns);
    for (;;) {
        const struct perf_event_header *oldest = NULL;
        size_t from = 0;
        uint64_t oldest_ns = UINT64_MAX;

        for (size_t i = 0; i < events->ring_count; i++) {
            const struct perf_event_header *header = perf_ring_next(&events->rings[i]);

            if (header != NULL && perf_record_time(header) < oldest_ns) {
                oldest = header;
                oldest_ns = perf_record_time(header);
                from = i;
            }
        }
        /* Later ones may have company from a ring that was looked at before them. */
        if (oldest == NULL || oldest_ns > now_ns)
            break;
        take_record(perf, oldest, from);
        perf_ring_pop(&events->rings[from], oldest);
    }
    for (size_t i = 0; i < events->ring_count; i++)
        perf_ring_end(&events->rings[i]);
    if (counted)
        perf_counted_end(perf, now_ns);
    perf->last_record_ns = now_ns;
    see_off(perf, now_ns);
}

/* A sample for time in the kernel that could not be sampled. */
static void tell_kernel(struct perf *perf, struct thread *thread, uint64_t weight_ns,
                        uint64_t now_ns)
{
    const struct frame mark = { .module = MARK_KERNEL, .kind = FRAME_MARK };
    const struct record_sample sample = { .pid = thread->pid,
                                          .tid = thread->tid,
                                          .weight = weight_ns,
                                          .syscall = -1,
                                          .state = STATE_RUNNING,
                                          .metric = METRIC_TIME,
                                          .end = STACK_NONE };

    thread->account.told_cpu_ns += weight_ns;
    perf->watch.kernel_unseen_ns += weight_ns;
    perf->watch.told_ns += weight_ns;
    emit_sample(&perf->emit, now_ns, &sample, &mark, 1);
}

void perf_settle(struct perf *perf, uint64_t now_ns)
{
    uint64_t period_ns = perf_events_period(&perf->events);

    for (size_t i = 0; i < perf->roster.count; i++) {
        struct thread *thread = perf->roster.threads[i];
        int64_t owed_ns;

        if (thread->account.at_ns != now_ns)
            continue;
        owed_ns = account_settle(&thread->account, period_ns);
        if (owed_ns > 0 && !perf->events.wish.kernel && !thread->process->unsampled) {
            tell_kernel(perf, thread, (uint64_t)owed_ns, now_ns);
            thread->account.correction_ns = 0;
        }
    }
}
