/* SPDX-License-Identifier: MIT */
/*
 * A rule: how to find the caller from anywhere inside one range of code.
 *
 *     CFA = the value of the stack pointer before the call, from sp, fp or a general register
 *     ra  = where the return address is
 *     fp  = where the caller's frame pointer (rbp, x29) is
 *
 * One rule serves x86-64 and aarch64.  Real programs need only a few thousand different ones, so a
 * table row names its rule by a 16-bit number.  What a rule cannot say is RULE_ASK: libunwind then.
 */
#ifndef PROFTOP_UNWIND_RULE_H
#define PROFTOP_UNWIND_RULE_H

#include <stdint.h>

#include "proftop/unwind.h"

enum rule_cfa {
    RULE_NONE,     /* no unwind information here */
    RULE_ASK,      /* too odd for a rule */
    RULE_END,      /* the outermost frame: its return address is undefined */
    RULE_SP,       /* sp + offset */
    RULE_FP,       /* fp + offset */
    RULE_SP_DEREF, /* the word at sp + offset, + add: signal frames, hand-written code */
    RULE_FP_DEREF, /* the word at fp + offset, + add: functions that realign their stack */
    RULE_PLT,      /* x86-64: sp + 8, + 8 more once (ip & 15) >= offset */
    RULE_SWITCH,   /* fp + offset, on another stack than this */
    RULE_GENERAL,  /* general[rule.cfa - RULE_GENERAL] + offset; UNWIND_GENERAL of them */
};

enum rule_save {
    SAVE_SAME,    /* still in its register; for ra: in lr */
    SAVE_CFA,     /* in memory at CFA + offset */
    SAVE_SP,      /* in memory at sp + offset */
    SAVE_FP,      /* in memory at fp + offset */
    SAVE_UNKNOWN, /* lost */
};

enum {
    RULE_SIGNAL = 1,     /* the caller was interrupted, it did not call */
    RULE_GENERAL_SP = 2, /* slots count from sp … */
    RULE_GENERAL_FP = 4, /* … or from fp, rather than from the CFA */
    RULE_FRAMELESS = 8, /* with RULE_SWITCH: fp is the caller's, so that this is its caller's CFA */
    SLOT_SAME = 0,      /* not saved: as it was, if it must be preserved */
    SLOT_UNKNOWN = -128, /* … that is lost */
    SLOT_BYTES = 8,
};

struct rule {
    uint8_t cfa;   /* enum rule_cfa */
    uint8_t fp;    /* enum rule_save */
    uint8_t ra;    /* enum rule_save */
    uint8_t flags; /* RULE_SIGNAL … */
    int32_t cfa_offset, fp_offset;
    int16_t cfa_add, ra_offset;
    int8_t slots[UNWIND_GENERAL]; /* of the general registers, in words */
};

#endif
