/* SPDX-License-Identifier: MIT */
/* Figures of a whole recording or a range of it that several formats show. */
#ifndef PROFTOP_FIGURES_H
#define PROFTOP_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/fold.h"

struct figures {
    struct record_tally tally; /* summed */
    uint64_t samples;          /* of running threads */
    double achieved_hz;        /* the rate asked for, less what did not arrive */
    double stopped_p50_us, stopped_p99_us, stopped_max_us;
};

void figures_of(const struct profile *profile, uint64_t start_ns, uint64_t end_ns,
                struct figures *figures);

/* Samples in FOLD whose innermost function has no name. */
uint64_t figures_unresolved(const struct fold *fold);

/* The exit status as a shell shows it, -1 while unknown. */
int figures_exit_status(int32_t wait_status);

/* TIME_NS of our clock as RFC 3339 in UTC: "2026-01-31T12:30:21.120Z". */
const char *figures_date(char buffer[40], const struct profile *profile, uint64_t time_ns);

/* A share in percent; 0 of nothing. */
double percent(uint64_t part, uint64_t whole);

#endif
