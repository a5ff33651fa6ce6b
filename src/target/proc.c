/* SPDX-License-Identifier: MIT */
/* Readers of /proc: see proc.h.  No state, any thread. */
#include "config.h"

#include "proftop/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "proftop/proc_file.h"

void proc_ids_fini(struct proc_ids *ids)
{
    free(ids->ids);
    memset(ids, 0, sizeof(*ids));
}

void proc_ids_add(struct proc_ids *ids, int32_t id)
{
    ids->ids = array_reserve(ids->ids, &ids->capacity, ids->count + 1, sizeof(*ids->ids));
    ids->ids[ids->count++] = id;
}

static ssize_t read_path(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t have = 0, asked;
    ssize_t got;

    text[0] = '\0';
    if (fd < 0)
        return -errno;
    do {
        asked = size - 1 - have;
        got = read(fd, text + have, asked);
        have += got > 0 ? (size_t)got : 0;
    } while (got > 0 && !proc_file_ended((size_t)got, asked));
    if (got < 0)
        got = -errno;
    close(fd);
    text[have] = '\0';
    return got < 0 && have == 0 ? got : (ssize_t)have;
}

static void make_path(char path[PROC_PATH_MAX], const char *proc_root, int32_t pid, int32_t tid,
                      const char *name)
{
    if (tid == 0)
        snprintf(path, PROC_PATH_MAX, "%s/%" PRId32 "/%s", proc_root, pid, name);
    else
        snprintf(path, PROC_PATH_MAX, "%s/%" PRId32 "/task/%" PRId32 "/%s", proc_root, pid, tid,
                 name);
}

ssize_t proc_read(const char *proc_root, int32_t pid, int32_t tid, const char *name, char *text,
                  size_t size)
{
    char path[PROC_PATH_MAX];

    make_path(path, proc_root, pid, tid, name);
    return read_path(path, text, size);
}

/* The name may hold blanks and parentheses: it ends at the last ')'. */
bool proc_parse_stat(const char *text, struct proc_stat *stat)
{
    const char *open = strchr(text, '(');
    const char *close = strrchr(text, ')');
    size_t length;
    int fields;

    memset(stat, 0, sizeof(*stat));
    if (open == NULL || close == NULL || close < open)
        return false;
    length = (size_t)(close - open - 1);
    if (length >= sizeof(stat->name))
        length = sizeof(stat->name) - 1;
    memcpy(stat->name, open + 1, length);
    stat->name[length] = '\0';
    fields = sscanf(
        close + 1,
        " %c %" SCNd32 " %" SCNd32 " %" SCNd32 " %" SCNd32 " %*d %" SCNu32 " %" SCNu64
        " %*u %" SCNu64 " %*u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNd64
        " %" SCNu32 " %*d %" SCNu64 " %" SCNu64 " %" SCNu64
        " %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %" SCNd32 " %*u %*u %" SCNu64,
        &stat->state, &stat->ppid, &stat->pgrp, &stat->session, &stat->tty, &stat->flags,
        &stat->minflt, &stat->majflt, &stat->utime_ticks, &stat->stime_ticks, &stat->cutime_ticks,
        &stat->cstime_ticks, &stat->priority, &stat->nice, &stat->threads, &stat->start_ticks,
        &stat->vsize_bytes, &stat->rss_pages, &stat->cpu, &stat->blkio_ticks);
    return fields >= 18;
}

bool proc_parse_schedstat(const char *text, struct proc_schedstat *schedstat)
{
    char *end;

    schedstat->cpu_ns = strtoull(text, &end, 10);
    if (end == text)
        return false;
    schedstat->delay_ns = strtoull(end, &end, 10);
    schedstat->slices = strtoull(end, &end, 10);
    return true;
}

bool proc_parse_syscall(const char *text, struct proc_syscall *syscall)
{
    char *end;
    int count = 0;

    memset(syscall, 0, sizeof(*syscall));
    if (strncmp(text, "running", 7) == 0) {
        syscall->running = true;
        return true;
    }
    syscall->number = strtoll(text, &end, 10);
    if (end == text)
        return false;
    for (; count < 6 && syscall->number >= 0; count++)
        syscall->arguments[count] = strtoull(end, &end, 16);
    syscall->sp = strtoull(end, &end, 16);
    syscall->pc = strtoull(end, &end, 16);
    return syscall->sp != 0 && syscall->pc != 0;
}

