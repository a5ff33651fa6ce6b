/* SPDX-License-Identifier: MIT */
/*
 * The line table of one unit: sorted rows of (address, file, line), and the names of its files.
 *
 *     start        0x00   0x08   0x10   0x40        each row holds up to the next,
 *     file:line    3:17   3:18   1:133  none        none where code of the unit ends
 */
#ifndef SYMBOLS_DWARF_LINES_H
#define SYMBOLS_DWARF_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "src/symbols/intern.h"
#include "src/symbols/shortcut.h"

struct dwarf_row {
    uint32_t start;      /* from the base */
    uint32_t file, line; /* index in the files; UINT32_MAX: no code of this unit */
};

struct dwarf_line_file {
    const char *folder, *name; /* in the section; FOLDER may be NULL */
    const char *path;          /* interned, once asked for */
};

struct dwarf_lines {
    uint64_t base; /* what starts count from */
    struct dwarf_row *rows;
    size_t count, capacity;
    struct shortcut shortcut; /* into rows */
    struct dwarf_line_file *files;
    size_t files_count, files_capacity;
};

/* Where the table of a unit is. */
struct dwarf_table {
    const struct dwarf_sections *sections;
    uint64_t offset; /* in .debug_line */
    uint8_t address_size;
};

/* What tables are read with, one after the other: new memory for each took as long as its rows. */
struct dwarf_program *dwarf_program_new(void);
void dwarf_program_free(struct dwarf_program *program);

/* Reads TABLE to LINES, which are all 0; they stay empty when it makes no sense. */
void dwarf_lines_read(struct dwarf_lines *lines, const struct dwarf_table *table,
                      struct dwarf_program *program);
void dwarf_lines_fini(struct dwarf_lines *lines);

/* The row that holds ADDRESS, or NULL. */
const struct dwarf_row *dwarf_lines_find(const struct dwarf_lines *lines, uint64_t address);
/* ROW, which was found, holds from *FROM on and below *TO. */
void dwarf_lines_extent(const struct dwarf_lines *lines, const struct dwarf_row *row,
                        uint64_t *from, uint64_t *to);
/* The path of file INDEX, below FOLDER (or NULL) when it is relative; "" when there is none. */
const char *dwarf_lines_path(struct dwarf_lines *lines, struct intern *intern, const char *folder,
                             uint32_t index);

size_t dwarf_lines_bytes(const struct dwarf_lines *lines);

#endif
