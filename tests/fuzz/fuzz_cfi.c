/* SPDX-License-Identifier: MIT */
/*
 * A hostile section of call frame information.  The first byte says which kind: bit 0 .debug_frame,
 * bit 1 aarch64.
 */
#include "config.h"

#include <elf.h>

#include "src/unwind/cfi.h"
#include "tests/fuzz/fuzz.h"

struct counting_sink {
    struct cfi_sink sink;
    uint64_t functions, rows, start, end, last;
};

static void begin(struct cfi_sink *sink, uint64_t start, uint64_t end, uint64_t entry)
{
    struct counting_sink *counting = (struct counting_sink *)sink;

    FUZZ_CHECK(start < end && entry >= 0x10000);
    counting->functions++;
    counting->start = counting->last = start;
    counting->end = end;
}

static void row(struct cfi_sink *sink, uint64_t address, const struct rule *rule)
{
    struct counting_sink *counting = (struct counting_sink *)sink;

    FUZZ_CHECK(address >= counting->last && address < counting->end);
    FUZZ_CHECK(rule->cfa < RULE_GENERAL + UNWIND_GENERAL);
    FUZZ_CHECK(rule->fp <= SAVE_UNKNOWN && rule->ra <= SAVE_UNKNOWN);
    counting->last = address;
    counting->rows++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct counting_sink counting = { .sink = { begin, row } };
    struct cfi_section section = { .address = 0x10000 };

    if (size == 0)
        return 0;
    section.bytes = data + 1;
    section.size = size - 1;
    section.debug_frame = (data[0] & 1) != 0;
    section.machine = (data[0] & 2) != 0 ? EM_AARCH64 : EM_X86_64;
    cfi_parse(&section, &counting.sink);
    FUZZ_CHECK(counting.functions <= size / 8);
    FUZZ_CHECK(counting.rows <= size);
    return 0;
}
