/* SPDX-License-Identifier: MIT */
/* Processes and threads of a sampling source: see roster.h. */
#include "config.h"

#include "roster.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/descriptors.h"
#include "proftop/gettext.h"
#include "proftop/hash.h"
#include "proftop/memory.h"
#include "proftop/unwind.h"
#include "rights.h"

enum {
    BUCKETS_FIRST = 256,
    KEPT_MAX = 3072, /* descriptors, of the 4,096 we allow ourselves beside the events */
    KEPT_SHARE = 8,  /* and no more than this part of all we may have */
};

/* Maps that change all the time (a JIT's) are read again at most so often; futile reads rarer. */
#define MAPS_REST_MIN_NS (2 * NS_PER_MS)
#define MAPS_REST_MAX_NS NS_PER_S
/* Where one library took the place of another, at its very address, nothing but looking tells. */
#define MAPS_KEEP_NS (100 * NS_PER_MS)

enum { MAPS_SHARE = 200 }; /* looking takes at most this part of the time */

/* A child that is gone from /proc's point of view gives its status a moment later. */
#define STATUS_WAIT_NS NS_PER_S

void roster_init(struct roster *roster, struct target *target, const struct source_config *config,
                 struct emit *emit)
{
    memset(roster, 0, sizeof(*roster));
    roster->target = target;
    roster->modules = config->modules;
    roster->unwinder = config->unwinder;
    roster->emit = emit;
    roster->kept_most = descriptors_share(KEPT_MAX, KEPT_SHARE);
    roster->bucket_count = BUCKETS_FIRST;
    roster->buckets = xcalloc(roster->bucket_count, sizeof(struct thread *));
}

static void close_kept(struct roster *roster, int *fd)
{
    if (*fd < 0)
        return;
    close(*fd);
    *fd = -1;
    roster->kept_count--;
}

static void thread_free(struct roster *roster, struct thread *thread)
{
    close_kept(roster, &thread->kept.schedstat_fd);
    close_kept(roster, &thread->kept.syscall_fd);
    free(thread->stack.frames);
    free(thread->beside);
    free(thread);
}

/* What was known of the program that a process ran. */
static void forget_program(struct tracked *process)
{
    if (process->maps != NULL)
        maps_unref(process->maps);
    python_close(process->python);
    process->maps = NULL;
    process->python = NULL;
    process->python_due_ns = process->python_first_ns = process->python_rest_ns = 0;
    process->python_ns = 0;
}

static void process_free(struct roster *roster, struct tracked *process)
{
    struct tracked **link = &roster->processes;

    while (*link != process)
        link = &(*link)->next;
    *link = process->next;
    forget_program(process);
    free(process);
}

void roster_fini(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++)
        thread_free(roster, roster->threads[i]);
    while (roster->processes != NULL)
        process_free(roster, roster->processes);
    free(roster->threads);
    free(roster->buckets);
}

static struct thread **bucket_of(const struct roster *roster, int32_t tid)
{
    return &roster->buckets[hash_u64((uint64_t)tid) & (roster->bucket_count - 1)];
}

struct thread *roster_find(const struct roster *roster, int32_t tid)
{
    struct thread *thread = *bucket_of(roster, tid);

    while (thread != NULL && thread->tid != tid)
        thread = thread->next;
    return thread;
}

static void grow(struct roster *roster)
{
    free(roster->buckets);
    roster->bucket_count *= 2;
    roster->buckets = xcalloc(roster->bucket_count, sizeof(struct thread *));
    for (size_t i = 0; i < roster->count; i++) {
        struct thread **bucket = bucket_of(roster, roster->threads[i]->tid);

        roster->threads[i]->next = *bucket;
        *bucket = roster->threads[i];
    }
}

struct tracked *roster_process(struct roster *roster, int32_t pid)
{
    struct tracked *process = roster->processes;
    struct target_process known;

    while (process != NULL && process->pid != pid)
        process = process->next;
    if (process != NULL)
        return process;
    process = xcalloc(1, sizeof(*process));
    process->pid = pid;
    process->stale = true;
    if (target_process(roster->target, pid, &known))
        process->ppid = known.ppid;
    process->next = roster->processes;
    roster->processes = process;
    return process;
}

