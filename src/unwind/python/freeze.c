/* SPDX-License-Identifier: MIT */
/*
 * In the stop: where the thread's Python frames are.
 *
 * One vectored read brings the thread state, the lock, and what was needed last time: the piece of
 * the data stack the frames lay in (3.11+) or the frame objects themselves (before).  The walk then
 * goes through these copies and the copy of the C stack; only what is new costs a read of its own.
 * Nothing here allocates, locks or logs.
 */
#include "config.h"

#include <string.h>
#include <sys/uio.h>

#include "interpreter.h"

enum { OWNER_SHIM = 3, READ_AHEAD_MAX = 900, SHIM_MASK = 3 };

/* SIZE bytes at ADDRESS out of what was copied, or NULL. */
static const uint8_t *copied(const struct python_sample *sample, uint64_t address, size_t size)
{
    const struct frozen *frozen = sample->frozen;

    if (address - frozen->stack_start < frozen->stack_size &&
        frozen->stack_size - (address - frozen->stack_start) >= size)
        return frozen->stack + (address - frozen->stack_start);
    for (uint32_t i = 0; i < sample->piece_count; i++) {
        const struct piece *piece = &sample->pieces[i];

        if (address - piece->start < piece->size && piece->size - (address - piece->start) >= size)
            return piece->bytes + (address - piece->start);
    }
    if (frozen->extra != NULL && address - frozen->extra_start < frozen->extra_size &&
        frozen->extra_size - (address - frozen->extra_start) >= size)
        return frozen->extra + (address - frozen->extra_start);
    return NULL;
}

static bool add_chunk(struct python *python, struct python_sample *sample, uint64_t address)
{
    uint8_t *bytes;

    if (sample->piece_count == CHUNKS_KEPT)
        return false;
    bytes = sample->chunks[sample->piece_count];
    if (!python_read(python, address, bytes, CHUNK_BYTES))
        return false;
    sample->pieces[sample->piece_count++] = (struct piece){ address, CHUNK_BYTES, bytes };
    return true;
}

/* A frame at ADDRESS: from the copies, from the piece of data stack before them, or read alone. */
static const uint8_t *frame_bytes(struct python *python, struct python_sample *sample,
                                  uint64_t address, uint32_t *ahead, uint8_t *buffer)
{
    uint32_t size = python->frame_bytes;
    const uint8_t *bytes = copied(sample, address, size);

    if (bytes != NULL)
        return bytes;
    for (uint32_t i = *ahead; i < sample->heap_count; i++) {
        if (sample->heap_address[i] == address) {
            *ahead = i + 1;
            return sample->heap[i];
        }
    }
    if (python->offsets.thread.chunk != PYTHON_ABSENT && sample->piece_count > 0 &&
        sample->piece_count < CHUNKS_KEPT) {
        uint64_t previous = python_word(sample->pieces[sample->piece_count - 1].bytes, 0);

        if (previous != 0 && address - previous < CHUNK_BYTES &&
            add_chunk(python, sample, previous) && (bytes = copied(sample, address, size)) != NULL)
            return bytes;
    }
    return python_read(python, address, buffer, size) ? buffer : NULL;
}

static void end_run(struct python_sample *sample, uint32_t first, uint64_t anchor)
{
    if (sample->frame_count == first)
        return; /* only a shim: what it will run has not begun */
    sample->runs[sample->run_count++] = (struct python_run){ first, sample->frame_count, anchor };
}

/* The CFrames of a thread, newest first; the last is the thread state's own and anchors nothing. */
struct cframes {
    uint64_t address, previous;
};

static bool next_cframe(struct python *python, const struct python_sample *sample,
                        struct cframes *cframes)
{
    const uint8_t *bytes;

    cframes->address = cframes->previous;
    if (cframes->address == 0)
        return false;
    bytes = copied(sample, cframes->address + python->offsets.cframe.previous, 8);
    if (bytes != NULL)
        cframes->previous = python_word(bytes, 0);
    else if (!python_read(python, cframes->address + python->offsets.cframe.previous,
                          &cframes->previous, 8))
        cframes->previous = 0;
    if (cframes->previous == cframes->address)
        cframes->previous = 0;
    return cframes->previous != 0;
}

static uint64_t anchor_of_next_run(struct python *python, const struct python_sample *sample,
                                   struct cframes *cframes)
{
    return next_cframe(python, sample, cframes) ? cframes->address : 0;
}

