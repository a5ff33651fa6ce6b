/* SPDX-License-Identifier: MIT */
/*
 * The list of the target's processes: see target.h.  A living process is one whose pid still has
 * the start time it was added with.
 */
#include "config.h"

#include "target_private.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/hash.h"
#include "proftop/memory.h"

/* Fewer processes than this are all remembered, ended or not. */
enum { FORGET_ABOVE = 4096 };

struct target *target_new(const struct target_options *options)
{
    struct target *target = xcalloc(1, sizeof(*target));

    target->proc_root = xstrdup(options->proc_root != NULL ? options->proc_root : "/proc");
    target->children = options->children;
    target->master_fd = target->go_fd = target->exec_fd = -1;
    pthread_mutex_init(&target->lock, NULL);
    index_init(&target->by_pid);
    return target;
}

void target_free(struct target *target)
{
    if (target == NULL)
        return;
    if (target->go_fd >= 0)
        close(target->go_fd);
    if (target->exec_fd >= 0)
        close(target->exec_fd);
    if (target->master_fd >= 0)
        close(target->master_fd);
    pthread_mutex_destroy(&target->lock);
    index_fini(&target->by_pid);
    free(target->processes);
    free(target->proc_root);
    free(target->command);
    free(target);
}

/* The latest process that had PID. */
static struct target_process *find(struct target *target, int32_t pid)
{
    struct index_cursor cursor;
    uint32_t item, latest = INDEX_END;

    index_probe(&target->by_pid, hash_u64((uint64_t)pid), &cursor);
    while ((item = index_next(&target->by_pid, &cursor)) != INDEX_END)
        if (target->processes[item].pid == pid && (latest == INDEX_END || item > latest))
            latest = item;
    return latest != INDEX_END ? &target->processes[latest] : NULL;
}

static struct target_process *append(struct target *target, const struct target_process *process)
{
    target->processes = array_reserve(target->processes, &target->capacity, target->count + 1,
                                      sizeof(*target->processes));
    target->processes[target->count] = *process;
    index_add(&target->by_pid, hash_u64((uint64_t)process->pid), (uint32_t)target->count);
    return &target->processes[target->count++];
}

/* Forgets children that have ended, once there are many: a target may fork all day. */
static void forget_ended(struct target *target)
{
    size_t kept = 0;

    if (target->count < FORGET_ABOVE || target->ended * 2 < target->count)
        return;
    index_fini(&target->by_pid);
    index_init(&target->by_pid);
    for (size_t i = 0; i < target->count; i++) {
        if (target->processes[i].ended && !target->processes[i].asked)
            continue;
        target->processes[kept] = target->processes[i];
        index_add(&target->by_pid, hash_u64((uint64_t)target->processes[kept].pid), (uint32_t)kept);
        kept++;
    }
    target->count = kept;
    target->ended = 0;
}

struct target_process *target_append(struct target *target, int32_t pid)
{
    struct target_process process = { .pid = pid, .exit_status = -1 };
    struct proc_stat stat;

    if (!proc_stat(target->proc_root, pid, 0, &stat))
        return NULL;
    process.ppid = stat.ppid;
    process.start_ticks = stat.start_ticks;
    memcpy(process.name, stat.name, sizeof(process.name));
    return append(target, &process);
}

/* How unlike two decimal numbers are to someone who types them: edits, an exchange counting one. */
static unsigned typing_distance(const char *a, const char *b)
{
    unsigned cost[12][12];
    size_t a_length = strnlen(a, 11), b_length = strnlen(b, 11);

    for (size_t i = 0; i <= a_length; i++) {
        for (size_t j = 0; j <= b_length; j++) {
            unsigned best;

            if (i == 0 || j == 0) {
                cost[i][j] = (unsigned)(i + j);
                continue;
            }
            best = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (cost[i - 1][j] + 1 < best)
                best = cost[i - 1][j] + 1;
            if (cost[i][j - 1] + 1 < best)
                best = cost[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                cost[i - 2][j - 2] + 1 < best)
                best = cost[i - 2][j - 2] + 1;
            cost[i][j] = best;
        }
    }
    return cost[a_length][b_length];
}