bool proc_stat(const char *proc_root, int32_t pid, int32_t tid, struct proc_stat *stat)
{
    char text[1024];

    return proc_read(proc_root, pid, tid, "stat", text, sizeof(text)) > 0 &&
           proc_parse_stat(text, stat);
}

bool proc_schedstat(const char *proc_root, int32_t pid, int32_t tid,
                    struct proc_schedstat *schedstat)
{
    char text[128];

    return proc_read(proc_root, pid, tid, "schedstat", text, sizeof(text)) > 0 &&
           proc_parse_schedstat(text, schedstat);
}

bool proc_syscall(const char *proc_root, int32_t pid, int32_t tid, struct proc_syscall *syscall)
{
    char text[256];

    return proc_read(proc_root, pid, tid, "syscall", text, sizeof(text)) > 0 &&
           proc_parse_syscall(text, syscall);
}

bool proc_cmdline(const char *proc_root, int32_t pid, char *text, size_t size)
{
    ssize_t length = proc_read(proc_root, pid, 0, "cmdline", text, size);

    while (length > 0 && text[length - 1] == '\0')
        length--;
    for (ssize_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    return length > 0;
}

bool proc_status_read(const char *proc_root, int32_t pid, int32_t tid, struct proc_status *status)
{
    bool good = proc_read(proc_root, pid, tid, "status", status->text, sizeof(status->text)) > 0;

    if (!good)
        status->text[0] = '\0';
    return good;
}

bool proc_status_value(const struct proc_status *status, const char *key, char *value, size_t size)
{
    size_t key_length = strlen(key);

    for (const char *line = status->text; line != NULL && *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (strncmp(line, key, key_length) == 0 && line[key_length] == ':') {
            const char *from = line + key_length + 1;
            const char *to = line + length;

            while (from < to && isspace((unsigned char)*from))
                from++;
            snprintf(value, size, "%.*s", (int)(to - from), from);
            return true;
        }
        line = line[length] == '\n' ? line + length + 1 : NULL;
    }
    return false;
}

uint64_t proc_status_number(const struct proc_status *status, const char *key, int base)
{
    char value[32];

    return proc_status_value(status, key, value, sizeof(value)) ? strtoull(value, NULL, base) : 0;
}

bool proc_status(const char *proc_root, int32_t pid, int32_t tid, const char *key, char *value,
                 size_t size)
{
    struct proc_status status;

    return proc_status_read(proc_root, pid, tid, &status) &&
           proc_status_value(&status, key, value, size);
}

bool proc_uid(const char *proc_root, int32_t pid, uint32_t *uid)
{
    char value[128];

    return proc_status(proc_root, pid, 0, "Uid", value, sizeof(value)) &&
           sscanf(value, "%*u %" SCNu32, uid) == 1;
}

int32_t proc_namespace_pid(const char *proc_root, int32_t pid)
{
    char value[256];
    const char *last;

    if (!proc_status(proc_root, pid, 0, "NSpid", value, sizeof(value)))
        return pid;
    last = strrchr(value, '\t');
    return (int32_t)strtol(last != NULL ? last + 1 : value, NULL, 10);
}

/* Adds each name in the folder that is a number. */
static bool list_numbers(const char *path, struct proc_ids *ids)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;

    if (folder == NULL)
        return false;
    while ((entry = readdir(folder)) != NULL) {
        char *end;
        long id = strtol(entry->d_name, &end, 10);

        if (*end == '\0' && id > 0 && id <= INT32_MAX)
            proc_ids_add(ids, (int32_t)id);
    }
    closedir(folder);
    return true;
}

bool proc_pids(const char *proc_root, struct proc_ids *ids)
{
    return list_numbers(proc_root, ids);
}

bool proc_tids(const char *proc_root, int32_t pid, struct proc_ids *ids)
{
    char path[PROC_PATH_MAX];

    make_path(path, proc_root, pid, 0, "task");
    return list_numbers(path, ids);
}

