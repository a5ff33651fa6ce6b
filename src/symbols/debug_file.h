/* SPDX-License-Identifier: MIT */
/*
 * Where the debug information of a stripped file is: found by build id, by .gnu_debuglink, packed
 * inside (.gnu_debugdata), and what dwz moved to a shared file (.gnu_debugaltlink).
 *
 * Everything found is checked against the file that asks before it is believed.
 */
#ifndef SYMBOLS_DEBUG_FILE_H
#define SYMBOLS_DEBUG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "elf_file.h"

/* Where to look. */
struct debug_places {
    int root;            /* "/" for PATH and DIRS, where we look then, too; 0: ours alone */
    const char *path;    /* of the file itself */
    const char *dirs;    /* ':' between */
    const char *fetched; /* a file that debuginfod gave, or NULL */
};

/*
 * Opens the debug file of FILE.  When none fits, TROUBLE_MISSING or, when there was one of another
 * build, TROUBLE_MISMATCH.
 */
enum trouble debug_file_open(const struct elf_file *file, const struct debug_places *places,
                             struct elf_file *out);
/* The same for a file that is not here, of which the build id is known: places->path is unused. */
enum trouble debug_file_open_id(const uint8_t *id, size_t size, const struct debug_places *places,
                                struct elf_file *out);

/* Opens what FILE's .gnu_debugaltlink names.  TROUBLE_NONE with out->elf NULL: it names nothing. */
enum trouble debug_file_open_alt(const struct elf_file *file, const struct debug_places *places,
                                 struct elf_file *out);

/* The ELF image packed in FILE, to be freed by the caller; NULL when there is none. */
void *debug_file_unpack(const struct elf_file *file, size_t *size_bytes);

#endif
