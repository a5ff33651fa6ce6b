/* SPDX-License-Identifier: MIT */
/*
 * The DWARF of a file as an ELF image in memory with nothing else in it:
 *
 *     header | .debug_info | .debug_abbrev | … | names of sections | section headers
 *
 * libdw reads and unpacks whatever debug sections a file has, one after the other, before it
 * answers.  Here only those that names and lines come from are read, straight to their place, and
 * unpacked if they are compressed, by two threads: for libc's debug file 20 ms in place of 45.
 */
#ifndef SYMBOLS_DWARF_IMAGE_H
#define SYMBOLS_DWARF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/symbols/elf_file.h"

struct dwarf_image {
    uint8_t *bytes; /* mapped; NULL: none */
    size_t size;
    struct elf_file elf;
};

/*
 * Makes an image of FILE's DWARF; false when that cannot be done, and FILE itself is to be given to
 * libdw: it is of a kind that is rare, or damaged.  FILE may be closed afterwards.
 */
bool dwarf_image_open(struct dwarf_image *image, const struct elf_file *file);
void dwarf_image_close(struct dwarf_image *image);

#endif
