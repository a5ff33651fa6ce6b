/* SPDX-License-Identifier: MIT */
/*
 * Code objects: read once, remembered by address, checked again before each use, because a freed
 * code object's address is soon another's.  All of this happens after the resume; a code object
 * that makes no sense costs its own frame only.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "interpreter.h"
#include "lines.h"

#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"

enum {
    TEXT_MAX = 4096,       /* characters of a name or path that are read */
    TABLE_MAX = 1 << 20,   /* bytes of a line table */
    ENTRIES_MAX = 1 << 16, /* then the cache starts over */
    CHECKED_AT_ONCE = 512,
    LINES_REMEMBERED = 8,
};

struct remembered_line {
    int64_t unit;
    uint32_t line;
};

struct entry {
    uint64_t address;
    bool sane, checked;
    uint64_t file, name, lines; /* the object's pointers: what checking compares */
    uint32_t first_line;
    code_id code;
    uint8_t *table;
    size_t table_size;
    struct remembered_line remembered[LINES_REMEMBERED];
};

struct code_cache {
    struct index index;
    struct entry *entries;
    size_t count, capacity;
};

struct code_cache *python_code_cache_new(void)
{
    struct code_cache *cache = xcalloc(1, sizeof(*cache));

    index_init(&cache->index);
    return cache;
}

static void forget_all(struct code_cache *cache)
{
    for (size_t i = 0; i < cache->count; i++)
        free(cache->entries[i].table);
    cache->count = 0;
    index_fini(&cache->index);
}

void python_code_cache_free(struct code_cache *cache)
{
    if (cache == NULL)
        return;
    forget_all(cache);
    free(cache->entries);
    free(cache);
}

static struct entry *find(struct code_cache *cache, uint64_t address)
{
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&cache->index, hash_u64(address), &cursor);
    while ((item = index_next(&cache->index, &cursor)) != INDEX_END) {
        if (cache->entries[item].address == address)
            return &cache->entries[item];
    }
    return NULL;
}

static char *put_utf8(char *out, uint32_t character)
{
    if (character < 0x80) {
        *out++ = (char)character;
    } else if (character < 0x800) {
        *out++ = (char)(0xc0 | character >> 6);
        *out++ = (char)(0x80 | (character & 63));
    } else if (character < 0x10000) {
        *out++ = (char)(0xe0 | character >> 12);
        *out++ = (char)(0x80 | (character >> 6 & 63));
        *out++ = (char)(0x80 | (character & 63));
    } else {
        *out++ = (char)(0xf0 | (character >> 18 & 7));
        *out++ = (char)(0x80 | (character >> 12 & 63));
        *out++ = (char)(0x80 | (character >> 6 & 63));
        *out++ = (char)(0x80 | (character & 63));
    }
    return out;
}

/* The str object at ADDRESS in UTF-8, at most TEXT_MAX characters; NULL when it makes no sense. */
static char *read_text(const struct python *python, uint64_t address)
{
    enum { HEAD_BYTES = 40, LENGTH_AT = 16, STATE_AT = 32 };
    uint8_t head[HEAD_BYTES], *raw;
    uint64_t length;
    uint32_t state, kind;
    char *text, *out;

    if (!python_read(python, address, head, sizeof(head)))
        return NULL;
    length = python_word(head, LENGTH_AT);
    state = (uint32_t)python_word(head, STATE_AT);
    kind = state >> 2 & 7;
    if ((kind != 1 && kind != 2 && kind != 4) || !(state >> 5 & 1) || length > INT32_MAX)
        return NULL;
    if (length > TEXT_MAX)
        length = TEXT_MAX;
    raw = xmalloc(length * kind + 1);
    if (!python_read(python,
                     address +
                         (state >> 6 & 1 ? python->offsets.text.ascii : python->offsets.text.other),
                     raw, length * kind)) {
        free(raw);
        return NULL;
    }
    out = text = xmalloc(length * 4 + 1);
    for (uint64_t i = 0; i < length; i++) {
        uint32_t character = 0;

        memcpy(&character, raw + i * kind, kind);
        if (character == 0)
            break;
        out = put_utf8(out, character);
    }
    *out = '\0';
    free(raw);
    return text;
}

static void read_table(const struct python *python, struct entry *entry)
{
    enum { HEAD_BYTES = 24, SIZE_AT = 16, DATA_AT = 32 };
    uint8_t head[HEAD_BYTES];
    uint64_t size;

    if (!python_read(python, entry->lines, head, sizeof(head)))
        return;
    size = python_word(head, SIZE_AT);
    if (size == 0 || size > TABLE_MAX)
        return;
    entry->table = xmalloc(size);
    if (!python_read(python, entry->lines + DATA_AT, entry->table, size)) {
        free(entry->table);
        entry->table = NULL;
        return;
    }
    entry->table_size = size;
}

