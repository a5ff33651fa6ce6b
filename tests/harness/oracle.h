/* SPDX-License-Identifier: MIT */
/* Second opinions on unwinding, from libdw: slow, independent, for tests. */
#ifndef HARNESS_ORACLE_H
#define HARNESS_ORACLE_H

#include "proftop/unwind.h"

/*
 * The whole stack of FROZEN by libdwfl, reading only FROZEN and the modules' files.  SAVED (may be
 * NULL) receives each frame's callee-saved registers.
 */
void oracle_dwfl(const struct frozen *frozen, struct frame *frames, uint64_t *stacks,
                 struct unwind_saved *saved, uint32_t limit, struct unwound *unwound);

/* The function a frame is in, by the symbol table of its module; "?" when there is none. */
const char *oracle_name(const struct frozen *frozen, const struct frame *frame);

/* Forgets the process looked at last. */
void oracle_fini(void);

#endif