/* Names the process whose number is most like PID, with its command: a digit is soon mistyped. */
static void hint_nearest(const char *proc_root, int32_t pid, struct error *error)
{
    struct proc_ids all = { 0 };
    char wanted[16], other[16], command[200];
    unsigned best = 2; /* more edits than this are no likeness */
    int32_t nearest = 0;

    snprintf(wanted, sizeof(wanted), "%" PRId32, pid);
    proc_pids(proc_root, &all);
    for (size_t i = 0; i < all.count; i++) {
        unsigned distance;

        snprintf(other, sizeof(other), "%" PRId32, all.ids[i]);
        distance = typing_distance(wanted, other);
        if (distance < best && proc_cmdline(proc_root, all.ids[i], command, sizeof(command))) {
            best = distance;
            nearest = all.ids[i];
        }
    }
    proc_ids_fini(&all);
    if (nearest != 0 && proc_cmdline(proc_root, nearest, command, sizeof(command)))
        error_hint(error, _("the nearest is %" PRId32 ": %s"), nearest, command);
    else
        error_hint(error, _("run proftop without arguments to pick from a list"));
}

static bool add_asked(struct target *target, int32_t pid, struct error *error)
{
    struct target_process *process = find(target, pid);

    if (process != NULL)
        return true; /* named twice */
    process = target_append(target, pid);
    if (process == NULL) {
        error_set(error, STATUS_MISSING, _("no process has the pid %" PRId32), pid);
        hint_nearest(target->proc_root, pid, error);
        return false;
    }
    if (process->pid == getpid() && strcmp(target->proc_root, "/proc") == 0)
        return error_set(error, STATUS_USAGE, _("pid %" PRId32 " is proftop itself"), pid);
    process->asked = true;
    return true;
}

struct target *target_attach(const int32_t *pids, size_t count,
                             const struct target_options *options, struct error *error)
{
    struct target *target = target_new(options);
    char command[1024];

    for (size_t i = 0; i < count; i++)
        if (!add_asked(target, pids[i], error))
            goto fail;
    target->pid = pids[0];
    if (!proc_cmdline(target->proc_root, target->pid, command, sizeof(command)))
        snprintf(command, sizeof(command), "[%s]", target->processes[0].name);
    target->command = xstrdup(command);
    target_refresh(target);
    return target;
fail:
    target_free(target);
    return NULL;
}

const char *target_proc_root(const struct target *target)
{
    return target->proc_root;
}

bool target_follows_children(const struct target *target)
{
    return target->children;
}

int32_t target_pid(const struct target *target)
{
    return target->pid;
}

const char *target_command(const struct target *target)
{
    return target->command;
}

size_t target_processes(struct target *target, struct target_process *processes, size_t room,
                        bool all)
{
    size_t count = 0;

    pthread_mutex_lock(&target->lock);
    for (size_t i = 0; i < target->count; i++) {
        if (target->processes[i].ended && !all)
            continue;
        if (count < room)
            processes[count] = target->processes[i];
        count++;
    }
    pthread_mutex_unlock(&target->lock);
    return count;
}

bool target_process(struct target *target, int32_t pid, struct target_process *process)
{
    const struct target_process *found;

    pthread_mutex_lock(&target->lock);
    found = find(target, pid);
    if (found != NULL)
        *process = *found;
    pthread_mutex_unlock(&target->lock);
    return found != NULL;
}

bool target_holds(struct target *target, int32_t pid)
{
    struct target_process process;

    return target_process(target, pid, &process) && !process.ended;
}

bool target_alive(struct target *target)
{
    return target_processes(target, NULL, 0, false) > 0;
}

/* With the lock held. */
static bool add_child(struct target *target, int32_t pid)
{
    const struct target_process *known = find(target, pid);
    struct proc_stat stat;

    if (known != NULL) {
        if (!known->ended)
            return false;
        /* The same process, still a zombie, or another that got its pid? */
        if (!proc_stat(target->proc_root, pid, 0, &stat) || stat.start_ticks == known->start_ticks)
            return false;
    }
    forget_ended(target);
    return target_append(target, pid) != NULL;
}

bool target_add(struct target *target, int32_t pid, int32_t ppid)
{
    struct target_process gone = { .pid = pid, .ppid = ppid, .exit_status = -1 };
    const struct target_process *known, *parent;
    bool added = false;

    if (!target->children)
        return false;
    pthread_mutex_lock(&target->lock);
    parent = find(target, ppid);
    if (parent != NULL && !(added = add_child(target, pid))) {
        known = find(target, pid);
        if (known == NULL || known->ended) {
            /* Too short a life for /proc, and yet it has samples. */
            parent = find(target, ppid);
            memcpy(gone.name, parent->name, sizeof(gone.name));
            append(target, &gone);
            added = true;
        }
    }
    pthread_mutex_unlock(&target->lock);
    return added;
}

