/* SPDX-License-Identifier: MIT */
/* libdw's dwarf_cfi_addrframe as a second opinion on single rules. */
#include "config.h"

#include "tests/harness/oracle.h"

#include <dwarf.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <stdio.h>
#include <stdlib.h>

#include "proftop/memory.h"
#include "src/unwind/rule.h"

struct oracle_cfi {
    Elf *elf;
    Dwarf_CFI *cfi;
};

/* DWARF's numbers of what rules follow. */
struct numbers {
    int sp, fp, ra;
    int kept; /* so many are preserved */
    int general[UNWIND_GENERAL];
};

static const struct numbers x86 = { 7, 6, 16, 5, { 3, 12, 13, 14, 15, 0, 1, 2, 4, 5, 10, 11 } };
static const struct numbers arm = {
    31, 29, 30, 10, { 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, -1, -1 }
};

struct oracle_cfi *oracle_cfi_open(int fd)
{
    struct oracle_cfi *cfi = xcalloc(1, sizeof(*cfi));

    elf_version(EV_CURRENT);
    cfi->elf = elf_begin(fd, ELF_C_READ, NULL);
    cfi->cfi = cfi->elf != NULL ? dwarf_getcfi_elf(cfi->elf) : NULL;
    if (cfi->cfi != NULL)
        return cfi;
    oracle_cfi_close(cfi);
    return NULL;
}

void oracle_cfi_close(struct oracle_cfi *cfi)
{
    if (cfi->cfi != NULL)
        dwarf_cfi_end(cfi->cfi);
    elf_end(cfi->elf);
    free(cfi);
}

static bool differ(char *why, size_t size, const char *what)
{
    snprintf(why, size, "%s", what);
    return false;
}

static bool is_breg(const Dwarf_Op *op, int number, int64_t offset)
{
    if (op->atom == DW_OP_bregx)
        return (int)op->number == number && (int64_t)op->number2 == offset;
    return op->atom == (unsigned)(DW_OP_breg0 + number) && (int64_t)op->number == offset;
}

static bool cfa_agrees(Dwarf_Frame *frame, const struct numbers *numbers, const struct rule *rule)
{
    bool deref = rule->cfa == RULE_SP_DEREF || rule->cfa == RULE_FP_DEREF;
    int number = rule->cfa >= RULE_GENERAL ? numbers->general[rule->cfa - RULE_GENERAL]
                 : rule->cfa == RULE_SP || rule->cfa == RULE_SP_DEREF ? numbers->sp
                                                                      : numbers->fp;
    Dwarf_Op *ops;
    size_t count;

    if (dwarf_frame_cfa(frame, &ops, &count) != 0)
        return false;
    if (rule->cfa == RULE_PLT)
        return count > 4 && is_breg(ops, numbers->sp, 8);
    return is_breg(ops, number, rule->cfa_offset) && (count > 1) == deref &&
           (!deref || ops[1].atom == DW_OP_deref);
}

static bool register_agrees(Dwarf_Frame *frame, const struct numbers *numbers, int number,
                            unsigned save, int64_t offset)
{
    Dwarf_Op memory[3], *ops;
    size_t count;

    if (dwarf_frame_register(frame, number, memory, &ops, &count) != 0)
        return false;
    if (count == 0)
        return save == SAVE_SAME || save == SAVE_UNKNOWN;
    switch (save) {
    case SAVE_CFA:
        return ops[0].atom == DW_OP_call_frame_cfa &&
               (count == 1 ? offset == 0 : (int64_t)ops[1].number == offset);
    case SAVE_SP:
    case SAVE_FP: /* an expression starts with the CFA on its stack */
        return is_breg(&ops[count - 1], save == SAVE_SP ? numbers->sp : numbers->fp, offset);
    case SAVE_UNKNOWN: /* rules cannot say what libdw can */
        return true;
    default:
        return false;
    }
}

static bool general_agree(Dwarf_Frame *frame, const struct numbers *numbers,
                          const struct rule *rule)
{
    unsigned base = rule->flags & RULE_GENERAL_SP   ? SAVE_SP
                    : rule->flags & RULE_GENERAL_FP ? SAVE_FP
                                                    : SAVE_CFA;

    for (int i = 0; i < numbers->kept; i++) {
        int slot = rule->slots[i];
        unsigned save = slot == SLOT_SAME ? SAVE_SAME : slot == SLOT_UNKNOWN ? SAVE_UNKNOWN : base;

        if (!register_agrees(frame, numbers, numbers->general[i], save, slot * SLOT_BYTES))
            return false;
    }
    return true;
}

bool oracle_rule_agrees(struct oracle_cfi *cfi, unsigned machine, uint64_t address,
                        const struct rule *rule, char *why, size_t why_size)
{
    const struct numbers *numbers = machine == EM_AARCH64 ? &arm : &x86;
    Dwarf_Frame *frame = NULL;
    bool agrees = true;

    if (dwarf_cfi_addrframe(cfi->cfi, address, &frame) != 0)
        return rule->cfa == RULE_NONE || differ(why, why_size, "libdw has nothing here");
    if (rule->cfa == RULE_NONE)
        agrees = differ(why, why_size, "only libdw has something here");
    else if (rule->cfa == RULE_ASK || rule->cfa == RULE_END || (rule->flags & RULE_SIGNAL) != 0)
        agrees = true;
    else if (!cfa_agrees(frame, numbers, rule))
        agrees = differ(why, why_size, "the CFA");
    else if (!register_agrees(frame, numbers, numbers->ra, rule->ra, rule->ra_offset))
        agrees = differ(why, why_size, "the return address");
    else if (!register_agrees(frame, numbers, numbers->fp, rule->fp, rule->fp_offset))
        agrees = differ(why, why_size, "the frame pointer");
    else if (!general_agree(frame, numbers, rule))
        agrees = differ(why, why_size, "a callee-saved register");
    free(frame);
    return agrees;
}
