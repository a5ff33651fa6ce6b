/* SPDX-License-Identifier: MIT */
/* Rules from code that has none, and the decoding that they are made with. */
#include "config.h"

#include "src/unwind/ahead.h"

#include <string.h>

#include "src/unwind/learned.h"
#include "src/unwind/x86.h"
#include "tests/harness/testing.h"

enum { CODE_AT = 0x401000 };

struct code {
    const uint8_t *bytes;
    size_t size;
};

static size_t read_code(const void *context, uint64_t address, void *to, size_t size)
{
    const struct code *code = context;
    uint64_t at = address - CODE_AT;

    if (at >= code->size)
        return 0;
    if (size > code->size - at)
        size = code->size - at;
    memcpy(to, code->bytes + at, size);
    return size;
}

static unsigned rules_at(const uint8_t *bytes, size_t size, uint64_t at,
                         struct rule rules[AHEAD_RULES_MAX])
{
    const struct code code = { bytes, size };

    return ahead_rules(read_code, &code, CODE_AT + at, rules);
}

static void instructions_have_their_length_and_kind(void **state)
{
    static const struct {
        uint8_t bytes[X86_LENGTH_MAX];
        unsigned length;
        enum x86_kind kind;
        int32_t value;
    } cases[] = {
        { { 0x55 }, 1, X86_ADD_SP, -8 },
        { { 0x41, 0x5d }, 2, X86_ADD_SP, 8 },
        { { 0x5d }, 1, X86_POP_FP, 0 },
        { { 0x41, 0x5c }, 2, X86_ADD_SP, 8 },
        { { 0x48, 0x83, 0xec, 0x18 }, 4, X86_ADD_SP, -0x18 },
        { { 0x48, 0x81, 0xc4, 0, 1, 0, 0 }, 7, X86_ADD_SP, 0x100 },
        { { 0x48, 0x8d, 0x64, 0x24, 0x08 }, 5, X86_ADD_SP, 8 },
        { { 0x48, 0x8d, 0x65, 0xd8 }, 4, X86_SP_FROM_FP, -0x28 },
        { { 0x48, 0x89, 0xe5 }, 3, X86_FP_FROM_SP, 0 },
        { { 0x48, 0x89, 0xec }, 3, X86_SP_FROM_FP, 0 },
        { { 0x48, 0x8b, 0x6c, 0x24, 0x10 }, 5, X86_LOAD_FP, 0x10 },
        { { 0x48, 0x8b, 0x64, 0x24, 0x40 }, 5, X86_SP_FROM_STACK, 0x40 },
        { { 0x48, 0x83, 0xe4, 0xf0 }, 4, X86_LOSE_SP, 0 },
        { { 0x48, 0x66, 0xb8, 1, 2 }, 5, X86_OTHER, 0 },
        { { 0x41, 0x48, 0x83, 0xec, 0x18 }, 5, X86_ADD_SP, -0x18 },
        { { 0xc9 }, 1, X86_LEAVE, 0 },
        { { 0xc3 }, 1, X86_RETURN, 0 },
        { { 0xf3, 0xc3 }, 2, X86_RETURN, 0 },
        { { 0xe9, 0xfb, 0xff, 0xff, 0xff }, 5, X86_JUMP, -5 },
        { { 0x0f, 0x84, 0x10, 0, 0, 0 }, 6, X86_BRANCH, 0x10 },
        { { 0x3e, 0xff, 0xe0 }, 3, X86_JUMP_INDIRECT, 0 },
        { { 0xe8, 1, 2, 3, 4 }, 5, X86_OTHER, 0 },
        { { 0x0f, 0x0b }, 2, X86_STOP, 0 },
        { { 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 }, 10, X86_OTHER, 0 },
        { { 0x66, 0xc7, 0x04, 0x24, 1, 2 }, 6, X86_OTHER, 0 },
        { { 0xf6, 0x05, 1, 2, 3, 4, 5 }, 7, X86_OTHER, 0 },
        { { 0xc5, 0xf8, 0x77 }, 3, X86_OTHER, 0 },
        { { 0xc4, 0xe3, 0x7d, 0x39, 0xc1, 0x01 }, 6, X86_OTHER, 0 },
        { { 0x62, 0xf1, 0x7d, 0x48, 0x6f, 0x44, 0x24, 0x01 }, 8, X86_OTHER, 0 },
        { { 0x8f, 0xe8, 0x78, 0xc2, 0xec, 0x0e }, 6, X86_OTHER, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x86_instruction instruction;

        print_message("case %zu\n", i);
        assert_true(x86_decode(cases[i].bytes, sizeof(cases[i].bytes), &instruction));
        assert_int_equal(instruction.length, cases[i].length);
        assert_int_equal(instruction.kind, cases[i].kind);
        if (cases[i].kind != X86_OTHER && cases[i].value != 0)
            assert_int_equal(instruction.value, cases[i].value);
        assert_false(x86_decode(cases[i].bytes, cases[i].length - 1, &instruction) &&
                     instruction.length >= cases[i].length);
    }
}

/* push %rbp; push %rbx; sub $24,%rsp; test; je +6; call; nop; add $24,%rsp; pop; pop; ret */
static const uint8_t pushing[] = { 0x55, 0x53, 0x48, 0x83, 0xec, 0x18, 0x85, 0xc0,
                                   0x74, 0x06, 0xe8, 0,    0,    0,    0,    0x90,
                                   0x48, 0x83, 0xc4, 0x18, 0x5b, 0x5d, 0xc3 };

static void a_function_without_a_frame_pointer(void **state)
{
    struct rule rules[AHEAD_RULES_MAX];

    (void)state;
    assert_int_equal(rules_at(pushing, sizeof(pushing), 0, rules), 1);
    assert_int_equal(rules[0].cfa, RULE_SP);
    assert_int_equal(rules[0].cfa_offset, 8);
    assert_int_equal(rules_at(pushing, sizeof(pushing), 15, rules), 1);
    assert_int_equal(rules[0].cfa_offset, 48);
    assert_int_equal(rules[0].fp, SAVE_CFA);
    assert_int_equal(rules[0].fp_offset, -16);
    assert_int_equal(rules[0].ra_offset, -8);
    assert_int_equal(rules_at(pushing, sizeof(pushing), 22, rules), 1);
    assert_int_equal(rules[0].cfa_offset, 8);
    assert_int_equal(rules[0].fp, SAVE_SAME);
}

static void a_function_with_one(void **state)
{
    /* push %rbp; mov %rsp,%rbp; and $-16,%rsp; nop; leave; ret */
    static const uint8_t code[] = {
        0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xe4, 0xf0, 0x90, 0xc9, 0xc3
    };
    struct rule rules[AHEAD_RULES_MAX];

    (void)state;
    assert_int_equal(rules_at(code, sizeof(code), 8, rules), 1);
    assert_int_equal(rules[0].cfa, RULE_FP);
    assert_int_equal(rules[0].cfa_offset, 16);
    assert_int_equal(rules[0].fp, SAVE_CFA);
    assert_int_equal(rules[0].fp_offset, -16);
    /* Where what it does to sp cannot be followed, nothing is said. */
    assert_int_equal(rules_at(code, sizeof(code), 4, rules), 0);
}

static void a_stack_pointer_kept_on_the_stack(void **state)
{
    /* nop; mov 64(%rsp),%rsp; pop %rbx; ret */
    static const uint8_t code[] = { 0x90, 0x48, 0x8b, 0x64, 0x24, 0x40, 0x5b, 0xc3 };
    struct rule rules[AHEAD_RULES_MAX];

    (void)state;
    assert_int_equal(rules_at(code, sizeof(code), 0, rules), 1);
    assert_int_equal(rules[0].cfa, RULE_SP_DEREF);
    assert_int_equal(rules[0].cfa_offset, 64);
    assert_int_equal(rules[0].cfa_add, 16);
}

static void any_bytes(void **state)
{
    uint8_t bytes[4096];
    uint32_t random = 1;
    struct rule rules[AHEAD_RULES_MAX];

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            random = random * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(random >> 24);
        }
        assert_true(rules_at(bytes, sizeof(bytes), round, rules) <= AHEAD_RULES_MAX);
    }
    memset(bytes, 0x74, sizeof(bytes)); /* nothing but branches */
    assert_int_equal(rules_at(bytes, sizeof(bytes), 0, rules), 0);
    memset(bytes, 0x90, sizeof(bytes)); /* nothing at all */
    assert_int_equal(rules_at(bytes, sizeof(bytes), 0, rules), 0);
    assert_int_equal(rules_at(bytes, 0, 0, rules), 0);
}

static void what_was_found_is_kept(void **state)
{
    enum { MANY = 10000 };
    struct learned *learned = learned_new();
    unsigned kept = 0;

    (void)state;
    assert_null(learned_find(learned, 0));
    for (int32_t i = 0; i < MANY; i++) {
        const struct rule rule = { .cfa = RULE_SP, .cfa_offset = i };

        learned_add(learned, (uint32_t)i * 5, &rule);
    }
    for (int32_t i = 0; i < MANY; i++) {
        const struct rule *rule = learned_find(learned, (uint32_t)i * 5);

        if (rule == NULL)
            continue;
        assert_int_equal(rule->cfa_offset, i);
        kept++;
    }
    assert_true(kept >= 256 && kept <= 512);
    assert_null(learned_find(learned, 1));
    learned_free(learned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instructions_have_their_length_and_kind),
        cmocka_unit_test(a_function_without_a_frame_pointer),
        cmocka_unit_test(a_function_with_one),
        cmocka_unit_test(a_stack_pointer_kept_on_the_stack),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(what_was_found_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
