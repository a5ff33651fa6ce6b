/* SPDX-License-Identifier: MIT */
/*
 * Code records: functions known by name rather than by address, as an interpreter tells them.
 * Interned by content, append-only; any thread adds and reads (a lock inside guards the adding).
 */
#ifndef PROFTOP_CODE_H
#define PROFTOP_CODE_H

#include <stdint.h>

typedef uint32_t code_id;

struct code {
    const char *name; /* the qualified name where the version has one */
    const char *file;
    uint32_t first_line;
    uint32_t flags; /* enum code_flag */
};

enum code_flag {
    CODE_INTERNAL = 1, /* shims and trampolines: hidden unless asked for */
};

struct codes;

struct codes *codes_new(void);
void codes_free(struct codes *codes);
code_id codes_add(struct codes *codes, const struct code *code);
const struct code *codes_get(const struct codes *codes, code_id id);
uint32_t codes_count(const struct codes *codes);

#endif
