/* SPDX-License-Identifier: MIT */
/* Go's own table, as three versions of its linker write it, and as nobody should. */
#include "config.h"

#include "src/unwind/go.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "tests/harness/testing.h"

enum { TEXT = 0x401000, ROWS_MAX = 32, SIZE = 1024 };

enum { V16 = 0xfffffffa, V18 = 0xfffffff0, V20 = 0xfffffff1 };

struct collected {
    struct cfi_sink sink;
    unsigned functions, count;
    uint64_t start, end;
    uint64_t addresses[ROWS_MAX];
    struct rule rules[ROWS_MAX];
};

static void begin(struct cfi_sink *sink, uint64_t start, uint64_t end, uint64_t entry)
{
    struct collected *collected = (struct collected *)sink;

    assert_true(start < end && start <= entry);
    collected->functions++;
    collected->start = start;
    collected->end = end;
}

static void row(struct cfi_sink *sink, uint64_t address, const struct rule *rule)
{
    struct collected *collected = (struct collected *)sink;

    assert_true(address >= collected->start && address < collected->end);
    assert_true(collected->count < ROWS_MAX);
    collected->addresses[collected->count] = address;
    collected->rules[collected->count++] = *rule;
}

static void put(uint8_t *bytes, size_t at, uint64_t value, size_t size)
{
    memcpy(bytes + at, &value, size);
}

/* What a table tells about one function. */
struct function {
    const char *name;
    uint8_t flag;
    uint8_t depths[8]; /* its piece of pctab */
};

enum {
    HEADER = 72,
    NAMES = 128,
    PCTAB = 256,
    FUNCTAB = 384,
    FUNCTIONS = 512,
    FUNCTION = 64,
    CODE = 0x40
};

/* The table of COUNT functions, each CODE bytes long. */
static void write_table(uint8_t *bytes, uint32_t magic, const struct function *functions,
                        unsigned count)
{
    bool old = magic == V16;
    size_t pointer = old ? 8 : 4, at = 8;

    memset(bytes, 0, SIZE);
    put(bytes, 0, magic, 4);
    bytes[6] = 1;
    bytes[7] = 8;
    put(bytes, at, count, 8);
    at += 16;
    if (!old) {
        put(bytes, at, TEXT, 8);
        at += 8;
    }
    put(bytes, at, NAMES, 8);
    put(bytes, at + 24, PCTAB, 8);
    put(bytes, at + 32, FUNCTAB, 8);
    for (unsigned i = 0; i <= count; i++) {
        size_t entry = FUNCTAB + i * 2 * pointer, here = FUNCTIONS + i * FUNCTION;
        uint64_t start = (old ? TEXT : 0) + i * CODE;

        put(bytes, entry, start, pointer);
        if (i == count)
            break;
        put(bytes, entry + pointer, here - FUNCTAB, pointer);
        put(bytes, here, start, pointer);
        put(bytes, here + pointer, i * 32, 4);
        put(bytes, here + pointer + 12, 1 + i * 8, 4);
        bytes[here + pointer + 32 + (magic == V20 ? 4 : 0) + 1] = functions[i].flag;
        strcpy((char *)bytes + NAMES + i * 32, functions[i].name);
        memcpy(bytes + PCTAB + 1 + i * 8, functions[i].depths, 8);
    }
}

/* depth 0 for 4 bytes, 24 for 0x30, 0 again for the rest */
static const struct function functions[] = {
    { "main.main", 0, { 2, 4, 48, 0x30, 47, 0x0c, 0 } },
    { "runtime.goexit.abi0", 1, { 2, 0x40, 0 } },
    { "runtime.systemstack.abi0", 2, { 2, 0x40, 0 } },
    { "runtime.nanotime1.abi0", 2, { 2, 4, 32, 0x3c, 0 } }, /* with a frame of its own */
};

static bool parse(struct collected *collected, const uint8_t *bytes, size_t size, unsigned machine)
{
    uint8_t *copy = xmemdup(bytes, size);
    struct go_table table = { copy, size, TEXT, machine };
    bool sane;

    *collected = (struct collected){ .sink = { begin, row } };
    sane = go_parse(&table, &collected->sink);
    free(copy);
    return sane;
}

