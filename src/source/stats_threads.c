/* SPDX-License-Identifier: MIT */
/*
 * The threads of one process.  Where its CPU time and their number are what they were, none is
 * asked. Else schedstat says in half a microsecond whether a thread ran at all; only of those that
 * did are stat and status read.  A thread that stood still has no values in the round: a THREAD
 * lane without a value is 0 (lane.h).
 */
#include "config.h"

#include "stats_process.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/descriptors.h"
#include "proftop/memory.h"
#include "proftop/system.h"

enum {
    KEPT_MAX = 1024,         /* threads of a process whose schedstat stays open */
    KEPT_SHARE = 16,         /* and no more than this part of our descriptors */
    OTHERS_KEPT_MAX = 256,   /* of these the files that are read of those that ran, too */
    LANES_THREADS_MAX = 256, /* threads of a process that get lanes of their own */
    ROUNDS_BEFORE_LANES = 2
};

enum thread_lane {
    THREAD_CPU,
    THREAD_USER,
    THREAD_SYS,
    THREAD_DELAY,
    THREAD_VCSW,
    THREAD_IVCSW,
    THREAD_MINFLT,
    THREAD_MAJFLT,
    THREAD_LANES
};

static const struct lane_kind thread_kinds[THREAD_LANES] = {
    [THREAD_CPU] = { "cpu_pct", "", LANE_THREAD, UNIT_PERCENT, 100, false },
    [THREAD_USER] = { "user_pct", "", LANE_THREAD, UNIT_PERCENT, 100, false },
    [THREAD_SYS] = { "sys_pct", "", LANE_THREAD, UNIT_PERCENT, 100, false },
    [THREAD_DELAY] = { "run_delay_pct", "", LANE_THREAD, UNIT_PERCENT, 100, false },
    [THREAD_VCSW] = { "vcsw", "", LANE_THREAD, UNIT_PER_SECOND, 0, false },
    [THREAD_IVCSW] = { "ivcsw", "", LANE_THREAD, UNIT_PER_SECOND, 0, false },
    [THREAD_MINFLT] = { "minflt", "", LANE_THREAD, UNIT_PER_SECOND, 0, false },
    [THREAD_MAJFLT] = { "majflt", "", LANE_THREAD, UNIT_PER_SECOND, 0, false },
};

/* Counters of a thread: CPU and delay in ns, user and system in ticks. */
struct thread {
    int32_t tid;
    uint64_t seen, rounds;
    struct proc_file schedstat, stat, status;
    bool kept, known; /* known: the counters below are those of an earlier round */
    struct proc_schedstat last;
    uint64_t counters[THREAD_LANES];
    char name[PROC_NAME_MAX];
    uint64_t last_ns; /* when they were read */
    struct gauge gauges[THREAD_LANES];
};

static void open_schedstat(struct thread *thread, const struct process *process,
                           const struct round *round)
{
    proc_file_open(&thread->schedstat, round->proc_root, "%" PRId32 "/task/%" PRId32 "/schedstat",
                   process->pid, thread->tid);
}

/* The files that only a thread that ran is asked for. */
static void open_others(struct thread *thread, const struct process *process,
                        const struct round *round)
{
    if (proc_file_is_open(&thread->stat))
        return;
    proc_file_open(&thread->stat, round->proc_root, "%" PRId32 "/task/%" PRId32 "/stat",
                   process->pid, thread->tid);
    proc_file_open(&thread->status, round->proc_root, "%" PRId32 "/task/%" PRId32 "/status",
                   process->pid, thread->tid);
}

static void close_others(struct thread *thread)
{
    proc_file_close(&thread->stat);
    proc_file_close(&thread->status);
}

static void close_files(struct thread *thread)
{
    proc_file_close(&thread->schedstat);
    close_others(thread);
}

/* The thread TID, new or known: both lists are short or sorted alike, so HINT is nearly always it.
 */
