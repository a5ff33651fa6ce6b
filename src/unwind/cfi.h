/* SPDX-License-Identifier: MIT */
/*
 * Call frame information (.eh_frame, .debug_frame) → rules, as DWARF 5 §6.4 and the Linux Standard
 * Base describe it.  Bytes in, rows out: no files, no state, any bytes allowed; time and memory
 * are bounded by the size of the section.
 */
#ifndef PROFTOP_UNWIND_CFI_H
#define PROFTOP_UNWIND_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rule.h"

struct cfi_section {
    const uint8_t *bytes;
    size_t size;
    uint64_t address; /* of bytes[0] in the file's own address space */
    bool debug_frame;
    unsigned machine; /* EM_X86_64 or EM_AARCH64 */
};

/*
 * Where the rows go: a function begins (ENTRY is the address of its FDE), then come its rows in
 * order of their addresses.
 */
struct cfi_sink {
    void (*begin)(struct cfi_sink *sink, uint64_t start, uint64_t end, uint64_t entry);
    void (*row)(struct cfi_sink *sink, uint64_t address, const struct rule *rule);
};

/* False when something made no sense; what came before it has been delivered. */
bool cfi_parse(const struct cfi_section *section, struct cfi_sink *sink);

#endif