struct thread *roster_add(struct roster *roster, int32_t pid, int32_t tid, enum thread_event event,
                          uint64_t time_ns)
{
    struct thread *thread = roster_find(roster, tid);
    struct thread **bucket;
    struct proc_stat stat;
    struct target_process process;
    struct thread_news news;

    if (thread != NULL && thread->pid == pid)
        return thread;
    if (thread != NULL)
        roster_remove(roster, thread, time_ns); /* its number was given to another */
    thread = xcalloc(1, sizeof(*thread));
    thread->pid = pid;
    thread->tid = tid;
    thread->kept.schedstat_fd = thread->kept.syscall_fd = -1;
    thread->process = roster_process(roster, pid);
    thread->process->threads++;
    thread->seen = roster->scans;
    thread->position = roster->count;
    roster->threads = array_reserve(roster->threads, &roster->capacity, roster->count + 1,
                                    sizeof(*roster->threads));
    roster->threads[roster->count++] = thread;
    if (roster->count > roster->bucket_count) {
        grow(roster);
    } else {
        bucket = bucket_of(roster, tid);
        thread->next = *bucket;
        *bucket = thread;
    }
    news = (struct thread_news){
        .pid = pid, .tid = tid, .ppid = thread->process->ppid, .event = event, .exit_status = -1
    };
    if (proc_stat(target_proc_root(roster->target), pid, tid, &stat)) {
        memcpy(thread->name, stat.name, sizeof(thread->name));
        news.start_ns = event == THREAD_SEEN ? proc_start_ns(stat.start_ticks) : time_ns;
    } else if (target_process(roster->target, pid, &process)) {
        /* It ended before we looked: until it says otherwise a task is called as its parent. */
        memcpy(thread->name, process.name, sizeof(thread->name));
    }
    news.name = thread->name;
    emit_thread(roster->emit, time_ns, &news);
    return thread;
}

void roster_named(struct roster *roster, struct thread *thread, const char *name, uint64_t time_ns)
{
    const struct thread_news news = { .pid = thread->pid,
                                      .tid = thread->tid,
                                      .ppid = thread->process->ppid,
                                      .event = THREAD_NAMED,
                                      .exit_status = -1,
                                      .name = thread->name };

    if (strcmp(thread->name, name) == 0)
        return;
    snprintf(thread->name, sizeof(thread->name), "%s", name);
    emit_thread(roster->emit, time_ns, &news);
}

/* The launched child's end is told by roster_over(), with its status. */
static void tell_end(struct roster *roster, const struct thread *thread, uint64_t time_ns)
{
    const struct thread_news news = { .pid = thread->pid,
                                      .tid = thread->tid,
                                      .ppid = thread->process->ppid,
                                      .event = THREAD_ENDED,
                                      .exit_status = -1,
                                      .name = thread->name };

    if (thread->tid != target_launched(roster->target))
        emit_thread(roster->emit, time_ns, &news);
}

void roster_remove(struct roster *roster, struct thread *thread, uint64_t time_ns)
{
    struct thread **link = bucket_of(roster, thread->tid);
    struct tracked *process = thread->process;

    tell_end(roster, thread, time_ns);
    while (*link != thread)
        link = &(*link)->next;
    *link = thread->next;
    roster->threads[thread->position] = roster->threads[--roster->count];
    roster->threads[thread->position]->position = thread->position;
    thread_free(roster, thread);
    if (--process->threads == 0) {
        target_ended(roster->target, process->pid, -1);
        process_free(roster, process);
    }
}

void roster_exec(struct roster *roster, int32_t pid, const char *name, uint64_t time_ns)
{
    struct tracked *process = roster_process(roster, pid);
    struct thread *leader = roster_add(roster, pid, pid, THREAD_SEEN, time_ns);
    const struct thread_news news = { .pid = pid,
                                      .tid = pid,
                                      .ppid = process->ppid,
                                      .event = THREAD_EXEC,
                                      .exit_status = -1,
                                      .name = leader->name };

    for (size_t i = roster->count; i-- > 0;)
        if (roster->threads[i]->pid == pid && roster->threads[i]->tid != pid)
            roster_remove(roster, roster->threads[i], time_ns);
    forget_program(process);
    process->stale = true;
    process->maps_read_ns = 0;
    process->execs++;
    /* What was launched begins as a copy of ourselves. */
    if (pid == target_pid(roster->target) && strcmp(leader->name, name) != 0 &&
        (pid != target_launched(roster->target) || process->execs > 1))
        emit_note(roster->emit, time_ns, NOTE_INFO, _("%s[%d] has become %s (exec)"), leader->name,
                  (int)pid, name);
    snprintf(leader->name, sizeof(leader->name), "%s", name);
    leader->stack.count = 0;
    leader->stack.asleep = false;
    emit_thread(roster->emit, time_ns, &news);
}