static void read_pointers(const struct python *python, const uint8_t *bytes, struct entry *entry)
{
    const struct python_offsets *offsets = &python->offsets;

    entry->file = python_word(bytes, offsets->code.file);
    entry->name = python_word(bytes, offsets->code.name);
    entry->lines = python_word(bytes, offsets->code.lines);
    entry->first_line = (uint32_t)python_word(bytes, offsets->code.first_line);
}

static void read_code(struct python *python, uint64_t address, struct entry *entry)
{
    const struct python_offsets *offsets = &python->offsets;
    uint8_t bytes[CODE_BYTES];
    char *file = NULL, *name = NULL;

    *entry = (struct entry){ .address = address, .checked = true };
    for (int i = 0; i < LINES_REMEMBERED; i++)
        entry->remembered[i].unit = INT64_MIN;
    if (!python_read(python, address, bytes, sizeof(bytes)))
        return;
    read_pointers(python, bytes, entry);
    file = read_text(python, entry->file);
    if (offsets->code.qualified != PYTHON_ABSENT)
        name = read_text(python, python_word(bytes, offsets->code.qualified));
    if (name == NULL)
        name = read_text(python, entry->name);
    if (file != NULL && name != NULL) {
        struct code code = { .name = name, .file = file, .first_line = entry->first_line };

        entry->code = codes_add(python->codes, &code);
        entry->sane = true;
        read_table(python, entry);
    }
    free(file);
    free(name);
}

static struct entry *get(struct python *python, uint64_t address)
{
    struct code_cache *cache = python->cache;
    struct entry *entry = find(cache, address);

    if (entry == NULL) {
        if (cache->count == ENTRIES_MAX)
            forget_all(cache);
        cache->entries = array_reserve(cache->entries, &cache->capacity, cache->count + 1,
                                       sizeof(*cache->entries));
        entry = &cache->entries[cache->count];
        read_code(python, address, entry);
        index_add(&cache->index, hash_u64(address), (uint32_t)cache->count++);
    } else if (!entry->checked) {
        free(entry->table);
        read_code(python, address, entry);
    }
    return entry;
}

static uint32_t line_at(const struct python *python, struct entry *entry, int64_t unit)
{
    struct remembered_line *line = &entry->remembered[(uint64_t)unit % LINES_REMEMBERED];

    if (line->unit != unit) {
        line->unit = unit;
        line->line = entry->table == NULL ? entry->first_line
                                          : python_line(python->offsets.lines, entry->table,
                                                        entry->table_size, entry->first_line, unit);
    }
    return line->line;
}

bool python_code_resolve(struct python *python, const struct python_frame *frame, struct frame *out)
{
    const struct python_offsets *offsets = &python->offsets;
    struct entry *entry = get(python, frame->code);
    int64_t unit = (int32_t)frame->instruction;

    if (!entry->sane)
        return false;
    if (offsets->code.bytecode != PYTHON_ABSENT)
        unit = ((int64_t)frame->instruction - (int64_t)(frame->code + offsets->code.bytecode)) / 2 -
               ((int64_t)frame->instruction < (int64_t)(frame->code + offsets->code.bytecode));
    *out = (struct frame){ .kind = FRAME_PYTHON,
                           .module = entry->code,
                           .address = line_at(python, entry, unit) };
    return true;
}

/* One vectored read for the code objects of FRAMES, [0, COUNT) with COUNT small enough for one. */
static void validate_some(struct python *python, const struct python_frame *frames, uint32_t count)
{
    static const uint32_t wanted = CODE_BYTES;
    uint8_t(*bytes)[CODE_BYTES] = xmalloc((size_t)count * CODE_BYTES);
    struct iovec *local = xcalloc(count, sizeof(*local)), *remote = xcalloc(count, sizeof(*remote));
    struct entry **entries = xcalloc(count, sizeof(*entries));
    uint32_t checking = 0;
    ssize_t got;

    for (uint32_t i = 0; i < count; i++) {
        struct entry *entry = find(python->cache, frames[i].code);

        if (entry == NULL || !entry->checked)
            continue;
        entry->checked = false; /* so that it is asked for once, and stays so if the read fails */
        entries[checking] = entry;
        local[checking] = (struct iovec){ bytes[checking], wanted };
        remote[checking++] = (struct iovec){ (void *)(uintptr_t)entry->address, wanted };
    }
    got = checking > 0 ? process_vm_readv(python->pid, local, checking, remote, checking, 0) : 0;
    for (uint32_t i = 0; got > 0 && i < (uint32_t)got / wanted; i++) {
        struct entry now = { 0 };

        read_pointers(python, bytes[i], &now);
        entries[i]->checked = now.file == entries[i]->file && now.name == entries[i]->name &&
                              now.lines == entries[i]->lines &&
                              now.first_line == entries[i]->first_line;
    }
    free(entries);
    free(local);
    free(remote);
    free(bytes);
}

void python_code_validate(struct python *python, const struct python_frame *frames, uint32_t count)
{
    for (uint32_t at = 0; at < count; at += CHECKED_AT_ONCE)
        validate_some(python, frames + at,
                      count - at < CHECKED_AT_ONCE ? count - at : CHECKED_AT_ONCE);
}
