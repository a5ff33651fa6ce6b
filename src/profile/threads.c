/* SPDX-License-Identifier: MIT */
/*
 * The table of threads itself is the history's; here is the way from a tid to its newest thread.
 *
 *     tid ─► index ─► slots: {tid, thread} ─► history
 */
#include "config.h"

#include "threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"

/* A sample may still come this long after its thread's end was told. */
#define LATE_NS (5 * NS_PER_S)

struct slot {
    int32_t tid;
    uint32_t thread; /* the newest with that tid */
};

struct threads {
    struct history *history;
    struct index index;
    struct slot *slots;
    size_t count, capacity;
};

struct threads *threads_new(struct history *history)
{
    struct threads *threads = xcalloc(1, sizeof(*threads));

    threads->history = history;
    index_init(&threads->index);
    return threads;
}

void threads_free(struct threads *threads)
{
    if (threads == NULL)
        return;
    index_fini(&threads->index);
    free(threads->slots);
    free(threads);
}

static uint64_t hash_of(int32_t tid)
{
    return hash_u64((uint32_t)tid);
}

static struct slot *find_slot(struct threads *threads, int32_t tid)
{
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&threads->index, hash_of(tid), &cursor);
    while ((item = index_next(&threads->index, &cursor)) != INDEX_END) {
        if (threads->slots[item].tid == tid)
            return &threads->slots[item];
    }
    return NULL;
}

/* The name of the process, for a thread that nobody has told about. */
static void name_after_process(struct threads *threads, struct profile_thread *thread)
{
    const struct slot *slot = thread->pid != thread->tid ? find_slot(threads, thread->pid) : NULL;

    if (slot == NULL) {
        snprintf(thread->name, sizeof(thread->name), "%d", (int)thread->tid);
        return;
    }
    memcpy(thread->name, history_thread(threads->history, slot->thread)->name,
           sizeof(thread->name));
    thread->ppid = history_thread(threads->history, slot->thread)->ppid;
}

static uint32_t add_thread(struct threads *threads, struct slot *slot,
                           const struct profile_thread *thread)
{
    uint32_t index = history_add_thread(threads->history, thread);

    if (slot != NULL) {
        slot->thread = index;
        return index;
    }
    threads->slots = array_reserve(threads->slots, &threads->capacity, threads->count + 1,
                                   sizeof(*threads->slots));
    index_add(&threads->index, hash_of(thread->tid), (uint32_t)threads->count);
    threads->slots[threads->count++] = (struct slot){ thread->tid, index };
    return index;
}

static struct profile_thread unknown_thread(int32_t pid, int32_t tid, uint64_t time_ns)
{
    return (struct profile_thread){ .pid = pid,
                                    .tid = tid,
                                    .began_ns = time_ns,
                                    .ended_ns = UINT64_MAX,
                                    .exit_status = -1,
                                    .process = pid == tid };
}

uint32_t threads_find(struct threads *threads, int32_t pid, int32_t tid, uint64_t time_ns)
{
    struct slot *slot = find_slot(threads, tid);
    struct profile_thread thread;

    if (slot != NULL) {
        uint64_t ended_ns = history_thread(threads->history, slot->thread)->ended_ns;

        if (ended_ns == UINT64_MAX || time_ns < ended_ns + LATE_NS)
            return slot->thread;
    }
    thread = unknown_thread(pid, tid, time_ns);
    name_after_process(threads, &thread);
    return add_thread(threads, slot, &thread);
}

static bool change(struct threads *threads, uint32_t index, const struct profile_thread *thread)
{
    if (memcmp(history_thread(threads->history, index), thread, sizeof(*thread)) == 0)
        return false;
    history_set_thread(threads->history, index, thread);
    return true;
}

static void rename_thread(struct profile_thread *thread, const struct record_thread *record)
{
    if (record->name[0] == '\0')
        return;
    memset(thread->name, 0, sizeof(thread->name));
    memcpy(thread->name, record->name, strnlen(record->name, sizeof(thread->name) - 1));
}

/* The thread RECORD speaks of; a new one when a tid begins again. */
static uint32_t thread_of(struct threads *threads, const struct record_thread *record)
{
    struct slot *slot = find_slot(threads, record->tid);
    uint64_t time_ns = record->start_ns != 0 ? record->start_ns : record->head.time_ns;
    struct profile_thread thread = unknown_thread(record->pid, record->tid, time_ns);
    bool again;

    if (slot != NULL) {
        again = (record->event == THREAD_BEGAN || record->event == THREAD_SEEN) &&
                history_thread(threads->history, slot->thread)->ended_ns < record->head.time_ns;
        if (!again)
            return slot->thread;
    }
    name_after_process(threads, &thread);
    return add_thread(threads, slot, &thread);
}

bool threads_event(struct threads *threads, const struct record_thread *record)
{
    size_t before = threads->count;
    uint32_t index = thread_of(threads, record);
    struct profile_thread thread = *history_thread(threads->history, index);

    thread.pid = record->pid;
    thread.process = record->pid == record->tid;
    if (record->ppid != 0)
        thread.ppid = record->ppid;
    switch ((enum thread_event)record->event) {
    case THREAD_BEGAN:
    case THREAD_SEEN:
        if (record->start_ns != 0)
            thread.began_ns = record->start_ns;
        rename_thread(&thread, record);
        break;
    case THREAD_EXEC:
        thread.execs++;
        rename_thread(&thread, record);
        break;
    case THREAD_NAMED:
        rename_thread(&thread, record);
        break;
    case THREAD_ENDED:
        thread.ended_ns = record->head.time_ns;
        if (record->exit_status != -1)
            thread.exit_status = record->exit_status;
        break;
    case THREAD_STOPPED:
    case THREAD_CONTINUED:
        break;
    }
    return change(threads, index, &thread) || threads->count != before;
}
