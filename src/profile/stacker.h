/* SPDX-License-Identifier: MIT */
/* Turns the frames of samples into stacks.  The builder's thread. */
#ifndef PROFTOP_PROFILE_STACKER_H
#define PROFTOP_PROFILE_STACKER_H

#include "proftop/names.h"
#include "proftop/record.h"

struct stacker;

struct stacker_settle {
    void (*settle)(void *context, struct frame *frames, uint32_t count); /* or NULL */
    void *context;
};

struct stacker *stacker_new(struct names *names);
void stacker_free(struct stacker *stacker);

/* The stack of SAMPLE; where its unwind ended too early, a mark says so at its root. */
stack_id stacker_push(struct stacker *stacker, const struct record_sample *sample,
                      const struct stacker_settle *settle);

#endif
