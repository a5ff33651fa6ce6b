/* SPDX-License-Identifier: MIT */
/*
 * The walk: find the rule for where we are, apply it, go on with the caller.
 *
 *     place ──► mapping ──► table ──► rule ──► caller's place ──► …
 *                  │                    └ RULE_ASK: slow.c (libunwind)
 *                  └ JIT, no rows: recover.c (frame pointers)
 *
 * Everything read is untrusted.  The stack pointer must move outwards with every frame, except a
 * few times when code switches stacks, so that a walk ends after at most WALK_MAX frames.
 */
#include "config.h"

#include "walk.h"

#include "calls.h"
#include "image.h"
#include "proftop/maps.h"
#include "rule.h"
#include "table_private.h"
#include "unwinder_private.h"

enum {
    WALK_MAX = 1 << 18,          /* frames, kept or not */
    SWITCHES_MAX = 16,           /* signal stacks, goroutines, coroutines */
    SIGNAL_MAX_BYTES = 16 << 10, /* what the kernel puts on a stack for a signal */
};

/* aarch64: signed return addresses carry a code above the address. */
#define ARM_ADDRESS_MASK UINT64_C(0xffffffffffff)

/* aarch64: in a signal frame x30 lies this far before the interrupted pc. */
enum { ARM_SIGFRAME_LR_BEFORE_PC = 16 };

void walk_init(struct walk *walk, struct unwinder *unwinder, const struct frozen *frozen,
               const struct trail *trail, bool full)
{
    const struct registers *registers = &frozen->registers;

    walk->unwinder = unwinder;
    walk->frozen = frozen;
    walk->mapping = walk->tabled = NULL;
    walk->table = NULL;
    walk->place = (struct place){
        .ip = registers->ip,
        .sp = registers->sp,
        .fp = registers->bp,
        .lr = registers->lr,
        .fp_known = (registers->known & KNOWN_BP) != 0 && !frozen->peeked,
        .lr_known = (registers->known & KNOWN_LR) != 0,
        .exact = true,
    };
    if ((registers->known & KNOWN_GENERAL) != 0) {
        memcpy(walk->place.general, registers->general, sizeof(walk->place.general));
        walk->place.general_known = (1 << UNWIND_GENERAL) - 1;
    }
    walk->trail = *trail;
    walk->trail.walked = 0;
    walk->full = full;
    walk->switches = 0;
    walk->switched = false;
    walk->signal_frame = 0;
    walk->told = NULL;
    walk->end = STACK_COMPLETE;
    walk->end_address = 0;
    copies_init(&walk->copies, frozen);
}

/* Whether a signal interrupted what ran on another stack than the one that was copied. */
static bool is_elsewhere(const struct walk *walk)
{
    const struct frozen *frozen = walk->frozen;

    return walk->signal_frame != 0 &&
           (walk->place.sp < frozen->stack_start ||
            walk->place.sp > frozen->stack_start + frozen->stack_size + SIGNAL_MAX_BYTES);
}

bool walk_end(struct walk *walk, enum stack_end end, uint64_t address)
{
    if (end != STACK_COMPLETE && walk->frozen->peek == NULL && is_elsewhere(walk))
        end = STACK_ELSEWHERE;
    else if (end == STACK_BAD_MEMORY && copies_truncated(&walk->copies, address))
        end = STACK_TRUNCATED;
    walk->end = end;
    walk->end_address = address;
    return false;
}

bool walk_is_code(const struct walk *walk, uint64_t address)
{
    return maps_find(walk->frozen->maps, address) != NULL;
}

bool walk_to(struct walk *walk, uint64_t cfa, uint64_t ip, bool other_stack)
{
    struct place *place = &walk->place;

    if (ip == 0)
        return walk_end(walk, STACK_COMPLETE, 0);
    /* A leaf function of aarch64 may leave sp alone: its return address is in a register. */
    if (cfa <= place->sp && !(cfa == place->sp && place->exact)) {
        if (!other_stack || ++walk->switches > SWITCHES_MAX)
            return walk_end(walk, STACK_CYCLE, cfa);
    }
    place->ip = ip;
    place->sp = cfa;
    place->exact = false;
    return true;
}

static bool has_table(const struct mapping *mapping)
{
    return mapping->module->kind == MODULE_FILE || mapping->module->kind == MODULE_VDSO;
}

/* The table of MAPPING's module; NULL when there is none, or none yet. */
static const struct table *table_of(struct walk *walk, const struct mapping *mapping)
{
    return mapping != NULL && has_table(mapping) ? unwinder_table(walk->unwinder, mapping->module)
                                                 : NULL;
}

