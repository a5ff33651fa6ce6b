/* SPDX-License-Identifier: MIT */
/*
 * Readers of /proc, a function a file.  Each takes the root folder, "/proc" or a fixture in a test,
 * and gives false when the file is gone, not permitted or makes no sense: with /proc that is an
 * everyday answer, never an error of its own.  Any thread may call them.
 */
#ifndef PROFTOP_PROC_H
#define PROFTOP_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROC_NAME_MAX = 64, PROC_PATH_MAX = 256 };

/* PID/stat or PID/task/TID/stat. */
struct proc_stat {
    char name[PROC_NAME_MAX]; /* comm: bytes a stranger chose */
    char state;               /* R S D T t Z X I */
    int32_t ppid, pgrp, session, tty;
    uint32_t flags;
    uint64_t minflt, majflt;
    uint64_t utime_ticks, stime_ticks;
    uint64_t cutime_ticks, cstime_ticks; /* of children that ended and were waited for */
    int64_t priority, nice;
    uint32_t threads;
    uint64_t start_ticks; /* since boot; with the pid it identifies a process */
    uint64_t vsize_bytes, rss_pages;
    int32_t cpu;
    uint64_t blkio_ticks;
};

/* task/TID/schedstat. */
struct proc_schedstat {
    uint64_t cpu_ns;   /* on a CPU */
    uint64_t delay_ns; /* runnable, waiting for one */
    uint64_t slices;   /* how often it was put on a CPU */
};

/* task/TID/syscall. */
struct proc_syscall {
    bool running;   /* the rest is not known then */
    int64_t number; /* -1: blocked outside of a system call */
    uint64_t arguments[6];
    uint64_t sp, pc;
};

/* A growing list of pids or tids; starts zeroed, ends with proc_ids_fini(). */
struct proc_ids {
    int32_t *ids;
    size_t count, capacity;
};

void proc_ids_fini(struct proc_ids *ids);
void proc_ids_add(struct proc_ids *ids, int32_t id);

/*
 * The file ROOT/PID/NAME, or ROOT/PID/task/TID/NAME where TID is not 0, NUL-terminated and cut at
 * SIZE - 1.  The number of bytes, or -errno.
 */
ssize_t proc_read(const char *proc_root, int32_t pid, int32_t tid, const char *name, char *text,
                  size_t size);

bool proc_parse_stat(const char *text, struct proc_stat *stat);
bool proc_parse_schedstat(const char *text, struct proc_schedstat *schedstat);
bool proc_parse_syscall(const char *text, struct proc_syscall *syscall);

/* TID 0: the whole process. */
bool proc_stat(const char *proc_root, int32_t pid, int32_t tid, struct proc_stat *stat);
bool proc_schedstat(const char *proc_root, int32_t pid, int32_t tid,
                    struct proc_schedstat *schedstat);
bool proc_syscall(const char *proc_root, int32_t pid, int32_t tid, struct proc_syscall *syscall);

/* The command line, arguments separated by spaces; false and "" for a kernel thread. */
bool proc_cmdline(const char *proc_root, int32_t pid, char *text, size_t size);

/* All of PID/status (or of a thread's), for who asks for several keys. */
struct proc_status {
    char text[4096];
};

/* Empty on failure. */
bool proc_status_read(const char *proc_root, int32_t pid, int32_t tid, struct proc_status *status);
/* The value of a "Key:" line, without surrounding blanks. */
bool proc_status_value(const struct proc_status *status, const char *key, char *value, size_t size);
/* Likewise a number; 0 when it is not there. */
uint64_t proc_status_number(const struct proc_status *status, const char *key, int base);
/* Both at once, for a single key. */
bool proc_status(const char *proc_root, int32_t pid, int32_t tid, const char *key, char *value,
                 size_t size);

/* The owner: the effective uid. */
bool proc_uid(const char *proc_root, int32_t pid, uint32_t *uid);

/* The pid as the innermost PID namespace of the process sees it; PID itself when it has none. */
int32_t proc_namespace_pid(const char *proc_root, int32_t pid);

/* These add to IDS, which the caller empties. */
bool proc_pids(const char *proc_root, struct proc_ids *ids);
bool proc_tids(const char *proc_root, int32_t pid, struct proc_ids *ids);
bool proc_children(const char *proc_root, int32_t pid, struct proc_ids *ids);
/* At least those whose own parent ended: they are given to the first thread of an ancestor. */
bool proc_adopted(const char *proc_root, int32_t pid, struct proc_ids *ids);

/* Whether the thread has ended: a leader's number stays until the others end. */
bool proc_stat_dead(const struct proc_stat *stat);
/* Whether all of the process has, by its leader's stat. */
bool proc_stat_ended(const struct proc_stat *stat);

/*
 * A thread that has the memory of the process: its leader or, where that has ended, one of those
 * that go on.  ROOT/TID is to any thread what ROOT/PID is to the leader, though not listed
 * (proc(5)).
 */
int32_t proc_living_thread(const char *proc_root, int32_t pid);

/* A whole number in a file below PROC_ROOT ("sys/kernel/perf_event_paranoid"), or MISSING. */
int64_t proc_number(const char *proc_root, const char *path, int64_t missing);

/* Start time in ticks → our clock (CLOCK_MONOTONIC), 0 when it can't be told. */
uint64_t proc_start_ns(uint64_t start_ticks);

#endif
