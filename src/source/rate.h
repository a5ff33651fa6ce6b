/* SPDX-License-Identifier: MIT */
/*
 * The rate at which a source samples: the asked one, halved while that is too much, and doubled
 * again once it has been well for a while.
 *
 *     asked ──── too much ──► half ──── 4 s of calm ──► asked ── too much ──► half ── 8 s …
 *
 * Private to source/.
 */
#ifndef PROFTOP_SOURCE_RATE_H
#define PROFTOP_SOURCE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "emit.h"

struct rate {
    uint32_t asked_hz, least_hz, hz;
    uint64_t calm_ns;     /* so long all must be well before it is raised again */
    uint64_t strained_ns; /* when it was not, last; 0: never */
};

void rate_init(struct rate *rate, struct emit *emit, uint32_t asked_hz, uint32_t least_hz);

/* Halves it and says WHY; false when it is as low as it goes. */
bool rate_lower(struct rate *rate, struct emit *emit, uint64_t now_ns, const char *why);

/* Twice this rate would be too much. */
void rate_strained(struct rate *rate, uint64_t now_ns);

/* All is well: raises a lowered rate, and says so, if it has been for long enough. */
bool rate_raise(struct rate *rate, struct emit *emit, uint64_t now_ns);

#endif
