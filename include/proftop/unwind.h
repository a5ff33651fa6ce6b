/* SPDX-License-Identifier: MIT */
/*
 * Registers + a copy of the stack → the frames.
 *
 *     struct frozen ──► table rows (compiled once per module) ──► struct frame[]
 *                  └──► frame pointers (JIT) ──► libunwind over the copy (what rows cannot hold)
 *
 * Tables are compiled on a worker thread of the unwinder, once per module, shared by every source.
 */
#ifndef PROFTOP_UNWIND_H
#define PROFTOP_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/frame.h"
#include "proftop/maps.h"

/* General registers that are followed; a function must preserve the first UNWIND_KEPT of them. */
#ifdef __aarch64__
enum { UNWIND_GENERAL = 12, UNWIND_KEPT = 10 };
#else
enum { UNWIND_GENERAL = 12, UNWIND_KEPT = 5 };
#endif

/* What unwinding starts from; what a source does not know stays out of KNOWN. */
struct registers {
    uint64_t ip, sp, bp;
    uint64_t lr; /* aarch64 */
    /* x86-64: rbx, r12–r15, and rax, rdx, rcx, rsi, rdi, r10, r11; aarch64: x19–x28 */
    uint64_t general[UNWIND_GENERAL];
    uint32_t known; /* enum register_known */
};

enum register_known { KNOWN_IP = 1, KNOWN_SP = 2, KNOWN_BP = 4, KNOWN_LR = 8, KNOWN_GENERAL = 16 };

/* A stack taken at one moment.  Borrowed: the source keeps the bytes. */
struct frozen {
    int32_t pid, tid;
    struct registers registers;
    const struct maps *maps;
    const uint8_t *stack; /* bytes from stack_start upwards */
    uint64_t stack_start;
    size_t stack_size;
    const uint8_t *extra; /* a second piece (the main stack behind a signal stack), or NULL */
    uint64_t extra_start;
    size_t extra_size;
    /* Reads memory that is in no copy (a blocked or stopped target only), or NULL. */
    bool (*peek)(void *context, uint64_t address, void *buffer, size_t size);
    /* Reads what stays as it is while the thread runs on (slots that a PLT jumps by), or NULL. */
    bool (*peek_linkage)(void *context, uint64_t address, void *buffer, size_t size);
    void *peek_context; /* of both */
    bool peeked;        /* registers come from /proc: bp is not known */
};

struct unwound {
    uint32_t count;   /* frames written */
    uint32_t skipped; /* left out in the middle of a deep stack (a MARK_SKIPPED frame says where) */
    enum stack_end end;
    uint64_t end_address; /* where it broke */
    uint64_t
        signal_frame; /* the stack pointer where the outermost signal handler returns to, or 0 */
    bool switched;    /* ended where it came from another stack, of which there was no copy */
};

/* Of one frame, the registers a function must preserve, as they were in it. */
struct unwind_saved {
    uint64_t bp;
    uint64_t general[UNWIND_KEPT]; /* in the order of struct registers */
    bool bp_known;
    uint16_t general_known; /* bit I: general[I] */
};

struct unwinder;

struct unwinder *unwinder_new(void); /* starts the worker */
void unwinder_free(struct unwinder *unwinder);

/* Asks for MAPPINGS' tables ahead of the first sample. */
void unwinder_prepare(struct unwinder *unwinder, const struct maps *maps);

/* Waits until every table that was asked for is built, or our clock shows UNTIL_NS. */
void unwinder_wait(struct unwinder *unwinder, uint64_t until_ns);

/* What the tables cost so far. */
struct unwinder_cost {
    uint32_t tables, rows;
    uint64_t bytes, build_ns;
};

void unwinder_cost(struct unwinder *unwinder, struct unwinder_cost *cost);

/* A LIMIT below this makes no sense: both ends of a stack, and two marks. */
enum { UNWIND_LIMIT_MIN = 8 };

/*
 * Fills FRAMES (innermost first, at most LIMIT) from FROZEN.  Where STACKS (may be NULL) is given
 * it receives the stack pointer of each frame, which the Python merge needs.  A stack that does not
 * reach its thread's outermost frame ends with a MARK_BROKEN frame.  Thread-safe; returns false
 * when a table is still being built and the caller may keep the copy and try again (end is
 * STACK_NOT_READY then).
 */
bool unwind_frozen(struct unwinder *unwinder, const struct frozen *frozen, struct frame *frames,
                   uint64_t *stacks, uint32_t limit, struct unwound *unwound);

/* The same with each frame's callee-saved registers in SAVED; slower. */
bool unwind_full(struct unwinder *unwinder, const struct frozen *frozen, struct frame *frames,
                 uint64_t *stacks, struct unwind_saved *saved, uint32_t limit,
                 struct unwound *unwound);

/* The same walk by libunwind alone: to compare with, and for what nothing else can do. */
bool unwind_slowly(struct unwinder *unwinder, const struct frozen *frozen, struct frame *frames,
                   uint64_t *stacks, uint32_t limit, struct unwound *unwound);

#endif
