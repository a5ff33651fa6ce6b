/* SPDX-License-Identifier: MIT */
/*
 * The kernel's records as structures.  The layout of a sample follows from what the events ask for
 * (PERF_SAMPLES), so both live here.  Private to source/.
 */
#ifndef PROFTOP_SOURCE_PERF_RECORD_H
#define PROFTOP_SOURCE_PERF_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/perf_event.h>

#include "proftop/maps.h"
#include "proftop/unwind.h"

/* What each sample holds; more or less of it as perf_wish_layout() says. */
#define PERF_SAMPLES                                                                               \
    (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_PERIOD |                    \
     PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER)

/* The registers, a bit each, numbered as <asm/perf_regs.h> does. */
extern const uint64_t perf_user_registers;

struct perf_sample {
    uint64_t ip, time_ns, period;
    int32_t pid, tid;
    const uint64_t *group; /* what is counted: the event's own value, then the others' */
    uint64_t group_count;
    const uint64_t *kernel; /* the kernel's frames, innermost first */
    size_t kernel_count;
    struct registers registers; /* known: 0 when the thread has no user side */
    bool compat;                /* a 32-bit program */
    const uint8_t *stack;
    size_t stack_size;  /* bytes copied */
    size_t stack_asked; /* bytes there was room for */
};

/* False when the record is not what it says. */
bool perf_parse_sample(const struct perf_event_header *header, uint64_t layout,
                       struct perf_sample *sample);

/* When it happened; 0 for a record that does not say. */
uint64_t perf_record_time(const struct perf_event_header *header);

/* PERF_RECORD_MMAP2.  LINE's path points into the record. */
bool perf_parse_mmap(const struct perf_event_header *header, int32_t *pid, struct maps_line *line);

/* PERF_RECORD_FORK and PERF_RECORD_EXIT. */
struct perf_task {
    int32_t pid, ppid, tid, ptid;
};
bool perf_parse_task(const struct perf_event_header *header, struct perf_task *task);

/* PERF_RECORD_COMM.  NAME points into the record. */
bool perf_parse_comm(const struct perf_event_header *header, int32_t *pid, int32_t *tid,
                     const char **name);

/* PERF_RECORD_LOST and PERF_RECORD_LOST_SAMPLES. */
uint64_t perf_parse_lost(const struct perf_event_header *header);

#endif
