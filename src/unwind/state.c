/* SPDX-License-Identifier: MIT */
/*
 * From a state of the CFI machine to a rule.  The few expressions that compilers and libraries
 * really write are recognised by their shape; every other one becomes RULE_ASK.
 */
#include "config.h"

#include "state.h"

#include <dwarf.h>
#include <elf.h>
#include <string.h>

#include "cursor.h"

/* DWARF's numbers (System V ABI for x86-64, DWARF for the Arm 64-bit Architecture). */
enum {
    X86_RBP = 6,
    X86_RSP = 7,
    X86_RIP = 16,
    ARM_X19 = 19,
    ARM_X28 = 28,
    ARM_X29 = 29,
    ARM_X30 = 30,
    ARM_SP = 31,
};

/* struct rt_sigframe at sp: where the interrupted registers are (sigcontext.h, ucontext.h). */
enum {
    X86_SIGFRAME_RBP = 120,
    X86_SIGFRAME_RSP = 160,
    X86_SIGFRAME_RIP = 168,
    ARM_SIGFRAME_X0 = 312,
    ARM_SIGFRAME_FP = ARM_SIGFRAME_X0 + 8 * 29,
    ARM_SIGFRAME_SP = ARM_SIGFRAME_X0 + 8 * 31,
    ARM_SIGFRAME_PC = ARM_SIGFRAME_X0 + 8 * 32,
};

/* The general registers that are followed, in the order of struct registers. */
static const struct x86_register {
    uint8_t number, sigframe; /* DWARF's, and where it is in a signal frame */
} x86_general[UNWIND_GENERAL] = {
    { 3, 128 }, { 12, 72 }, { 13, 80 }, { 14, 88 }, { 15, 96 }, /* rbx, r12–r15, preserved */
    { 0, 144 }, { 1, 136 }, { 2, 152 },                         /* rax, rdx, rcx */
    { 4, 112 }, { 5, 104 },                                     /* rsi, rdi */
    { 10, 56 }, { 11, 64 },                                     /* r10, r11 */
};

static int tracked_x86(uint64_t number)
{
    switch (number) {
    case X86_RBP:
        return TRACKED_FP;
    case X86_RSP:
        return TRACKED_SP;
    case X86_RIP:
        return TRACKED_RA;
    default:
        for (int i = 0; i < UNWIND_GENERAL; i++)
            if (x86_general[i].number == number)
                return TRACKED_GENERAL + i;
        return -1;
    }
}

static int tracked_arm(uint64_t number)
{
    switch (number) {
    case ARM_X29:
        return TRACKED_FP;
    case ARM_X30:
        return TRACKED_RA;
    case ARM_SP:
        return TRACKED_SP;
    default:
        return number >= ARM_X19 && number <= ARM_X28 ? TRACKED_GENERAL + (int)(number - ARM_X19)
                                                      : -1;
    }
}

int state_tracked(unsigned machine, uint64_t number)
{
    return machine == EM_AARCH64 ? tracked_arm(number) : tracked_x86(number);
}

static bool fits(int64_t offset, int32_t *to)
{
    *to = (int32_t)offset;
    return *to == offset;
}

/* "register + offset" alone: DW_OP_bregN offset. */
static bool is_breg(struct cursor *cursor, int *tracked, unsigned machine, int64_t *offset)
{
    uint8_t op = cursor_u8(cursor);

    if (op < DW_OP_breg0 || op > DW_OP_breg31)
        return false;
    *tracked = state_tracked(machine, op - DW_OP_breg0);
    *offset = cursor_sleb(cursor);
    return !cursor->failed && *tracked >= 0;
}

/*
 * What linkers write for the PLT of x86-64, whose second half has one word more on the stack:
 * sp + 8 + ((ip & 15) >= N) << 3.
 */
static bool is_plt(const uint8_t *bytes, uint32_t size, int32_t *limit)
{
    static const uint8_t head[] = { DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and };
    static const uint8_t tail[] = { DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus };
    uint8_t literal;

    if (size != sizeof(head) + 1 + sizeof(tail))
        return false;
    literal = bytes[sizeof(head)];
    *limit = literal - DW_OP_lit0;
    return memcmp(bytes, head, sizeof(head)) == 0 && literal >= DW_OP_lit0 &&
           literal <= DW_OP_lit15 && memcmp(bytes + sizeof(head) + 1, tail, sizeof(tail)) == 0;
}

