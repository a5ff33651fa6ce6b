/* SPDX-License-Identifier: MIT */
/*
 * One process of the target as the stats source follows it: its files kept open, what its counters
 * were, what they did in this round.
 */
#ifndef PROFTOP_SOURCE_STATS_PROCESS_H
#define PROFTOP_SOURCE_STATS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/proc.h"
#include "proftop/proc_file.h"
#include "stats.h"

/* Figures of a process in a round: first those that add up over time, then those that just are. */
enum figure {
    FIGURE_CPU_NS,
    FIGURE_USER_NS,
    FIGURE_SYS_NS,
    FIGURE_DELAY_NS, /* runnable without a CPU, all threads */
    FIGURE_MINFLT,
    FIGURE_MAJFLT,
    FIGURE_VCSW,
    FIGURE_IVCSW,
    FIGURE_READ_BYTES, /* from storage */
    FIGURE_WRITE_BYTES,
    FIGURE_READ_CHARS, /* through system calls, from anything */
    FIGURE_WRITE_CHARS,
    FIGURE_READ_CALLS,
    FIGURE_WRITE_CALLS,
    FIGURE_CHILD_NS, /* CPU time of children that came and went between rounds */
    FIGURE_RATES,
    FIGURE_RSS = FIGURE_RATES,
    FIGURE_PSS,
    FIGURE_ANON,
    FIGURE_FILE,
    FIGURE_SHMEM,
    FIGURE_SWAP,
    FIGURE_HUGE,
    FIGURE_VSIZE,
    FIGURE_FDS,
    FIGURE_THREADS,
    FIGURE_STOPPED,
    FIGURES
};

struct thread;

struct process {
    int32_t pid, ppid;
    uint64_t start_ticks, seen; /* round + 1 */
    struct proc_file stat, status, io;
    uint64_t last[FIGURE_RATES];
    bool has_last[FIGURE_RATES];
    uint64_t ticks, reaped_ticks; /* CPU time in all, and of the children it waited for */
    uint64_t pss_bytes, huge_bytes, pss_next_ns;
    bool io_denied, fds_denied, pss_denied;
    int clock;              /* clockid_t of its CPU time; 0: none */
    struct thread *threads; /* by tid */
    size_t thread_count, thread_capacity;
    struct gauge gauges[FIGURES];

    /* This round: growth of the rates, the value of the rest. */
    double figures[FIGURES];
    bool has[FIGURES];
};

void process_init(struct process *process, const struct round *round,
                  const struct target_process *what);
void process_fini(struct process *process);

/*
 * Reads what is cheap (CPU time, memory, faults, threads) and, with DETAILS, the rest.  REAPED:
 * ticks of followed children that ended since the last round, which the parent's count of its
 * children now holds too.  False when the process is gone.
 */
bool process_read(struct process *process, struct round *round, bool details, uint64_t reaped);

/* One thread, and what it adds to its process. */
void process_read_threads(struct process *process, struct round *round);
void process_free_threads(struct process *process);

#endif
