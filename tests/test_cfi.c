/* SPDX-License-Identifier: MIT */
/* Call frame information byte by byte: what compilers write for two machines, and what nobody
 * should.
 */
#include "config.h"

#include "src/unwind/cfi.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "tests/harness/testing.h"

enum { ROWS_MAX = 64 };

/* Collects what the parser delivers. */
struct collected {
    struct cfi_sink sink;
    unsigned functions;
    uint64_t start, end, entry;
    unsigned count;
    uint64_t addresses[ROWS_MAX];
    struct rule rules[ROWS_MAX];
};

static void begin(struct cfi_sink *sink, uint64_t start, uint64_t end, uint64_t entry)
{
    struct collected *collected = (struct collected *)sink;

    assert_true(start < end);
    collected->entry = entry;
    collected->functions++;
    collected->start = start;
    collected->end = end;
}

static void row(struct cfi_sink *sink, uint64_t address, const struct rule *rule)
{
    struct collected *collected = (struct collected *)sink;

    assert_true(address >= collected->start && address < collected->end);
    if (collected->count < ROWS_MAX) {
        collected->addresses[collected->count] = address;
        collected->rules[collected->count] = *rule;
    }
    collected->count++;
}

static bool parse(struct collected *collected, unsigned machine, bool debug_frame, uint64_t address,
                  const void *bytes, size_t size)
{
    /* Exactly as large as it is, so that a sanitizer sees a step too far. */
    uint8_t *copy = xmemdup(bytes, size);
    struct cfi_section section = { copy, size, address, debug_frame, machine };
    bool sane;

    *collected = (struct collected){ .sink = { begin, row } };
    sane = cfi_parse(&section, &collected->sink);
    free(copy);
    return sane;
}

/* A section being written, little-endian. */
struct written {
    uint8_t bytes[4096];
    size_t size, entry;
};

static void put(struct written *written, const void *bytes, size_t size)
{
    assert_true(written->size + size <= sizeof(written->bytes));
    memcpy(written->bytes + written->size, bytes, size);
    written->size += size;
}

