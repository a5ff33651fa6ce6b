/* SPDX-License-Identifier: MIT */
/*
 * The processes and threads a sampling source knows, with what it has to remember of each.
 *
 *     struct roster ──► tracked (a process: its maps) ◄──┐
 *                  └──► thread ──────────────────────────┘
 *                        ├ account: CPU, run-queue and waiting time told so far
 *                        ├ kept: descriptors of its /proc files
 *                        └ stack: where it was last seen
 *
 * Belongs to the source's thread, and to who closes it after that; private to source/.  What it
 * learns it tells as RECORD_THREAD.
 */
#ifndef PROFTOP_SOURCE_ROSTER_H
#define PROFTOP_SOURCE_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"
#include "emit.h"
#include "proftop/maps.h"
#include "proftop/proc.h"
#include "proftop/python.h"
#include "proftop/source.h"
#include "proftop/target.h"

/* A process. */
struct tracked {
    int32_t pid, ppid;
    uint32_t execs;    /* the generation of its maps */
    uint32_t threads;  /* in the roster */
    struct maps *maps; /* NULL: never read, or unreadable */
    bool stale;        /* to be read before use */
    uint64_t maps_read_ns;
    uint64_t maps_rest_ns; /* they are not read again so soon after */
    uint64_t maps_keep_ns; /* nor kept for longer without looking, where nobody tells of changes */
    uint64_t task_links;   /* ptrace: threads, as the link count of its task folder tells them */
    uint64_t links_cpu_ns; /* its CPU time just before that was read */
    bool stopped;          /* ptrace: SIGSTOP or its kin */
    bool switches;         /* ptrace: its threads go on on other stacks: ptrace_switched.c */
    uint64_t cpu_ns, cpu_read_ns;            /* of all its threads, and when that was read */
    struct python *python;                   /* its interpreter, or NULL; pythons.h */
    uint64_t python_due_ns, python_first_ns; /* when to try to open it; the first futile try */
    uint64_t python_rest_ns;                 /* no new try so soon after one */
    uint64_t python_ns; /* perf: CPU time of an interpreter whose frames it cannot show */
    bool unsampled;     /* perf: its events were taken away and may not be opened anew */
    bool lost;          /* found to be not ours to look at any more: rights.h */
    struct tracked *next;
};

/* Descriptors of /proc files worth keeping open, -1 otherwise. */
struct kept {
    int schedstat_fd, syscall_fd;
};

/* A stack with what it was doing. */
struct last_stack {
    struct frame *frames;
    size_t capacity;
    uint32_t count;
    uint8_t end, reason, gil;
    int16_t syscall;
    int32_t wait_on;
    bool asleep;      /* taken of this very sleep: valid until it moves */
    bool state_known; /* /proc's state letter was asked for during this sleep */
};

/* Stops of a thread, the last ones; IN_CALLS: at the end of system calls. */
struct stops {
    uint32_t all, in_calls;
};

/* What the ptrace source remembers of a thread. */
struct tracee {
    bool seized;      /* ours to stop */
    bool interrupted; /* asked to stop, not stopped yet */
    bool refused;     /* can't be seized: told once */
    bool listening;   /* in a group stop */
    bool blocked;     /* found blocked, having been on a CPU SLICES times */
    uint64_t slices;
    uint64_t blocked_ns;     /* since when that is known */
    uint64_t process_cpu_ns; /* of its whole process, just before it was last seen so */
    uint64_t due_ns;         /* when to look at it again */
    uint64_t asked_ns;       /* when it was last asked to stop */
    uint64_t woke_ns;        /* when that tick began, */
    bool woke_late;          /* and whether that was too late */
    bool delay_asked;        /* and before that, how long it had queued for CPUs: */
    uint64_t asked_delay_ns;
    uint64_t voluntary;     /* switches to other threads, when last asked for: its own will */
    uint64_t put_off;       /* likewise: not its own */
    uint32_t stops;         /* of ours since */
    struct stops met, told; /* of one that had a CPU when it was asked; that gave a sample */
    uint32_t withheld;      /* stops in a row that gave none */
    uint64_t named_cpu_ns;  /* CPU time it had used when its name was read */
    double due;             /* stops to ask for, where threads take turns on CPUs */
    uint64_t considered_ns; /* when that was last thought of */
    uint32_t ask_ns;        /* how long to ask for its stop before sleeping until it comes */
    uint32_t naps;          /* so many more stops are slept for in any case */
    bool ahead_counts;      /* the stop asked for tells of what reading its stack ahead is worth, */
    bool ahead;             /* which was done */
    uint64_t without_ahead_ns; /* how long the stop before was held, the first of a pair; or 0 */
    uint64_t stack_expected; /* where its stack will end in the next stop, or above; 0: not known */
    uint64_t stack_base;     /* where it began in the last */
    bool stack_moves;        /* which was elsewhere the last time */
    uint32_t stack_bytes;    /* its stack is about so deep; 0: not known */
};

