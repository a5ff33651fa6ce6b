/* SPDX-License-Identifier: MIT */
/* What "proftop doctor" asks of the machine: one line a question in doctor_probes.c. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

/* What came of a probe. */
struct finding {
    bool works;
    char why[1024]; /* in words; "" when there is nothing to say */
    char fix[1024]; /* the smallest change that would make it work; "" when none is known */
};

struct ability {
    const char *name;  /* stable, for JSON: "kernel_frames" */
    const char *title; /* N_() */
    /* Really tries it; PID is the process asked about, 0 for none. */
    void (*probe)(int32_t pid, struct finding *finding);
    bool of_process; /* only asked where there is a PID */
};

extern const struct ability doctor_abilities[];
extern const unsigned doctor_ability_count;

/* Fills FINDING and returns WORKS, so that probes read well. */
bool finding_set(struct finding *finding, bool works, const char *why, const char *fix);

/* doctor_kernel.c: what the kernel lets us do. */
void probe_perf_user(int32_t pid, struct finding *finding);
void probe_perf_kernel(int32_t pid, struct finding *finding);
void probe_perf_system(int32_t pid, struct finding *finding);
void probe_perf_memory(int32_t pid, struct finding *finding);
void probe_counters(int32_t pid, struct finding *finding);
void probe_ptrace(int32_t pid, struct finding *finding);
void probe_peek(int32_t pid, struct finding *finding);
void probe_kernel_names(int32_t pid, struct finding *finding);

#endif
