/* SPDX-License-Identifier: MIT */
/*
 * Python frames of a thread, read from outside.
 *
 *     stop ─► registers, stack copy ─► python_freeze() ─► resume
 *                                           │
 *          unwind_frozen() ─► native frames ┴► python_merge() ─► one stack, Python frames in place
 * of the native frames that ran them
 *
 * python_freeze() runs between the stop and the resume: it allocates nothing, locks nothing and
 * makes a handful of process_vm_readv calls.  Strings and lines are read afterwards, in
 * python_merge(). All of it belongs to the thread of the source that samples the process.  Whatever
 * the target's memory holds, the native frames are kept.
 */
#ifndef PROFTOP_PYTHON_H
#define PROFTOP_PYTHON_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/code.h"
#include "proftop/error.h"
#include "proftop/frame.h"
#include "proftop/maps.h"
#include "proftop/record.h"
#include "proftop/unwind.h"

enum { PYTHON_FRAMES_MAX = 2048 };

/* The interpreter in one process. */
struct python;

/* The Python frames of one thread at one moment; made once, used again. */
struct python_sample;

/* Whether the process maps an interpreter, from its file names alone: cheap. */
bool python_suspected(const struct maps *maps);

/*
 * The interpreter of the process that MAPS describe.  NULL and why: none there, not started yet, a
 * version or build that is not supported.  PROC_ROOT is borrowed.
 */
struct python *python_open(const char *proc_root, const struct maps *maps, struct codes *codes,
                           struct error *error);
void python_close(struct python *python);

/* "3.11.2" */
const char *python_version(const struct python *python);

struct python_sample *python_sample_new(void);
void python_sample_free(struct python_sample *sample);

/*
 * Before the stop: makes sure that TID's thread state is known, looking through the interpreter's
 * threads when it is not (at most ten times a second).
 */
void python_prepare(struct python *python, int32_t tid);

/* Shortly before it: reads what the freeze will read, so that it finds the way there warm. */
void python_warm_up(struct python *python, int32_t tid, struct python_sample *sample);

/*
 * In the stop, or while the thread is known to be blocked: reads where its Python frames are. False
 * when there is nothing to merge.
 */
bool python_freeze(struct python *python, const struct frozen *frozen,
                   struct python_sample *sample);

/* Where the interpreter lock was, as python_freeze() saw it. */
enum gil python_sample_gil(const struct python_sample *sample);

/* Whether the last freeze found all frames, or why not.  The merge leaves a mark that says so. */
enum python_end python_sample_end(const struct python_sample *sample);

/*
 * Puts the sample's frames into the COUNT native FRAMES (whose stack pointers are STACKS, 0 for
 * marks and kernel frames) by address; the new count, at most LIMIT.  Both arrays are rewritten.
 */
uint32_t python_merge(struct python *python, struct python_sample *sample, struct frame *frames,
                      uint64_t *stacks, uint32_t count, uint32_t limit);

/*
 * 3.8 and 3.9: whether the merge needs what unwind_full() recovers, and, after that and before the
 * merge, its result.
 */
bool python_needs_registers(const struct python *python);
void python_anchor(struct python_sample *sample, const uint64_t *stacks,
                   const struct unwind_saved *saved, uint32_t count);

/* A futex at ADDRESS is the interpreter lock's: who waits there waits for the GIL. */
bool python_waits_for_gil(const struct python *python, uint64_t address);

/* Which thread holds the lock now (as its process numbers it), 0 for none. */
int32_t python_gil_holder(struct python *python);

#endif