struct thread {
    int32_t pid, tid;
    struct tracked *process;
    struct thread *next; /* with the same hash */
    size_t position;     /* in roster->threads */
    uint32_t seen;       /* the scan that saw it last */
    char name[PROC_NAME_MAX];
    struct account account;
    uint64_t *beside; /* perf_beside.c: what was last told of it; or NULL */
    struct kept kept;
    struct last_stack stack;
    struct tracee tracee;
};

struct roster {
    struct target *target;
    struct modules *modules;
    struct unwinder *unwinder;
    struct emit *emit;
    bool maps_told; /* every change of a mapping is told by roster_mapped() */
    struct tracked *processes;
    struct thread **threads; /* all, in no order */
    size_t count, capacity;
    struct thread **buckets;
    size_t bucket_count;
    uint32_t scans;
    size_t kept_count, kept_most;
    uint64_t rights_due_ns; /* rights.h: when to look again */
    bool told_first_lost, told_child_lost;
    bool told_end;     /* of the launched child, with its status */
    uint64_t ended_ns; /* when nothing of the target was left; 0: there is something */
};

void roster_init(struct roster *roster, struct target *target, const struct source_config *config,
                 struct emit *emit);
void roster_fini(struct roster *roster);

struct thread *roster_find(const struct roster *roster, int32_t tid);
struct tracked *roster_process(struct roster *roster, int32_t pid);

/* A thread, new or known; EVENT (THREAD_BEGAN, THREAD_SEEN) is told if it is new. */
struct thread *roster_add(struct roster *roster, int32_t pid, int32_t tid, enum thread_event event,
                          uint64_t time_ns);
void roster_named(struct roster *roster, struct thread *thread, const char *name, uint64_t time_ns);
/* The process runs another program: one thread is left, its leader; the maps are others. */
void roster_exec(struct roster *roster, int32_t pid, const char *name, uint64_t time_ns);
void roster_remove(struct roster *roster, struct thread *thread, uint64_t time_ns);

/* The maps to unwind with, read again if stale.  Borrowed until the next call; may be NULL. */
struct maps *roster_maps(struct roster *roster, struct tracked *process, uint64_t now_ns);
/* Reads the maps again, an address having been outside; not when that was futile just before. */
struct maps *roster_maps_again(struct roster *roster, struct tracked *process, uint64_t now_ns);
/* A mapping that was just made. */
void roster_mapped(struct roster *roster, struct tracked *process, const struct maps_line *line);

/*
 * CPU time of all threads of PROCESS at NOW_NS, read once for each NOW_NS; 0: not to be had.  As
 * long as it stays the same, no thread that was found blocked has moved: one cheap call tells that
 * of a thousand of them.
 */
uint64_t roster_cpu_ns(struct tracked *process, uint64_t now_ns);

/*
 * Compares with /proc: threads that are gone are removed, those nobody told about are handed to
 * FOUND (which may roster_add() them).
 */
void roster_scan(struct roster *roster, uint64_t now_ns,
                 void (*found)(void *context, int32_t pid, int32_t tid), void *context);

/*
 * Whether the target is over.  Tells the end of the launched child with its status, for which it
 * waits a little; MAY_REAP: it is for us to collect, no tracer's wait will.
 */
bool roster_over(struct roster *roster, bool may_reap, uint64_t now_ns);

/* Keeps a copy of the frames as where THREAD was last seen. */
void thread_keep_stack(struct thread *thread, const struct frame *frames, uint32_t count,
                       enum stack_end end);

/* Reads the thread's file through a kept descriptor. */
bool thread_schedstat(struct roster *roster, struct thread *thread,
                      struct proc_schedstat *schedstat);
bool thread_syscall(struct roster *roster, struct thread *thread, struct proc_syscall *syscall);

#endif
