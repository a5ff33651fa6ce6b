/* SPDX-License-Identifier: MIT */
/*
 * How a thread's time was spent, as far as it was told.  What is told adds up to what schedstat
 * says and, with the time asleep, to wall time; so every source's figures agree.
 *
 *     samples ─► account_weight(): a period each ─┐
 *     schedstat, some times a second ─────────────┴► account_settle(): the next samples weigh
 *                                                    more or less
 *
 * Private to source/.
 */
#ifndef PROFTOP_SOURCE_ACCOUNT_H
#define PROFTOP_SOURCE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/proc.h"

/* So many periods may a thread be told too little or too much: its next samples will stand for it.
 */
enum { ACCOUNT_TOLERATED = 3 };

struct account {
    bool started;
    uint64_t at_ns;                  /* of the last look */
    struct proc_schedstat schedstat; /* at the last look */
    uint64_t process_cpu_ns;         /* of its whole process, just before the last look */
    uint64_t first_cpu_ns;           /* at the start */
    uint64_t told_cpu_ns;            /* given to RUNNING samples since the start */
    int64_t correction_ns;           /* of the next RUNNING samples */
    int64_t owed_wait_ns;            /* asleep, not yet told */
    int64_t owed_run_ns;             /* runnable, not yet told */
    uint64_t told_at_ns;             /* when waiting was last told */
    uint64_t due_ns;                 /* when to look again */
    uint32_t busy_looks;             /* in a row that met no sleep */
    bool looked;                     /* CONTENDED is known */
    int64_t lately_cpu_ns;           /* in the last few looks, the last the most */
    int64_t lately_delay_ns;         /* in a run queue, likewise */
    bool contended;                  /* it has had to queue for CPUs lately */
};

/* At a thread's birth, or now: the caller then sets SCHEDSTAT and FIRST_CPU_NS. */
void account_begin(struct account *account, uint64_t now_ns);

/* After a look: whether it shares its CPU with others, having used and queued for so long since. */
void account_queued(struct account *account, int64_t cpu_ns, int64_t delay_ns);

/* Of the time lately in which it could have run: the part in which it did. */
double account_cpu_share(const struct account *account);

/* What the next RUNNING sample weighs, a sample being taken every PERIOD_NS of CPU time. */
uint64_t account_weight(struct account *account, uint64_t period_ns);

/* The same, when CPU_NS says exactly what the thread has used. */
uint64_t account_weight_exact(struct account *account, uint64_t cpu_ns);

/*
 * After a look: how much more CPU time was used than told, beyond what a sample is yet to come for;
 * the next samples are corrected by it.
 */
int64_t account_settle(struct account *account, uint64_t period_ns);

/*
 * Of a whole target: threads that end before anybody looks at them.  Where the kernel's clock falls
 * into step with their lives, those that were looked at are met too often or too seldom and put
 * right; what these are told less, or more, is then told more, or less, of the others.
 */
struct short_lives {
    int64_t owed_ns;  /* used of late by all, and not told; below 0: told, and not used */
    int64_t given_ns; /* to those looked at, beyond what they were met for */
    int64_t due_ns;   /* what samples to come are to make up of that */
};

/* What a sample weighs: account_weight(), and a part of what is due. */
uint64_t short_lives_weight(struct short_lives *lives, struct account *account, uint64_t period_ns);

/*
 * A stretch in which USED_NS of CPU time were used and TOLD_NS told.  TOLERATED_NS may yet be put
 * right by corrections of others.
 */
void short_lives_settle(struct short_lives *lives, int64_t used_ns, uint64_t told_ns,
                        int64_t tolerated_ns);

#endif