/* With the lock held. */
static void end_process(struct target *target, struct target_process *process, int exit_status)
{
    target->ended += !process->ended;
    target->ends += !process->ended;
    process->ended = true;
    if (exit_status != -1)
        process->exit_status = exit_status;
}

void target_ended(struct target *target, int32_t pid, int exit_status)
{
    struct target_process *process;

    pthread_mutex_lock(&target->lock);
    process = find(target, pid);
    if (process != NULL)
        end_process(target, process, exit_status);
    pthread_mutex_unlock(&target->lock);
}

/*
 * Whether PROCESS may have children we don't know: to fork takes CPU time.  One call tells that of
 * a thousand threads, each of which has a list of its own.
 */
static bool may_have_forked(const struct target *target, struct target_process *process)
{
    uint64_t cpu_ns =
        strcmp(target->proc_root, "/proc") == 0 ? clock_other_cpu_ns(process->pid) : 0;
    bool moved = cpu_ns == 0 || cpu_ns != process->cpu_ns;

    process->cpu_ns = cpu_ns;
    return moved;
}

/* With the lock held. */
static void find_ended(struct target *target)
{
    for (size_t i = 0; i < target->count; i++) {
        struct target_process *process = &target->processes[i];
        struct proc_stat stat;

        if (process->ended)
            continue;
        if (proc_stat(target->proc_root, process->pid, 0, &stat) &&
            stat.start_ticks == process->start_ticks && !proc_stat_ended(&stat))
            memcpy(process->name, stat.name, sizeof(process->name));
        else
            end_process(target, process, -1);
    }
}

/* With the lock held.  What is appended on the way is visited too: grandchildren. */
static void find_children(struct target *target)
{
    struct proc_ids children = { 0 };
    bool orphans = target->ends != target->ends_seen;

    target->ends_seen = target->ends;
    for (size_t i = 0; i < target->count; i++) {
        struct target_process *process = &target->processes[i];

        if (process->ended)
            continue;
        children.count = 0;
        if (may_have_forked(target, process))
            proc_children(target->proc_root, process->pid, &children);
        else if (orphans)
            proc_adopted(target->proc_root, process->pid, &children);
        for (size_t child = 0; child < children.count; child++)
            add_child(target, children.ids[child]);
    }
    proc_ids_fini(&children);
}

void target_refresh(struct target *target)
{
    pthread_mutex_lock(&target->lock);
    find_ended(target);
    if (target->children)
        find_children(target);
    pthread_mutex_unlock(&target->lock);
}

uint64_t target_cpu_ns(struct target *target)
{
    uint64_t ticks = 0;

    pthread_mutex_lock(&target->lock);
    for (size_t i = 0; i < target->count; i++) {
        struct proc_stat stat;

        if (target->processes[i].ended ||
            !proc_stat(target->proc_root, target->processes[i].pid, 0, &stat))
            continue;
        ticks += stat.utime_ticks + stat.stime_ticks;
        if (target->children)
            ticks += stat.cutime_ticks + stat.cstime_ticks;
    }
    pthread_mutex_unlock(&target->lock);
    return ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

bool target_reap(struct target *target, int *exit_status)
{
    struct target_process process;
    int status;

    if (target->launched == 0 || !target_process(target, target->launched, &process))
        return false;
    if (process.exit_status == -1 && waitpid(target->launched, &status, WNOHANG) > 0) {
        target_ended(target, target->launched, status);
        process.exit_status = status;
    }
    if (process.exit_status == -1)
        return false;
    *exit_status = process.exit_status;
    return true;
}

bool target_signal(struct target *target, int signal, struct error *error)
{
    int32_t pid = target->launched != 0 ? target->launched : target->pid;
    struct target_process process;

    /* Only a child on a pty of its own leads a process group. */
    if (target_process(target, pid, &process) && process.exit_status == -1) {
        if (kill(target->master_fd >= 0 ? -pid : pid, signal) == 0)
            return true;
    } else {
        errno = ESRCH;
    }
    return error_errno(error, errno, _("cannot send signal %d to pid %" PRId32 ": %s"), signal, pid,
                       strerror(errno));
}
