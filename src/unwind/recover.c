/* SPDX-License-Identifier: MIT */
/*
 * Where there are no rows: frame pointers, and a close look at the code and the stack.
 *
 * Code made at run time, hand-written assembly and some languages bring no unwind information but
 * keep frame pointers: the word at fp is the caller's fp, the next one the return address, on
 * x86-64 and aarch64 alike.  Only the innermost frame may be caught before its frame is set up or
 * after it is gone; the instructions there tell.  A guess is believed when it is a return address:
 * an address in code with a call in front of it.
 */
#include "config.h"

#include <string.h>

#include "calls.h"
#include "proftop/maps.h"
#include "rule.h"
#include "walk.h"

enum {
    WORD = 8,
    SCAN_WORDS = 512,              /* how far to look for a peeked thread's first frame */
    LEAF_SCAN_WORDS = 64,          /* … and for the caller of code that keeps no frame pointer */
    FRAME_MAX_BYTES = 8 << 20,     /* no single frame is larger */
    FUNCTION_MAX_BYTES = 16 << 10, /* where nobody says where functions start */
};

/* Goes to the caller of the frame whose saved {fp, return address} lies at AT. */
static bool follow_pair(struct walk *walk, uint64_t at)
{
    struct place *place = &walk->place;
    uint64_t fp, ip;

    if (!copies_word(&walk->copies, at, &fp))
        return walk_end(walk, STACK_BAD_MEMORY, at);
    if (!copies_word(&walk->copies, at + WORD, &ip))
        return walk_end(walk, STACK_BAD_MEMORY, at + WORD);
    place->fp = fp;
    place->fp_known = true;
    place->lr_known = false;
    place->callee_known = 0;
    return walk_to(walk, at + 2 * WORD, ip, true);
}

/* Goes to the caller when only the return address lies at sp + SKIP. */
static bool follow_return(struct walk *walk, uint64_t skip)
{
    struct place *place = &walk->place;
    uint64_t at = place->sp + skip, ip;

    if (!copies_word(&walk->copies, at, &ip))
        return walk_end(walk, STACK_BAD_MEMORY, at);
    place->lr_known = false;
    return walk_to(walk, at + WORD, ip, false);
}

static bool is_return_at(struct walk *walk, uint64_t at)
{
    uint64_t word;

    return copies_word(&walk->copies, at, &word) && calls_precede(walk->frozen, word);
}

/*
 * Whether a saved {fp, return address} lies where fp points.  Behind a call the frame pointer was
 * set up by the code we are in; only the innermost one, or one that leads back, needs a closer
 * look.
 */
static bool plausible_frame_pointer(struct walk *walk)
{
    const struct place *place = &walk->place;
    uint64_t fp, ip;

    if (!place->fp_known || place->fp % WORD != 0 || place->fp == 0)
        return false;
    if (!copies_word(&walk->copies, place->fp, &fp) ||
        !copies_word(&walk->copies, place->fp + WORD, &ip))
        return false;
    if (ip == 0)
        return fp == 0;
    return place->exact || place->fp < place->sp ? calls_precede(walk->frozen, ip)
                                                 : walk_is_code(walk, ip);
}

/* The innermost frame, where its own code says that no frame is set up: true when that decided. */
static bool step_by_code(struct walk *walk, bool *going)
{
    enum calls_frame frame = calls_frame_at(walk->frozen, walk->place.ip);

    switch (frame) {
    case CALLS_NO_FRAME:
        if (!is_return_at(walk, walk->place.sp))
            return false;
        *going = follow_return(walk, 0);
        return true;
    case CALLS_FP_PUSHED:
        if (!is_return_at(walk, walk->place.sp + WORD))
            return false;
        *going = follow_pair(walk, walk->place.sp);
        return true;
    case CALLS_LINK_REGISTER:
        if (!walk->place.lr_known || !walk_is_code(walk, walk->place.lr))
            return false;
        walk->place.lr_known = false;
        *going = walk_to(walk, walk->place.sp, walk->place.lr, false);
        return true;
    default:
        return false;
    }
}

/* Whether TARGET is where the function of the current place starts. */
static bool is_function_here(struct walk *walk, uint64_t target, bool rows)
{
    uint64_t start = walk_function(walk);

    if (rows && start != 0)
        return target == start;
    /* The last start that is known of belongs to another function, one that has rows. */
    return target > start && target <= walk->place.ip &&
           walk->place.ip - target < FUNCTION_MAX_BYTES;
}

