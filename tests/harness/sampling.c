/* SPDX-License-Identifier: MIT */
/* Sources driven by hand: see sampling.h. */
#include "config.h"

#include "tests/harness/sampling.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness/testing.h"

#include "proftop/clock.h"
#include "proftop/code.h"
#include "proftop/lane.h"
#include "proftop/memory.h"
#include "proftop/module.h"
#include "proftop/ring.h"
#include "proftop/unwind.h"

void sampling_init(struct sampling *sampling, const struct source_ops *ops)
{
    const struct symbols_config symbols = { 0 };

    memset(sampling, 0, sizeof(*sampling));
    sampling->ops = ops;
    sampling->ring = ring_new(16 << 20);
    sampling->config = (struct source_config){ .rate_hz = 499,
                                               .kernel = true,
                                               .waiting = true,
                                               .modules = modules_new(),
                                               .codes = codes_new(),
                                               .lanes = lanes_new(),
                                               .unwinder = unwinder_new(),
                                               .wake_fd = -1 };
    sampling->symbols = symbols_new(&symbols, sampling->config.modules, sampling->config.codes);
}

static void *run_source(void *context)
{
    struct sampling *sampling = context;
    int result = 0;

    sampling->source = sampling->ops->open(sampling->target, &sampling->config, &sampling->error);
    sem_post(&sampling->opened);
    if (sampling->source == NULL)
        return NULL;
    while (result == 0 && !sampling->stop) {
        result = sampling->ops->step(sampling->source, sampling->ring);
        sem_post(&sampling->stepped);
    }
    sampling->ops->stop(sampling->source);
    sampling->ended = result;
    sem_post(&sampling->stepped);
    return NULL;
}

void sampling_open(struct sampling *sampling, struct target *target)
{
    struct error error = { 0 };

    sampling->target = target;
    sem_init(&sampling->opened, 0, 0);
    sem_init(&sampling->stepped, 0, 0);
    assert_int_equal(pthread_create(&sampling->thread, NULL, run_source, sampling), 0);
    sampling->running = true;
    sem_wait(&sampling->opened);
    if (sampling->source == NULL)
        fail_msg("%s: %s", sampling->error.message, sampling->error.hint);
    if (!target_release(target, &error))
        fail_msg("%s: %s", error.message, error.hint);
}

void sampling_attach(struct sampling *sampling, pid_t pid)
{
    static const struct target_options options = { .children = true };
    struct error error;
    struct target *target = target_attach(&pid, 1, &options, &error);

    assert_non_null(target);
    sampling_open(sampling, target);
}

void sampling_launch(struct sampling *sampling, char *const argv[])
{
    static const struct target_options options = { .children = true };
    struct error error;
    struct target *target = target_launch(argv, NULL, &options, &error);

    assert_non_null(target);
    sampling_open(sampling, target);
}

struct sampled_thread *sampling_thread(struct sampling *sampling, int32_t tid)
{
    struct sampled_thread *thread;

    for (uint32_t i = 0; i < sampling->thread_count; i++)
        if (sampling->threads[i].tid == tid)
            return &sampling->threads[i];
    if (sampling->thread_count == SAMPLING_THREADS)
        sampling->thread_count--; /* the last one stands for all that don't fit */
    thread = &sampling->threads[sampling->thread_count++];
    memset(thread, 0, sizeof(*thread));
    thread->tid = tid;
    thread->exit_status = -1;
    return thread;
}

static void take_sample(struct sampling *sampling, const struct record_sample *sample)
{
    struct sampled_thread *thread = sampling_thread(sampling, sample->tid);

    assert_true(sample->state < STATES && sample->end < STACK_ENDS);
    thread->pid = sample->pid;
    thread->last_ns = sample->head.time_ns;
    thread->weight[sample->state] += sample->weight;
    thread->samples[sample->state]++;
    sampling->ends[sample->end]++;
    if (sample->state == STATE_RUNNING) {
        sampling->running_samples++;
        sampling->running_ns += sample->weight;
        sampling->threads_running += thread->samples[STATE_RUNNING] == 1;
    } else if (sample->state == STATE_WAITING) {
        sampling->reasons_ns[sample->reason] += sample->weight;
    }
    if (sampling->on_sample != NULL)
        sampling->on_sample(sampling, sample);
}

