/* SPDX-License-Identifier: MIT */
/*
 * The target: the processes that are being profiled, attached to or launched by us.
 *
 *     target_attach(pids) ─┐                     ┌─ processes asked for
 *                          ├─► struct target ────┤
 *     target_launch(argv) ─┘                     └─ their children, as they appear
 *
 * A process is identified by its pid and its start time, so that a reused pid is never taken for
 * the process that had it before.  Shared by the sources and the main thread: a lock inside guards
 * the list of processes.
 *
 * A launched child waits before its exec until target_release(), so that a source which opens in
 * between sees it from its first instruction.  Its wait status is collected by one party at a time:
 * the sampling source (a tracer gets the status in place of the parent) or, with none running, the
 * main thread through target_reap().  Either way it ends up here and in a RECORD_THREAD.
 */
#ifndef PROFTOP_TARGET_H
#define PROFTOP_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/proc.h"

struct target;

struct target_options {
    const char *proc_root; /* NULL: "/proc" */
    bool children;         /* follow forked children */
};

/* The terminal of a launched command. */
struct target_terminal {
    uint16_t columns, rows;
};

struct target_process {
    int32_t pid, ppid;
    uint64_t start_ticks;
    char name[PROC_NAME_MAX];
    bool asked; /* for it, not found as a child */
    bool ended;
    int exit_status; /* wait status; -1 when it is not known */
    uint64_t cpu_ns; /* that it had used before its children were last looked for; or 0 */
};

struct target *target_attach(const int32_t *pids, size_t count,
                             const struct target_options *options, struct error *error);

/*
 * Starts ARGV, which waits for target_release().  With TERMINAL it runs on a pty of that size, else
 * on our own stdin, stdout and stderr.
 */
struct target *target_launch(char *const argv[], const struct target_terminal *terminal,
                             const struct target_options *options, struct error *error);

/*
 * Lets the launched command exec.  When it can't, the error's code is STATUS_NOT_EXECUTABLE or
 * STATUS_NOT_FOUND.  Nothing to do for an attached target.
 */
bool target_release(struct target *target, struct error *error);

/* The processes run on.  A launched command that was never released ends. */
void target_free(struct target *target);

const char *target_proc_root(const struct target *target);
bool target_follows_children(const struct target *target);

/* The first process asked for, and one line that names the target: its command line. */
int32_t target_pid(const struct target *target);
const char *target_command(const struct target *target);

/* Up to ROOM of the processes, ended ones left out unless ALL; the number there are. */
size_t target_processes(struct target *target, struct target_process *processes, size_t room,
                        bool all);
bool target_process(struct target *target, int32_t pid, struct target_process *process);
/* PID is a living process of the target. */
bool target_holds(struct target *target, int32_t pid);
bool target_alive(struct target *target);

/* A child, as a source learned of it.  False when it is not to be followed or already known. */
bool target_add(struct target *target, int32_t pid, int32_t ppid);
/* EXIT_STATUS: the wait status, or -1 when it is not known. */
void target_ended(struct target *target, int32_t pid, int exit_status);

/*
 * CPU time of all its living processes and of their children that ended and were waited for, in
 * steps of 10 ms: differences of it tell how much there was to sample.
 */
uint64_t target_cpu_ns(struct target *target);

/*
 * Looks for children nobody told about and for processes that have ended.  Cheap enough for ten
 * times a second.
 */
void target_refresh(struct target *target);

/* The launched child: 0 and -1 for an attached target. */
int32_t target_launched(const struct target *target);
int target_master_fd(const struct target *target);
bool target_resize(struct target *target, const struct target_terminal *terminal);

/* Collects the status of the launched child if it has ended; true once it is known. */
bool target_reap(struct target *target, int *exit_status);

/* Sends SIGNAL to the launched child's process group (its own pty), or to the process asked for. */
bool target_signal(struct target *target, int signal, struct error *error);

/*
 * Fills ERROR for a CALL ("perf_event_open(cpu-clock, pid 1)") that was refused with SAVED_ERRNO:
 * who we are, who owns the process, what the system's settings are, and the ways on.  Returns
 * false.
 */
bool target_denied(const struct target *target, int32_t pid, const char *call, int saved_errno,
                   struct error *error);

#endif