/* A saved frame pointer at AT that leads outwards on the same stack. */
static bool leads_outwards(uint64_t at, uint64_t fp)
{
    return fp > at && fp - at <= FRAME_MAX_BYTES && fp % WORD == 0;
}

/*
 * The caller of code that keeps neither rows nor a frame pointer (musl, old assembly): the nearest
 * return address whose call went to where we are.  Anything less would be a guess.
 */
static bool step_by_scan(struct walk *walk, bool *going)
{
    struct place *place = &walk->place;
    uint64_t previous = 0;

    if (walk->mapping == NULL)
        return false;
    for (unsigned i = 0; i < LEAF_SCAN_WORDS; i++) {
        uint64_t at = place->sp + (uint64_t)i * WORD, word, target;

        if (!copies_word(&walk->copies, at, &word))
            return false;
        if (calls_before(walk->frozen, word, &target) == CALLS_DIRECT &&
            is_function_here(walk, target, false)) {
            place->callee_known = 0;
            if (!place->fp_known && i > 0 && leads_outwards(at - WORD, previous)) {
                place->fp = previous;
                place->fp_known = true;
            }
            *going = follow_return(walk, (uint64_t)i * WORD);
            return true;
        }
        previous = word;
    }
    return false;
}

/*
 * How much {saved fp, return address} at AT look like the current frame's: 0 not at all.  Old
 * stacks leave such pairs behind, so where its call went says more than how near it is.
 */
static unsigned pair_score(struct walk *walk, uint64_t at, bool rows)
{
    enum { LOOSE_OTHER = 1, LOOSE_INDIRECT, STRICT_OTHER, STRICT_INDIRECT, CALLS_HERE };
    uint64_t fp, ip, target;
    bool strict;
    enum calls_kind kind;

    if (!copies_word(&walk->copies, at, &fp) || !copies_word(&walk->copies, at + WORD, &ip) ||
        !walk_is_code(walk, ip))
        return 0;
    strict = leads_outwards(at, fp);
    kind = calls_before(walk->frozen, ip, &target);
    if (kind == CALLS_NOTHING)
        return 0;
    if (kind == CALLS_INDIRECT)
        return strict ? STRICT_INDIRECT : LOOSE_INDIRECT;
    if (is_function_here(walk, target, rows))
        return CALLS_HERE;
    return strict ? STRICT_OTHER : LOOSE_OTHER;
}

bool recover_frame_pointer(struct walk *walk, const struct rule *rule)
{
    struct place *place = &walk->place;
    uint64_t start = place->sp & ~(uint64_t)(WORD - 1);
    /* Functions that realign their stack put a copy of the return address next to the saved fp. */
    int64_t to_fp = rule != NULL && rule->cfa == RULE_FP ? 2 * WORD - rule->cfa_offset : 0;
    unsigned best = 0;

    for (unsigned i = 0; i < SCAN_WORDS; i++) {
        unsigned score = pair_score(walk, start + (uint64_t)i * WORD, rule != NULL);

        if (score <= best)
            continue;
        best = score;
        place->fp = start + (uint64_t)i * WORD + (uint64_t)to_fp;
        place->fp_known = true;
    }
    return best > 0;
}

bool recover_step(struct walk *walk)
{
    const struct place *place = &walk->place;
    bool innermost = place->exact;
    bool going;

    if (innermost && step_by_code(walk, &going))
        return going;
    /* A call to nowhere left its return address on top of the stack. */
    if (walk->mapping == NULL)
        return is_return_at(walk, place->sp) ? follow_return(walk, 0)
                                             : walk_end(walk, STACK_NO_MAPPING, place->ip);
    if (plausible_frame_pointer(walk))
        return follow_pair(walk, place->fp);
    if (innermost && is_return_at(walk, place->sp))
        return follow_return(walk, 0);
    if (step_by_scan(walk, &going))
        return going;
    if (!place->fp_known && recover_frame_pointer(walk, NULL))
        return follow_pair(walk, place->fp);
    /* The ABIs have the outermost frame marked by a frame pointer of 0. */
    if (place->fp_known && place->fp == 0 && !innermost)
        return walk_end(walk, STACK_COMPLETE, 0);
    if (place->fp_known && place->fp != 0 && place->fp >= place->sp &&
        place->fp - place->sp < FRAME_MAX_BYTES && copies_truncated(&walk->copies, place->fp))
        return walk_end(walk, STACK_TRUNCATED, place->fp);
    return walk_end(walk, STACK_NO_ROWS, place->ip);
}
