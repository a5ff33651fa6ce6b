/* SPDX-License-Identifier: MIT */
/*
 * An ELF file that somebody else wrote, and may be changing while we read: opened with libelf in
 * its read() mode, never mapped, so that a file truncated under our hands is a short read and not
 * a SIGBUS.  Sizes are capped before libelf allocates for them.
 */
#ifndef SYMBOLS_ELF_FILE_H
#define SYMBOLS_ELF_FILE_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/module.h"
#include "trouble.h"

struct elf_file {
    Elf *elf;
    int fd; /* -1: an image in memory */
    bool owns_fd;
    GElf_Ehdr header;
};

/* FD stays the caller's.  On failure FILE is closed already. */
enum trouble elf_file_open_fd(struct elf_file *file, int fd);
/* Opens PATH without following where it should not: a fifo or device is refused, not waited for. */
enum trouble elf_file_open_path(struct elf_file *file, const char *path);
/* The same, PATH being one below the folder ROOT (open_below.h). */
enum trouble elf_file_open_below(struct elf_file *file, int root, const char *path);
/* IMAGE stays the caller's and must outlive FILE. */
enum trouble elf_file_open_image(struct elf_file *file, const void *image, size_t size_bytes);
void elf_file_close(struct elf_file *file);

/* The section called NAME, with its header in *SHDR; NULL when there is none. */
Elf_Scn *elf_file_section(const struct elf_file *file, const char *name, GElf_Shdr *shdr);
/* The first section of TYPE. */
Elf_Scn *elf_file_section_of(const struct elf_file *file, uint32_t type, GElf_Shdr *shdr);
/* How large SCN, which is compressed, will be; gelf_getchdr() reads all of it for that. */
bool elf_file_chdr(const struct elf_file *file, Elf_Scn *scn, GElf_Chdr *chdr);
/* What SCN holds, decompressed; owned by FILE.  NULL when empty, too large or damaged. */
Elf_Data *elf_file_data(const struct elf_file *file, Elf_Scn *scn);
/* elf_file_section() and elf_file_data() together. */
Elf_Data *elf_file_named(const struct elf_file *file, const char *name);

size_t elf_file_build_id(const struct elf_file *file, uint8_t id[BUILD_ID_MAX]);

/* Where the parts of a file are loaded. */
struct elf_segments {
    struct segment items[SEGMENTS_MAX];
    uint32_t count;
};

void elf_file_segments(const struct elf_file *file, struct elf_segments *segments);
/* The segment that holds OFFSET of the file, or NULL. */
const struct segment *elf_segments_find(const struct elf_segments *segments, uint64_t offset);
/* File offset → address and back; false when no segment holds it. */
bool elf_segments_address(const struct elf_segments *segments, uint64_t offset, uint64_t *address);
bool elf_segments_offset(const struct elf_segments *segments, uint64_t address, uint64_t *offset);

#endif
