/* SPDX-License-Identifier: MIT */
/* The one clock: CLOCK_MONOTONIC in nanoseconds, on which every record is dated. */
#ifndef PROFTOP_CLOCK_H
#define PROFTOP_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

uint64_t clock_now_ns(void);

/* CPU time of this thread and of this whole process: the tool's own cost. */
uint64_t clock_thread_cpu_ns(void);
uint64_t clock_process_cpu_ns(void);

/*
 * CPU time of all threads of PID, ended ones included; 0 when there is no such process.  One that
 * is on a CPU this moment is counted up to the scheduler's last tick.
 */
uint64_t clock_other_cpu_ns(int32_t pid);

/* CLOCK_REALTIME minus CLOCK_MONOTONIC, now: turns a record's time into a date. */
int64_t clock_realtime_offset_ns(void);

/* A condition that is waited for by this clock. */
void clock_cond_init(pthread_cond_t *condition);
/* As pthread_cond_wait(), at most until UNTIL_NS; false when that has come. */
bool clock_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t until_ns);

#endif
