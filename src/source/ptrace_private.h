/* SPDX-License-Identifier: MIT */
/* What the files of the ptrace source share, ptrace.c and ptrace_*.c. */
#ifndef PROFTOP_SOURCE_PTRACE_PRIVATE_H
#define PROFTOP_SOURCE_PTRACE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "emit.h"
#include "pending.h"
#include "proftop/proc_file.h"
#include "proftop/source.h"
#include "gil_lanes.h"
#include "pythons.h"
#include "random.h"
#include "rate.h"
#include "roster.h"
#include "waiting.h"

enum { TRACER_STACK_MAX = 1 << 20, TRACER_SWITCHED_BYTES = 32 << 10 };

/* What reading ahead is worth; see ptrace_ahead.c. */
struct ahead_trial {
    bool helps;
    uint32_t left;                /* stops until it is tried again */
    uint32_t pairs;               /* of stops compared so far, */
    uint64_t with_ns, without_ns; /* and how long the ones and the others were held in all */
};

struct tracer {
    struct source_config config;
    struct target *target;
    struct emit emit;
    struct roster roster;
    struct pending pending;
    struct waiting waiting;
    struct pythons pythons;
    struct gil_lanes gil;
    bool started;
    struct proc_ids early; /* seized before the first step */
    timer_t timer;         /* ends a wait for the next tick */
    bool timer_made;
    struct rate rate;
    uint64_t period_ns;
    uint64_t tick_ns;  /* the next */
    uint64_t every_ns; /* from the last to that */
    uint64_t woke_ns;  /* when the last began */
    bool woke_late;
    uint64_t moved_ns; /* when a thread was last found that ran, or had run */
    uint64_t random;
    struct ahead_trial trial;
    uint8_t *stack;    /* the copy being taken: TRACER_STACK_MAX bytes */
    uint8_t *switched; /* of a second stack: TRACER_SWITCHED_BYTES */
    /* since the last check */
    uint64_t checked_ns, scanned_ns, scan_every_ns, counted_ns;
    uint64_t found_ns; /* what it took to take in who was found by the last scan */
    uint64_t churn_ns; /* threads are expected to come and go until then */
    struct proc_file loadavg;
    long last_born; /* the number given last to a task of this machine */
    bool unscanned; /* something was born since the last scan */
    uint64_t target_cpu_ns, thread_cpu_ns;
    uint32_t ticks, late_ticks;
    uint32_t late_rounds; /* checks in a row that found too many late */
    uint32_t dear_rounds; /* likewise that cost too much */
};

/* ptrace_stop.c: what to do with the status that waitpid() gave for TID. */
void tracer_event(struct tracer *tracer, int32_t tid, int status);

/* Makes THREAD ours to stop; it runs on meanwhile. */
bool tracer_seize(struct tracer *tracer, struct thread *thread, uint64_t now_ns);
/* Asks THREAD to stop if it runs; never one that is blocked. */
void tracer_interrupt(struct tracer *tracer, struct thread *thread, uint64_t now_ns);

/*
 * ptrace_stack.c: the stack of THREAD, which is held.  The first call is for before its registers
 * are known and copies what they will probably ask for; the second does what is left to do.
 */
void tracer_copy_expected(const struct tracer *tracer, const struct thread *thread,
                          struct frozen *frozen);
void tracer_copy_stack(const struct tracer *tracer, const struct thread *thread,
                       struct frozen *frozen);
/* For the next copy, from a sample and what it unwound to; NULL: it could not be unwound yet. */
void tracer_learn_stack(struct thread *thread, const struct pending *pending,
                        const struct frozen *frozen);
/* The bytes read of all that there is, within reason, from START on. */
size_t tracer_read_stack(const struct tracer *tracer, const struct thread *thread, uint64_t start);

/* ptrace_ahead.c: reads what the stop to come will read, if that makes it shorter; and learns
 * whether it does from one that held THREAD for HELD_NS. */
void tracer_read_ahead(struct tracer *tracer, struct thread *thread);
void tracer_learn_ahead(struct tracer *tracer, struct thread *thread, uint64_t held_ns);

/* ptrace_weigh.c: the weight of the sample that THREAD gives, stopped at the end of SYSCALL (−1:
 * outside of calls, or not known); 0 when it gives none. */
uint64_t tracer_weigh(struct tracer *tracer, struct thread *thread, int64_t syscall,
                      uint64_t stopped_ns);
/* A stop has cut a call of THREAD short: it ran there, whether or not it was about to sleep. */
void tracer_met_call(struct tracer *tracer, struct thread *thread, uint64_t stopped_ns);

/* ptrace_switched.c: adds to FROZEN, of a held thread, the stack that its frame pointers lead to.
 */
void tracer_freeze_switched(const struct tracer *tracer, struct frozen *frozen);

/*
 * ptrace_await.c: whether a stop of THREAD is worth waiting for, as it has a CPU for itself; and
 * the wait for the one that was asked for, which handles it, or what else happens first.
 */
bool tracer_awaits(const struct thread *thread);
void tracer_await(struct tracer *tracer, struct thread *thread);

/* The leaders of what there is at the start, so that no exec of theirs is missed. */
void tracer_seize_early(struct tracer *tracer);

/* ptrace_watch.c: new threads, the tally and the rate; ahead of each tick, for what is short-lived
 * is met only while it runs. */
void tracer_watch_start(struct tracer *tracer, uint64_t now_ns);
void tracer_watch(struct tracer *tracer, uint64_t now_ns);
void tracer_tally(struct tracer *tracer, uint64_t now_ns);

#endif
