/* SPDX-License-Identifier: MIT */
/*
 * The memory a walk may look at: the copied pieces of the stack, and beyond them, where the source
 * allows it, the target itself, a page at a time.
 */
#ifndef PROFTOP_UNWIND_COPIES_H
#define PROFTOP_UNWIND_COPIES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "proftop/unwind.h"

enum { COPIES_PAGE_BYTES = 4096 };

struct copies {
    const struct frozen *frozen;
    uint64_t page_start;   /* of the bytes in page, or 1: none */
    unsigned pages_looked; /* bounded, like all work for one stack */
    bool page_read;        /* or it can't be */
    uint8_t page[COPIES_PAGE_BYTES];
};

void copies_init(struct copies *copies, const struct frozen *frozen);

/* Reads what is in no copy. */
bool copies_peek(struct copies *copies, uint64_t address, void *to, size_t size);

static inline bool copies_read(struct copies *copies, uint64_t address, void *to, size_t size)
{
    const struct frozen *frozen = copies->frozen;
    uint64_t at = address - frozen->stack_start;

    if (at < frozen->stack_size && frozen->stack_size - at >= size) {
        memcpy(to, frozen->stack + at, size);
        return true;
    }
    at = address - frozen->extra_start;
    if (frozen->extra != NULL && at < frozen->extra_size && frozen->extra_size - at >= size) {
        memcpy(to, frozen->extra + at, size);
        return true;
    }
    return copies_peek(copies, address, to, size);
}

static inline bool copies_word(struct copies *copies, uint64_t address, uint64_t *word)
{
    return copies_read(copies, address, word, sizeof(*word));
}

/* Reads the address that a call through a PLT or a GOT goes to. */
bool copies_linkage(struct copies *copies, uint64_t slot, uint64_t *target);

/* Whether a failed read of ADDRESS was only one past what had been copied of the stack. */
bool copies_truncated(const struct copies *copies, uint64_t address);

#endif
