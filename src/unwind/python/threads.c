/* SPDX-License-Identifier: MIT */
/*
 * Which thread state belongs to which thread.
 *
 *     _PyRuntime ─► interpreter ─► interpreter ─► …
 *                       └► thread state ─► thread state ─► …     each knows its thread's TID
 *
 * The walk is made while the target runs, so it can see lists in the middle of a change: it is
 * bounded, and every state is checked again in the stop.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "interpreter.h"

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "proftop/proc.h"

enum { INTERPRETERS_MAX = 256, STATES_WALKED_MAX = 16384, PTHREAD_BYTES = 2304, GLIBC_TID = 720 };

/*
 * A thread without a state either has none, or is so young that it will get one: it is looked for
 * again after this time, and each time after twice as long.  All looks together take at most this
 * part of the time, however many threads there are.
 */
#define LOOK_NS (4 * NS_PER_MS)
enum { DOUBLED_MAX = 5, LOOK_SHARE = 100 };

struct thread *python_threads_find(struct python *python, int32_t tid)
{
    size_t low = 0, high = python->thread_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (python->threads[middle].tid < tid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < python->thread_count && python->threads[low].tid == tid ? &python->threads[low]
                                                                         : NULL;
}

static int32_t inner_tid(const struct python *python, int32_t tid)
{
    char value[256];
    const char *last;

    if (!python->namespaced)
        return tid;
    if (!proc_status(python->proc_root, python->pid, tid, "NSpid", value, sizeof(value)))
        return 0;
    last = strrchr(value, '\t');
    return (int32_t)strtol(last != NULL ? last + 1 : value, NULL, 10);
}

static struct thread *add_thread(struct python *python, int32_t tid)
{
    size_t at = python->thread_count;
    struct thread *thread;