static struct thread *find_thread(struct process *process, int32_t tid, size_t hint)
{
    if (hint < process->thread_count && process->threads[hint].tid == tid)
        return &process->threads[hint];
    for (size_t i = 0; i < process->thread_count; i++)
        if (process->threads[i].tid == tid)
            return &process->threads[i];
    process->threads = array_reserve(process->threads, &process->thread_capacity,
                                     process->thread_count + 1, sizeof(*process->threads));
    process->threads[process->thread_count] = (struct thread){ .tid = tid };
    return &process->threads[process->thread_count++];
}

/* A lane is called after its thread: screens say once which figure they show. */
static void put(struct round *round, struct thread *thread, const struct process *process,
                enum thread_lane lane, double value)
{
    struct gauge *gauge = &thread->gauges[lane];
    struct lane_kind kind = thread_kinds[lane];

    if (gauge->lane_plus_1 == 0) {
        kind.label = thread->name;
        gauge->lane_plus_1 = round_lane(round, &kind, NULL, process->pid, thread->tid) + 1;
    }
    round_put(round, gauge->lane_plus_1 - 1, value);
}

static void read_counters(struct thread *thread, const struct proc_schedstat *now,
                          uint64_t counters[THREAD_LANES])
{
    const char *text = proc_file_read(&thread->stat);
    struct proc_stat stat;

    memset(counters, 0, THREAD_LANES * sizeof(*counters));
    counters[THREAD_DELAY] = now->delay_ns;
    if (text != NULL && proc_parse_stat(text, &stat)) {
        counters[THREAD_CPU] =
            (stat.utime_ticks + stat.stime_ticks) * NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
        counters[THREAD_USER] = stat.utime_ticks;
        counters[THREAD_SYS] = stat.stime_ticks;
        counters[THREAD_MINFLT] = stat.minflt;
        counters[THREAD_MAJFLT] = stat.majflt;
        memcpy(thread->name, stat.name, sizeof(thread->name));
    }
    if (proc_file_is_open(&thread->schedstat))
        counters[THREAD_CPU] = now->cpu_ns;
    text = proc_file_read(&thread->status);
    if (text != NULL) {
        system_find_pair(text, "voluntary_ctxt_switches", &counters[THREAD_VCSW]);
        system_find_pair(text, "nonvoluntary_ctxt_switches", &counters[THREAD_IVCSW]);
    }
}

/* Adds what the thread did to its process, and to its own lanes. */
static void put_growth(struct process *process, struct round *round, struct thread *thread,
                       const uint64_t growth[THREAD_LANES], bool lanes)
{
    double seconds = (double)(round->now_ns - thread->last_ns) / (double)NS_PER_S;
    double ticks = (double)(growth[THREAD_USER] + growth[THREAD_SYS]);
    double cpu_pct = (double)growth[THREAD_CPU] / seconds / 1e7;

    process->figures[FIGURE_DELAY_NS] += (double)growth[THREAD_DELAY];
    process->figures[FIGURE_VCSW] += (double)growth[THREAD_VCSW];
    process->figures[FIGURE_IVCSW] += (double)growth[THREAD_IVCSW];
    if (!lanes || thread->rounds < ROUNDS_BEFORE_LANES)
        return;
    put(round, thread, process, THREAD_CPU, cpu_pct);
    put(round, thread, process, THREAD_DELAY, (double)growth[THREAD_DELAY] / seconds / 1e7);
    if (ticks > 0) {
        put(round, thread, process, THREAD_USER, cpu_pct * (double)growth[THREAD_USER] / ticks);
        put(round, thread, process, THREAD_SYS, cpu_pct * (double)growth[THREAD_SYS] / ticks);
    }
    for (enum thread_lane lane = THREAD_VCSW; lane < THREAD_LANES; lane++)
        if (growth[lane] > 0)
            put(round, thread, process, lane, (double)growth[lane] / seconds);
}

/*
 * FRESH: the process was followed before this thread came, so that all it did is new.  Without
 * schedstat (CONFIG_SCHED_INFO off) a thread's CPU time comes from its ticks alone.
 */
