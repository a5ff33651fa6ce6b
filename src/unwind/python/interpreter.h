/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: the interpreter of a process and a sample of one thread.
 *
 *     python.c    open, close, the life of a sample
 *     threads.c   which thread state belongs to which thread, the lock
 *     freeze.c    in the stop: the frames, as addresses
 *     codes.c     afterwards: code objects → names and lines
 *     merge.c     afterwards: Python frames into the native stack
 */
#ifndef PROFTOP_UNWIND_PYTHON_INTERPRETER_H
#define PROFTOP_UNWIND_PYTHON_INTERPRETER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offsets.h"

#include "proftop/python.h"

enum {
    CHUNK_BYTES = 16 * 1024,
    CHUNKS_KEPT = 8, /* pieces of the data stack one sample can hold */
    STATES_MAX = 8,  /* thread states of one thread: one a subinterpreter */
    ANCHORS_MAX = PYTHON_FRAMES_MAX,
};

/* One Python frame as the stop saw it. */
struct python_frame {
    uint64_t address;
    uint64_t code;
    uint64_t instruction; /* raw: an index or a pointer, by version */
};

/* A run: the frames that one native frame evaluates, [first, end) newest first. */
struct python_run {
    uint32_t first, end;
    uint64_t anchor; /* on the C stack, inside the native frame; 0 when not known */
};

/* A copied piece of the target's memory. */
struct piece {
    uint64_t start;
    size_t size;
    const uint8_t *bytes;
};

struct python_sample {
    const struct frozen *frozen; /* in the stop only */
    enum gil gil;
    enum python_end end;
    uint32_t frame_count, run_count;
    struct python_frame frames[PYTHON_FRAMES_MAX];
    struct python_run runs[PYTHON_FRAMES_MAX];
    uint8_t states[STATES_MAX][THREAD_BYTES];
    uint32_t piece_count;
    struct piece pieces[CHUNKS_KEPT + 1];
    uint8_t chunks[CHUNKS_KEPT][CHUNK_BYTES];
    uint8_t heap[PYTHON_FRAMES_MAX][FRAME_BYTES]; /* frames read ahead, where last time's were */
    uint64_t heap_address[PYTHON_FRAMES_MAX];
    uint32_t heap_count;
};

/* A thread and its states, where they were last seen. */
struct thread {
    int32_t tid, inner_tid; /* as we and as the process itself number it */
    uint32_t state_count;
    uint64_t states[STATES_MAX];
    uint64_t locks[STATES_MAX];  /* the lock of each state's interpreter */
    uint64_t owners[STATES_MAX]; /* the native_id or pthread_t that each state had */
    uint64_t chunk;              /* where the data stack was: read ahead next time */
    uint64_t *last;              /* the frames' addresses of the last sample, for 3.8–3.10 */
    uint32_t last_count;
    uint8_t doubled; /* how often the rest between looks for its state was */
};

struct code_cache;

struct python {
    const char *proc_root;
    int32_t pid;
    struct codes *codes;
    struct python_offsets offsets;
    uint32_t frame_bytes; /* of a frame, what is looked at: memory may end right behind it */
    char version[16];
    uint64_t runtime;
    int32_t pthread_tid_offset; /* of the TID in struct pthread, before 3.11; -1 not found yet */
    struct thread *threads;     /* sorted by tid */
    size_t thread_count, thread_capacity;
    uint64_t looked_ns;         /* when the thread states were last walked */
    uint64_t look_rest_ns;      /* no new walk so soon after it, for what it cost */
    uint64_t locks[STATES_MAX]; /* every interpreter's lock */
    uint32_t lock_count;
    bool namespaced; /* its TIDs are not ours */
    struct code_cache *cache;
};

/* memory: reads SIZE bytes of the process; false when any is missing. */
bool python_read(const struct python *python, uint64_t address, void *buffer, size_t size);
uint64_t python_word(const uint8_t *bytes, uint32_t offset);

/* threads.c */
void python_threads_fini(struct python *python);
struct thread *python_threads_find(struct python *python, int32_t tid);
void python_threads_look(struct python *python);
/* Who a thread state says it belongs to: a TID from 3.11 on, a pthread_t before. */
uint64_t python_state_owner(const struct python *python, const uint8_t *state);

/* codes.c */
struct code_cache *python_code_cache_new(void);
void python_code_cache_free(struct code_cache *cache);
/* The FRAME_PYTHON of FRAME; false when its code object makes no sense. */
bool python_code_resolve(struct python *python, const struct python_frame *frame,
                         struct frame *out);
/* Makes sure that what the cache holds for COUNT frames is still what the target holds. */
void python_code_validate(struct python *python, const struct python_frame *frames, uint32_t count);

/* merge.c: pure.  RESOLVED has a frame for each of the sample's. */
struct merge_result {
    uint32_t count;
    uint32_t cut; /* runs that no native frame holds */
};
struct merge_result python_merge_runs(const struct python_run *runs, uint32_t run_count,
                                      const struct frame *resolved, struct frame *frames,
                                      uint64_t *stacks, uint32_t count, uint32_t limit);

#endif
