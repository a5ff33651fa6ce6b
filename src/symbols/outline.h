/* SPDX-License-Identifier: MIT */
/*
 * Where the functions of a stripped file begin: the search table of .eh_frame_hdr has an entry for
 * each, name or no name.  Samples in a nameless function then make one row, "module+0xstart", and
 * not one for each instruction.
 */
#ifndef SYMBOLS_OUTLINE_H
#define SYMBOLS_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf_file.h"

struct outline {
    uint64_t base;   /* address of .eh_frame_hdr */
    int32_t *starts; /* from BASE, ascending */
    size_t count;
};

/* Reads FILE's table; leaves OUTLINE empty when there is none or it makes no sense. */
void outline_load(struct outline *outline, const struct elf_file *file);
void outline_fini(struct outline *outline);

/* Where the function that ADDRESS lies in begins; false when that is not told. */
bool outline_find(const struct outline *outline, uint64_t address, uint64_t *start);

#endif
