/* SPDX-License-Identifier: MIT */
/*
 * The JIT code of one process: its perf map and its jitdump, found and followed as they grow.
 *
 * An address in a frame is either a plain one or, once the sample is settled, names its code for
 * good:
 *
 *     bit 63: settled   62…32: number of the code   31…0: offset in it
 *
 * No address of a program reaches bit 63.
 */
#ifndef SYMBOLS_JIT_H
#define SYMBOLS_JIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jit_table.h"
#include "proftop/module.h"
#include "trouble.h"

struct jit;

/* PROC_ROOT is borrowed. */
struct jit *jit_new(const struct module *module, const char *proc_root);
void jit_free(struct jit *jit);

/*
 * Reads what was written since the last time, unless that was a moment ago; true when addresses
 * that were asked for in vain may be known now.  MODULES is where a jitdump is found, as the
 * program maps it.
 */
bool jit_update(struct jit *jit, const struct modules *modules, uint64_t now_ns);

bool jit_is_settled(uint64_t address);
/* ADDRESS settled, or as it was when nothing is known about it. */
uint64_t jit_settle(struct jit *jit, uint64_t address);
/* The code at ADDRESS, settled or not, and where in it; NULL when nothing is known. */
const struct jit_code *jit_find(struct jit *jit, uint64_t address, uint32_t *offset);

enum trouble jit_trouble(const struct jit *jit);
size_t jit_bytes(const struct jit *jit);

#endif
