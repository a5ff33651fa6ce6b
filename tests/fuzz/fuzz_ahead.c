/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the code that a path is followed through.  The first two bytes say where in the rest
 * it begins; the third: bit 0, the code lies on both sides of address 0, and the higher bits, how
 * many bytes are read at a time.
 */
#include "config.h"

#include <string.h>

#include "src/unwind/ahead.h"
#include "src/unwind/x86.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD = 3, CODE_AT = 0x401000, READS_MAX = 4096 };

struct code {
    const uint8_t *bytes;
    size_t size, at_once;
    uint64_t address;
    unsigned *reads;
};

static size_t read_code(const void *context, uint64_t address, void *to, size_t size)
{
    const struct code *code = context;
    uint64_t at = address - code->address;

    FUZZ_CHECK(++*code->reads <= READS_MAX);
    if (at >= code->size)
        return 0;
    if (size > code->at_once)
        size = code->at_once;
    if (size > code->size - at)
        size = code->size - at;
    memcpy(to, code->bytes + at, size);
    return size;
}

/* An instruction is decoded the same from all its bytes and more, and from fewer not at all. */
static void decode(const uint8_t *bytes, size_t size)
{
    struct x86_instruction instruction, again;

    if (!x86_decode(bytes, size, &instruction))
        return;
    FUZZ_CHECK(instruction.length >= 1 && instruction.length <= X86_LENGTH_MAX);
    FUZZ_CHECK(instruction.length <= size);
    FUZZ_CHECK(instruction.kind <= X86_STOP);
    FUZZ_CHECK(x86_decode(bytes, instruction.length, &again));
    FUZZ_CHECK(again.length == instruction.length && again.kind == instruction.kind &&
               again.value == instruction.value);
    for (size_t i = 0; i < instruction.length; i++)
        FUZZ_CHECK(!x86_decode(bytes, i, &again));
}

/* What the walk may rely on. */
static void check_rule(const struct rule *rule)
{
    FUZZ_CHECK(rule->cfa >= RULE_SP && rule->cfa <= RULE_FP_DEREF);
    FUZZ_CHECK(rule->cfa != RULE_SP || rule->cfa_offset >= 8);
    FUZZ_CHECK(rule->cfa_add == 0 || rule->cfa == RULE_SP_DEREF || rule->cfa == RULE_FP_DEREF);
    FUZZ_CHECK(rule->ra == SAVE_CFA && rule->ra_offset == -8);
    FUZZ_CHECK(rule->fp == SAVE_SAME || rule->fp == SAVE_CFA || rule->fp == SAVE_UNKNOWN);
    FUZZ_CHECK(rule->flags == 0);
}

static unsigned follow(const struct code *code, uint64_t address,
                       struct rule rules[AHEAD_RULES_MAX])
{
    unsigned count;

    *code->reads = 0;
    count = ahead_rules(read_code, code, address, rules);
    FUZZ_CHECK(count <= AHEAD_RULES_MAX);
    for (unsigned i = 0; i < count; i++) {
        check_rule(&rules[i]);
        for (unsigned k = 0; k < i; k++)
            FUZZ_CHECK(memcmp(&rules[i], &rules[k], sizeof(rules[i])) != 0);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rule rules[AHEAD_RULES_MAX], others[AHEAD_RULES_MAX];
    struct code code = { .at_once = SIZE_MAX, .address = CODE_AT };
    unsigned reads, count;
    uint64_t start;

    if (size <= HEAD)
        return 0;
    code.bytes = data + HEAD;
    code.size = size - HEAD;
    code.reads = &reads;
    if ((data[2] & 1) != 0)
        code.address = 0 - (uint64_t)(code.size / 2);
    start = (data[0] | (size_t)data[1] << 8) % code.size;
    decode(code.bytes + start, code.size - start);
    count = follow(&code, code.address + start, rules);
    /* How many bytes come at a time changes nothing. */
    code.at_once = X86_LENGTH_MAX + (data[2] >> 1);
    FUZZ_CHECK(follow(&code, code.address + start, others) == count);
    FUZZ_CHECK(memcmp(rules, others, count * sizeof(rules[0])) == 0);
    return 0;
}