static void take_thread(struct sampling *sampling, const struct record_thread *record)
{
    struct sampled_thread *thread = sampling_thread(sampling, record->tid);

    assert_true(record->event <= THREAD_CONTINUED);
    thread->pid = record->pid;
    if (thread->seen_ns == 0)
        thread->seen_ns = record->head.time_ns;
    thread->last_ns = record->head.time_ns;
    thread->events[record->event]++;
    memcpy(thread->name, record->name, sizeof(thread->name));
    if (record->exit_status != -1)
        thread->exit_status = record->exit_status;
}

static void take_all(struct sampling *sampling)
{
    const struct record *record;

    while ((record = ring_peek(sampling->ring)) != NULL) {
        sampling->late += record->time_ns < sampling->watermark_ns;
        if (record->type == RECORD_SAMPLE)
            take_sample(sampling, (const struct record_sample *)record);
        else if (record->type == RECORD_THREAD)
            take_thread(sampling, (const struct record_thread *)record);
        else if (record->type == RECORD_TALLY)
            tally_add(&sampling->total, (const struct record_tally *)record);
        else if (record->type == RECORD_WATERMARK)
            sampling->watermark_ns = record->time_ns;
        else if (record->type == RECORD_NOTE)
            snprintf(sampling->note, sizeof(sampling->note), "%s",
                     ((const struct record_note *)record)->text);
        ring_pop(sampling->ring);
    }
}

/* What was told, once a step was made or the time is over. */
static void take_step(struct sampling *sampling, uint64_t end_ns)
{
    struct timespec end;

    /* sem_timedwait() has no other clock. */
    end_ns += (uint64_t)clock_realtime_offset_ns();
    end = (struct timespec){ (time_t)(end_ns / NS_PER_S), (long)(end_ns % NS_PER_S) };
    while (sem_timedwait(&sampling->stepped, &end) != 0 && errno == EINTR)
        ;
    take_all(sampling);
}

bool sampling_until(struct sampling *sampling, bool (*done)(const struct sampling *sampling),
                    unsigned seconds)
{
    uint64_t end_ns = clock_now_ns() + seconds * NS_PER_S;

    while (clock_now_ns() < end_ns) {
        bool ended = sampling->ended != 0; /* before what it told last is taken */

        take_step(sampling, ended ? clock_now_ns() : end_ns);
        if (done != NULL && done(sampling))
            return true;
        if (ended)
            return false;
    }
    return false;
}

void sampling_for(struct sampling *sampling, unsigned milliseconds)
{
    uint64_t end_ns = clock_now_ns() + milliseconds * NS_PER_MS;

    while (sampling->ended == 0 && clock_now_ns() < end_ns)
        take_step(sampling, end_ns);
}

void sampling_stop(struct sampling *sampling)
{
    if (!sampling->running)
        return;
    sampling->stop = true;
    pthread_join(sampling->thread, NULL);
    sampling->ops->close(sampling->source);
    sampling->running = false;
    take_all(sampling);
}

bool sampling_has(struct sampling *sampling, const struct record_sample *sample, const char *name)
{
    for (uint32_t i = 0; i < sample->count; i++) {
        struct symbol symbol;

        if (sample->frames[i].kind != FRAME_NATIVE)
            continue;
        symbols_fast(sampling->symbols, &sample->frames[i], &symbol);
        if (symbol.known && strcmp(symbols_name(sampling->symbols, &symbol), name) == 0)
            return true;
    }
    return false;
}

void sampling_fini(struct sampling *sampling)
{
    sampling_stop(sampling);
    target_free(sampling->target);
    symbols_free(sampling->symbols);
    unwinder_free(sampling->config.unwinder);
    lanes_free(sampling->config.lanes);
    codes_free(sampling->config.codes);
    modules_free(sampling->config.modules);
    ring_free(sampling->ring);
}
