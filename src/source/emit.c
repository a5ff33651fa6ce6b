/* SPDX-License-Identifier: MIT */
/* Records of a sampling source: see emit.h. */
#include "config.h"

#include "emit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void emit_sample(struct emit *emit, uint64_t time_ns, const struct record_sample *sample,
                 const struct frame *frames, uint32_t count)
{
    size_t frames_bytes = count * sizeof(*frames);
    struct record *record =
        emit->ring != NULL ? ring_reserve(emit->ring, sizeof(*sample) + frames_bytes, false) : NULL;
    struct record_sample *copy = (struct record_sample *)record;
    struct record head;

    if (record == NULL) {
        emit->tally.lost++;
        return;
    }
    head = *record; /* its size is the ring's */
    *copy = *sample;
    copy->head = head;
    copy->head.type = RECORD_SAMPLE;
    copy->head.time_ns = time_ns;
    copy->count = count;
    if (count > 0)
        memcpy(copy->frames, frames, frames_bytes);
    ring_commit(emit->ring, record);
}

/* Records that must not be lost. */
static bool push(struct emit *emit, const struct record *record)
{
    return emit->ring != NULL && ring_push(emit->ring, record, true);
}

void emit_thread(struct emit *emit, uint64_t time_ns, const struct thread_news *news)
{
    struct record_thread thread = { .head = { sizeof(thread), RECORD_THREAD, time_ns },
                                    .pid = news->pid,
                                    .tid = news->tid,
                                    .ppid = news->ppid,
                                    .event = news->event,
                                    .exit_status = news->exit_status,
                                    .start_ns = news->start_ns };

    if (news->name != NULL)
        snprintf(thread.name, sizeof(thread.name), "%s", news->name);
    push(emit, &thread.head);
}

void emit_note(struct emit *emit, uint64_t time_ns, enum note_level level, const char *format, ...)
{
    union {
        struct record_note note;
        char bytes[sizeof(struct record_note) + 1024];
    } all;
    va_list arguments;
    int length;

    memset(&all.note, 0, sizeof(all.note));
    va_start(arguments, format);
    length = vsnprintf(all.note.text, 1000, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if (length > 999)
        length = 999;
    all.note.head.size = record_round(sizeof(all.note) + (size_t)length + 1);
    all.note.head.type = RECORD_NOTE;
    all.note.head.time_ns = time_ns;
    all.note.level = level;
    push(emit, &all.note.head);
}

void emit_watermark(struct emit *emit, uint64_t time_ns)
{
    const struct record mark = { sizeof(mark), RECORD_WATERMARK, time_ns };

    push(emit, &mark);
}

void emit_due(struct emit *emit, uint64_t used_ns, uint64_t period_ns)
{
    emit->undue_ns += used_ns;
    emit->tally.expected += (uint32_t)(emit->undue_ns / period_ns);
    emit->undue_ns %= period_ns;
}

void emit_tally(struct emit *emit, uint64_t time_ns)
{
    uint32_t rate_hz = emit->tally.rate_hz;
    uint32_t seen = emit->tally.received + emit->tally.lost;

    emit->tally.unseen = emit->tally.expected > seen ? emit->tally.expected - seen : 0;
    emit->tally.head = (struct record){ sizeof(emit->tally), RECORD_TALLY, time_ns };
    if (!push(emit, &emit->tally.head))
        return; /* the next one tells it all */
    memset(&emit->tally, 0, sizeof(emit->tally));
    emit->tally.rate_hz = rate_hz;
}

void emit_stopped(struct emit *emit, uint64_t held_ns)
{
    struct record_tally *tally = &emit->tally;
    size_t buckets = sizeof(tally->stopped_log2) / sizeof(tally->stopped_log2[0]);
    size_t bucket = 0;

    for (uint64_t units = held_ns / 100; units > 1 && bucket < buckets - 1; units /= 2)
        bucket++;
    tally->stops++;
    tally->stopped_ns += held_ns;
    tally->stopped_log2[bucket]++;
    if (held_ns > tally->stopped_max_ns)
        tally->stopped_max_ns = held_ns;
}