static uint64_t first_frame(struct python *python, struct python_sample *sample,
                            const uint8_t *state)
{
    const struct python_offsets *offsets = &python->offsets;
    uint64_t cframe, frame = 0;
    const uint8_t *bytes;

    if (offsets->thread.frame != PYTHON_ABSENT)
        return python_word(state, offsets->thread.frame);
    cframe = python_word(state, offsets->thread.cframe);
    bytes = copied(sample, cframe + offsets->cframe.frame, 8);
    if (bytes != NULL)
        return python_word(bytes, 0);
    if (!python_read(python, cframe + offsets->cframe.frame, &frame, sizeof(frame)))
        sample->end = PYTHON_BAD_STATE;
    return frame;
}

/* Walks from ADDRESS outwards, newest first, cutting the frames into runs. */
static void walk(struct python *python, struct python_sample *sample, uint64_t address,
                 struct cframes cframes)
{
    const struct python_offsets *offsets = &python->offsets;
    uint32_t first = sample->frame_count, ahead = 0;

    while (address != 0) {
        uint8_t buffer[FRAME_BYTES];
        const uint8_t *bytes = frame_bytes(python, sample, address, &ahead, buffer);
        uint64_t previous;

        if (bytes == NULL) {
            sample->end = PYTHON_BAD_FRAME;
            break;
        }
        if (sample->frame_count == PYTHON_FRAMES_MAX || sample->run_count == PYTHON_FRAMES_MAX) {
            sample->end = PYTHON_CYCLE;
            break;
        }
        previous = python_word(bytes, offsets->frame.previous);
        if (offsets->layout == LAYOUT_SHIM && bytes[offsets->frame.owner] >= OWNER_SHIM) {
            end_run(sample, first, address);
            first = sample->frame_count;
        } else {
            sample->frames[sample->frame_count++] = (struct python_frame){
                address, python_word(bytes, offsets->frame.code) & ~(uint64_t)SHIM_MASK,
                python_word(bytes, offsets->frame.instruction)
            };
            if (offsets->layout == LAYOUT_OBJECTS || offsets->layout == LAYOUT_OBJECTS_CFRAME ||
                (offsets->layout == LAYOUT_ENTRY && bytes[offsets->frame.entry] != 0)) {
                end_run(sample, first,
                        offsets->cframe.previous != PYTHON_ABSENT
                            ? anchor_of_next_run(python, sample, &cframes)
                            : 0);
                first = sample->frame_count;
            }
        }
        if (previous == address) {
            sample->end = PYTHON_CYCLE;
            break;
        }
        address = previous;
    }
    end_run(sample, first, 0);
}

/* The thread state, its lock and what last time needed, in one call. */
static bool read_state(struct python *python, struct thread *thread, uint32_t index,
                       struct python_sample *sample, uint8_t *state, uint8_t *lock)
{
    struct iovec local[3 + READ_AHEAD_MAX], remote[3 + READ_AHEAD_MAX];
    size_t count = 2, wanted = THREAD_BYTES + LOCK_LOOKED_AT;
    ssize_t got;

    local[0] = (struct iovec){ state, THREAD_BYTES };
    remote[0] = (struct iovec){ (void *)(uintptr_t)thread->states[index], THREAD_BYTES };
    local[1] = (struct iovec){ lock, LOCK_LOOKED_AT };
    remote[1] = (struct iovec){ (void *)(uintptr_t)thread->locks[index], LOCK_LOOKED_AT };
    if (index == 0 && thread->chunk != 0) {
        local[count] = (struct iovec){ sample->chunks[0], CHUNK_BYTES };
        remote[count++] = (struct iovec){ (void *)(uintptr_t)thread->chunk, CHUNK_BYTES };
    }
    for (uint32_t i = 0; index == 0 && i < thread->last_count && i < READ_AHEAD_MAX; i++) {
        local[count] = (struct iovec){ sample->heap[i], python->frame_bytes };
        remote[count++] = (struct iovec){ (void *)(uintptr_t)thread->last[i], python->frame_bytes };
        sample->heap_address[i] = thread->last[i];
    }
    got = process_vm_readv(python->pid, local, count, remote, count, 0);
    if (got < (ssize_t)wanted)
        return python_read(python, thread->states[index], state, THREAD_BYTES) &&
               python_read(python, thread->locks[index], lock, LOCK_LOOKED_AT);
    got -= (ssize_t)wanted;
    if (index == 0 && thread->chunk != 0 && got >= CHUNK_BYTES) {
        sample->pieces[sample->piece_count++] =
            (struct piece){ thread->chunk, CHUNK_BYTES, sample->chunks[0] };
        got -= CHUNK_BYTES;
    }
    if (index == 0)
        sample->heap_count = (uint32_t)(got / python->frame_bytes);
    return true;
}

