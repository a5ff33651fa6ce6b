/* SPDX-License-Identifier: MIT */
/*
 * Recordings made up by tests: samples go through a ring into a builder, as a source's would.
 *
 * The world is small: functions "f0", "f1", …, each with a few addresses; a stack is a list of
 * functions, outermost first.
 */
#ifndef HARNESS_RECORDING_H
#define HARNESS_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/builder.h"
#include "proftop/lane.h"
#include "proftop/names.h"

enum { RECORDING_PLACES = 4, RECORDING_DEPTH_MAX = 64 };

#define RECORDING_START_NS UINT64_C(1000000000)

struct recording {
    struct builder *builder;
    struct ring *ring;
    struct lanes *lanes;
    struct names *names; /* the builder's */
    uint32_t named;      /* locations named so far */
    uint64_t random;
};

struct recorded_sample {
    uint64_t time_ns, weight;
    int32_t pid, tid;
    uint32_t depth;
    uint32_t functions[RECORDING_DEPTH_MAX]; /* outermost first */
    uint8_t state, metric, reason, gil, end;
    int16_t syscall;
    uint64_t counted[COUNTED];
};

void recording_init(struct recording *recording, uint64_t seed, size_t memory_max);
void recording_fini(struct recording *recording);

/* The next of a row of numbers below LIMIT that depends on the seed alone. */
uint32_t recording_random(struct recording *recording, uint32_t limit);

/* A sample of a random stack of FUNCTIONS functions at TIME, on one of THREADS threads. */
struct recorded_sample recording_invent(struct recording *recording, uint64_t time_ns,
                                        uint32_t functions, uint32_t threads);
void recording_push(struct recording *recording, const struct recorded_sample *sample);
void recording_thread(struct recording *recording, uint64_t time_ns, int32_t pid, int32_t tid,
                      enum thread_event event, const char *name);
void recording_watermark(struct recording *recording, uint64_t time_ns);
/* Everything before TIME was told: reads it and seals. */
void recording_step(struct recording *recording, uint64_t time_ns);
/* Names all locations that have none: "fN", every fifth in the kernel, with a line a place. */
void recording_name(struct recording *recording);

/* The id of "fN". */
function_id recording_function(const struct recording *recording, uint32_t number);

#endif
