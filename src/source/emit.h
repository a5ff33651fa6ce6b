/* SPDX-License-Identifier: MIT */
/*
 * Writes a sampling source's records into its ring and keeps the tally of what it did.  Used by the
 * source's own thread, and by who closes it after that; private to source/.
 */
#ifndef PROFTOP_SOURCE_EMIT_H
#define PROFTOP_SOURCE_EMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/record.h"
#include "proftop/ring.h"

struct emit {
    struct ring *ring;         /* of the step that runs; NULL: nobody listens any more */
    struct record_tally tally; /* since the last one that was sent */
    uint64_t undue_ns;         /* CPU time that no sample is due for yet */
};

/* One sample; SAMPLE's head, count and frames are filled here.  Full ring: counted as lost. */
void emit_sample(struct emit *emit, uint64_t time_ns, const struct record_sample *sample,
                 const struct frame *frames, uint32_t count);

struct thread_news {
    int32_t pid, tid, ppid;
    enum thread_event event;
    int32_t exit_status; /* -1: not known */
    uint64_t start_ns;
    const char *name;
};
void emit_thread(struct emit *emit, uint64_t time_ns, const struct thread_news *news);

void emit_note(struct emit *emit, uint64_t time_ns, enum note_level level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

void emit_watermark(struct emit *emit, uint64_t time_ns);

/* The target used USED_NS more, in which a sample was due every PERIOD_NS. */
void emit_due(struct emit *emit, uint64_t used_ns, uint64_t period_ns);

/* Sends the tally and starts a new one; its rate is kept. */
void emit_tally(struct emit *emit, uint64_t time_ns);

/* A thread was held for HELD_NS. */
void emit_stopped(struct emit *emit, uint64_t held_ns);

#endif