/* Asks the current place's file where the function starts. */
static uint64_t ask_image(struct walk *walk, uint64_t (*ask)(const struct image *, uint64_t))
{
    const struct mapping *mapping = walk->mapping;
    uint64_t at = place_code(&walk->place);
    const struct image *image;
    uint64_t bias, start;

    if (mapping == NULL || !has_table(mapping))
        return 0;
    image = unwinder_image(walk->unwinder, mapping->module);
    if (image == NULL || !image_bias(image, mapping->start, mapping->offset, &bias))
        return 0;
    start = ask(image, at - bias);
    return start != 0 ? start + bias : 0;
}

uint64_t walk_function(struct walk *walk)
{
    return ask_image(walk, image_function);
}

uint64_t walk_exported(struct walk *walk)
{
    return ask_image(walk, image_exported);
}

/* The mapping of the current place, which is most often the last one's. */
static bool locate(struct walk *walk)
{
    uint64_t at = place_code(&walk->place);
    const struct mapping *last = walk->mapping;

    if (last == NULL || at < last->start || at >= last->end)
        walk->mapping = maps_find(walk->frozen->maps, at);
    return walk->mapping != NULL;
}

bool walk_cfa(struct walk *walk, const struct rule *rule, uint64_t *cfa)
{
    const struct place *place = &walk->place;
    uint64_t at;

    switch (rule->cfa) {
    case RULE_SP:
        *cfa = place->sp + (uint64_t)(int64_t)rule->cfa_offset;
        return true;
    case RULE_FP:
    case RULE_SWITCH:
        *cfa = place->fp + (uint64_t)(int64_t)rule->cfa_offset;
        return true;
    case RULE_PLT:
        *cfa = place->sp + ((place->ip & 15) >= (uint64_t)rule->cfa_offset ? 16 : 8);
        return true;
    case RULE_SP_DEREF:
    case RULE_FP_DEREF:
        at = (rule->cfa == RULE_SP_DEREF ? place->sp : place->fp) +
             (uint64_t)(int64_t)rule->cfa_offset;
        if (!copies_word(&walk->copies, at, cfa))
            return walk_end(walk, STACK_BAD_MEMORY, at);
        *cfa += (uint64_t)(int64_t)rule->cfa_add;
        return true;
    default:
        *cfa = place->general[rule->cfa - RULE_GENERAL] + (uint64_t)(int64_t)rule->cfa_offset;
        return true;
    }
}

/* Where a register was saved. */
static uint64_t saved_at(const struct place *place, unsigned save, uint64_t cfa, int64_t offset)
{
    uint64_t base = save == SAVE_SP ? place->sp : save == SAVE_FP ? place->fp : cfa;

    return base + (uint64_t)offset;
}

static bool find_return(struct walk *walk, const struct rule *rule, uint64_t cfa, uint64_t *ip)
{
    const struct place *place = &walk->place;
    uint64_t at;

    if (rule->ra == SAVE_SAME) {
        if (!place->lr_known)
            return walk_end(walk, STACK_BAD_ROW, place->ip);
        *ip = place->lr & ARM_ADDRESS_MASK;
        return true;
    }
    at = saved_at(place, rule->ra, cfa, rule->ra_offset);
    if (!copies_word(&walk->copies, at, ip))
        return walk_end(walk, STACK_BAD_MEMORY, at);
    return true;
}

/*
 * A saved register as the caller had it; false when that is lost.  A place below sp was popped
 * already (compilers do not always say so): what lay there is in the register again.
 */
static bool restore_word(struct walk *walk, uint64_t at, bool known, uint64_t *word)
{
    return copies_word(&walk->copies, at, word) || (at < walk->place.sp && known);
}

/* Every general register as the caller had it. */
static void restore_general(struct walk *walk, const struct rule *rule, uint64_t cfa)
{
    struct place *place = &walk->place;
    unsigned save = rule->flags & RULE_GENERAL_SP   ? SAVE_SP
                    : rule->flags & RULE_GENERAL_FP ? SAVE_FP
                                                    : SAVE_CFA;

    for (unsigned i = 0; i < UNWIND_GENERAL; i++) {
        int slot = rule->slots[i];
        bool known = (place->general_known >> i & 1) != 0;

        if (slot == SLOT_SAME && i < UNWIND_KEPT)
            continue;
        known = slot != SLOT_SAME && slot != SLOT_UNKNOWN &&
                restore_word(walk, saved_at(place, save, cfa, slot * SLOT_BYTES), known,
                             &place->general[i]);
        place->general_known =
            (uint16_t)((place->general_known & ~(1u << i)) | (unsigned)known << i);
    }
}