static void read_thread(struct process *process, struct round *round, struct thread *thread,
                        bool fresh, bool lanes)
{
    struct proc_schedstat now = { 0 };
    uint64_t counters[THREAD_LANES], growth[THREAD_LANES] = { 0 };
    const char *text = proc_file_read(&thread->schedstat);
    bool moved = true;

    if (text == NULL && proc_file_is_open(&thread->schedstat)) {
        /* Ended; its number may be another thread's by now. */
        close_files(thread);
        *thread = (struct thread){ .tid = thread->tid, .seen = thread->seen };
        return;
    }
    if (text != NULL && proc_parse_schedstat(text, &now))
        moved = now.cpu_ns != thread->last.cpu_ns || now.delay_ns != thread->last.delay_ns ||
                now.slices != thread->last.slices;
    thread->rounds++;
    if (moved) {
        open_others(thread, process, round);
        read_counters(thread, &now, counters);
        if (thread->known || fresh) {
            for (size_t i = 0; i < THREAD_LANES; i++)
                system_advance(thread->counters[i], counters[i], &growth[i]);
            if (thread->last_ns == 0)
                thread->last_ns = round->now_ns - (uint64_t)(round->seconds * (double)NS_PER_S);
            put_growth(process, round, thread, growth, lanes);
        }
        memcpy(thread->counters, counters, sizeof(counters));
        thread->last = now;
    }
    thread->known = true;
    thread->last_ns = round->now_ns;
}

static void forget_ended(struct process *process, uint64_t seen)
{
    size_t kept = 0;

    for (size_t i = 0; i < process->thread_count; i++) {
        if (process->threads[i].seen != seen)
            close_files(&process->threads[i]);
        else
            process->threads[kept++] = process->threads[i];
    }
    process->thread_count = kept;
}

/* A thread that came, went or ran would show, at the latest when it sleeps again. */
static bool stood_still(const struct process *process)
{
    return process->clock != 0 && process->has[FIGURE_CPU_NS] &&
           process->figures[FIGURE_CPU_NS] == 0 &&
           process->figures[FIGURE_THREADS] == (double)process->thread_count;
}

static void pass_round(struct process *process, const struct round *round)
{
    for (size_t i = 0; i < process->thread_count; i++) {
        process->threads[i].known = true;
        process->threads[i].rounds++;
        process->threads[i].last_ns = round->now_ns;
    }
}

static bool ask_threads(struct process *process, struct round *round, bool fresh)
{
    size_t kept = descriptors_share(KEPT_MAX, KEPT_SHARE);
    struct proc_ids tids = { 0 };

    if (!proc_tids(round->proc_root, process->pid, &tids))
        return false;
    for (size_t i = 0; i < tids.count; i++) {
        struct thread *thread = find_thread(process, tids.ids[i], i);

        thread->seen = round->number + 1;
        if (!thread->kept) {
            open_schedstat(thread, process, round);
            thread->kept = i < kept;
        }
        read_thread(process, round, thread, fresh, i < LANES_THREADS_MAX);
        if (!thread->kept)
            close_files(thread);
        else if (i >= OTHERS_KEPT_MAX || i >= kept / 4)
            close_others(thread);
    }
    proc_ids_fini(&tids);
    forget_ended(process, round->number + 1);
    return true;
}

void process_read_threads(struct process *process, struct round *round)
{
    bool fresh = process->has_last[FIGURE_DELAY_NS] && round->seconds > 0;

    if (stood_still(process))
        pass_round(process, round);
    else if (!ask_threads(process, round, fresh))
        return;
    if (fresh)
        process->has[FIGURE_DELAY_NS] = process->has[FIGURE_VCSW] = process->has[FIGURE_IVCSW] =
            true;
    process->has_last[FIGURE_DELAY_NS] = true;
}

void process_free_threads(struct process *process)
{
    for (size_t i = 0; i < process->thread_count; i++)
        close_files(&process->threads[i]);
    free(process->threads);
    process->threads = NULL;
    process->thread_count = process->thread_capacity = 0;
}
