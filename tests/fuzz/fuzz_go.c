/* SPDX-License-Identifier: MIT */
/* A hostile .gopclntab. */
#include "config.h"

#include <elf.h>

#include "src/unwind/go.h"
#include "tests/fuzz/fuzz.h"

struct counting_sink {
    struct cfi_sink sink;
    uint64_t start, end, last, rows;
};

static void begin(struct cfi_sink *sink, uint64_t start, uint64_t end, uint64_t entry)
{
    struct counting_sink *counting = (struct counting_sink *)sink;

    FUZZ_CHECK(start < end && start <= entry);
    counting->start = counting->last = start;
    counting->end = end;
}

static void row(struct cfi_sink *sink, uint64_t address, const struct rule *rule)
{
    struct counting_sink *counting = (struct counting_sink *)sink;

    FUZZ_CHECK(address >= counting->last && address < counting->end);
    FUZZ_CHECK(rule->cfa < RULE_GENERAL);
    counting->last = address;
    counting->rows++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct counting_sink counting = { .sink = { begin, row } };
    struct go_table table = { data, size, 0x1000, EM_X86_64 };

    go_parse(&table, &counting.sink);
    FUZZ_CHECK(counting.rows <= 65 * size);
    return 0;
}
