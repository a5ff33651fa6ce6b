/* SPDX-License-Identifier: MIT */
/*
 * Runs call frame instructions (DWARF 5 §6.4.2) of one CIE or FDE: private to the CFI parser.
 */
#ifndef PROFTOP_UNWIND_PROGRAM_H
#define PROFTOP_UNWIND_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "cfi.h"
#include "cursor.h"
#include "state.h"

/* Compilers nest remember_state twice at most. */
enum { REMEMBERED_MAX = 8 };

struct program {
    const struct cfi_section *section;
    uint64_t code_align;
    int64_t data_align;
    uint8_t encoding;                /* of addresses */
    bool signal;                     /* the function is a signal trampoline */
    const struct cfi_state *initial; /* what "restore" restores, NULL inside a CIE */
    struct cfi_sink *sink;           /* NULL inside a CIE */
    uint64_t location, end;
    struct cfi_state state;
    struct cfi_state remembered[REMEMBERED_MAX];
    uint32_t remembered_count;
    bool changed; /* since the last row */
};

/* False when an instruction is unknown, cut off, or impossible. */
bool program_run(struct program *program, struct cursor instructions);

/* An address encoded as ENCODING says (Linux Standard Base, 10.5); false when it can't be had. */
bool program_address(const struct cfi_section *section, struct cursor *cursor, uint8_t encoding,
                     uint64_t *address);

#endif