/* CFA = the word at sp or fp + offset, and perhaps a constant more. */
static bool cfa_from_deref(const struct cfi_state *state, unsigned machine, struct rule *rule)
{
    struct cursor cursor = { state->cfa_expression, state->cfa_expression + state->cfa_size,
                             false };
    uint64_t add = 0;
    int tracked;
    int64_t offset;

    if (!is_breg(&cursor, &tracked, machine, &offset) || cursor_u8(&cursor) != DW_OP_deref)
        return false;
    if (tracked != TRACKED_SP && tracked != TRACKED_FP)
        return false;
    if (cursor_left(&cursor) > 0) {
        if (cursor_u8(&cursor) != DW_OP_plus_uconst)
            return false;
        add = cursor_uleb(&cursor);
    }
    if (cursor.failed || cursor_left(&cursor) > 0 || add > INT16_MAX)
        return false;
    rule->cfa = tracked == TRACKED_SP ? RULE_SP_DEREF : RULE_FP_DEREF;
    rule->cfa_add = (int16_t)add;
    return fits(offset, &rule->cfa_offset);
}

static bool cfa_rule(const struct cfi_state *state, unsigned machine, struct rule *rule)
{
    int tracked;

    if (state->cfa_expression != NULL) {
        if (machine == EM_X86_64 &&
            is_plt(state->cfa_expression, state->cfa_size, &rule->cfa_offset)) {
            rule->cfa = RULE_PLT;
            return true;
        }
        return cfa_from_deref(state, machine, rule);
    }
    tracked = state_tracked(machine, state->cfa_register);
    if (tracked < 0 || tracked == TRACKED_RA || !fits(state->cfa_offset, &rule->cfa_offset))
        return false;
    if (tracked == TRACKED_SP)
        rule->cfa = RULE_SP;
    else if (tracked == TRACKED_FP)
        rule->cfa = RULE_FP;
    else
        rule->cfa = (uint8_t)(RULE_GENERAL + tracked - TRACKED_GENERAL);
    return true;
}

/* Where SAVED is in memory, as a kind of base and an offset; false when it is nowhere simple. */
static bool place_of(const struct saved *saved, unsigned machine, uint8_t *save, int32_t *offset)
{
    struct cursor cursor;
    int tracked;
    int64_t at;

    if (saved->how == HOW_OFFSET) {
        *save = SAVE_CFA;
        return fits(saved->offset, offset);
    }
    if (saved->how != HOW_EXPRESSION)
        return false;
    cursor = (struct cursor){ saved->expression, saved->expression + saved->size, false };
    if (!is_breg(&cursor, &tracked, machine, &at) || cursor_left(&cursor) != 0)
        return false;
    if (tracked != TRACKED_SP && tracked != TRACKED_FP)
        return false;
    *save = tracked == TRACKED_SP ? SAVE_SP : SAVE_FP;
    return fits(at, offset);
}

/* The slots of a rule share one base: the first register's; what lies elsewhere is lost. */
static void general_slots(const struct cfi_state *state, unsigned machine, struct rule *rule)
{
    static const uint8_t flag_of[] = {
        [SAVE_SP] = RULE_GENERAL_SP, [SAVE_FP] = RULE_GENERAL_FP, [SAVE_UNKNOWN] = 0
    };
    uint8_t base = SAVE_SAME;

    for (int i = 0; i < UNWIND_GENERAL; i++) {
        const struct saved *saved = &state->saved[TRACKED_GENERAL + i];
        uint8_t save;
        int32_t offset;

        if (saved->how == HOW_DEFAULT || saved->how == HOW_SAME)
            continue;
        rule->slots[i] = SLOT_UNKNOWN;
        if (!place_of(saved, machine, &save, &offset) || offset % SLOT_BYTES != 0)
            continue;
        if (base == SAVE_SAME) {
            base = save;
            rule->flags |= flag_of[save];
        }
        offset /= SLOT_BYTES;
        if (save == base && offset > SLOT_UNKNOWN && offset <= INT8_MAX && offset != SLOT_SAME)
            rule->slots[i] = (int8_t)offset;
    }
}