#define PUT(written, ...)                                                                          \
    put(written, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void put_u32(struct written *written, uint32_t value)
{
    put(written, &value, sizeof(value));
}

static void put_u64(struct written *written, uint64_t value)
{
    put(written, &value, sizeof(value));
}

static void entry_begin(struct written *written)
{
    written->entry = written->size;
    put_u32(written, 0);
}

static void entry_end(struct written *written)
{
    uint32_t length = (uint32_t)(written->size - written->entry - 4);

    memcpy(written->bytes + written->entry, &length, sizeof(length));
}

/* A CIE like those of x86-64 compilers, with absolute addresses: CFA = rsp + 8, ra at CFA − 8. */
static void put_cie(struct written *written, const char *augmentation)
{
    entry_begin(written);
    put_u32(written, 0);
    PUT(written, 1);
    put(written, augmentation, strlen(augmentation) + 1);
    PUT(written, 1, 0x78, 16);
    if (augmentation[0] == 'z')
        PUT(written, 0);
    PUT(written, 0x0c, 7, 8, 0x90, 1);
    entry_end(written);
}

/* The beginning of an FDE for [0x1000, 0x1100) under the CIE at CIE_AT. */
static void put_fde(struct written *written, size_t cie_at, bool augmented)
{
    entry_begin(written);
    put_u32(written, (uint32_t)(written->size - cie_at));
    put_u64(written, 0x1000);
    put_u64(written, 0x100);
    if (augmented)
        PUT(written, 0);
}

static bool parse_written(struct collected *collected, const struct written *written)
{
    return parse(collected, EM_X86_64, false, 0, written->bytes, written->size);
}

static void a_prologue_and_an_epilogue(void **state)
{
    struct written written = { .size = 0 };
    struct collected collected;

    (void)state;
    put_cie(&written, "");
    put_fde(&written, 0, false);
    PUT(&written, 0x41, 0x0e, 16, 0x86, 2);      /* push %rbp */
    PUT(&written, 0x43, 0x0d, 6);                /* mov %rsp, %rbp */
    PUT(&written, 0x44, 0x83, 3, 0x8c, 4);       /* push %rbx, %r12 */
    PUT(&written, 0x02, 0x20, 0x0a, 0x0c, 7, 8); /* leave … */
    PUT(&written, 0x41, 0x0b);                   /* … ret, and back to before */
    entry_end(&written);
    assert_true(parse_written(&collected, &written));
    assert_int_equal(collected.functions, 1);
    assert_int_equal(collected.count, 6);
    assert_int_equal(collected.rules[0].cfa, RULE_SP);
    assert_int_equal(collected.rules[0].cfa_offset, 8);
    assert_int_equal(collected.rules[0].ra, SAVE_CFA);
    assert_int_equal(collected.rules[0].ra_offset, -8);
    assert_int_equal(collected.rules[0].fp, SAVE_SAME);
    assert_int_equal(collected.addresses[1], 0x1001);
    assert_int_equal(collected.rules[1].cfa_offset, 16);
    assert_int_equal(collected.rules[1].fp, SAVE_CFA);
    assert_int_equal(collected.rules[1].fp_offset, -16);
    assert_int_equal(collected.rules[2].cfa, RULE_FP);
    assert_int_equal(collected.rules[3].slots[0], -3); /* rbx */
    assert_int_equal(collected.rules[3].slots[1], -4); /* r12 */
    assert_int_equal(collected.rules[3].slots[2], SLOT_SAME);
    assert_int_equal(collected.addresses[4], 0x1028);
    assert_int_equal(collected.rules[4].cfa, RULE_SP);
    assert_memory_equal(&collected.rules[5], &collected.rules[3], sizeof(struct rule));
}

static void expressions_that_are_known(void **state)
{
    static const uint8_t plt[] = { 0x0f, 11,   0x77, 8,    0x80, 0,   0x3f,
                                   0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22 };
    struct written written = { .size = 0 };
    struct collected collected;

    (void)state;
    put_cie(&written, "zS");
    put_fde(&written, 0, true);
    put(&written, plt, sizeof(plt));
    PUT(&written, 0x41, 0x0f, 3, 0x76, 0x78, 0x06);             /* CFA = [rbp − 8] */
    PUT(&written, 0x10, 6, 2, 0x76, 0, 0x10, 3, 2, 0x76, 0x70); /* rbp at rbp, rbx at rbp − 16 */
    PUT(&written, 0x41, 0x0f, 6, 0x77, 0x98, 1, 0x06, 0x23, 8); /* CFA = [rsp + 152] + 8 */
    PUT(&written, 0x41, 0x0f, 2, 0x77, 0);                      /* CFA = an expression of no use */
    entry_end(&written);
    assert_true(parse_written(&collected, &written));
    assert_int_equal(collected.count, 4);
    assert_int_equal(collected.rules[0].cfa, RULE_PLT);
    assert_int_equal(collected.rules[0].cfa_offset, 11);
    assert_int_equal(collected.rules[0].flags, RULE_SIGNAL);
    assert_int_equal(collected.rules[1].cfa, RULE_FP_DEREF);
    assert_int_equal(collected.rules[1].cfa_offset, -8);
    assert_int_equal(collected.rules[1].fp, SAVE_FP);
    assert_int_equal(collected.rules[1].flags, RULE_SIGNAL | RULE_GENERAL_FP);
    assert_int_equal(collected.rules[1].slots[0], -2);
    assert_int_equal(collected.rules[2].cfa, RULE_SP_DEREF);
    assert_int_equal(collected.rules[2].cfa_offset, 152);
    assert_int_equal(collected.rules[2].cfa_add, 8);
    assert_int_equal(collected.rules[3].cfa, RULE_ASK);
}

static void what_a_rule_cannot_say(void **state)
{
    struct written written = { .size = 0 };
    struct collected collected;

    (void)state;
    put_cie(&written, "");
    put_fde(&written, 0, false);
    PUT(&written, 0x09, 16, 1);                        /* the return address is in rdx */
    PUT(&written, 0x41, 0x07, 16);                     /* undefined: the outermost frame */
    PUT(&written, 0x41, 0x90, 1, 0x0c, 8, 8);          /* CFA from r8 */
    PUT(&written, 0x41, 0x0c, 12, 8);                  /* CFA from r12 */
    PUT(&written, 0x41, 0x0c, 0, 8);                   /* CFA from rax */
    PUT(&written, 0x41, 0x0c, 7, 8, 0x16, 7, 1, 0x30); /* sp is not the CFA */
    entry_end(&written);
    assert_true(parse_written(&collected, &written));
    assert_int_equal(collected.count, 6);
    assert_int_equal(collected.rules[0].cfa, RULE_ASK);
    assert_int_equal(collected.rules[1].cfa, RULE_END);
    assert_int_equal(collected.rules[2].cfa, RULE_ASK);
    assert_int_equal(collected.rules[3].cfa, RULE_GENERAL + 1);
    assert_int_equal(collected.rules[4].cfa, RULE_GENERAL + 5);
    assert_int_equal(collected.rules[5].cfa, RULE_ASK);
}

/* From the dynamic linker of a Debian 12 for aarch64: a CIE and its first two functions. */
static void recorded_bytes_of_aarch64(void **state)
{
    static const uint8_t recorded[] = {
        0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x7a, 0x52, 0x00, 0x04, 0x78, 0x1e,
        0x01, 0x1b, 0x0c, 0x1f, 0x00, 0x2c, 0x00, 0x00, 0x00, 0x18, 0x00, 0x00, 0x00, 0xec, 0xe1,
        0xfd, 0xff, 0x9c, 0x00, 0x00, 0x00, 0x00, 0x42, 0x0e, 0x20, 0x9d, 0x04, 0x9e, 0x03, 0x48,
        0x93, 0x02, 0x94, 0x01, 0x50, 0xde, 0xdd, 0xd3, 0xd4, 0x0e, 0x00, 0x43, 0x0e, 0x20, 0x93,
        0x02, 0x94, 0x01, 0x9d, 0x04, 0x9e, 0x03, 0x00, 0x30, 0x00, 0x00, 0x00, 0x48, 0x00, 0x00,
        0x00, 0x5c, 0xe2, 0xfd, 0xff, 0x88, 0x00, 0x00, 0x00, 0x00, 0x41, 0x0e, 0x30, 0x9d, 0x06,
        0x9e, 0x05, 0x43, 0x95, 0x02, 0x43, 0x94, 0x03, 0x93, 0x04, 0x4f, 0xd4, 0xd3, 0x45, 0x0a,
        0xde, 0xdd, 0xd5, 0x0e, 0x00, 0x44, 0x0b, 0x42, 0xde, 0xdd, 0xd5, 0x0e, 0x00, 0x00, 0x00,
    };
    struct collected collected;

    (void)state;
    assert_true(parse(&collected, EM_AARCH64, false, 0x22cb8, recorded, sizeof(recorded)));
    assert_int_equal(collected.functions, 2);
    assert_int_equal(collected.start, 0xf60);
    assert_int_equal(collected.end, 0xfe8);
    assert_int_equal(collected.entry, 0x22cb8 + 0x44);
    assert_int_equal(collected.count, 5 + 8);
    assert_int_equal(collected.addresses[0], 0xec0);
    assert_int_equal(collected.rules[0].cfa, RULE_SP);
    assert_int_equal(collected.rules[0].cfa_offset, 0);
    assert_int_equal(collected.rules[0].ra, SAVE_SAME);
    assert_int_equal(collected.addresses[2], 0xee8);
    assert_int_equal(collected.rules[2].cfa_offset, 32);
    assert_int_equal(collected.rules[2].ra, SAVE_CFA);
    assert_int_equal(collected.rules[2].ra_offset, -24);
    assert_int_equal(collected.rules[2].fp_offset, -32);
    assert_int_equal(collected.rules[2].slots[0], -2); /* x19 */
    assert_int_equal(collected.rules[2].slots[1], -1); /* x20 */
    assert_memory_equal(&collected.rules[3], &collected.rules[0], sizeof(struct rule));
    assert_int_equal(collected.addresses[12], 0xfe4);
    assert_int_equal(collected.rules[12].ra, SAVE_SAME);
}

/* A signal trampoline of aarch64: the kernel's frame, whatever its CFI says. */
static void a_signal_frame_of_aarch64(void **state)
{
    struct written written = { .size = 0 };
    struct collected collected;

    (void)state;
    entry_begin(&written);
    put_u32(&written, 0);
    PUT(&written, 1, 'z', 'R', 'S', 0, 4, 0x78, 30, 1, 0x00, 0x0c, 31, 0);
    entry_end(&written);
    put_fde(&written, 0, true);
    PUT(&written, 0x0c, 29, 0, 0x9d, 0, 0x9e, 1, 0x2d);
    entry_end(&written);
    assert_true(parse(&collected, EM_AARCH64, false, 0, written.bytes, written.size));
    assert_int_equal(collected.count, 1);
    assert_int_equal(collected.rules[0].cfa, RULE_SP_DEREF);
    assert_int_equal(collected.rules[0].cfa_offset, 560);
    assert_int_equal(collected.rules[0].fp_offset, 544);
    assert_int_equal(collected.rules[0].ra_offset, 568);
    assert_true((collected.rules[0].flags & RULE_SIGNAL) != 0);
}

static void debug_frame_counts_from_its_start(void **state)
{
    struct written written = { .size = 0 };
    struct collected collected;

    (void)state;
    PUT(&written, 0, 0, 0, 0); /* padding */
    put_cie(&written, "");
    memset(written.bytes + 8, 0xff, 4);
    entry_begin(&written);
    put_u32(&written, 4); /* the CIE */
    put_u64(&written, 0x5000);
    put_u64(&written, 0x20);
    entry_end(&written);
    assert_true(parse(&collected, EM_X86_64, true, 0, written.bytes, written.size));
    assert_int_equal(collected.functions, 1);
    assert_int_equal(collected.start, 0x5000);
}

/* The rows of one function with INSTRUCTIONS, which make no sense: told, and libunwind is asked. */
static void expect_ask(const void *instructions, size_t size)
{
    struct written written = { .size = 0 };
    struct collected collected;

    put_cie(&written, "");
    put_fde(&written, 0, false);
    put(&written, instructions, size);
    entry_end(&written);
    assert_false(parse_written(&collected, &written));
    assert_int_equal(collected.functions, 1);
    assert_int_equal(collected.rules[collected.count - 1].cfa, RULE_ASK);
}

static void impossible_instructions(void **state)
{
    static const uint8_t unknown[] = { 0x41, 0x3f }, no_state[] = { 0x41, 0x0b };
    static const uint8_t cut[] = { 0x41, 0x0f, 100, 0x77 }, endless[] = { 0x0e, 0xff, 0xff, 0xff };
    static const uint8_t back[] = { 0x41, 0x01, 0, 0, 0, 0, 0, 0, 0, 0 };
    uint8_t nested[100];

    (void)state;
    memset(nested, 0x0a, sizeof(nested)); /* remember_state */
    expect_ask(unknown, sizeof(unknown));
    expect_ask(no_state, sizeof(no_state));
    expect_ask(cut, sizeof(cut));
    expect_ask(endless, sizeof(endless));
    expect_ask(back, sizeof(back));
    expect_ask(nested, sizeof(nested));
}

static void entries_that_lie(void **state)
{
    struct written written = { .size = 0 };
    struct collected collected;
    uint8_t huge[] = { 0xf0, 0xff, 0xff, 0xff, 0, 0, 0, 0 };
    uint8_t wide[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                       0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0 };

    (void)state;
    assert_false(parse(&collected, EM_X86_64, false, 0, huge, sizeof(huge)));
    assert_false(parse(&collected, EM_X86_64, false, 0, wide, sizeof(wide)));
    assert_false(parse(&collected, EM_X86_64, false, 0, huge, 3));
    assert_true(parse(&collected, EM_X86_64, false, 0, huge, 0));

    /* An FDE whose CIE is itself, one whose CIE is outside, and then one that is right. */
    put_cie(&written, "");
    entry_begin(&written);
    put_u32(&written, 4);
    put_u64(&written, 0x1000);
    put_u64(&written, 0x100);
    entry_end(&written);
    entry_begin(&written);
    put_u32(&written, 0x7fffffff);
    put_u64(&written, 0x1000);
    put_u64(&written, 0x100);
    entry_end(&written);
    put_fde(&written, 0, false);
    entry_end(&written);
    assert_false(parse_written(&collected, &written));
    assert_int_equal(collected.functions, 1);
}

/* Many functions that name many large CIEs by turns: refused, not run again and again. */
static void huge_cies_cost_little(void **state)
{
    enum { CIES = 2000, CIE_BYTES = 4000, FDES = 400000 };
    size_t size = (size_t)CIES * CIE_BYTES + (size_t)FDES * 24;
    uint8_t *bytes = xcalloc(1, size);
    uint8_t *at = bytes;
    struct collected collected;
    uint64_t start_ns = clock_thread_cpu_ns();

    (void)state;
    for (unsigned i = 0; i < CIES; i++, at += CIE_BYTES) {
        uint32_t length = CIE_BYTES - 4;

        memcpy(at, &length, 4);
        memcpy(at + 8, "\1\0\1\x78\x10", 5);
        memset(at + 13, 0x0a, CIE_BYTES - 13);
    }
    for (unsigned i = 0; i < FDES; i++, at += 24) {
        uint32_t length = 20, cie = (uint32_t)(at + 4 - (bytes + (size_t)(i % CIES) * CIE_BYTES));
        uint64_t start = 0x1000;

        memcpy(at, &length, 4);
        memcpy(at + 4, &cie, 4);
        memcpy(at + 8, &start, 8);
        memcpy(at + 16, &start, 8);
    }
    assert_false(parse(&collected, EM_X86_64, false, 0, bytes, size));
    assert_true(clock_thread_cpu_ns() - start_ns < 5 * NS_PER_S);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prologue_and_an_epilogue),
        cmocka_unit_test(expressions_that_are_known),
        cmocka_unit_test(what_a_rule_cannot_say),
        cmocka_unit_test(recorded_bytes_of_aarch64),
        cmocka_unit_test(a_signal_frame_of_aarch64),
        cmocka_unit_test(debug_frame_counts_from_its_start),
        cmocka_unit_test(impossible_instructions),
        cmocka_unit_test(entries_that_lie),
        cmocka_unit_test(huge_cies_cost_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
