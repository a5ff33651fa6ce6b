/* SPDX-License-Identifier: MIT */
/* Second opinions on unwinding, from libdw: slow, independent, for tests. */
#ifndef HARNESS_ORACLE_H
#define HARNESS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

#include "proftop/unwind.h"

struct rule;

/*
 * The whole stack of FROZEN by libdwfl, reading only FROZEN and the modules' files.  SAVED (may be
 * NULL) receives each frame's callee-saved registers.
 */
void oracle_dwfl(const struct frozen *frozen, struct frame *frames, uint64_t *stacks,
                 struct unwind_saved *saved, uint32_t limit, struct unwound *unwound);

/* The function a frame is in, by the symbol table of its module; "?" when there is none. */
const char *oracle_name(const struct frozen *frozen, const struct frame *frame);

struct oracle_cfi;

/* The call frame information of an open ELF file, as libdw reads it; NULL when it can't. */
struct oracle_cfi *oracle_cfi_open(int fd);
void oracle_cfi_close(struct oracle_cfi *cfi);

/* Whether libdw says what RULE says at ADDRESS (the file's own); if not, in what they differ. */
bool oracle_rule_agrees(struct oracle_cfi *cfi, unsigned machine, uint64_t address,
                        const struct rule *rule, char *why, size_t why_size);

/* Forgets the process looked at last. */
void oracle_fini(void);

#endif
