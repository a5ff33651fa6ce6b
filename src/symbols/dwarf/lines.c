/* SPDX-License-Identifier: MIT */
/*
 * Line tables of DWARF 2 to 5.  Written by hand because libdw takes 75 ns and 40 bytes a row, and
 * sorts all of them: for libpython's 620,000 rows 46 ms, more than everything else together.  The
 * tests compare with addr2line's answers.
 */
#include "config.h"

#include "lines.h"

#include <dwarf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "bytes.h"
#include "src/symbols/naming.h"
#include "proftop/memory.h"

enum {
    ROWS_MAX = 1 << 26,
    RESERVED_MAX = 1 << 20, /* of them */
    FILES_MAX = 1 << 20,
    FORMATS_MAX = 16,
    NO_FILE = UINT32_MAX
};

/* A run of rows with rising addresses; runs themselves come in any order. */
struct sequence {
    uint64_t start, end;
    size_t first, count; /* of its rows */
};

struct row {
    uint64_t address;
    uint32_t file, line;
};

/* Everything while reading; the arrays stay for the next table. */
struct dwarf_program {
    struct dwarf_lines *lines;
    struct dwarf_bytes bytes;         /* up to the end of this unit's table */
    struct dwarf_bytes line_str, str; /* other sections, whole */
    uint8_t minimum_length, line_range, opcode_base;
    int8_t line_base;
    uint8_t lengths[256]; /* operands of standard opcodes */
    const char **folders;
    size_t folders_count, folders_capacity;
    struct row row;
    struct row *rows;
    size_t rows_count, rows_capacity, first;
    struct sequence *sequences;
    size_t sequences_count, sequences_capacity;
};

/* ---- the header ---- */

static void add_folder(struct dwarf_program *program, const char *name)
{
    if (program->folders_count >= FILES_MAX)
        return;
    program->folders = array_reserve(program->folders, &program->folders_capacity,
                                     program->folders_count + 1, sizeof(*program->folders));
    program->folders[program->folders_count++] = name;
}

static void add_file(struct dwarf_program *program, const char *name, uint64_t folder)
{
    struct dwarf_lines *lines = program->lines;

    if (lines->files_count >= FILES_MAX)
        return;
    lines->files = array_reserve(lines->files, &lines->files_capacity, lines->files_count + 1,
                                 sizeof(*lines->files));
    lines->files[lines->files_count++] = (struct dwarf_line_file){
        .name = name, .folder = folder < program->folders_count ? program->folders[folder] : NULL
    };
}

/* Versions 2 to 4: names one after another, an empty one ends them; both count from 1. */
static void read_old_tables(struct dwarf_program *program)
{
    const char *name;

    add_folder(program, NULL);
    while ((name = dwarf_bytes_text(&program->bytes)) != NULL && name[0] != '\0')
        add_folder(program, name);
    add_file(program, NULL, 0);
    while ((name = dwarf_bytes_text(&program->bytes)) != NULL && name[0] != '\0') {
        uint64_t folder = dwarf_bytes_uleb(&program->bytes);

        dwarf_bytes_uleb(&program->bytes); /* when it was changed */
        dwarf_bytes_uleb(&program->bytes); /* its length */
        add_file(program, name, folder);
    }
}

static const char *text_of(struct dwarf_program *program, uint64_t form)
{
    struct dwarf_bytes *bytes = &program->bytes, text;
    bool is_number;
    uint64_t offset;

    if (form == DW_FORM_string)
        return dwarf_bytes_text(bytes);
    text = form == DW_FORM_line_strp ? program->line_str : program->str;
    offset = dwarf_bytes_number(bytes, form, &is_number);
    if (!is_number || (form != DW_FORM_line_strp && form != DW_FORM_strp))
        return NULL;
    dwarf_bytes_skip(&text, offset);
    return dwarf_bytes_text(&text);
}

