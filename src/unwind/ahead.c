/* SPDX-License-Identifier: MIT */
/*
 * Follows the paths of a function from one instruction on, as x86.h tells of each, nearest branches
 * first.  Only sp and fp are followed, relative to what they are now:
 *
 *     sp ──► base + offset              base: sp now, fp now, or a word of the stack
 *     fp ──► as now | base + offset | the word there | anything
 *
 * Every return on the way is a vote for a rule.  Work and memory are bounded.
 */
#include "config.h"

#include "ahead.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "x86.h"

enum {
    WORD = 8,
    INSTRUCTIONS_MAX = 2048, /* of all paths */
    SEEN_SLOTS = 4096,       /* a power of 2 */
    PATHS_MAX = 256,
    RETURNS_ENOUGH = 8,
    OFFSET_MAX = 1 << 20,
    WINDOW_BYTES = 1024,
};

enum base { BASE_SP, BASE_FP, BASE_SP_WORD, BASE_FP_WORD };

/* An address: a base, which may be the word at AT, and an offset from it. */
struct point {
    enum base base;
    int32_t at, offset;
};

enum fp_state { FP_NOW, FP_POINT, FP_SAVED, FP_LOST };

struct path {
    uint64_t address;
    struct point sp, fp; /* fp: for FP_POINT and FP_SAVED */
    enum fp_state fp_state;
};

struct ahead {
    ahead_reader *read;
    const void *context;
    uint64_t window_start;
    size_t window_size;
    uint8_t window[WINDOW_BYTES];
    uint32_t seen[SEEN_SLOTS]; /* low halves of addresses; 0: free */
    unsigned instructions, returns;
    struct path paths[PATHS_MAX]; /* a queue */
    unsigned first, count;
    struct rule *rules;
    unsigned votes[AHEAD_RULES_MAX], rule_count;
};

/* The code at ADDRESS; SIZE: how much of it. */
static const uint8_t *code_at(struct ahead *ahead, uint64_t address, size_t *size)
{
    uint64_t into = address - ahead->window_start;

    if (into >= ahead->window_size || ahead->window_size - into < X86_LENGTH_MAX) {
        ahead->window_start = address;
        ahead->window_size = ahead->read(ahead->context, address, ahead->window, WINDOW_BYTES);
        into = 0;
    }
    *size = ahead->window_size - into;
    return ahead->window + into;
}

/* Whether ADDRESS was passed before; notes it. */
static bool passed(struct ahead *ahead, uint64_t address)
{
    uint32_t key = (uint32_t)address | (uint32_t)(address == 0);
    uint32_t slot = key * UINT32_C(0x9e3779b1) >> 16;

    for (;; slot++) {
        uint32_t *seen = &ahead->seen[slot % SEEN_SLOTS];

        if (*seen == key)
            return true;
        if (*seen == 0) {
            *seen = key;
            return false;
        }
    }
}

static bool same_base(const struct point *a, const struct point *b)
{
    return a->base == b->base && a->at == b->at;
}

/* The rule for a path that returns with sp there; false when that makes no sense. */
static bool rule_of(const struct path *path, struct rule *rule)
{
    static const uint8_t cfa_of[] = {
        [BASE_SP] = RULE_SP,
        [BASE_FP] = RULE_FP,
        [BASE_SP_WORD] = RULE_SP_DEREF,
        [BASE_FP_WORD] = RULE_FP_DEREF,
    };
    const struct point *sp = &path->sp;
    bool word = sp->base == BASE_SP_WORD || sp->base == BASE_FP_WORD;
    int32_t cfa = sp->offset + WORD;

    memset(rule, 0, sizeof(*rule));
    if (sp->offset % WORD != 0 || (sp->base == BASE_SP && sp->offset < 0) || cfa > INT16_MAX * WORD)
        return false;
    rule->cfa = cfa_of[sp->base];
    rule->cfa_offset = word ? sp->at : cfa;
    if (word && (int16_t)cfa != cfa)
        return false;
    rule->cfa_add = word ? (int16_t)cfa : 0;
    rule->ra = SAVE_CFA;
    rule->ra_offset = -WORD;
    rule->fp = path->fp_state == FP_NOW ? SAVE_SAME : SAVE_UNKNOWN;
    if (path->fp_state == FP_SAVED && same_base(sp, &path->fp)) {
        rule->fp = SAVE_CFA;
        rule->fp_offset = path->fp.offset - cfa;
    }
    return true;
}

static void vote(struct ahead *ahead, const struct path *path, unsigned weight)
{
    struct rule rule;
    unsigned i = 0;

    if (!rule_of(path, &rule))
        return;
    while (i < ahead->rule_count && memcmp(&ahead->rules[i], &rule, sizeof(rule)) != 0)
        i++;
    if (i == AHEAD_RULES_MAX)
        return;
    if (i == ahead->rule_count) {
        ahead->rules[ahead->rule_count++] = rule;
        ahead->votes[i] = 0;
    }
    ahead->votes[i] += weight;
}

