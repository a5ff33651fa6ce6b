/* SPDX-License-Identifier: MIT */
/*
 * Where there are no rows: what the code will do until it returns, frame pointers, and a close look
 * at the stack.
 *
 * Code made at run time, hand-written assembly and some languages bring no unwind information but
 * keep frame pointers: the word at fp is the caller's fp, the next one the return address, on
 * x86-64 and aarch64 alike.  Only the innermost frame may be caught before its frame is set up or
 * after it is gone; the instructions there tell.  A guess is believed when it is a return address:
 * an address in code with a call in front of it.
 */
#include "config.h"

#include <elf.h>
#include <string.h>

#include "ahead.h"
#include "calls.h"
#include "proftop/maps.h"
#include "rule.h"
#include "table.h"
#include "walk.h"

enum {
    WORD = 8,
    SCAN_WORDS = 512,              /* how far to look for a frame where little else is known */
    LEAF_SCAN_WORDS = 64,          /* … and where most code around has rows */
    FRAME_MAX_BYTES = 8 << 20,     /* no single frame is larger */
    FUNCTION_MAX_BYTES = 16 << 10, /* where nobody says where functions start */
    TAIL_MAX_BYTES = 4 << 10,
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
    place->fp_guessed = false;
    place->lr_known = false;
    place->general_known = 0;
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
static bool plausible_frame_pointer(struct walk *walk, bool look)
{
    const struct place *place = &walk->place;
    uint64_t ip;

    if (!place->fp_known || place->fp % WORD != 0 || place->fp == 0 ||
        !copies_word(&walk->copies, place->fp + WORD, &ip))
        return false;
    if (place->fp < place->sp || (place->exact && look))
        return calls_precede(walk->frozen, ip);
    return walk_is_code(walk, ip);
}

/* Whether RULE leads to a return address. */
static bool leads_to_return(struct walk *walk, const struct rule *rule)
{
    const struct place *place = &walk->place;
    bool by_fp = rule->cfa == RULE_FP || rule->cfa == RULE_FP_DEREF;
    uint64_t cfa, word;

    return (!by_fp || place->fp_known) && walk_cfa(walk, rule, &cfa) && cfa > place->sp &&
           copies_word(&walk->copies, cfa - WORD, &word) &&
           (calls_precede(walk->frozen, word) || walk_rule(walk, word)->cfa == RULE_END);
}

static bool go_by(struct walk *walk, const struct rule *rule)
{
    walk->place.general_known = 0;
    return walk_apply(walk, rule);
}

/* By what the code of the current place will do until it returns: true when that decided. */
static bool step_ahead(struct walk *walk, bool *going)
{
    static const struct rule nothing = { .cfa = RULE_NONE };
    struct rule rules[AHEAD_RULES_MAX];
    uint64_t offset, cfa;
    const struct table *table = walk_table(walk, &offset);
    const struct rule *learned;
    unsigned count;

    if (table == NULL || table_machine(table) != EM_X86_64)
        return false;
    learned = table_learned(table, offset);
    if (learned != NULL && learned->cfa == RULE_NONE)
        return false;
    if (learned != NULL && leads_to_return(walk, learned)) {
        *going = go_by(walk, learned);
        return true;
    }
    count = ahead_rules(calls_code, walk->frozen, walk->place.ip, rules);
    if (count == 0)
        table_learn(table, offset, &nothing);
    for (unsigned i = 0; i < count; i++) {
        if (!leads_to_return(walk, &rules[i]))
            continue;
        table_learn(table, offset, &rules[i]);
        *going = go_by(walk, &rules[i]);
        return true;
    }
    /* It is plain where to look, but the copy ends before that. */
    if (count > 0 && rules[0].cfa == RULE_SP && walk_cfa(walk, &rules[0], &cfa) &&
        copies_truncated(&walk->copies, cfa - WORD)) {
        *going = walk_end(walk, STACK_TRUNCATED, cfa - WORD);
        return true;
    }
    return false;
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
    case CALLS_CLONED:
        *going = is_return_at(walk, walk->place.sp) ? follow_return(walk, 0)
                                                    : walk_end(walk, STACK_COMPLETE, 0);
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
    if (target < walk_exported(walk))
        return false; /* left by another call, that once used this part of the stack */
    /* The last start that is known of belongs to another function, one that has rows.  The
     * function that was called may have gone on in one right before it. */
    return target > start && target <= walk->place.ip + TAIL_MAX_BYTES &&
           walk->place.ip - target + TAIL_MAX_BYTES < FUNCTION_MAX_BYTES;
}

/*
 * What precedes ADDRESS, and whether it calls the current place's function.  A call through the PLT
 * or the GOT says so by a word of data, where the target may be looked at.
 */
static enum calls_kind look_before(struct walk *walk, uint64_t address, bool rows, bool *here)
{
    uint64_t target = 0, slot;
    enum calls_kind kind = calls_before(walk->frozen, address, &target);

