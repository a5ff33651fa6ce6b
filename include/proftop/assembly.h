/* SPDX-License-Identifier: MIT */
/* The instructions of a function, to show beside samples. */
#ifndef PROFTOP_ASSEMBLY_H
#define PROFTOP_ASSEMBLY_H

#include <stdint.h>

#include "proftop/error.h"
#include "proftop/frame.h"

struct symbols;

struct instruction {
    uint64_t address; /* in a frame's terms: comparable with struct frame's */
    uint32_t size;    /* bytes */
    uint32_t line;    /* in FILE; 0 when unknown */
    const char *text; /* "callq  puts@plt" */
    const char *file; /* "" when unknown; stays until symbols_free() */
};

struct assembly {
    uint32_t count;
    const struct instruction *instructions;
};

/* The real function that FRAME lies in.  NULL, and why, when it cannot be had.  Slow; any thread.
 */
struct assembly *assembly_read(struct symbols *symbols, const struct frame *frame,
                               struct error *error);
void assembly_free(struct assembly *assembly);

#endif
