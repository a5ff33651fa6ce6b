/* SPDX-License-Identifier: MIT */
/*
 * Walking one frozen stack from the innermost frame outwards: private to unwind/.
 */
#ifndef PROFTOP_UNWIND_WALK_H
#define PROFTOP_UNWIND_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "copies.h"
#include "proftop/unwind.h"

struct rule;
struct table;

/* Where a walk is: the registers as they were in one frame. */
struct place {
    uint64_t ip, sp, fp, lr;
    uint64_t general[UNWIND_GENERAL];
    bool fp_known, lr_known;
    bool fp_guessed;        /* code that may have changed fp has been passed */
    bool exact;             /* ip is an instruction to be run, not a return address */
    uint16_t general_known; /* bit I: general[I] */
};

/* An address of the instruction that PLACE runs: a return address is of the one behind the call,
 * and may be of another function. */
static inline uint64_t place_code(const struct place *place)
{
    return place->exact ? place->ip : place->ip - 1;
}

/* The frames of a walk; a deep one keeps both ends. */
struct trail {
    struct frame *frames;
    uint64_t *stacks;           /* or NULL */
    struct unwind_saved *saved; /* or NULL */
    uint32_t limit;             /* room, without the mark a broken stack ends with */
    uint32_t walked;
};

struct walk {
    struct unwinder *unwinder;
    const struct frozen *frozen;
    const struct mapping *mapping; /* where place.ip is; NULL: nowhere */
    const struct mapping *tabled;  /* the mapping that table is of: most often the same one */
    const struct table *table;     /* NULL: it has none, or none yet */
    struct place place;
    struct trail trail;
    bool full;             /* follow general registers as well */
    uint32_t switches;     /* how often the stack pointer went back: other stacks */
    bool switched;         /* ended at code that came from a stack that is in no copy */
    uint64_t signal_frame; /* sp in the last frame that a signal handler returned to; 0: none */
    enum stack_end end;
    uint64_t end_address;
    const struct mapping *told; /* made at run time, and asked what kind of code it holds: */
    bool perf_trampolines;      /* that of python -X perf */
    struct copies copies;       /* last: it is large */
};

void walk_init(struct walk *walk, struct unwinder *unwinder, const struct frozen *frozen,
               const struct trail *trail, bool full);

/* Runs to the end of the stack; false when a table is missing. */
bool walk_run(struct walk *walk);

/* Ends the walk, for END, because of ADDRESS: false, so that "return walk_end(…)" reads well. */
bool walk_end(struct walk *walk, enum stack_end end, uint64_t address);

/*
 * Goes on to the caller: its stack pointer is CFA, it goes on at IP.  False where the stack ends.
 * The other registers of the new place are the caller's business.
 */
bool walk_to(struct walk *walk, uint64_t cfa, uint64_t ip, bool other_stack);

void trail_add(struct trail *trail, const struct walk *walk);

/* Puts a deep stack's frames in order; returns how many there are, SKIPPED gets the rest. */
uint32_t trail_finish(struct trail *trail, uint32_t *skipped);

/* RULE's CFA; false, and the walk at its end, when it is in memory that cannot be read. */
bool walk_cfa(struct walk *walk, const struct rule *rule, uint64_t *cfa);

/* Goes on to the caller by RULE; false where the stack ends. */
bool walk_apply(struct walk *walk, const struct rule *rule);

/* Whether ADDRESS is in executable memory. */
bool walk_is_code(const struct walk *walk, uint64_t address);

/* Whether a signal handler returns to the current place. */
bool walk_in_trampoline(struct walk *walk);

/* Whether most code of the current place's module has rows. */
bool walk_among_rows(struct walk *walk);

/* The table of the current place's module, and where in its file the place is; or NULL. */
const struct table *walk_table(struct walk *walk, uint64_t *offset);

/* Notes that the code of the current place keeps a frame pointer, so that it need not be asked
 * again. */
void walk_learn_frame(struct walk *walk);

/* The rule for the return address ADDRESS, anywhere; one that says nothing where there is none. */
const struct rule *walk_rule(struct walk *walk, uint64_t address);

/* Where the function of the current place starts, by .eh_frame_hdr; 0 when that says nothing. */
uint64_t walk_function(struct walk *walk);

/* The same by what the file exports. */
uint64_t walk_exported(struct walk *walk);

/*
 * recover.c: where there are no rows.
 */

/* One frame outwards in code without rows; false when the walk has ended. */
bool recover_step(struct walk *walk);

/*
 * Where there are rows that cannot be applied: goes to the nearest return address whose call was to
 * this function.  False when there is none; else GOING is whether the walk goes on.
 */
bool recover_by_calls(struct walk *walk, bool *going);

/* Finds the frame pointer a peeked thread's registers lack, for RULE or (NULL) for code that has
 * none: the likeliest {saved fp, return address} on its stack. */
bool recover_frame_pointer(struct walk *walk, const struct rule *rule);

/*
 * switch.c: code that goes on on another stack.
 */

/*
 * By RULE, a RULE_SWITCH: true when that decided; GOING is whether the walk goes on.  Else the
 * frame pointer leads on, past the caller where that keeps it.
 */
bool switch_step(struct walk *walk, const struct rule *rule, bool *going);

/*
 * slow.c: libunwind.
 */

/* One frame outwards: false when libunwind can't either; else GOING is whether the walk goes on. */
bool slow_step(struct walk *walk, bool *going);

/* The whole stack. */
bool slow_run(struct walk *walk);

#endif