static void restore_frame_pointer(struct walk *walk, const struct rule *rule, uint64_t cfa)
{
    struct place *place = &walk->place;

    if (rule->fp == SAVE_SAME)
        return;
    place->fp_guessed = false;
    place->fp_known = rule->fp != SAVE_UNKNOWN &&
                      restore_word(walk, saved_at(place, rule->fp, cfa, rule->fp_offset),
                                   place->fp_known, &place->fp);
}

bool walk_apply(struct walk *walk, const struct rule *rule)
{
    struct place *place = &walk->place;
    bool signal = (rule->flags & RULE_SIGNAL) != 0;
    uint64_t cfa, ip, sp = place->sp;
    uint64_t lr_at = sp + (uint64_t)(rule->ra_offset - ARM_SIGFRAME_LR_BEFORE_PC);

    if (!walk_cfa(walk, rule, &cfa) || !find_return(walk, rule, cfa, &ip))
        return false;
    if (walk->full)
        restore_general(walk, rule, cfa);
    restore_frame_pointer(walk, rule, cfa);
    place->lr_known =
        signal && rule->ra == SAVE_SP && copies_word(&walk->copies, lr_at, &place->lr);
    if (signal)
        walk->signal_frame = sp;
    /* A frame pointer may lead to another stack; a stack pointer cannot. */
    if (!walk_to(walk, cfa, ip, signal || rule->cfa != RULE_SP))
        return false;
    place->exact = signal;
    return true;
}

/* Whether what RULE starts from is known; tries to find a frame pointer that is not. */
static bool can_apply(struct walk *walk, const struct rule *rule)
{
    const struct place *place = &walk->place;

    if (rule->cfa >= RULE_GENERAL)
        return walk->full && (place->general_known >> (rule->cfa - RULE_GENERAL) & 1) != 0;
    if ((rule->cfa == RULE_FP || rule->cfa == RULE_FP_DEREF) && !place->fp_known)
        return recover_frame_pointer(walk, rule);
    return true;
}

/* One frame outwards; false when the walk has ended. */
static bool step(struct walk *walk, const struct rule *rule)
{
    bool going;

    if (rule == NULL || rule->cfa == RULE_NONE)
        return recover_step(walk);
    if (rule->cfa == RULE_END)
        return walk_end(walk, STACK_COMPLETE, 0);
    if (rule->cfa == RULE_SWITCH && switch_step(walk, rule, &going))
        return going;
    /* The ABIs have the outermost frame marked by a frame pointer of 0. */
    if (rule->cfa == RULE_FP && walk->place.fp_known && walk->place.fp == 0)
        return walk_end(walk, STACK_COMPLETE, 0);
    if (rule->cfa == RULE_ASK ? slow_step(walk, &going) : can_apply(walk, rule))
        return rule->cfa == RULE_ASK ? going : walk_apply(walk, rule);
    if (recover_by_calls(walk, &going))
        return going;
    return walk_end(walk, STACK_BAD_ROW, walk->place.ip);
}

/* Whether following the general registers from the start would tell more about RULE. */
static bool needs_full(const struct walk *walk, const struct rule *rule)
{
    return !walk->full && rule != NULL && (rule->cfa == RULE_ASK || rule->cfa >= RULE_GENERAL) &&
           (walk->frozen->registers.known & KNOWN_GENERAL) != 0;
}

/*
 * Whether a return address is where a function starts and no call precedes it: then it was put on
 * the stack by who made the stack (makecontext), and nothing is outside it.
 */
static bool starts_function(const struct walk *walk, const struct table *table, uint64_t offset)
{
    return table_find(table, offset, true)->cfa != RULE_NONE &&
           !calls_precede(walk->frozen, walk->place.ip);
}

/* The rule for the current place, NULL where there is no table; false when that is not built. */
static bool find_rule(struct walk *walk, const struct rule **rule)
{
    static const struct rule outermost = { .cfa = RULE_END };
    const struct place *place = &walk->place;
    const struct table *table;
    uint64_t at;

    *rule = NULL;
    if (walk->tabled != walk->mapping) {
        walk->tabled = walk->mapping;
        walk->table = table_of(walk, walk->mapping);
    }
    table = walk->table;
    if (table == NULL)
        return walk->mapping == NULL || !has_table(walk->mapping) ||
               walk_end(walk, STACK_NOT_READY, place->ip);
    at = place->ip - walk->mapping->start + walk->mapping->offset;
    *rule = table_cached(table, at, place->exact);
    if (*rule == NULL)
        *rule = table_find(table, at, place->exact);
    if ((*rule)->cfa == RULE_NONE && !place->exact && starts_function(walk, table, at)) {
        *rule = &outermost;
        walk->place.exact = true;
    }
    return true;
}

bool walk_among_rows(struct walk *walk)
{
    const struct table *table = table_of(walk, walk->mapping);

    return table != NULL && !table_sparse(table);
}

