/* SPDX-License-Identifier: MIT */
/*
 * Go's own table (.gopclntab) → rules.  It is in every Go program, stripped or not, and tells how
 * far the stack pointer has moved at every instruction, and which functions are outermost.
 */
#ifndef PROFTOP_UNWIND_GO_H
#define PROFTOP_UNWIND_GO_H

#include <stdbool.h>

#include "cfi.h"

struct go_table {
    const uint8_t *bytes;
    size_t size;
    uint64_t text;    /* address of the first function, where the table does not say */
    unsigned machine; /* EM_X86_64 or EM_AARCH64 */
};

/* False when it is of no version we know, or makes no sense; what came before has been delivered.
 */
bool go_parse(const struct go_table *table, struct cfi_sink *sink);

#endif