uint64_t roster_cpu_ns(struct tracked *process, uint64_t now_ns)
{
    if (process->cpu_read_ns != now_ns) {
        process->cpu_read_ns = now_ns;
        process->cpu_ns = clock_other_cpu_ns(process->pid);
    }
    return process->cpu_ns;
}

static bool same_maps(const struct maps *left, const struct maps *right)
{
    if (left->count != right->count || left->generation != right->generation)
        return false;
    for (uint32_t i = 0; i < left->count; i++) {
        const struct mapping *a = &left->mappings[i], *b = &right->mappings[i];

        if (a->start != b->start || a->end != b->end || a->offset != b->offset ||
            a->module != b->module)
            return false;
    }
    return true;
}

static void read_maps(struct roster *roster, struct tracked *process, uint64_t now_ns)
{
    uint64_t began_ns = clock_thread_cpu_ns();
    struct maps *maps = maps_read(target_proc_root(roster->target), process->pid, process->execs,
                                  roster->modules, NULL);

    process->maps_read_ns = now_ns;
    process->maps_keep_ns = (clock_thread_cpu_ns() - began_ns) * MAPS_SHARE;
    if (process->maps_keep_ns < MAPS_KEEP_NS)
        process->maps_keep_ns = MAPS_KEEP_NS;
    if (maps == NULL)
        return; /* it ended meanwhile: what we know is the best there is */
    if (process->maps != NULL && same_maps(process->maps, maps)) {
        maps_unref(maps);
        process->stale = false;
        return;
    }
    if (process->maps != NULL)
        maps_unref(process->maps);
    process->maps = maps;
    process->stale = false;
    unwinder_prepare(roster->unwinder, maps);
}

struct maps *roster_maps(struct roster *roster, struct tracked *process, uint64_t now_ns)
{
    uint64_t age_ns = now_ns - process->maps_read_ns;

    if ((process->stale && age_ns >= process->maps_rest_ns) ||
        (!roster->maps_told && process->maps != NULL && age_ns >= process->maps_keep_ns))
        read_maps(roster, process, now_ns);
    return process->maps;
}

struct maps *roster_maps_again(struct roster *roster, struct tracked *process, uint64_t now_ns)
{
    uint32_t before = process->maps != NULL ? process->maps->count : 0;

    if (now_ns - process->maps_read_ns < process->maps_rest_ns)
        return process->maps;
    read_maps(roster, process, now_ns);
    if (process->maps != NULL && process->maps->count != before)
        process->maps_rest_ns = MAPS_REST_MIN_NS;
    else if (process->maps_rest_ns < MAPS_REST_MAX_NS)
        process->maps_rest_ns = process->maps_rest_ns * 2 + MAPS_REST_MIN_NS;
    return process->maps;
}

void roster_mapped(struct roster *roster, struct tracked *process, const struct maps_line *line)
{
    struct maps *maps;

    if (process->stale && process->maps == NULL && process->execs == 0)
        return; /* never looked at: reading it whole comes first */
    maps = maps_with(process->maps, target_proc_root(roster->target), process->pid, process->execs,
                     roster->modules, line);
    if (maps == NULL)
        return;
    if (process->maps != NULL)
        maps_unref(process->maps);
    process->maps = maps;
    unwinder_prepare(roster->unwinder, maps);
}

/* It stays in the list until the last of the others ends. */
static bool leader_ended(const struct roster *roster, int32_t pid, const struct proc_ids *tids)
{
    struct proc_stat stat;

    return tids->count > 1 && proc_stat(target_proc_root(roster->target), pid, pid, &stat) &&
           proc_stat_dead(&stat);
}

/* Removes what the current scan did not see. */
static void remove_unseen(struct roster *roster, uint64_t now_ns)
{
    for (size_t i = roster->count; i-- > 0;)
        if (roster->threads[i]->seen != roster->scans)
            roster_remove(roster, roster->threads[i], now_ns);
}