/* Version 5: a table says what is told of each entry and in which form. */
static void read_new_table(struct dwarf_program *program, bool files)
{
    struct dwarf_bytes *bytes = &program->bytes;
    uint64_t formats[FORMATS_MAX][2], count, format_count = dwarf_bytes_fixed(bytes, 1);

    if (format_count > FORMATS_MAX) {
        bytes->at = bytes->end;
        return;
    }
    for (uint64_t i = 0; i < format_count; i++) {
        formats[i][0] = dwarf_bytes_uleb(bytes);
        formats[i][1] = dwarf_bytes_uleb(bytes);
    }
    count = dwarf_bytes_uleb(bytes);
    for (uint64_t i = 0; i < count && dwarf_bytes_more(bytes); i++) {
        const char *name = NULL;
        uint64_t folder = 0;

        for (uint64_t k = 0; k < format_count; k++) {
            bool is_number;

            if (formats[k][0] == DW_LNCT_path)
                name = text_of(program, formats[k][1]);
            else if (formats[k][0] == DW_LNCT_directory_index)
                folder = dwarf_bytes_number(bytes, formats[k][1], &is_number);
            else if (!dwarf_bytes_skip_form(bytes, formats[k][1]))
                bytes->at = bytes->end;
        }
        if (files)
            add_file(program, name, folder);
        else
            add_folder(program, name);
    }
}

/* Leaves BYTES at the first opcode; false when there is no table that we can read. */
static bool read_header(struct dwarf_program *program, uint8_t address_size)
{
    struct dwarf_bytes *bytes = &program->bytes;
    uint64_t length = dwarf_bytes_fixed(bytes, 4), header_length;
    const uint8_t *opcodes;

    bytes->offset_size = 4;
    if (length == UINT32_MAX) {
        length = dwarf_bytes_fixed(bytes, 8);
        bytes->offset_size = 8;
    }
    if (length < (uint64_t)(bytes->end - bytes->at))
        bytes->end = bytes->at + length;
    bytes->version = (uint8_t)dwarf_bytes_fixed(bytes, 2);
    bytes->address_size = address_size;
    if (bytes->version >= 5) {
        bytes->address_size = (uint8_t)dwarf_bytes_fixed(bytes, 1);
        dwarf_bytes_fixed(bytes, 1); /* segment selectors */
    }
    header_length = dwarf_bytes_fixed(bytes, bytes->offset_size);
    if (bytes->version < 2 || bytes->version > 5 ||
        (bytes->address_size != 8 && bytes->address_size != 4) ||
        header_length > (uint64_t)(bytes->end - bytes->at))
        return false;
    opcodes = bytes->at + header_length;
    program->minimum_length = (uint8_t)dwarf_bytes_fixed(bytes, 1);
    if (bytes->version >= 4)
        dwarf_bytes_fixed(bytes, 1); /* instructions in a VLIW word: one, on our machines */
    dwarf_bytes_fixed(bytes, 1);     /* is_stmt at the start: all rows count for us */
    program->line_base = (int8_t)dwarf_bytes_fixed(bytes, 1);
    program->line_range = (uint8_t)dwarf_bytes_fixed(bytes, 1);
    program->opcode_base = (uint8_t)dwarf_bytes_fixed(bytes, 1);
    for (unsigned i = 1; i < program->opcode_base; i++)
        program->lengths[i] = (uint8_t)dwarf_bytes_fixed(bytes, 1);
    if (bytes->version >= 5) {
        read_new_table(program, false);
        read_new_table(program, true);
    } else {
        read_old_tables(program);
    }
    bytes->at = opcodes;
    return program->line_range != 0 && program->opcode_base != 0;
}

/* ---- the rows ---- */

static void begin_sequence(struct dwarf_program *program)
{
    program->row = (struct row){ .file = 1, .line = 1 };
    program->first = program->rows_count;
}

/* What the linker threw away begins at 0, or (LLVM) at the highest address. */
static void end_sequence(struct dwarf_program *program)
{
    size_t count = program->rows_count - program->first;
    const struct row *rows = count != 0 ? program->rows + program->first : NULL;

    if (rows == NULL || rows[0].address == 0 || program->row.address <= rows[0].address ||
        program->row.address > UINT64_MAX / 2) {
        program->rows_count = program->first;
    } else {
        program->sequences =
            array_reserve(program->sequences, &program->sequences_capacity,
                          program->sequences_count + 1, sizeof(*program->sequences));
        program->sequences[program->sequences_count++] =
            (struct sequence){ rows[0].address, program->row.address, program->first, count };
    }
    begin_sequence(program);
}

