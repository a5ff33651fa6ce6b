/* SPDX-License-Identifier: MIT */
/*
 * Walks a section of call frame information entry by entry.
 *
 *     length  0 or id    CIE: version, augmentation, alignments, first instructions
 *     length  → CIE      FDE: start, size, instructions
 *
 * Every FDE names its CIE by an offset; a small cache keeps the last few, already run.  A hostile
 * section can name another CIE each time, so the instructions a CIE may have are bounded, and so is
 * the work spent on all of them together.
 */
#include "config.h"

#include "cfi.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "program.h"
#include "proftop/memory.h"

enum {
    CACHED_CIES = 64,
    CIE_PROGRAM_MAX_BYTES = 1024, /* real ones have about 10 */
    CIE_WORK_PER_BYTE = 16,       /* of section, together */
    LENGTH_64 = 0xffffffff,       /* announces a 64-bit length */
};

struct cie {
    uint64_t offset; /* where it starts in the section */
    bool known, sane;
    bool augmented; /* FDEs have augmentation data too */
    bool signal;
    uint8_t encoding;
    uint64_t code_align;
    int64_t data_align;
    struct cfi_state initial;
};

struct parser {
    const struct cfi_section *section;
    struct cfi_sink *sink;
    struct cie cies[CACHED_CIES];
    struct program program; /* large, so made once */
    uint64_t cie_work_left;
    bool trouble; /* an FDE made no sense */
};

/* One entry: where it starts, its id field and what follows up to its end. */
struct entry {
    uint64_t offset;
    uint64_t id_offset, id;
    bool wide; /* 64-bit DWARF */
    struct cursor rest;
};

/* Reads the entry at OFFSET; false when it is cut off.  An empty one has nothing in rest. */
static bool entry_read(const struct cfi_section *section, uint64_t offset, struct entry *entry)
{
    struct cursor cursor = { section->bytes + offset, section->bytes + section->size, false };
    uint64_t length = cursor_u32(&cursor);

    *entry = (struct entry){ .offset = offset };
    if (length == LENGTH_64) {
        entry->wide = true;
        length = cursor_u64(&cursor);
    }
    if (cursor.failed || length > cursor_left(&cursor))
        return false;
    cursor.end = cursor.at + length;
    entry->id_offset = (uint64_t)(cursor.at - section->bytes);
    if (length > 0)
        entry->id = entry->wide && section->debug_frame ? cursor_u64(&cursor) : cursor_u32(&cursor);
    entry->rest = cursor;
    return !cursor.failed;
}

static bool is_cie(const struct cfi_section *section, const struct entry *entry)
{
    if (!section->debug_frame)
        return entry->id == 0;
    return entry->id == (entry->wide ? DW_CIE_ID_64 : DW_CIE_ID_32);
}

/* The augmentation's letters say what its data holds (Linux Standard Base, 10.6.1.1.1). */
static bool read_augmentation(struct cie *cie, const struct cfi_section *section,
                              struct cursor *cursor, const char *letters)
{
    uint64_t size = cursor_uleb(cursor), personality;
    struct cursor data = *cursor;
    uint8_t encoding;

    if (size > cursor_left(cursor))
        return false;
    data.end = data.at + size;
    cursor_skip(cursor, size);
    for (; *letters != '\0'; letters++) {
        switch (*letters) {
        case 'R':
            cie->encoding = cursor_u8(&data);
            break;
        case 'L':
            cursor_u8(&data);
            break;
        case 'P':
            encoding = cursor_u8(&data) & ~DW_EH_PE_indirect;
            if (encoding == DW_EH_PE_aligned ||
                !program_address(section, &data, encoding & 0x0f, &personality))
                return false;
            break;
        case 'S':
            cie->signal = true;
            break;
        case 'B': /* aarch64: return addresses are signed with the B key */
        case 'G': /* aarch64: memory tagging */
            break;
        default:
            return true; /* unknown data, but its size is known */
        }
    }
    return !data.failed;
}

