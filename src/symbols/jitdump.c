/* SPDX-License-Identifier: MIT */
/*
 * The format is the kernel's tools/perf/Documentation/jitdump-specification.txt, version 1, in the
 * byte order of the machine that wrote it.
 */
#include "config.h"

#include "jitdump.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/memory.h"

enum { RECORD_LOAD, RECORD_MOVE, RECORD_DEBUG };

enum { HEADER_SIZE = 40, PREFIX_SIZE = 16, LOAD_SIZE = 56, MOVE_SIZE = 64, DEBUG_SIZE = 32 };

/* Of a record only what we use is read: not the code itself, and only so many lines. */
enum { READ_MAX = 1 << 20, NAME_BYTES_MAX = 4096 };

static const uint64_t file_max_bytes = UINT64_C(4) << 30;
static const uint64_t kept_max_bytes = UINT64_C(256) << 20;

static uint32_t u32(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

static uint64_t u64(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

/* The text at AT of the SIZE bytes, if it ends within them. */
static const char *text_at(const uint8_t *bytes, size_t size, size_t at)
{
    return at < size && memchr(bytes + at, '\0', size - at) != NULL ? (const char *)bytes + at
                                                                    : NULL;
}

static const char *keep(struct jitdump *dump, struct arena *texts, const char *text)
{
    char *copy;

    if (dump->bytes > kept_max_bytes)
        return "";
    copy = arena_printf(texts, "%.*s", NAME_BYTES_MAX, text);
    dump->bytes += strlen(copy) + 1;
    return copy;
}

static void load(struct jitdump *dump, struct jit_table *table, struct arena *texts,
                 const uint8_t *record, size_t size)
{
    const char *name = size >= LOAD_SIZE ? text_at(record, size, LOAD_SIZE) : NULL;
    struct jit_code code;

    if (name == NULL || u64(record + 40) > UINT32_MAX)
        return;
    code = (struct jit_code){ .start = u64(record + 32), .size = (uint32_t)u64(record + 40) };
    code.name = keep(dump, texts, name);
    if (dump->lines != NULL && dump->lines_of == code.start) {
        code.lines = dump->lines;
        code.line_count = dump->line_count;
    }
    dump->lines = NULL;
    jit_table_add(table, &code);
}

static int by_offset(const void *left, const void *right)
{
    const struct jit_line *a = left, *b = right;

    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void debug(struct jitdump *dump, struct arena *texts, const uint8_t *record, size_t size)
{
    uint64_t start, wanted;
    size_t at = DEBUG_SIZE, count = 0;
    const char *file = "";

    if (size < DEBUG_SIZE)
        return;
    start = u64(record + 16);
    wanted = u64(record + 24);
    if (wanted > size / 17) /* each takes at least its numbers and a NUL */
        wanted = size / 17;
    dump->bytes += wanted * sizeof(struct jit_line);
    if (dump->bytes > kept_max_bytes)
        return;
    dump->lines = arena_alloc(texts, (wanted + 1) * sizeof(struct jit_line));
    for (; count < wanted; count++) {
        const char *name = size - at > 16 ? text_at(record, size, at + 16) : NULL;

        if (name == NULL)
            break;
        /* "\xff" stands for the file before. */
        if (strcmp(name, "\xff") != 0 && strcmp(name, file) != 0)
            file = keep(dump, texts, name);
        dump->lines[count] = (struct jit_line){ .offset = (uint32_t)(u64(record + at) - start),
                                                .line = u32(record + at + 8),
                                                .file = file };
        at += 16 + strlen(name) + 1;
    }
    qsort(dump->lines, count, sizeof(*dump->lines), by_offset);
    dump->line_count = (uint32_t)count;
    dump->lines_of = start;
}

static bool read_header(struct jitdump *dump)
{
    uint8_t header[HEADER_SIZE];
    uint32_t size;

    if (pread(dump->fd, header, sizeof(header), 0) != sizeof(header))
        return false;
    size = u32(header + 8);
    dump->damaged =
        u32(header) != 0x4a695444 || u32(header + 4) != 1 || size < HEADER_SIZE || size > 4096;
    dump->offset = size;
    return !dump->damaged;
}

bool jitdump_read(struct jitdump *dump, struct jit_table *table, struct arena *texts)
{
    uint8_t prefix[PREFIX_SIZE], *record;
    bool any = false;

    if (dump->damaged || (dump->offset == 0 && !read_header(dump)))
        return false;
    record = xmalloc(READ_MAX);
    while (dump->offset < file_max_bytes &&
           pread(dump->fd, prefix, sizeof(prefix), (off_t)dump->offset) == sizeof(prefix)) {
        uint32_t type = u32(prefix), size = u32(prefix + 4);
        size_t part = size < READ_MAX ? size : READ_MAX;
        uint8_t last;

        dump->damaged = size < PREFIX_SIZE;
        /* Whole when its last byte is there. */
        if (dump->damaged || pread(dump->fd, &last, 1, (off_t)(dump->offset + size - 1)) != 1)
            break;
        if (type == RECORD_LOAD && part > LOAD_SIZE + NAME_BYTES_MAX)
            part = LOAD_SIZE + NAME_BYTES_MAX;
        if (type <= RECORD_DEBUG &&
            pread(dump->fd, record, part, (off_t)dump->offset) != (ssize_t)part)
            break;
        if (type == RECORD_LOAD)
            load(dump, table, texts, record, part);
        else if (type == RECORD_DEBUG)
            debug(dump, texts, record, part);
        else if (type == RECORD_MOVE && part >= MOVE_SIZE)
            jit_table_move(table, u64(record + 32), u64(record + 40));
        dump->offset += size;
        any = true;
    }
    free(record);
    return any;
}
