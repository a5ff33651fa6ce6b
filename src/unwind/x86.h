/* SPDX-License-Identifier: MIT */
/*
 * What an x86-64 instruction does to the stack, the frame pointer and the path of a function, and
 * how long it is; nothing else of it.  Any bytes are allowed.
 */
#ifndef PROFTOP_UNWIND_X86_H
#define PROFTOP_UNWIND_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum x86_kind {
    X86_OTHER,         /* of no interest; a call too, which comes back to the same sp */
    X86_ADD_SP,        /* sp += value: pushing, reserving, releasing */
    X86_POP_FP,        /* a word into fp, sp += 8 */
    X86_LOAD_FP,       /* the word at sp + value into fp */
    X86_SP_FROM_FP,    /* sp = fp + value */
    X86_SP_FROM_STACK, /* sp = the word at sp + value */
    X86_LEAVE,         /* sp = fp, then as X86_POP_FP */
    X86_FP_FROM_SP,    /* fp = sp + value */
    X86_LOSE_FP,       /* something else into fp */
    X86_LOSE_SP,       /* something else into sp */
    X86_JUMP,          /* to the next instruction + value */
    X86_BRANCH,        /* there, or on */
    X86_JUMP_INDIRECT, /* to somewhere */
    X86_RETURN,
    X86_STOP, /* goes on nowhere */
};

enum { X86_LENGTH_MAX = 15 };

struct x86_instruction {
    enum x86_kind kind;
    unsigned length;
    int32_t value;
};

/* False when there is no instruction we know in the SIZE bytes of CODE. */
bool x86_decode(const uint8_t *code, size_t size, struct x86_instruction *instruction);

#endif