bool proc_stat_dead(const struct proc_stat *stat)
{
    return stat->state == 'Z' || stat->state == 'X';
}

bool proc_stat_ended(const struct proc_stat *stat)
{
    return proc_stat_dead(stat) && stat->threads <= 1;
}

int32_t proc_living_thread(const char *proc_root, int32_t pid)
{
    struct proc_ids tids = { 0 };
    struct proc_stat stat;
    int32_t living = pid;

    if (!proc_stat(proc_root, pid, pid, &stat) || !proc_stat_dead(&stat))
        return pid;
    proc_tids(proc_root, pid, &tids);
    for (size_t i = 0; i < tids.count && living == pid; i++)
        if (proc_stat(proc_root, pid, tids.ids[i], &stat) && !proc_stat_dead(&stat))
            living = tids.ids[i];
    proc_ids_fini(&tids);
    return living;
}

/* For kernels without task/TID/children (CONFIG_PROC_CHILDREN): ask everyone for their parent. */
static bool children_by_parent(const char *proc_root, int32_t pid, struct proc_ids *ids)
{
    struct proc_ids all = { 0 };
    bool found = proc_pids(proc_root, &all);

    for (size_t i = 0; i < all.count; i++) {
        struct proc_stat stat;

        if (proc_stat(proc_root, all.ids[i], 0, &stat) && stat.ppid == pid)
            proc_ids_add(ids, all.ids[i]);
    }
    proc_ids_fini(&all);
    return found;
}

/* False: this kernel has no such list. */
static bool children_of_thread(const char *proc_root, int32_t pid, int32_t tid,
                               struct proc_ids *ids)
{
    char text[8192], *at = text, *end;
    ssize_t length = proc_read(proc_root, pid, tid, "children", text, sizeof(text));
    long child;

    if (length == -ENOENT)
        return false;
    while (length > 0 && (child = strtol(at, &end, 10), end != at)) {
        proc_ids_add(ids, (int32_t)child);
        at = end;
    }
    return true;
}

bool proc_adopted(const char *proc_root, int32_t pid, struct proc_ids *ids)
{
    return children_of_thread(proc_root, pid, pid, ids) ||
           (access(proc_root, R_OK) == 0 && children_by_parent(proc_root, pid, ids));
}

bool proc_children(const char *proc_root, int32_t pid, struct proc_ids *ids)
{
    struct proc_ids tids = { 0 };
    bool found = false;

    if (!proc_tids(proc_root, pid, &tids))
        return false;
    for (size_t i = 0; i < tids.count; i++) {
        bool listed = children_of_thread(proc_root, pid, tids.ids[i], ids);

        if (!listed && i == 0 && access(proc_root, R_OK) == 0) {
            found = children_by_parent(proc_root, pid, ids);
            break;
        }
        found = true;
    }
    proc_ids_fini(&tids);
    return found;
}

int64_t proc_number(const char *proc_root, const char *name, int64_t missing)
{
    char path[PROC_PATH_MAX];
    char text[64];
    char *end;
    int64_t number;

    snprintf(path, sizeof(path), "%s/%s", proc_root, name);
    if (read_path(path, text, sizeof(text)) <= 0)
        return missing;
    number = strtoll(text, &end, 10);
    return end == text ? missing : number;
}

uint64_t proc_start_ns(uint64_t start_ticks)
{
    long ticks_per_s = sysconf(_SC_CLK_TCK);
    struct timespec boot;
    uint64_t boot_ns, start_ns, now_ns = clock_now_ns();

    if (ticks_per_s <= 0 || clock_gettime(CLOCK_BOOTTIME, &boot) != 0)
        return 0;
    /* Ticks count on CLOCK_BOOTTIME, which also runs while the machine is suspended. */
    boot_ns = (uint64_t)boot.tv_sec * NS_PER_S + (uint64_t)boot.tv_nsec;
    start_ns = start_ticks * (NS_PER_S / (uint64_t)ticks_per_s);
    if (start_ns > boot_ns || boot_ns - start_ns > now_ns)
        return 0;
    return now_ns - (boot_ns - start_ns);
}