    *here = false;
    if (kind == CALLS_NOTHING || kind == CALLS_INDIRECT)
        return kind;
    if (kind == CALLS_DIRECT && is_function_here(walk, target, rows)) {
        *here = true;
        return kind;
    }
    slot = target;
    if (kind == CALLS_DIRECT && !calls_through_plt(walk->frozen, target, &slot))
        return kind;
    *here = copies_linkage(&walk->copies, slot, &target) && is_function_here(walk, target, rows);
    return kind;
}

/* A saved frame pointer at AT that leads outwards on the same stack. */
static bool leads_outwards(uint64_t at, uint64_t fp)
{
    return fp > at && fp - at <= FRAME_MAX_BYTES && fp % WORD == 0;
}

/*
 * The caller of code that keeps neither rows nor a frame pointer (musl, old assembly): the nearest
 * return address before END whose call went to where we are.  Anything less would be a guess.
 */
static bool step_by_scan(struct walk *walk, bool rows, uint64_t end, bool *going)
{
    struct place *place = &walk->place;
    uint64_t previous = 0;
    bool others = false; /* return addresses of other calls lie nearer */

    if (walk->mapping == NULL)
        return false;
    for (unsigned i = 0; place->sp + (uint64_t)i * WORD < end; i++) {
        uint64_t at = place->sp + (uint64_t)i * WORD, word;
        bool here;

        if (!copies_word(&walk->copies, at, &word))
            return false;
        if (look_before(walk, word, rows, &here) != CALLS_NOTHING) {
            /* The program's first instructions call what goes on elsewhere by jumps. */
            here = here || (!others && walk_rule(walk, word)->cfa == RULE_END);
            others = true;
        }
        if (here) {
            place->general_known = 0;
            place->fp_guessed = true;
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
    enum { LOOSE_OTHER = 1, STRICT_OTHER, INDIRECT, CALLS_HERE };
    uint64_t fp, ip;
    bool strict, here;
    enum calls_kind kind;

    if (!copies_word(&walk->copies, at, &fp) || !copies_word(&walk->copies, at + WORD, &ip) ||
        !walk_is_code(walk, ip))
        return 0;
    strict = leads_outwards(at, fp);
    kind = look_before(walk, ip, rows, &here);
    if (kind == CALLS_NOTHING)
        return 0;
    if (here)
        return CALLS_HERE;
    /* Optimised callers keep anything in fp: of indirect calls the nearest is as good as any. */
    if (kind == CALLS_INDIRECT)
        return INDIRECT;
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

static uint64_t scan_end(struct walk *walk)
{
    unsigned words = walk_among_rows(walk) ? LEAF_SCAN_WORDS : SCAN_WORDS;

    return walk->place.sp + (uint64_t)words * WORD;
}

/* Follows frame pointers where they look right; false when they don't. */
static bool step_by_frame_pointer(struct walk *walk, bool *going)
{
    struct place *place = &walk->place;
    uint64_t end = scan_end(walk), ip;
    bool here;

    if (!plausible_frame_pointer(walk, true))
        return false;
    /* A module with hardly any rows may keep no frame pointers either: fp may be one further out.
     */
    if (!place->exact && !walk_among_rows(walk) && walk->mapping->module->kind != MODULE_JIT &&
        copies_word(&walk->copies, place->fp + WORD, &ip)) {
        look_before(walk, ip, false, &here);
        if (!here && step_by_scan(walk, false, end < place->fp ? end : place->fp, going))
            return true;
    }
    walk_learn_frame(walk);
    *going = follow_pair(walk, place->fp);
    return true;
}

/* Whether the current place is behind the call of such a trampoline, which moved sp by a word. */
static bool in_perf_trampoline(struct walk *walk)
{
    const struct mapping *mapping = walk->mapping;

    if (walk->place.exact || mapping == NULL || mapping->module->kind != MODULE_JIT)
        return false;
    if (walk->told != mapping) {
        walk->told = mapping;
        walk->perf_trampolines = calls_are_perf_trampolines(walk->frozen, mapping->start);
    }
    return walk->perf_trampolines;
}

bool recover_step(struct walk *walk)
{
    const struct place *place = &walk->place;
    bool innermost = place->exact;
    bool going;

    if (in_perf_trampoline(walk))
        return follow_return(walk, WORD);
    if (innermost && step_by_code(walk, &going))
        return going;
    /* A call to nowhere left its return address on top of the stack. */
    if (walk->mapping == NULL)
        return is_return_at(walk, place->sp) ? follow_return(walk, 0)
                                             : walk_end(walk, STACK_NO_MAPPING, place->ip);
    if (step_ahead(walk, &going) || step_by_frame_pointer(walk, &going))
        return going;
    if (innermost && is_return_at(walk, place->sp))
        return follow_return(walk, 0);
    if (step_by_scan(walk, false, scan_end(walk), &going))
        return going;
    if (!place->fp_known && recover_frame_pointer(walk, NULL))
        return follow_pair(walk, place->fp);
    /* Java's interpreter returns to places no call precedes. */
    if (walk->mapping->module->kind == MODULE_JIT && plausible_frame_pointer(walk, false))
        return follow_pair(walk, place->fp);
    /* The ABIs have the outermost frame marked by a frame pointer of 0. */
    if (place->fp_known && !place->fp_guessed && place->fp == 0 && !innermost)
        return walk_end(walk, STACK_COMPLETE, 0);
    if (place->fp_known && place->fp != 0 && place->fp >= place->sp &&
        place->fp - place->sp < FRAME_MAX_BYTES && copies_truncated(&walk->copies, place->fp))
        return walk_end(walk, STACK_TRUNCATED, place->fp);
    return walk_end(walk, STACK_NO_ROWS, place->ip);
}

bool recover_by_calls(struct walk *walk, bool *going)
{
    return step_by_scan(walk, true, walk->place.sp + LEAF_SCAN_WORDS * WORD, going);
}