static inline void emit(struct dwarf_program *program)
{
    struct row *last;

    if (program->rows_count > program->first) {
        last = &program->rows[program->rows_count - 1];
        if (program->row.address < last->address)
            return; /* not a rising one: damaged */
        if (program->row.address == last->address) {
            *last = program->row; /* the one before held no code */
            return;
        }
        if (program->row.file == last->file && program->row.line == last->line)
            return;
    }
    if (program->rows_count == program->rows_capacity) {
        if (program->rows_count >= ROWS_MAX)
            return;
        program->rows = array_reserve(program->rows, &program->rows_capacity,
                                      program->rows_count + 1, sizeof(*program->rows));
    }
    program->rows[program->rows_count++] = program->row;
}

static void run_extended(struct dwarf_program *program)
{
    struct dwarf_bytes *bytes = &program->bytes;
    uint64_t length = dwarf_bytes_uleb(bytes);
    const uint8_t *next = bytes->end;

    if (length < (uint64_t)(bytes->end - bytes->at))
        next = bytes->at + length;
    if (length == 0)
        return;
    switch (dwarf_bytes_fixed(bytes, 1)) {
    case DW_LNE_end_sequence:
        end_sequence(program);
        break;
    case DW_LNE_set_address:
        program->row.address = dwarf_bytes_fixed(bytes, bytes->address_size);
        break;
    case DW_LNE_define_file: {
        const char *name = dwarf_bytes_text(bytes);

        add_file(program, name, dwarf_bytes_uleb(bytes));
        break;
    }
    default: /* discriminators, and what vendors thought of */
        break;
    }
    bytes->at = next;
}

static void run_standard(struct dwarf_program *program, uint8_t opcode)
{
    struct dwarf_bytes *bytes = &program->bytes;
    struct row *row = &program->row;

    switch (opcode) {
    case DW_LNS_copy:
        emit(program);
        break;
    case DW_LNS_advance_pc:
        row->address += dwarf_bytes_uleb(bytes) * program->minimum_length;
        break;
    case DW_LNS_advance_line:
        row->line += (uint32_t)dwarf_bytes_sleb(bytes);
        break;
    case DW_LNS_set_file:
        row->file = (uint32_t)dwarf_bytes_uleb(bytes);
        break;
    case DW_LNS_const_add_pc:
        row->address += (uint64_t)((255 - program->opcode_base) / program->line_range) *
                        program->minimum_length;
        break;
    case DW_LNS_fixed_advance_pc:
        row->address += dwarf_bytes_fixed(bytes, 2);
        break;
    default:
        for (unsigned i = 0; i < program->lengths[opcode]; i++)
            dwarf_bytes_uleb(bytes);
    }
}

static void run(struct dwarf_program *program)
{
    struct dwarf_bytes *bytes = &program->bytes;

    begin_sequence(program);
    while (bytes->at < bytes->end) {
        uint8_t opcode = *bytes->at++;

        if (opcode >= program->opcode_base) {
            unsigned step = opcode - program->opcode_base;

            program->row.address +=
                (uint64_t)(step / program->line_range) * program->minimum_length;
            program->row.line += (uint32_t)(program->line_base + (int)(step % program->line_range));
            emit(program);
        } else if (opcode == 0) {
            run_extended(program);
        } else {
            run_standard(program, opcode);
        }
    }
}

/* As much as is likely needed: growing by and by would copy it several times. */
static void reserve_rows(struct dwarf_program *program)
{
    enum { bytes_a_row = 3 };
    size_t likely = (size_t)(program->bytes.end - program->bytes.at) / bytes_a_row;

    if (likely > RESERVED_MAX)
        likely = RESERVED_MAX;
    program->rows =
        array_reserve(program->rows, &program->rows_capacity, likely + 1, sizeof(*program->rows));
}

/* ---- what is kept ---- */

static int by_start(const void *left, const void *right)
{
    const struct sequence *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->first < b->first ? -1 : 1;
}

static void keep(struct dwarf_lines *lines, uint64_t address, uint32_t file, uint32_t line)
{
    if (address < lines->base || address - lines->base > UINT32_MAX)
        return;
    lines->rows[lines->count++] =
        (struct dwarf_row){ (uint32_t)(address - lines->base), file, line };
}

