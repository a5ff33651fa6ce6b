/* SPDX-License-Identifier: MIT */
/*
 * Records: everything a source tells the builder, dated on one clock.
 *
 *     target thread ──► struct record_sample ─┐
 *     kernel events ──► record_thread, lost ──┼──► ring ──► builder
 *     /proc readers ──► record_lanes, others ─┘
 *
 * Every record starts with a struct record; SIZE covers it all and is a multiple of 8.  A record is
 * plain bytes: ids refer to the shared tables (module.h, code.h, lane.h), never pointers.
 */
#ifndef PROFTOP_RECORD_H
#define PROFTOP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/frame.h"

enum record_type {
    RECORD_SAMPLE, /* struct record_sample */
    RECORD_THREAD, /* struct record_thread: a thread or process began, was renamed, exec'd, ended */
    RECORD_TALLY,  /* struct record_tally: what was expected, received and lost */
    RECORD_LANES,  /* struct record_lanes: counters of the system or the target */
    RECORD_OTHERS, /* struct record_others: who else used the machine */
    RECORD_SYSCALLS,  /* struct record_syscalls */
    RECORD_NOTE,      /* struct record_note: a sentence for the person */
    RECORD_WATERMARK, /* struct record alone: nothing older than its time will follow */
    RECORD_TYPES
};

struct record {
    uint32_t size;
    uint32_t type;
    uint64_t time_ns;
};

/* What a thread was doing. */
enum state {
    STATE_RUNNING,  /* on a CPU */
    STATE_RUNNABLE, /* wanted one and had none */
    STATE_WAITING,  /* asleep */
    STATES
};

/* What a weight counts.  One table (metric_info in metric.h) has names and units. */
enum metric {
    METRIC_TIME,   /* nanoseconds: CPU time when RUNNING, wall time otherwise */
    METRIC_EVENT,  /* what -e asked for */
    METRIC_FAULTS, /* page faults */
    METRIC_READ,   /* bytes */
    METRIC_WRITE,  /* bytes */
    METRIC_SYSCALLS,
    METRIC_LOCK,   /* nanoseconds waiting for a lock */
    METRIC_MAPPED, /* bytes mapped */
    METRIC_CYCLES,
    METRIC_INSTRUCTIONS,
    METRIC_CACHE_MISSES,
    METRIC_BRANCH_MISSES,
    METRICS
};

/* What may be counted beside samples of CPU time.  counted_metric() says as what. */
enum counted {
    COUNTED_CYCLES,
    COUNTED_INSTRUCTIONS,
    COUNTED_CACHE_MISSES,
    COUNTED_BRANCH_MISSES,
    COUNTED_FAULTS,
    COUNTED
};

/* Where the interpreter lock was, for a Python thread. */
enum gil { GIL_NONE, GIL_FREE, GIL_HELD, GIL_WANTED };

struct record_sample {
    struct record head;
    int32_t pid, tid;
    uint64_t weight; /* in the metric's unit, since this thread's last sample */
    uint32_t count;  /* frames */
    int16_t syscall; /* waiting or in the kernel: the system call's number, or -1 */
    uint8_t state;   /* enum state */
    uint8_t metric;  /* enum metric */
    uint8_t end;     /* enum stack_end */
    uint8_t gil;     /* enum gil */
    uint8_t reason;  /* enum wait_reason */
    uint8_t pad;
    int32_t wait_on;           /* who holds what it waits for, a tid; 0 when unknown */
    uint64_t counted[COUNTED]; /* since this thread's last sample; 0 also where not counted */
    struct frame frames[];     /* innermost first, kernel before user */
};

/* Why a thread waits, from its system call and kernel frames.  Words in wait_reason_text(). */
enum wait_reason {
    WAIT_UNKNOWN,
    WAIT_LOCK,  /* futex */
    WAIT_SLEEP, /* nanosleep and its kin */
    WAIT_POLL,  /* poll, select, epoll */
    WAIT_PIPE,  /* read or write of a pipe, socket or terminal */
    WAIT_NETWORK,
    WAIT_DISK,
    WAIT_CHILD, /* wait4 and its kin */
    WAIT_SIGNAL,
    WAIT_GIL,
    WAIT_STOPPED, /* SIGSTOP, a debugger */
    WAIT_PAGE,    /* a page fault that reads */
    WAIT_OTHER,
    WAIT_REASONS
};

enum thread_event {
    THREAD_BEGAN,
    THREAD_NAMED,
    THREAD_EXEC,
    THREAD_ENDED,
    THREAD_SEEN,
    THREAD_STOPPED,
    THREAD_CONTINUED
};

struct record_thread {
    struct record head;
    int32_t pid, tid, ppid;
    uint32_t event;      /* enum thread_event */
    int32_t exit_status; /* wait status of a process that ended, when known; else -1 */
    uint32_t pad;
    uint64_t start_ns; /* when the thread began, on our clock; 0 when unknown */
    char name[64];     /* comm */
};

/*
 * What a source did since its last tally.  Expected and received are samples of running threads:
 * received / expected is the samples/due lane.
 */
struct record_tally {
    struct record head;
    uint32_t expected, received, lost, throttled, truncated, broken, deferred, unseen;
    uint32_t rate_hz;          /* asked now, after any lowering */
    uint32_t stops;            /* ptrace: how often a thread was held … */
    uint64_t stopped_ns;       /* … for how long together … */
    uint64_t stopped_max_ns;   /* … and at most */
    uint32_t stopped_log2[24]; /* histogram: bucket k counts holds of [2^k, 2^(k+1)) × 100 ns */
    uint64_t target_cpu_ns, source_cpu_ns;
    uint32_t eintr_repaired, behind;
};

/* Adds PART to SUM: counts add up, the rate is the later one's, the longest stop the longer. */
void tally_add(struct record_tally *sum, const struct record_tally *part);

struct lane_value {
    uint32_t lane; /* lane_id, see lane.h */
    uint32_t pad;
    double value;
};

/* Values of lanes over the period that ends at head.time_ns. */
struct record_lanes {
    struct record head;
    uint64_t period_ns;
    uint32_t count, pad;
    struct lane_value values[];
};

struct other_process {
    int32_t pid;
    uint32_t majflt; /* in the period */
    double cpu_pct;  /* 100 = one core */
    uint64_t read_bytes, write_bytes;
    char name[32];
};

struct record_others {
    struct record head;
    uint64_t period_ns;
    uint32_t count, pad;
    struct other_process others[];
};

struct syscall_tally {
    int32_t tid, number;
    uint32_t count, errors;
    uint64_t total_ns, p99_ns;
    uint32_t exact; /* counted one by one, or estimated from samples */
    uint32_t pad;
};

struct record_syscalls {
    struct record head;
    uint32_t count, pad;
    struct syscall_tally tallies[];
};

enum note_level { NOTE_INFO, NOTE_WARNING, NOTE_ALARM };

struct record_note {
    struct record head;
    uint32_t level; /* enum note_level */
    uint32_t pad;
    char text[]; /* translated, NUL-terminated */
};

/* SIZE rounded up to what records are multiples of. */
static inline uint32_t record_round(size_t size_bytes)
{
    return (uint32_t)((size_bytes + 7) & ~(size_t)7);
}

/* Translated, and as files have it. */
const char *wait_reason_text(enum wait_reason reason);
const char *wait_reason_name(enum wait_reason reason);

#endif
