/* SPDX-License-Identifier: MIT */
/*
 * Code that goes on on another stack and comes back to the first.  Where it has a frame, that is on
 * the first, and fp leads there.  Go's systemstack and asmcgocall have none:
 *
 *     system's stack             goroutine's stack
 *     | … its callee    |        | …                  |
 *     | systemstack     |        | return to caller   |  by the call of systemstack
 *                                | caller's frame     |
 *                            fp ─► saved fp           |
 *                                | return to its caller
 *
 * fp, followed through the callees, is their caller's.  The return address lies as far below it as
 * the caller's table says.  Go keeps it in a structure as well, at a place that differs with its
 * version.
 */
#include "config.h"

#include "calls.h"
#include "rule.h"
#include "walk.h"

enum {
    WORD = 8,
    FRAME_WORDS = 2048,  /* of a function that calls such code */
    SWITCH_BYTES = 1024, /* of such code */
};

/* Whether the word RETURNS at AT was left by a call from the frame fp is of, to where we are. */
static bool is_callers(struct walk *walk, uint64_t at, uint64_t returns)
{
    const struct place *place = &walk->place;
    const struct rule *rule = walk_rule(walk, returns);
    uint64_t target;

    return rule->cfa == RULE_SP && rule->fp == SAVE_CFA &&
           at + WORD + (uint64_t)((int64_t)rule->cfa_offset + rule->fp_offset) == place->fp &&
           calls_before(walk->frozen, returns, &target) == CALLS_DIRECT &&
           place->ip - target < SWITCH_BYTES;
}

bool switch_step(struct walk *walk, const struct rule *rule, bool *going)
{
    struct place *place = &walk->place;
    uint64_t word;

    if (place->fp_known && place->fp == 0) {
        *going = walk_end(walk, STACK_COMPLETE, 0);
        return true;
    }
    /* The stack that we came from was not copied; this one begins here. */
    if (!place->fp_known || !copies_word(&walk->copies, place->fp, &word)) {
        walk->switched = true;
        *going = walk_end(walk, STACK_COMPLETE, 0);
        return true;
    }
    for (unsigned i = 1; (rule->flags & RULE_FRAMELESS) != 0 && i <= FRAME_WORDS; i++) {
        uint64_t at = place->fp - (uint64_t)i * WORD;

        if (!copies_word(&walk->copies, at, &word))
            return false;
        if (!is_callers(walk, at, word))
            continue;
        place->general_known = 0;
        *going = walk_to(walk, at + WORD, word, true);
        return true;
    }
    return false;
}