static void expect_functions(uint32_t magic)
{
    uint8_t bytes[SIZE];
    struct collected collected;

    write_table(bytes, magic, functions, 4);
    assert_true(parse(&collected, bytes, SIZE, EM_X86_64));
    assert_int_equal(collected.functions, 4);
    assert_int_equal(collected.count, 6);
    assert_int_equal(collected.addresses[0], TEXT);
    assert_int_equal(collected.rules[0].cfa, RULE_SP);
    assert_int_equal(collected.rules[0].cfa_offset, 8);
    assert_int_equal(collected.rules[0].fp, SAVE_SAME);
    assert_int_equal(collected.addresses[1], TEXT + 4);
    assert_int_equal(collected.rules[1].cfa_offset, 32);
    assert_int_equal(collected.rules[1].fp, SAVE_CFA);
    assert_int_equal(collected.rules[1].fp_offset, -16);
    assert_int_equal(collected.addresses[2], TEXT + 0x34);
    assert_memory_equal(&collected.rules[2], &collected.rules[0], sizeof(struct rule));
    assert_int_equal(collected.rules[3].cfa, RULE_END);
    assert_int_equal(collected.rules[4].cfa, RULE_SWITCH);
    assert_int_equal(collected.rules[4].flags, RULE_FRAMELESS);
    assert_int_equal(collected.rules[5].cfa, RULE_SWITCH);
    assert_int_equal(collected.rules[5].flags, 0);
    assert_int_equal(collected.end, TEXT + 4 * CODE);
}

static void the_table_of_go_1_16(void **state)
{
    (void)state;
    expect_functions(V16);
}

static void the_table_of_go_1_18(void **state)
{
    (void)state;
    expect_functions(V18);
}

static void the_table_of_go_1_20(void **state)
{
    (void)state;
    expect_functions(V20);
}

static void aarch64_keeps_its_return_address_at_sp(void **state)
{
    uint8_t bytes[SIZE];
    struct collected collected;

    (void)state;
    write_table(bytes, V20, functions, 1);
    assert_true(parse(&collected, bytes, SIZE, EM_AARCH64));
    assert_int_equal(collected.rules[0].ra, SAVE_SAME);
    assert_int_equal(collected.rules[1].cfa_offset, 24);
    assert_int_equal(collected.rules[1].ra, SAVE_SP);
    assert_int_equal(collected.rules[1].ra_offset, 0);
}

static void a_handler_returns_to_sigreturn(void **state)
{
    static const struct function handlers[] = {
        { "main.main", 0, { 2, 0x40, 0 } },
        { "runtime.sigreturn__sigaction.abi0", 0, { 2, 0x40, 0 } },
    };
    uint8_t bytes[SIZE];
    struct collected collected;

    (void)state;
    write_table(bytes, V20, handlers, 2);
    assert_true(parse(&collected, bytes, SIZE, EM_X86_64));
    assert_int_equal(collected.addresses[1], TEXT + CODE - 1);
    assert_true((collected.rules[1].flags & RULE_SIGNAL) != 0);
}

static void tables_that_lie(void **state)
{
    static const struct function endless[] = { { "main.main", 0, { 2, 0, 2, 0, 2, 0, 2, 0 } } };
    uint8_t bytes[SIZE];
    struct collected collected;

    (void)state;
    write_table(bytes, V20, functions, 3);
    put(bytes, 8, UINT64_MAX, 8); /* so many functions */
    assert_false(parse(&collected, bytes, SIZE, EM_X86_64));
    put(bytes, 8, SIZE - 1, 8); /* more than there are */
    assert_false(parse(&collected, bytes, SIZE, EM_X86_64));
    for (size_t size = 0; size < SIZE; size += 3) {
        write_table(bytes, V20, functions, 3);
        parse(&collected, bytes, size, EM_X86_64);
    }
    write_table(bytes, V20, functions, 3);
    put(bytes, FUNCTAB + 4, UINT32_MAX, 4); /* a description outside */
    assert_false(parse(&collected, bytes, SIZE, EM_X86_64));
    write_table(bytes, V20, endless, 1);
    bytes[0] = 0; /* no version */
    assert_false(parse(&collected, bytes, SIZE, EM_X86_64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_go_1_16),
        cmocka_unit_test(the_table_of_go_1_18),
        cmocka_unit_test(the_table_of_go_1_20),
        cmocka_unit_test(aarch64_keeps_its_return_address_at_sp),
        cmocka_unit_test(a_handler_returns_to_sigreturn),
        cmocka_unit_test(tables_that_lie),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