    python->threads = array_reserve(python->threads, &python->thread_capacity,
                                    python->thread_count + 1, sizeof(*python->threads));
    while (at > 0 && python->threads[at - 1].tid > tid)
        at--;
    memmove(&python->threads[at + 1], &python->threads[at],
            (python->thread_count - at) * sizeof(*python->threads));
    python->thread_count++;
    thread = &python->threads[at];
    *thread = (struct thread){ .tid = tid, .inner_tid = inner_tid(python, tid) };
    if (python->offsets.thread.chunk == PYTHON_ABSENT)
        thread->last = xcalloc(PYTHON_FRAMES_MAX, sizeof(*thread->last));
    return thread;
}

static struct thread *thread_of_inner(struct python *python, int32_t inner)
{
    for (size_t i = 0; i < python->thread_count; i++) {
        if (python->threads[i].inner_tid == inner)
            return &python->threads[i];
    }
    return NULL;
}

/* Threads that are gone leave, new ones come in without states. */
static void update_threads(struct python *python)
{
    struct proc_ids tids = { 0 };
    size_t kept = 0;

    if (!proc_tids(python->proc_root, python->pid, &tids)) {
        proc_ids_fini(&tids);
        return;
    }
    for (size_t i = 0; i < python->thread_count; i++) {
        struct thread *thread = &python->threads[i];
        bool alive = false;

        for (size_t j = 0; j < tids.count && !alive; j++)
            alive = tids.ids[j] == thread->tid;
        if (alive)
            python->threads[kept++] = *thread;
        else
            free(thread->last);
    }
    python->thread_count = kept;
    for (size_t j = 0; j < tids.count; j++) {
        if (python_threads_find(python, tids.ids[j]) == NULL)
            add_thread(python, tids.ids[j]);
    }
    for (size_t i = 0; i < python->thread_count; i++)
        python->threads[i].state_count = 0;
    proc_ids_fini(&tids);
}

/*
 * Before 3.11 a state knows its pthread_t only: glibc's struct pthread, which holds the TID
 * somewhere. Where: the place in the main thread's that holds the main thread's own.
 */
static int32_t tid_of_pthread(struct python *python, uint64_t pthread)
{
    uint8_t bytes[PTHREAD_BYTES];
    int32_t main_tid = inner_tid(python, python->pid), tid = 0;

    if (python->pthread_tid_offset < 0) {
        int32_t at_usual;

        if (!python_read(python, pthread, bytes, sizeof(bytes)))
            return 0;
        memcpy(&at_usual, bytes + GLIBC_TID, sizeof(at_usual));
        if (at_usual == main_tid)
            python->pthread_tid_offset = GLIBC_TID;
        for (int32_t at = 0; python->pthread_tid_offset < 0 && at < PTHREAD_BYTES; at += 4) {
            memcpy(&tid, bytes + at, sizeof(tid));
            if (tid == main_tid)
                python->pthread_tid_offset = at;
        }
        if (python->pthread_tid_offset < 0)
            return 0;
    }
    if (!python_read(python, pthread + (uint64_t)python->pthread_tid_offset, &tid, sizeof(tid)))
        return 0;
    return tid;
}

uint64_t python_state_owner(const struct python *python, const uint8_t *state)
{
    const struct python_offsets *offsets = &python->offsets;

    return python_word(state, offsets->thread.native_id != PYTHON_ABSENT
                                  ? offsets->thread.native_id
                                  : offsets->thread.thread_id);
}

static void add_state(struct python *python, uint64_t address, uint64_t lock, const uint8_t *state)
{
    const struct python_offsets *offsets = &python->offsets;
    uint64_t owner = python_state_owner(python, state);
    int32_t inner =
        offsets->thread.native_id != PYTHON_ABSENT ? (int32_t)owner : tid_of_pthread(python, owner);
    struct thread *thread = inner != 0 ? thread_of_inner(python, inner) : NULL;

    if (thread == NULL || thread->state_count == STATES_MAX)
        return;
    thread->states[thread->state_count] = address;
    thread->locks[thread->state_count] = lock;
    thread->owners[thread->state_count] = owner;
    thread->state_count++;
}

/*
 * The states of one interpreter.  The list is newest first and the main thread's pthread_t, which
 * tells where TIDs are, comes last: until that is known, go through it from the end.
 */
static void walk_states(struct python *python, uint64_t interpreter, uint64_t lock,
                        unsigned *budget)
{
    const struct python_offsets *offsets = &python->offsets;
    uint64_t *addresses = NULL, address;
    size_t count = 0, capacity = 0;

    if (!python_read(python, interpreter + offsets->interpreter.threads_head, &address,
                     sizeof(address)))
        return;
    while (address != 0 && *budget > 0) {
        uint64_t next;

        (*budget)--;
        addresses = array_reserve(addresses, &capacity, count + 1, sizeof(*addresses));
        addresses[count++] = address;
        if (!python_read(python, address + offsets->thread.next, &next, sizeof(next)) ||
            next == address)
            break;
        address = next;
    }
    while (count-- > 0) {
        uint8_t state[THREAD_BYTES];

        if (python_read(python, addresses[count], state, sizeof(state)))
            add_state(python, addresses[count], lock, state);
    }
    free(addresses);
}

static void walk_interpreters(struct python *python)
{
    const struct python_offsets *offsets = &python->offsets;
    unsigned budget = STATES_WALKED_MAX;
    uint64_t interpreter;

    python->lock_count = 0;
    if (!python_read(python, python->runtime + offsets->runtime.interpreters_head, &interpreter,
                     sizeof(interpreter)))
        return;
    for (int i = 0; interpreter != 0 && i < INTERPRETERS_MAX; i++) {
        uint64_t next, lock = 0;

        if (offsets->runtime.lock != PYTHON_ABSENT)
            lock = python->runtime + offsets->runtime.lock;
        else if (!python_read(python, interpreter + offsets->interpreter.gil, &lock, sizeof(lock)))
            lock = 0;
        if (lock != 0 && python->lock_count < STATES_MAX &&
            (python->lock_count == 0 || python->locks[python->lock_count - 1] != lock))
            python->locks[python->lock_count++] = lock;
        walk_states(python, interpreter, lock, &budget);
        if (!python_read(python, interpreter + offsets->interpreter.next, &next, sizeof(next)) ||
            next == interpreter)
            break;
        interpreter = next;
    }
}

void python_threads_look(struct python *python)
{
    uint64_t begin_ns = clock_now_ns();

    update_threads(python);
    walk_interpreters(python);
    for (size_t i = 0; i < python->thread_count; i++) {
        struct thread *thread = &python->threads[i];

        if (thread->state_count != 0)
            thread->doubled = 0;
        else if (thread->doubled < DOUBLED_MAX)
            thread->doubled++;
    }
    python->looked_ns = clock_now_ns();
    python->look_rest_ns = (python->looked_ns - begin_ns) * LOOK_SHARE;
}

void python_threads_fini(struct python *python)
{
    for (size_t i = 0; i < python->thread_count; i++)
        free(python->threads[i].last);
    free(python->threads);
    python->threads = NULL;
    python->thread_count = 0;
}

void python_prepare(struct python *python, int32_t tid)
{
    const struct thread *thread = python_threads_find(python, tid);
    uint64_t rested_ns, rest_ns = LOOK_NS << (thread != NULL ? thread->doubled : 0);

    if (thread != NULL && thread->state_count != 0)
        return;
    rested_ns = clock_now_ns() - python->looked_ns;
    if (rested_ns >= rest_ns && rested_ns >= python->look_rest_ns)
        python_threads_look(python);
}

bool python_waits_for_gil(const struct python *python, uint64_t address)
{
    enum { LOCK_BYTES = 256 };

    for (uint32_t i = 0; i < python->lock_count; i++) {
        if (address - python->locks[i] < LOCK_BYTES)
            return true;
    }
    return false;
}

int32_t python_gil_holder(struct python *python)
{
    const struct python_offsets *offsets = &python->offsets;

    for (uint32_t i = 0; i < python->lock_count; i++) {
        uint8_t lock[LOCK_LOOKED_AT];
        uint64_t holder;

        if (!python_read(python, python->locks[i], lock, sizeof(lock)) ||
            (int32_t)python_word(lock, offsets->gil.locked) != 1)
            continue;
        holder = python_word(lock, offsets->gil.holder);
        for (size_t t = 0; t < python->thread_count; t++) {
            const struct thread *thread = &python->threads[t];

            for (uint32_t j = 0; j < thread->state_count; j++) {
                if (thread->states[j] == holder)
                    return thread->tid;
            }
        }
    }
    return 0;
}
