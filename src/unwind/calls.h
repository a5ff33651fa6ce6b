/* SPDX-License-Identifier: MIT */
/*
 * What the instructions around an address say: read from the module's file, or from the target
 * where the code is in no file.  Private to unwind/, for recovering only: the normal walk never
 * looks at code.
 */
#ifndef PROFTOP_UNWIND_CALLS_H
#define PROFTOP_UNWIND_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frozen;

/* Up to SIZE bytes of the code at ADDRESS, of FROZEN; how many. */
size_t calls_code(const void *frozen, uint64_t address, void *to, size_t size);

/* Whether ADDRESS is in code, with a call right before it (or code that cannot be read). */
bool calls_precede(const struct frozen *frozen, uint64_t address);

/*
 * What is right before an address.  A direct call gives its target, one through a word of memory at
 * a fixed address gives that word's address.
 */
enum calls_kind { CALLS_NOTHING, CALLS_DIRECT, CALLS_SLOT, CALLS_INDIRECT };

enum calls_kind calls_before(const struct frozen *frozen, uint64_t address, uint64_t *target);

/* Whether TARGET is an entry of a PLT, which jumps to where the word at *SLOT says. */
bool calls_through_plt(const struct frozen *frozen, uint64_t target, uint64_t *slot);

/* What the instruction about to run at an address says about its function's frame. */
enum calls_frame {
    CALLS_UNKNOWN,
    CALLS_NO_FRAME,      /* not set up yet, or gone: the return address is on top of the stack */
    CALLS_FP_PUSHED,     /* the frame pointer was pushed and is still the caller's */
    CALLS_LINK_REGISTER, /* aarch64: the return address is in lr */
    CALLS_CLONED, /* behind clone: in the new thread nothing is further out, else as NO_FRAME */
};

enum calls_frame calls_frame_at(const struct frozen *frozen, uint64_t ip);

/*
 * Whether the code at START, made at run time, is that of python -X perf: one after the other,
 * small functions that push a word and call.  Reads the target, which may run: such code does not
 * change.
 */
bool calls_are_perf_trampolines(const struct frozen *frozen, uint64_t start);

/* What is recognised by the bytes at a return address. */
enum { CALLS_CODE_BYTES = 9 };

/* Whether CODE is the trampoline a signal handler returns to. */
bool calls_is_trampoline(unsigned machine, const uint8_t code[CALLS_CODE_BYTES]);

/* Whether CODE ends the thread: musl's clone, where the thread's function returns to. */
bool calls_is_thread_end(unsigned machine, const uint8_t code[CALLS_CODE_BYTES]);

#endif
