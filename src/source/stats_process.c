/* SPDX-License-Identifier: MIT */
/*
 * Reading one process: stat, status, io, fd/, smaps_rollup and its CPU clock.
 *
 * A counter's growth counts from 0 in a process that began since the last round, else from what it
 * was then; in the round that first sees an older process it is not known.
 */
#include "config.h"

#include "stats_process.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/system.h"

/*
 * smaps_rollup walks every page table of the process, holding the lock that its mmap() and page
 * faults want: at most once in PSS_PERIOD_NS, and PSS_REST times as long as it took.
 */
#define PSS_PERIOD_NS (10 * NS_PER_S)
enum { PSS_REST = 2000, FDS_LISTED_MAX = 4096 };

void process_init(struct process *process, const struct round *round,
                  const struct target_process *what)
{
    clockid_t cpu_clock;

    memset(process, 0, sizeof(*process));
    process->pid = what->pid;
    process->ppid = what->ppid;
    process->start_ticks = what->start_ticks;
    proc_file_open(&process->stat, round->proc_root, "%" PRId32 "/stat", what->pid);
    proc_file_open(&process->status, round->proc_root, "%" PRId32 "/status", what->pid);
    if (!proc_file_open(&process->io, round->proc_root, "%" PRId32 "/io", what->pid))
        process->io_denied = errno == EACCES || errno == EPERM;
    if (round->live && clock_getcpuclockid(what->pid, &cpu_clock) == 0)
        process->clock = cpu_clock;
    /* Born since the last round: everything it did, it did in this one. */
    if (round->number > 0 && round->live &&
        proc_start_ns(what->start_ticks) > round->now_ns - (uint64_t)(round->seconds * 1e9))
        for (size_t i = 0; i < FIGURE_RATES; i++)
            process->has_last[i] = true;
}

void process_fini(struct process *process)
{
    proc_file_close(&process->stat);
    proc_file_close(&process->status);
    proc_file_close(&process->io);
    process_free_threads(process);
}

/* COUNTER's growth since the last round becomes the figure of this one. */
static void advance(struct process *process, enum figure figure, uint64_t counter)
{
    uint64_t growth;

    if (process->has_last[figure] && system_advance(process->last[figure], counter, &growth)) {
        process->figures[figure] = (double)growth;
        process->has[figure] = true;
    }
    process->last[figure] = counter;
    process->has_last[figure] = true;
}

static void set(struct process *process, enum figure figure, double value)
{
    process->figures[figure] = value;
    process->has[figure] = true;
}

/*
 * The CPU clock counts nanoseconds and ended threads too; stat has ticks of 10 ms, which only split
 * the time into user and system.
 */
static void read_cpu(struct process *process, const struct proc_stat *stat)
{
    uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK), cpu_ns;
    struct timespec now;
    double both;

    cpu_ns = (stat->utime_ticks + stat->stime_ticks) * tick_ns;
    if (process->clock != 0 && clock_gettime(process->clock, &now) == 0)
        cpu_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
    advance(process, FIGURE_CPU_NS, cpu_ns);
    advance(process, FIGURE_USER_NS, stat->utime_ticks * tick_ns);
    advance(process, FIGURE_SYS_NS, stat->stime_ticks * tick_ns);
    both = process->figures[FIGURE_USER_NS] + process->figures[FIGURE_SYS_NS];
    if (both > 0 && process->has[FIGURE_CPU_NS]) {
        double scale = process->figures[FIGURE_CPU_NS] / both;

        process->figures[FIGURE_USER_NS] *= scale;
        process->figures[FIGURE_SYS_NS] *= scale;
    }
    process->ticks = stat->utime_ticks + stat->stime_ticks;
}

/* What the parent was charged for children, less those we followed and counted ourselves. */
static void read_children(struct process *process, const struct proc_stat *stat, uint64_t reaped)
{
    uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
    uint64_t all = stat->cutime_ticks + stat->cstime_ticks, growth = all - process->reaped_ticks;

    if (process->has_last[FIGURE_CHILD_NS] && all >= process->reaped_ticks)
        set(process, FIGURE_CHILD_NS, growth > reaped ? (double)((growth - reaped) * tick_ns) : 0);
    process->has_last[FIGURE_CHILD_NS] = true;
    process->reaped_ticks = all;
}