void roster_scan(struct roster *roster, uint64_t now_ns,
                 void (*found)(void *context, int32_t pid, int32_t tid), void *context)
{
    struct target_process *processes;
    struct proc_ids tids = { 0 };
    size_t room, count;
    int32_t ended;

    target_refresh(roster->target);
    room = target_processes(roster->target, NULL, 0, false);
    processes = xcalloc(room + 1, sizeof(*processes));
    count = target_processes(roster->target, processes, room, false);
    roster->scans++;
    for (size_t i = 0; i < count && i < room; i++) {
        tids.count = 0;
        proc_tids(target_proc_root(roster->target), processes[i].pid, &tids);
        ended = leader_ended(roster, processes[i].pid, &tids) ? processes[i].pid : 0;
        for (size_t t = 0; t < tids.count; t++) {
            struct thread *thread = roster_find(roster, tids.ids[t]);

            if (tids.ids[t] == ended)
                continue;
            if (thread == NULL)
                found(context, processes[i].pid, tids.ids[t]);
            else if (thread->pid == processes[i].pid)
                thread->seen = roster->scans;
        }
    }
    remove_unseen(roster, now_ns);
    rights_check(roster, now_ns);
    proc_ids_fini(&tids);
    free(processes);
}

static void tell_launched(struct roster *roster, bool may_reap, uint64_t now_ns)
{
    int32_t launched = target_launched(roster->target);
    struct target_process process;
    struct thread_news news = { .pid = launched, .tid = launched, .event = THREAD_ENDED };

    if (may_reap)
        target_reap(roster->target, &news.exit_status);
    if (!target_process(roster->target, launched, &process) || process.exit_status == -1)
        return;
    news.ppid = process.ppid;
    news.exit_status = process.exit_status;
    news.name = process.name;
    emit_thread(roster->emit, now_ns, &news);
    roster->told_end = true;
}

bool roster_over(struct roster *roster, bool may_reap, uint64_t now_ns)
{
    if (target_launched(roster->target) == 0)
        roster->told_end = true;
    if (!roster->told_end)
        tell_launched(roster, may_reap, now_ns);
    if (target_alive(roster->target)) {
        roster->ended_ns = 0;
        return false;
    }
    if (roster->ended_ns == 0)
        roster->ended_ns = now_ns;
    return roster->told_end || now_ns - roster->ended_ns > STATUS_WAIT_NS;
}

void thread_keep_stack(struct thread *thread, const struct frame *frames, uint32_t count,
                       enum stack_end end)
{
    struct last_stack *stack = &thread->stack;

    stack->frames = array_reserve(stack->frames, &stack->capacity, count, sizeof(*frames));
    if (count > 0)
        memcpy(stack->frames, frames, count * sizeof(*frames));
    stack->count = count;
    stack->end = end;
    stack->syscall = -1;
    stack->reason = WAIT_UNKNOWN;
    stack->gil = GIL_NONE;
    stack->wait_on = 0;
    stack->asleep = false;
    stack->state_known = false;
}

/* A whole small file of a thread, through *FD, which is opened and kept if there is room. */
static bool read_kept(struct roster *roster, const struct thread *thread, const char *name, int *fd,
                      char *text, size_t size)
{
    ssize_t got;

    if (*fd < 0 && roster->kept_count < roster->kept_most) {
        char path[PROC_PATH_MAX];

        snprintf(path, sizeof(path), "%s/%d/task/%d/%s", target_proc_root(roster->target),
                 thread->pid, thread->tid, name);
        *fd = open(path, O_RDONLY | O_CLOEXEC);
        if (*fd < 0)
            return false;
        roster->kept_count++;
    }
    if (*fd < 0)
        return proc_read(target_proc_root(roster->target), thread->pid, thread->tid, name, text,
                         size) > 0;
    got = pread(*fd, text, size - 1, 0);
    if (got <= 0)
        return false;
    text[got] = '\0';
    return true;
}

bool thread_schedstat(struct roster *roster, struct thread *thread,
                      struct proc_schedstat *schedstat)
{
    char text[128];

    return read_kept(roster, thread, "schedstat", &thread->kept.schedstat_fd, text, sizeof(text)) &&
           proc_parse_schedstat(text, schedstat);
}

bool thread_syscall(struct roster *roster, struct thread *thread, struct proc_syscall *syscall)
{
    char text[256];

    return read_kept(roster, thread, "syscall", &thread->kept.syscall_fd, text, sizeof(text)) &&
           proc_parse_syscall(text, syscall);
}