static bool return_rule(const struct saved *saved, unsigned machine, struct rule *rule)
{
    int32_t offset;

    switch (saved->how) {
    case HOW_UNDEFINED:
        *rule = (struct rule){ .cfa = RULE_END };
        return true;
    case HOW_DEFAULT:
    case HOW_SAME:
        if (machine == EM_AARCH64) {
            rule->ra = SAVE_SAME;
            return true;
        }
        rule->ra = SAVE_CFA;
        rule->ra_offset = -8;
        return saved->how == HOW_DEFAULT;
    default:
        if (!place_of(saved, machine, &rule->ra, &offset))
            return false;
        rule->ra_offset = (int16_t)offset;
        return rule->ra_offset == offset;
    }
}

static void frame_pointer_rule(const struct saved *saved, unsigned machine, struct rule *rule)
{
    if (saved->how == HOW_DEFAULT || saved->how == HOW_SAME)
        rule->fp = SAVE_SAME;
    else if (!place_of(saved, machine, &rule->fp, &rule->fp_offset)) {
        rule->fp = SAVE_UNKNOWN;
        rule->fp_offset = 0;
    }
}

/*
 * The caller's sp is the CFA, unless a signal handler's frame says where the interrupted one is.
 * glibc and musl say CFA = that sp, so that only other ways of saying it need libunwind.
 */
static bool stack_pointer_is_cfa(const struct cfi_state *state)
{
    const struct saved *saved = &state->saved[TRACKED_SP];

    if (saved->how == HOW_DEFAULT || saved->how == HOW_SAME)
        return true;
    return saved->how == HOW_EXPRESSION && state->cfa_expression != NULL &&
           state->cfa_size == saved->size + 1 &&
           memcmp(state->cfa_expression, saved->expression, saved->size) == 0;
}

struct rule state_signal_rule(unsigned machine)
{
    struct rule rule = {
        .cfa = RULE_SP_DEREF,
        .fp = SAVE_SP,
        .ra = SAVE_SP,
        .flags = RULE_SIGNAL | RULE_GENERAL_SP,
    };

    if (machine == EM_AARCH64) {
        rule.cfa_offset = ARM_SIGFRAME_SP;
        rule.fp_offset = ARM_SIGFRAME_FP;
        rule.ra_offset = ARM_SIGFRAME_PC;
        for (int i = 0; i <= ARM_X28 - ARM_X19; i++)
            rule.slots[i] = ARM_SIGFRAME_X0 / SLOT_BYTES + ARM_X19 + i;
        return rule;
    }
    rule.cfa_offset = X86_SIGFRAME_RSP;
    rule.fp_offset = X86_SIGFRAME_RBP;
    rule.ra_offset = X86_SIGFRAME_RIP;
    for (int i = 0; i < UNWIND_GENERAL; i++)
        rule.slots[i] = (int8_t)(x86_general[i].sigframe / SLOT_BYTES);
    return rule;
}

void state_rule(const struct cfi_state *state, unsigned machine, bool signal, struct rule *rule)
{
    *rule = (struct rule){ .flags = signal ? RULE_SIGNAL : 0 };
    if (signal && machine == EM_AARCH64) {
        /* The kernel's own CFI there leads to the link register, past the interrupted place. */
        *rule = state_signal_rule(machine);
        return;
    }
    if (!return_rule(&state->saved[TRACKED_RA], machine, rule) ||
        (rule->cfa != RULE_END &&
         (!stack_pointer_is_cfa(state) || !cfa_rule(state, machine, rule)))) {
        *rule = (struct rule){ .cfa = RULE_ASK, .flags = signal ? RULE_SIGNAL : 0 };
        return;
    }
    if (rule->cfa == RULE_END)
        return;
    frame_pointer_rule(&state->saved[TRACKED_FP], machine, rule);
    general_slots(state, machine, rule);
}
