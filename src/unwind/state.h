/* SPDX-License-Identifier: MIT */
/*
 * The state of the machine that runs call frame instructions, and what a rule makes of it: private
 * to the CFI parser.
 *
 * Of all registers only those are followed that lead to callers: the frame pointer, the return
 * address and the general ones.
 */
#ifndef PROFTOP_UNWIND_STATE_H
#define PROFTOP_UNWIND_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "rule.h"

enum how {
    HOW_DEFAULT, /* nothing was said */
    HOW_SAME,
    HOW_UNDEFINED,
    HOW_OFFSET,     /* at CFA + value */
    HOW_EXPRESSION, /* at the address the expression gives */
    HOW_OTHER,      /* in another register, or a value to compute */
};

struct saved {
    union {
        int64_t offset;
        const uint8_t *expression;
    };
    uint32_t size; /* of the expression */
    uint8_t how;   /* enum how */
};

enum {
    TRACKED_FP,
    TRACKED_RA,
    TRACKED_SP,
    TRACKED_GENERAL,
    TRACKED = TRACKED_GENERAL + UNWIND_GENERAL
};

struct cfi_state {
    const uint8_t *cfa_expression; /* or NULL: register + offset */
    uint32_t cfa_size;
    uint64_t cfa_register;
    int64_t cfa_offset;
    struct saved saved[TRACKED];
};

/* Which followed register DWARF's number means, or -1. */
int state_tracked(unsigned machine, uint64_t number);

void state_rule(const struct cfi_state *state, unsigned machine, bool signal, struct rule *rule);

/* The frame the kernel makes for a signal handler, as seen from where the handler returns to. */
struct rule state_signal_rule(unsigned machine);

#endif