static bool read_stat(struct process *process, uint64_t reaped)
{
    const char *text = proc_file_read(&process->stat);
    struct proc_stat stat;

    if (text == NULL || !proc_parse_stat(text, &stat) || proc_stat_ended(&stat))
        return false;
    process->ppid = stat.ppid;
    read_cpu(process, &stat);
    read_children(process, &stat, reaped);
    advance(process, FIGURE_MINFLT, stat.minflt);
    advance(process, FIGURE_MAJFLT, stat.majflt);
    if (stat.vsize_bytes != 0) { /* a leader that has ended shows none of its threads' memory */
        set(process, FIGURE_RSS, (double)stat.rss_pages * (double)sysconf(_SC_PAGESIZE));
        set(process, FIGURE_VSIZE, (double)stat.vsize_bytes);
    }
    set(process, FIGURE_THREADS, stat.threads);
    set(process, FIGURE_STOPPED, stat.state == 'T' || stat.state == 't');
    return true;
}

static void read_status(struct process *process)
{
    static const struct {
        const char *key;
        enum figure figure;
    } lines[] = {
        { "RssAnon", FIGURE_ANON }, { "RssFile", FIGURE_FILE },      { "RssShmem", FIGURE_SHMEM },
        { "VmSwap", FIGURE_SWAP },  { "HugetlbPages", FIGURE_HUGE },
    };
    const char *text = proc_file_read(&process->status);
    char key[SYSTEM_KEY_MAX];
    uint64_t value;

    while (text != NULL && (text = system_next_pair(text, key, &value)) != NULL)
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
            if (strcmp(key, lines[i].key) == 0)
                set(process, lines[i].figure, (double)value * 1024);
}

static void read_io(struct process *process)
{
    static const struct {
        const char *key;
        enum figure figure;
    } lines[] = {
        { "rchar", FIGURE_READ_CHARS },      { "wchar", FIGURE_WRITE_CHARS },
        { "syscr", FIGURE_READ_CALLS },      { "syscw", FIGURE_WRITE_CALLS },
        { "read_bytes", FIGURE_READ_BYTES }, { "write_bytes", FIGURE_WRITE_BYTES },
    };
    const char *text = proc_file_read(&process->io);
    char key[SYSTEM_KEY_MAX];
    uint64_t value;

    /* The permission is asked for at each reading. */
    if (text == NULL)
        process->io_denied |= errno == EACCES || errno == EPERM;
    while (text != NULL && (text = system_next_pair(text, key, &value)) != NULL)
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
            if (strcmp(key, lines[i].key) == 0)
                advance(process, lines[i].figure, value);
}

/* Since Linux 6.2 the folder's size is the number of open files; before, they must be listed. */
static void read_fds(struct process *process, const struct round *round)
{
    char path[PROC_PATH_MAX];
    struct stat status;
    DIR *folder;
    unsigned count = 0;

    snprintf(path, sizeof(path), "%s/%" PRId32 "/fd", round->proc_root, process->pid);
    if (stat(path, &status) == 0 && status.st_size > 0 && round->live) {
        set(process, FIGURE_FDS, (double)status.st_size);
        return;
    }
    folder = opendir(path);
    if (folder == NULL) {
        process->fds_denied |= errno == EACCES || errno == EPERM;
        return;
    }
    for (const struct dirent *entry; count < FDS_LISTED_MAX && (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    set(process, FIGURE_FDS, count);
}

/* What smaps_rollup said the last time; transparent huge pages are in no other file. */
static void put_pss(struct process *process)
{
    set(process, FIGURE_PSS, (double)process->pss_bytes);
    set(process, FIGURE_HUGE, process->figures[FIGURE_HUGE] + (double)process->huge_bytes);
}

static void read_pss(struct process *process, const struct round *round)
{
    struct proc_file file = { 0 };
    uint64_t before_ns = clock_now_ns(), kib, took_ns;
    const char *text = NULL;

    if (round->now_ns < process->pss_next_ns) {
        if (process->pss_bytes > 0)
            put_pss(process);
        return;
    }
    if (proc_file_open(&file, round->proc_root, "%" PRId32 "/smaps_rollup", process->pid))
        text = proc_file_read(&file);
    else
        process->pss_denied |= errno == EACCES || errno == EPERM;
    if (text != NULL && system_find_pair(text, "Pss", &kib)) {
        process->pss_bytes = kib * 1024;
        process->huge_bytes = system_find_pair(text, "AnonHugePages", &kib) ? kib * 1024 : 0;
        put_pss(process);
    }
    proc_file_close(&file);
    took_ns = (clock_now_ns() - before_ns) * PSS_REST;
    process->pss_next_ns =
        round->now_ns + (took_ns > PSS_PERIOD_NS ? took_ns : (uint64_t)PSS_PERIOD_NS);
}

bool process_read(struct process *process, struct round *round, bool details, uint64_t reaped)
{
    memset(process->figures, 0, sizeof(process->figures));
    memset(process->has, 0, sizeof(process->has));
    if (!read_stat(process, reaped))
        return false;
    if (details) {
        read_status(process);
        read_io(process);
        read_fds(process, round);
        read_pss(process, round);
    }
    process_read_threads(process, round);
    return true;
}
