/* SPDX-License-Identifier: MIT */
/* The processes of this machine. */
#include "config.h"

#include "proftop/process_list.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"

enum { CAP_SYS_PTRACE = 19, KERNEL_THREAD = 0x00200000 }; /* capabilities(7); PF_KTHREAD */

struct process_list {
    char *proc_root;
    struct process_row *rows, *before; /* BEFORE: of the last update, by pid */
    size_t count, room, before_count;
    uint64_t time_ns;
    uint32_t own_uid;
    bool may_all; /* root, or the right to trace any process */
    int64_t ptrace_scope;
    uint32_t named_uid; /* the last one looked up: neighbours share it */
    char user[16];
};

/* Effective capabilities of our own. */
static bool may_trace_all(const char *proc_root)
{
    char value[32];

    if (geteuid() == 0)
        return true;
    if (!proc_status(proc_root, getpid(), 0, "CapEff", value, sizeof(value)))
        return false;
    return (strtoull(value, NULL, 16) >> CAP_SYS_PTRACE & 1) != 0;
}

struct process_list *process_list_new(const char *proc_root)
{
    struct process_list *list = xcalloc(1, sizeof(*list));

    list->proc_root = xstrdup(proc_root != NULL ? proc_root : "/proc");
    list->own_uid = geteuid();
    list->named_uid = UINT32_MAX;
    list->may_all = may_trace_all(list->proc_root);
    list->ptrace_scope = proc_number(list->proc_root, "sys/kernel/yama/ptrace_scope", 0);
    return list;
}

void process_list_free(struct process_list *list)
{
    if (list == NULL)
        return;
    free(list->rows);
    free(list->before);
    free(list->proc_root);
    free(list);
}

static int by_pid(const void *a, const void *b)
{
    int32_t first = ((const struct process_row *)a)->pid;
    int32_t second = ((const struct process_row *)b)->pid;

    return first < second ? -1 : first > second;
}

static int by_cpu(const void *a, const void *b)
{
    const struct process_row *first = a, *second = b;

    if (first->cpu_pct != second->cpu_pct)
        return first->cpu_pct > second->cpu_pct ? -1 : 1;
    if (first->rss_bytes != second->rss_bytes)
        return first->rss_bytes > second->rss_bytes ? -1 : 1;
    return by_pid(a, b);
}

static void name_user(struct process_list *list, struct process_row *row)
{
    if (row->uid != list->named_uid) {
        const struct passwd *entry = getpwuid(row->uid);

        if (entry != NULL)
            snprintf(list->user, sizeof(list->user), "%.15s", entry->pw_name);
        else
            snprintf(list->user, sizeof(list->user), "%u", row->uid);
        list->named_uid = row->uid;
    }
    snprintf(row->user, sizeof(row->user), "%s", list->user);
}

static void judge(const struct process_list *list, struct process_row *row,
                  const struct proc_stat *stat)
{
    row->mine = row->uid == list->own_uid;
    row->can = false;
    if (row->pid == getpid())
        row->why = _("this is proftop");
    else if (stat->flags & KERNEL_THREAD)
        row->why = _("kernel thread");
    else if (proc_stat_ended(stat))
        row->why = _("has ended");
    else if (!row->mine && !list->may_all)
        row->why = _("other user");
    else if (list->ptrace_scope >= 3)
        row->why = _("ptrace_scope 3");
    else
        row->can = true;
}

/* CPU use since the last update, or since the start of a process that is new here. */
static double cpu_percent(const struct process_list *list, const struct process_row *row,
                          uint64_t now_ns)
{
    const struct process_row *before =
        list->before_count != 0
            ? bsearch(row, list->before, list->before_count, sizeof(*row), by_pid)
            : NULL;
    uint64_t ticks = row->cpu_ticks, start_ns = proc_start_ns(row->start_ticks), span_ns;

    if (before != NULL && before->start_ticks == row->start_ticks) {
        ticks = ticks > before->cpu_ticks ? ticks - before->cpu_ticks : 0;
        start_ns = list->time_ns;
    }
    span_ns = now_ns > start_ns ? now_ns - start_ns : 0;
    if (span_ns == 0)
        return 0;
    return 100 * (double)ticks / (double)sysconf(_SC_CLK_TCK) / ((double)span_ns / 1e9);
}

static bool read_row(struct process_list *list, int32_t pid, uint64_t now_ns,
                     struct process_row *row)
{
    struct proc_stat stat;

    memset(row, 0, sizeof(*row));
    if (!proc_stat(list->proc_root, pid, 0, &stat) || !proc_uid(list->proc_root, pid, &row->uid))
        return false;
    row->pid = pid;
    row->state = stat.state;
    row->threads = stat.threads;
    row->rss_bytes = stat.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
    row->cpu_ticks = stat.utime_ticks + stat.stime_ticks;
    row->start_ticks = stat.start_ticks;
    snprintf(row->name, sizeof(row->name), "%s", stat.name);
    if (!proc_cmdline(list->proc_root, pid, row->command, sizeof(row->command)))
        snprintf(row->command, sizeof(row->command), "[%s]", stat.name);
    name_user(list, row);
    judge(list, row, &stat);
    row->cpu_pct = cpu_percent(list, row, now_ns);
    return true;
}

void process_list_update(struct process_list *list, uint64_t now_ns)
{
    struct proc_ids ids = { 0 };

    free(list->before);
    list->before = list->rows;
    list->before_count = list->count;
    if (list->before_count != 0)
        qsort(list->before, list->before_count, sizeof(list->before[0]), by_pid);
    list->rows = NULL;
    list->count = list->room = 0;
    proc_pids(list->proc_root, &ids);
    for (size_t i = 0; i < ids.count; i++) {
        list->rows = array_reserve(list->rows, &list->room, list->count + 1, sizeof(list->rows[0]));
        if (read_row(list, ids.ids[i], now_ns, &list->rows[list->count]))
            list->count++;
    }
    proc_ids_fini(&ids);
    list->time_ns = now_ns;
    if (list->count != 0)
        qsort(list->rows, list->count, sizeof(list->rows[0]), by_cpu);
}

const struct process_row *process_list_rows(const struct process_list *list, size_t *count)
{
    *count = list->count;
    return list->rows;
}