const struct table *walk_table(struct walk *walk, uint64_t *offset)
{
    const struct mapping *mapping = walk->mapping;

    if (mapping != NULL)
        *offset = walk->place.ip - mapping->start + mapping->offset;
    return table_of(walk, mapping);
}

void walk_learn_frame(struct walk *walk)
{
    const struct mapping *mapping = walk->mapping;
    const struct table *table = table_of(walk, mapping);

    if (table != NULL && !walk->place.exact)
        table_learn_frame(table, walk->place.ip - mapping->start + mapping->offset);
}

const struct rule *walk_rule(struct walk *walk, uint64_t address)
{
    static const struct rule none = { .cfa = RULE_NONE };
    const struct mapping *mapping = maps_find(walk->frozen->maps, address);
    const struct table *table = table_of(walk, mapping);

    return table != NULL ? table_find(table, address - mapping->start + mapping->offset, false)
                         : &none;
}

bool walk_in_trampoline(struct walk *walk)
{
    const struct rule *rule;

    return find_rule(walk, &rule) && rule != NULL && (rule->flags & RULE_SIGNAL) != 0;
}

/* A word of the first copy, where nearly all of what a walk reads is. */
static bool copied_word(const struct frozen *frozen, uint64_t address, uint64_t *word)
{
    uint64_t at = address - frozen->stack_start;

    if (at >= frozen->stack_size || frozen->stack_size - at < sizeof(*word))
        return false;
    memcpy(word, frozen->stack + at, sizeof(*word));
    return true;
}

/* The rule for a return address in the mapping of the last frame, where it is cached; or NULL. */
static const struct rule *cached_rule(const struct walk *walk)
{
    const struct mapping *mapping = walk->tabled;
    uint64_t at = walk->place.ip - 1;

    if (walk->table == NULL || walk->place.exact || at < mapping->start || at >= mapping->end)
        return NULL;
    return table_cached(walk->table, walk->place.ip - mapping->start + mapping->offset, false);
}

/* What RULE's CFA counts from; false unless it is everyday: sp or fp, and saved next to the CFA. */
static bool everyday(const struct place *place, const struct rule *rule, uint64_t *base)
{
    *base = rule->cfa == RULE_SP ? place->sp : place->fp;
    return (rule->cfa == RULE_SP || (rule->cfa == RULE_FP && place->fp_known && place->fp != 0)) &&
           rule->ra == SAVE_CFA && (rule->fp == SAVE_SAME || rule->fp == SAVE_CFA) &&
           (rule->flags & RULE_SIGNAL) == 0;
}

/*
 * One everyday frame outwards, as step() would go, in two thirds of its time; nearly all frames are
 * such.  False, with nothing changed, where there is more to think about.
 */
static bool hop(struct walk *walk)
{
    struct place *place = &walk->place;
    const struct rule *rule = walk->full ? NULL : cached_rule(walk);
    uint64_t cfa, ip, fp = place->fp;

    if (rule == NULL || !everyday(place, rule, &cfa))
        return false;
    cfa += (uint64_t)(int64_t)rule->cfa_offset;
    if (cfa <= place->sp || !copied_word(walk->frozen, cfa + (uint64_t)rule->ra_offset, &ip) ||
        ip == 0)
        return false;
    if (rule->fp == SAVE_CFA &&
        !copied_word(walk->frozen, cfa + (uint64_t)(int64_t)rule->fp_offset, &fp))
        return false;
    walk->mapping = walk->tabled;
    trail_add(&walk->trail, walk);
    if (rule->fp == SAVE_CFA) {
        place->fp = fp;
        place->fp_known = true;
        place->fp_guessed = false;
    }
    place->lr_known = false;
    place->ip = ip;
    place->sp = cfa;
    return true;
}

bool walk_run(struct walk *walk)
{
    const struct rule *rule;
    struct trail trail;

    for (;;) {
        if (walk->trail.walked == WALK_MAX)
            return walk_end(walk, STACK_LIMIT, walk->place.ip), true;
        if (hop(walk))
            continue;
        if (!locate(walk) && !walk->place.exact)
            return walk_end(walk, STACK_NO_MAPPING, walk->place.ip), true;
        if (!find_rule(walk, &rule))
            return false;
        if (needs_full(walk, rule)) {
            trail = walk->trail;
            walk_init(walk, walk->unwinder, walk->frozen, &trail, true);
            continue;
        }
        /* What a handler returns to is no place behind a call: it is the trampoline's start. */
        if (rule != NULL && (rule->flags & RULE_SIGNAL) != 0)
            walk->place.exact = true;
        trail_add(&walk->trail, walk);
        if (!step(walk, rule))
            return true;
    }
}