/* Leaves one path for later. */
static void fork_path(struct ahead *ahead, const struct path *path, uint64_t address)
{
    struct path *other;

    if (ahead->count == PATHS_MAX)
        return;
    other = &ahead->paths[(ahead->first + ahead->count++) % PATHS_MAX];
    *other = *path;
    other->address = address;
}

static void load_fp(struct path *path, int32_t offset)
{
    path->fp = path->sp;
    path->fp.offset += offset;
    path->fp_state = FP_SAVED;
}

static void pop_fp(struct path *path)
{
    load_fp(path, 0);
    path->sp.offset += WORD;
}

static bool sp_from_fp(struct path *path, int32_t offset)
{
    if (path->fp_state == FP_NOW)
        path->sp = (struct point){ BASE_FP, 0, offset };
    else if (path->fp_state == FP_POINT) {
        path->sp = path->fp;
        path->sp.offset += offset;
    } else
        return false;
    return true;
}

static bool sp_from_stack(struct path *path, int32_t offset)
{
    struct point *sp = &path->sp;

    if (sp->base != BASE_SP && sp->base != BASE_FP)
        return false;
    *sp =
        (struct point){ sp->base == BASE_SP ? BASE_SP_WORD : BASE_FP_WORD, sp->offset + offset, 0 };
    return true;
}

/* What an instruction makes of PATH's registers; false where nothing is known any more. */
static bool pass(struct path *path, const struct x86_instruction *instruction)
{
    int32_t value = instruction->value;

    if (value > OFFSET_MAX || value < -OFFSET_MAX)
        return instruction->kind == X86_OTHER || instruction->kind == X86_BRANCH;
    switch (instruction->kind) {
    case X86_ADD_SP:
        path->sp.offset += value;
        break;
    case X86_LOAD_FP:
        load_fp(path, value);
        break;
    case X86_LEAVE:
        if (!sp_from_fp(path, 0))
            return false;
        pop_fp(path);
        break;
    case X86_POP_FP:
        pop_fp(path);
        break;
    case X86_SP_FROM_FP:
        return sp_from_fp(path, value);
    case X86_SP_FROM_STACK:
        return sp_from_stack(path, value);
    case X86_FP_FROM_SP:
        load_fp(path, value);
        path->fp_state = FP_POINT;
        break;
    case X86_LOSE_FP:
        path->fp_state = FP_LOST;
        break;
    case X86_LOSE_SP:
        return false;
    default:
        break;
    }
    return path->sp.offset <= OFFSET_MAX && path->sp.offset >= -OFFSET_MAX;
}

/* Follows PATH to its end. */
static void follow(struct ahead *ahead, struct path *path)
{
    struct x86_instruction instruction;

    while (ahead->instructions < INSTRUCTIONS_MAX && !passed(ahead, path->address)) {
        size_t size;
        const uint8_t *code = code_at(ahead, path->address, &size);

        ahead->instructions++;
        if (!x86_decode(code, size, &instruction))
            return;
        path->address += instruction.length;
        switch (instruction.kind) {
        case X86_RETURN:
            ahead->returns++;
            vote(ahead, path, 2);
            return;
        case X86_JUMP_INDIRECT: /* to another function, or to what runs in the same frame */
        case X86_STOP:
            return;
        case X86_JUMP:
            path->address += (uint64_t)(int64_t)instruction.value;
            break;
        case X86_BRANCH:
            fork_path(ahead, path, path->address + (uint64_t)(int64_t)instruction.value);
            break;
        default:
            if (!pass(path, &instruction))
                return;
        }
    }
}

/* Brings the rule with the most votes to the front, and so on. */
static void sort(struct ahead *ahead)
{
    for (unsigned i = 1; i < ahead->rule_count; i++) {
        for (unsigned k = i; k > 0 && ahead->votes[k] > ahead->votes[k - 1]; k--) {
            struct rule rule = ahead->rules[k];
            unsigned votes = ahead->votes[k];

            ahead->rules[k] = ahead->rules[k - 1];
            ahead->votes[k] = ahead->votes[k - 1];
            ahead->rules[k - 1] = rule;
            ahead->votes[k - 1] = votes;
        }
    }
}

unsigned ahead_rules(ahead_reader *read, const void *context, uint64_t address,
                     struct rule rules[AHEAD_RULES_MAX])
{
    struct ahead *ahead = xcalloc(1, sizeof(*ahead));
    unsigned count;

    ahead->read = read;
    ahead->context = context;
    ahead->rules = rules;
    fork_path(ahead, &(struct path){ .fp_state = FP_NOW }, address);
    while (ahead->count > 0 && ahead->returns < RETURNS_ENOUGH) {
        struct path path = ahead->paths[ahead->first];

        ahead->first = (ahead->first + 1) % PATHS_MAX;
        ahead->count--;
        follow(ahead, &path);
    }
    sort(ahead);
    count = ahead->rule_count;
    free(ahead);
    return count;
}