/* The state is still this thread's; what freed memory holds now could say anything. */
static bool still_its(const struct python *python, const struct thread *thread, uint32_t index,
                      const uint8_t *state)
{
    return python_state_owner(python, state) == thread->owners[index];
}

static enum gil lock_state(const struct python *python, const uint8_t *lock, uint64_t state)
{
    if ((int32_t)python_word(lock, python->offsets.gil.locked) != 1)
        return GIL_FREE;
    return python_word(lock, python->offsets.gil.holder) == state ? GIL_HELD : GIL_FREE;
}

static void freeze_state(struct python *python, struct thread *thread, uint32_t index,
                         struct python_sample *sample)
{
    const struct python_offsets *offsets = &python->offsets;
    uint8_t *state = sample->states[index], lock[LOCK_LOOKED_AT];
    struct cframes cframes = { 0, 0 };
    uint64_t chunk;

    if (!read_state(python, thread, index, sample, state, lock)) {
        sample->end = PYTHON_BAD_STATE;
        return;
    }
    if (!still_its(python, thread, index, state)) {
        thread->state_count = 0; /* looked for again before the next sample */
        sample->end = PYTHON_STRANGER;
        return;
    }
    if (sample->gil != GIL_HELD)
        sample->gil = lock_state(python, lock, thread->states[index]);
    if (offsets->thread.chunk != PYTHON_ABSENT) {
        chunk = python_word(state, offsets->thread.chunk);
        if (chunk != 0 && copied(sample, chunk, 8) == NULL && index == 0) {
            sample->piece_count = 0;
            thread->chunk = add_chunk(python, sample, chunk) ? chunk : 0;
        } else if (chunk != 0 && copied(sample, chunk, 8) == NULL) {
            add_chunk(python, sample, chunk);
        }
    }
    if (offsets->cframe.previous != PYTHON_ABSENT)
        cframes.previous = python_word(state, offsets->thread.cframe);
    walk(python, sample, first_frame(python, sample, state), cframes);
}

/* Frames of several interpreters on one thread: their runs follow each other on the C stack. */
static void sort_runs(struct python_sample *sample)
{
    for (uint32_t i = 1; i < sample->run_count; i++) {
        struct python_run run = sample->runs[i];
        uint32_t at = i;

        while (at > 0 && run.anchor != 0 && sample->runs[at - 1].anchor > run.anchor) {
            sample->runs[at] = sample->runs[at - 1];
            at--;
        }
        sample->runs[at] = run;
    }
}

void python_warm_up(struct python *python, int32_t tid, struct python_sample *sample)
{
    struct thread *thread = python_threads_find(python, tid);
    uint8_t lock[LOCK_LOOKED_AT];

    sample->piece_count = 0;
    if (thread != NULL && thread->state_count > 0)
        read_state(python, thread, 0, sample, sample->states[0], lock);
}

bool python_freeze(struct python *python, const struct frozen *frozen, struct python_sample *sample)
{
    struct thread *thread = python_threads_find(python, frozen->tid);

    sample->frozen = frozen;
    sample->frame_count = sample->run_count = sample->piece_count = sample->heap_count = 0;
    sample->gil = GIL_NONE;
    sample->end = PYTHON_COMPLETE;
    if (thread != NULL) {
        for (uint32_t i = 0; i < thread->state_count; i++)
            freeze_state(python, thread, i, sample);
        if (thread->state_count > 1)
            sort_runs(sample);
        if (python->offsets.thread.chunk == PYTHON_ABSENT && thread->last != NULL) {
            thread->last_count = sample->frame_count;
            for (uint32_t i = 0; i < sample->frame_count; i++)
                thread->last[i] = sample->frames[i].address;
        }
    }
    sample->frozen = NULL;
    return sample->frame_count > 0 || sample->end > PYTHON_STRANGER;
}