static uint64_t start_of(const void *rows, size_t index)
{
    return ((const struct dwarf_row *)rows)[index].start;
}

static void keep_all(struct dwarf_program *program)
{
    struct dwarf_lines *lines = program->lines;
    uint64_t end = 0;

    if (program->sequences_count == 0)
        return;
    qsort(program->sequences, program->sequences_count, sizeof(*program->sequences), by_start);
    lines->base = program->sequences[0].start;
    lines->capacity = program->rows_count + program->sequences_count;
    lines->rows = xmalloc(lines->capacity * sizeof(*lines->rows));
    for (size_t i = 0; i < program->sequences_count; i++) {
        const struct sequence *sequence = &program->sequences[i];
        const struct row *rows = program->rows + sequence->first;

        /* Two that overlap make no sense: the first is believed. */
        for (size_t k = 0; k < sequence->count; k++) {
            uint64_t next = k + 1 < sequence->count ? rows[k + 1].address : sequence->end;

            if (next > end)
                keep(lines, rows[k].address < end ? end : rows[k].address, rows[k].file,
                     rows[k].line);
        }
        if (sequence->end > end)
            end = sequence->end;
        if (i + 1 == program->sequences_count || program->sequences[i + 1].start > end)
            keep(lines, end, NO_FILE, 0);
    }
    shortcut_init(&lines->shortcut, lines->rows, lines->count, start_of);
}

struct dwarf_program *dwarf_program_new(void)
{
    return xcalloc(1, sizeof(struct dwarf_program));
}

void dwarf_program_free(struct dwarf_program *program)
{
    free(program->folders);
    free(program->rows);
    free(program->sequences);
    free(program);
}

void dwarf_lines_read(struct dwarf_lines *lines, const struct dwarf_table *table,
                      struct dwarf_program *program)
{
    program->lines = lines;
    program->bytes = table->sections->line;
    program->line_str = table->sections->line_str;
    program->str = table->sections->str;
    program->folders_count = program->rows_count = program->sequences_count = 0;
    dwarf_bytes_skip(&program->bytes, table->offset);
    if (read_header(program, table->address_size)) {
        reserve_rows(program);
        run(program);
        keep_all(program);
    }
}

void dwarf_lines_fini(struct dwarf_lines *lines)
{
    free(lines->rows);
    shortcut_fini(&lines->shortcut);
    free(lines->files);
    *lines = (struct dwarf_lines){ 0 };
}

const struct dwarf_row *dwarf_lines_find(const struct dwarf_lines *lines, uint64_t address)
{
    uint64_t wanted = address - lines->base;
    size_t low, high;

    if (address < lines->base)
        return NULL;
    shortcut_narrow(&lines->shortcut, wanted, &low, &high);
    if (low == high)
        return NULL;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (lines->rows[middle].start <= wanted)
            low = middle;
        else
            high = middle;
    }
    return lines->rows[low].file != NO_FILE ? &lines->rows[low] : NULL;
}

void dwarf_lines_extent(const struct dwarf_lines *lines, const struct dwarf_row *row,
                        uint64_t *from, uint64_t *to)
{
    *from = lines->base + row->start;
    /* The last row of a table has no file, so one that was found has another behind it; but what
     * is too far from the base was left out. */
    *to = row + 1 < lines->rows + lines->count ? lines->base + row[1].start : *from;
}

const char *dwarf_lines_path(struct dwarf_lines *lines, struct intern *intern, const char *folder,
                             uint32_t index)
{
    struct dwarf_line_file *file;
    char *joined;

    if (index >= lines->files_count)
        return "";
    file = &lines->files[index];
    if (file->path != NULL)
        return file->path;
    if (file->name == NULL || file->name[0] == '/' || file->folder == NULL) {
        file->path = naming_path(intern, folder, file->name);
    } else {
        joined = xasprintf("%s/%s", file->folder, file->name);
        file->path = naming_path(intern, folder, joined);
        free(joined);
    }
    return file->path;
}

size_t dwarf_lines_bytes(const struct dwarf_lines *lines)
{
    return lines->capacity * sizeof(*lines->rows) + shortcut_bytes(&lines->shortcut) +
           lines->files_capacity * sizeof(*lines->files);
}
