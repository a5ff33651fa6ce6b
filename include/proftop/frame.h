/* SPDX-License-Identifier: MIT */
/*
 * A frame of a sampled stack as a source delivers it: not yet a name, only where.
 *
 *     kind     module              address
 *     NATIVE   the module          see module.h; a return address already less 1, so that it
 *                                  lies inside the call
 *     KERNEL   the kernel module   the address, likewise
 *     JIT      the JIT module      the address, likewise
 *     PYTHON   a code_id           the line
 *     MARK     enum mark           its argument
 */
#ifndef PROFTOP_FRAME_H
#define PROFTOP_FRAME_H

#include <stdint.h>

enum frame_kind {
    FRAME_NATIVE,
    FRAME_KERNEL,
    FRAME_JIT,
    FRAME_PYTHON,
    FRAME_INLINE, /* made by symbols/ only: a source never delivers one */
    FRAME_MARK,
    FRAME_KINDS
};

/* What a MARK frame says. */
enum mark {
    MARK_BROKEN,     /* the stack ends here; argument: enum stack_end */
    MARK_SKIPPED,    /* the middle of a deep stack was left out; argument: how many frames */
    MARK_SYSCALL,    /* the leaf is inside this system call; argument: its number */
    MARK_KERNEL,     /* in the kernel, but its frames are not permitted or not wanted */
    MARK_NATIVE_CUT, /* Python frames placed by address order because the native unwind was cut */
    MARK_PYTHON_CUT, /* Python frames are missing; argument: enum python_end */
};

/* How the walk through a thread's Python frames ended.  One table (python_end_name) has words. */
enum python_end {
    PYTHON_COMPLETE,
    PYTHON_STRANGER,  /* the thread state has become another thread's: none of ours are there */
    PYTHON_BAD_STATE, /* the thread state could not be read */
    PYTHON_BAD_FRAME, /* a frame points at memory that cannot be read */
    PYTHON_BAD_CODE,  /* a frame's code object makes no sense */
    PYTHON_CYCLE,     /* the frames go in a circle, or are more than we keep */
    PYTHON_ENDS
};

/* How an unwind ended.  One table (stack_end_text) gives the words. */
enum stack_end {
    STACK_COMPLETE,   /* reached the thread's outermost frame */
    STACK_TRUNCATED,  /* the copy of the stack ended first */
    STACK_NO_MAPPING, /* a return address outside every mapping */
    STACK_NO_ROWS,    /* code without unwind rows, and no frame pointer to follow */
    STACK_NOT_READY,  /* tables still being built */
    STACK_BAD_ROW,    /* unwind information that makes no sense */
    STACK_BAD_MEMORY, /* a frame points at memory that cannot be read */
    STACK_CYCLE,      /* the stack pointer did not move towards the outside */
    STACK_LIMIT,      /* more frames than we keep */
    STACK_NONE,       /* no user stack was taken at all */
    STACK_ELSEWHERE,  /* a signal came on a stack of its own, and the other was not copied */
    STACK_ENDS
};

struct frame {
    uint64_t address;
    uint32_t module;
    uint32_t kind; /* enum frame_kind */
};

/* What the code of a JIT is called that told no name for it. */
#define FRAME_JIT_NAMELESS "[code without a name]"

/* In words, for a person: "no unwind information".  And the same untranslated, for files. */
const char *stack_end_text(enum stack_end end);
const char *stack_end_name(enum stack_end end);
const char *python_end_name(enum python_end end); /* untranslated */

#endif