/* The fields between the id and the instructions; CURSOR ends at the latter. */
static bool read_cie_head(struct cie *cie, const struct cfi_section *section, struct cursor *cursor)
{
    uint8_t version = cursor_u8(cursor);
    const char *letters = (const char *)cursor->at;
    size_t length = strnlen(letters, cursor_left(cursor));

    if (length == cursor_left(cursor))
        return false;
    cursor_skip(cursor, length + 1);
    if (version != 1 && version != 3 && version != 4)
        return false;
    if (version == 4 && (cursor_u8(cursor) != 8 || cursor_u8(cursor) != 0))
        return false; /* other address sizes, segments */
    cie->code_align = cursor_uleb(cursor);
    cie->data_align = cursor_sleb(cursor);
    if (version == 1)
        cursor_u8(cursor);
    else
        cursor_uleb(cursor); /* the return address's column: always what the ABI says */
    cie->encoding = DW_EH_PE_absptr;
    if (letters[0] == 'z') {
        cie->augmented = true;
        return read_augmentation(cie, section, cursor, letters + 1);
    }
    return letters[0] == '\0' && !cursor->failed;
}

static void program_reset(struct parser *parser, const struct cie *cie)
{
    struct program *program = &parser->program;

    program->section = parser->section;
    program->code_align = cie->code_align;
    program->data_align = cie->data_align;
    program->encoding = cie->encoding;
    program->signal = cie->signal;
    program->remembered_count = 0;
    program->location = 0;
    program->end = 0;
}

static bool cie_load(struct parser *parser, struct cie *cie, const struct entry *entry)
{
    struct cursor cursor = entry->rest;
    struct program *program = &parser->program;
    size_t work;

    if (!is_cie(parser->section, entry) || !read_cie_head(cie, parser->section, &cursor))
        return false;
    work = cursor_left(&cursor);
    if (work > CIE_PROGRAM_MAX_BYTES || work > parser->cie_work_left)
        return false;
    parser->cie_work_left -= work;
    program_reset(parser, cie);
    program->initial = NULL;
    program->sink = NULL;
    program->state = (struct cfi_state){ 0 };
    if (!program_run(program, cursor))
        return false;
    cie->initial = program->state;
    return true;
}

/* The CIE at OFFSET, or NULL when there is none that makes sense. */
static const struct cie *cie_at(struct parser *parser, uint64_t offset)
{
    struct cie *cie = &parser->cies[(offset >> 2 ^ offset >> 8) % CACHED_CIES];
    struct entry entry;

    if (offset >= parser->section->size)
        return NULL;
    if (!cie->known || cie->offset != offset) {
        *cie = (struct cie){ .offset = offset, .known = true };
        cie->sane = entry_read(parser->section, offset, &entry) && cie_load(parser, cie, &entry);
    }
    return cie->sane ? cie : NULL;
}

static bool fde_deliver(struct parser *parser, const struct entry *entry)
{
    const struct cfi_section *section = parser->section;
    struct program *program = &parser->program;
    uint64_t at = section->debug_frame ? entry->id : entry->id_offset - entry->id;
    const struct cie *cie = cie_at(parser, at);
    struct cursor cursor = entry->rest;
    uint64_t start, size;

    if (cie == NULL || !program_address(section, &cursor, cie->encoding, &start) ||
        !program_address(section, &cursor, cie->encoding & 0x0f, &size))
        return false;
    if (cie->augmented)
        cursor_skip(&cursor, cursor_uleb(&cursor));
    if (cursor.failed || start + size < start)
        return false;
    if (size == 0 || start == 0)
        return true; /* a function the linker threw away */
    program_reset(parser, cie);
    program->initial = &cie->initial;
    program->state = cie->initial;
    program->sink = parser->sink;
    program->location = start;
    program->end = start + size;
    parser->sink->begin(parser->sink, start, start + size, section->address + entry->offset);
    return program_run(program, cursor);
}

bool cfi_parse(const struct cfi_section *section, struct cfi_sink *sink)
{
    struct parser *parser = xcalloc(1, sizeof(*parser));
    struct entry entry;
    uint64_t offset = 0;
    bool sane = true;

    parser->section = section;
    parser->sink = sink;
    parser->cie_work_left = (uint64_t)section->size * CIE_WORK_PER_BYTE;
    while (offset < section->size && (sane = entry_read(section, offset, &entry))) {
        if (entry.rest.at != entry.rest.end && !is_cie(section, &entry) &&
            !fde_deliver(parser, &entry))
            parser->trouble = true;
        offset = (uint64_t)(entry.rest.end - section->bytes);
    }
    sane = sane && !parser->trouble;
    free(parser);
    return sane;
}
