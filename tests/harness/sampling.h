/* SPDX-License-Identifier: MIT */
/*
 * A sampling source on a thread of its own, and what it tells summed up on the test's.
 *
 *     victim ─► struct target ─► source_ops ─► ring ─► struct sampling
 *                               its thread         the test's thread
 *
 * The thread matters: who was traced is let go when it ends.
 */
#ifndef HARNESS_SAMPLING_H
#define HARNESS_SAMPLING_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proftop/record.h"
#include "proftop/source.h"
#include "proftop/symbols.h"
#include "proftop/target.h"
#include "tests/harness/victim.h"

enum { SAMPLING_THREADS = 4096 };

struct sampled_thread {
    int32_t pid, tid;
    char name[64];
    uint64_t seen_ns, last_ns; /* its first record and its last */
    uint64_t weight[STATES];
    uint32_t samples[STATES];
    uint32_t events[THREAD_CONTINUED + 1];
    int32_t exit_status;
};

struct sampling {
    const struct source_ops *ops;
    struct source_config config;
    struct target *target;
    struct source *source;
    struct symbols *symbols;
    struct ring *ring;
    pthread_t thread; /* the source's; it makes OPENED and STEPPED happen */
    bool running;
    sem_t opened, stepped;
    struct error error; /* why it did not open */
    atomic_bool stop;
    atomic_int ended; /* what step() gave when it ended, else 0 */
    struct sampled_thread threads[SAMPLING_THREADS];
    uint32_t thread_count;
    struct record_tally total;
    uint64_t running_samples, running_ns, watermark_ns;
    uint32_t late; /* records older than a watermark before them */
    uint64_t ends[STACK_ENDS], reasons_ns[WAIT_REASONS];
    uint32_t threads_running; /* of them: had RUNNING samples */
    char note[1024];          /* the last */
    /* Called with each sample, when set. */
    void (*on_sample)(struct sampling *sampling, const struct record_sample *sample);
    void *context;
};

/* Prepares everything but the source; change config before sampling_open(). */
void sampling_init(struct sampling *sampling, const struct source_ops *ops);
/* Fails the test when the source does not open.  TARGET is given over. */
void sampling_open(struct sampling *sampling, struct target *target);
void sampling_attach(struct sampling *sampling, pid_t pid);
void sampling_launch(struct sampling *sampling, char *const argv[]);

/* Steps until DONE says so, the source ends or the time is over; whether DONE did. */
bool sampling_until(struct sampling *sampling, bool (*done)(const struct sampling *sampling),
                    unsigned seconds);
/* Steps for so long. */
void sampling_for(struct sampling *sampling, unsigned milliseconds);

struct sampled_thread *sampling_thread(struct sampling *sampling, int32_t tid);
/* Whether SAMPLE's stack goes through a function of that name. */
bool sampling_has(struct sampling *sampling, const struct record_sample *sample, const char *name);

/* Ends the source and its thread, which lets the target go; takes what it told last. */
void sampling_stop(struct sampling *sampling);
void sampling_fini(struct sampling *sampling);

#endif
