/* SPDX-License-Identifier: MIT */
/*
 * The pieces of an ELF file that unwinding needs, copied out of it: the file may be cut short or
 * rewritten at any time, so it is read and never mapped.
 */
#ifndef PROFTOP_UNWIND_IMAGE_H
#define PROFTOP_UNWIND_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct module;

/* An executable piece of the file and where it wants to be. */
struct image_segment {
    uint64_t offset, size, address;
};

struct image_section {
    uint8_t *bytes; /* NULL when the file has none */
    size_t size;
    uint64_t address;
};

enum { IMAGE_SEGMENTS_MAX = 16 };

struct image {
    unsigned machine; /* EM_X86_64, EM_AARCH64 */
    uint64_t entry;   /* address of the first instruction */
    struct image_segment segments[IMAGE_SEGMENTS_MAX];
    unsigned segment_count;
    struct image_section eh_frame, eh_frame_hdr, debug_frame, gopclntab, dynsym;
    uint64_t text; /* address of the section .text; 0: none */
};

/* False when MODULE has no readable 64-bit ELF file of a machine we know.  image_fini() either way.
 */
bool image_read(struct image *image, const struct module *module);
void image_fini(struct image *image);

/* The place in the file of ADDRESS, or false when no executable piece holds it. */
bool image_offset(const struct image *image, uint64_t address, uint64_t *offset);

/* Frees the sections that only tables are built from. */
void image_forget_tables(struct image *image);

/* Gives an image without .eh_frame_hdr one, made from its .eh_frame. */
void image_make_hdr(struct image *image);

/* By how much the file moved when its piece from OFFSET on was mapped at START. */
bool image_bias(const struct image *image, uint64_t start, uint64_t offset, uint64_t *bias);

/* The start of the function that holds ADDRESS, by the table in .eh_frame_hdr; 0: not known. */
uint64_t image_function(const struct image *image, uint64_t address);

/* The start of the exported function that holds ADDRESS; 0: none does, it may be a static one. */
uint64_t image_exported(const struct image *image, uint64_t address);

/* Up to SIZE bytes of MODULE from OFFSET on; how many. */
size_t image_peek(const struct module *module, uint64_t offset, void *to, size_t size);

#endif
