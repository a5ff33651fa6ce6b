/* SPDX-License-Identifier: MIT */
/*
 * CPython's structure offsets.  The tables were read off live interpreters; aarch64's are the
 * same as x86-64's for all that is used here.
 */
#include "config.h"

#include "offsets.h"

#include <string.h>

#include "proftop/gettext.h"

#define NONE PYTHON_ABSENT

static const struct python_offsets known[] = {
    { .version = 0x0308,
      .layout = LAYOUT_OBJECTS,
      .lines = LINES_LNOTAB,
      .runtime = { 32, 1160 },
      .interpreter = { 0, 8, NONE },
      .gil = { 0, 8 },
      .thread = { 8, 24, NONE, 176, NONE, NONE },
      .frame = { 32, 24, 104, NONE, NONE },
      .code = { 40, 104, 112, NONE, 120, NONE },
      .text = { 48, 72 } },
    { .version = 0x0309,
      .layout = LAYOUT_OBJECTS,
      .lines = LINES_LNOTAB,
      .runtime = { 32, 360 },
      .interpreter = { 0, 8, NONE },
      .gil = { 0, 8 },
      .thread = { 8, 24, NONE, 176, NONE, NONE },
      .frame = { 32, 24, 104, NONE, NONE },
      .code = { 40, 104, 112, NONE, 120, NONE },
      .text = { 48, 72 } },
    { .version = 0x030a,
      .layout = LAYOUT_OBJECTS_CFRAME,
      .lines = LINES_DELTAS,
      .runtime = { 32, 360 },
      .interpreter = { 0, 8, NONE },
      .gil = { 0, 8 },
      .thread = { 8, 24, 48, 176, NONE, NONE },
      .cframe = { NONE, 8 },
      .frame = { 32, 24, 96, NONE, NONE },
      .code = { 40, 104, 112, NONE, 120, NONE },
      .text = { 48, 72 } },
    { .version = 0x030b,
      .layout = LAYOUT_ENTRY,
      .lines = LINES_LOCATIONS,
      .runtime = { 40, 368 },
      .interpreter = { 0, 16, NONE },
      .gil = { 0, 8 },
      .thread = { 8, NONE, 56, 152, 160, 296 },
      .cframe = { 8, 16 },
      .frame = { 32, 48, 56, 69, 68 },
      .code = { 72, 112, 120, 128, 136, 184 },
      .text = { 48, 72 } },
    { .version = 0x030c,
      .layout = LAYOUT_SHIM,
      .lines = LINES_LOCATIONS,
      .runtime = { 40, NONE },
      .interpreter = { 0, 72, 384 },
      .gil = { 8, 16 },
      .thread = { 8, NONE, 56, 136, 144, 232 },
      .cframe = { 0, 8 },
      .frame = { 0, 8, 56, 70, NONE },
      .code = { 68, 112, 120, 128, 136, 192 },
      .text = { 40, 56 } },
};

uint32_t python_frame_bytes(const struct python_offsets *offsets)
{
    const struct {
        uint32_t at, size;
    } fields[] = { { offsets->frame.code, 8 },
                   { offsets->frame.previous, 8 },
                   { offsets->frame.instruction, 8 },
                   { offsets->frame.owner, 1 },
                   { offsets->frame.entry, 1 } };
    uint32_t bytes = 0;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].at != PYTHON_ABSENT && fields[i].at + fields[i].size > bytes)
            bytes = fields[i].at + fields[i].size;
    }
    return bytes;
}

const struct python_offsets *python_offsets_known(uint16_t version)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].version == version)
            return &known[i];
    }
    return NULL;
}

/* Where each offset stands in the published bytes, by version. */
struct publication {
    uint16_t free_threaded, interpreters_head, interpreter_next, threads_head;
    uint16_t gil_pointer, gil_own, gil_locked, gil_holder;
    uint16_t thread_next, thread_frame, thread_id, native_id, chunk;
    uint16_t frame_previous, frame_code, frame_instruction, frame_owner;
    uint16_t code_file, code_name, code_qualified, code_lines, code_first_line, code_bytecode;
};

static const struct publication publications[] = {
    { 16,  40,  64,  72,  112, 120, 136, 144, 168, 184, 192, 200,
      208, 232, 240, 248, 264, 280, 288, 296, 304, 312, 344 },
    { 16,  40,  64,  72,  120, 128, 144, 152, 192, 208, 216, 224,
      232, 256, 264, 272, 288, 320, 328, 336, 344, 352, 384 },
    { 16,  40,  64,  72,  120, 128, 144, 152, 192, 208, 240, 248,
      256, 320, 328, 336, 352, 384, 392, 400, 408, 416, 448 },
};

static const char cookie[8] = "xdebugpy";

bool python_publishes(const uint8_t *bytes)
{
    return memcmp(bytes, cookie, sizeof(cookie)) == 0;
}

static uint64_t word(const uint8_t *bytes, uint16_t at)
{
    uint64_t value;

    memcpy(&value, bytes + at, sizeof(value));
    return value;
}

/* The offset at AT, which must be one a structure can have. */
static bool offset(const uint8_t *bytes, uint16_t at, uint64_t limit, uint64_t *value)
{
    *value = word(bytes, at);
    return *value <= limit;
}

bool python_offsets_published(const uint8_t bytes[PYTHON_PUBLISHED_BYTES],
                              struct python_offsets *offsets, struct error *error)
{
    enum { WORD = 8, SMALL = 4096, LARGE = 1 << 20 };
    uint64_t full_version = word(bytes, 8), own = 0, locked = 0, holder = 0, value = 0;
    uint16_t version = (uint16_t)(full_version >> 16);
    const struct publication *at;
    bool sane = true;

    if (version < 0x030d || version > 0x030f)
        return error_set(error, STATUS_FAILED, _("Python %u.%u is not known"),
                         (unsigned)(version >> 8), (unsigned)(version & 255));
    at = &publications[version - 0x030d];
    if (word(bytes, at->free_threaded) != 0)
        return error_set(error, STATUS_FAILED, _("a free-threaded Python is not supported"));
    *offsets = (struct python_offsets){ .version = version,
                                        .layout = LAYOUT_SHIM,
                                        .lines = LINES_LOCATIONS,
                                        .runtime = { 0, NONE },
                                        .thread.cframe = NONE,
                                        .cframe = { NONE, NONE },
                                        .frame.entry = NONE,
                                        .text = { 40, 56 } };
#define TAKE(field, position, limit)                                                               \
    do {                                                                                           \
        sane = sane && offset(bytes, at->position, limit, &value);                                 \
        offsets->field = (__typeof__(offsets->field))value;                                        \
    } while (0)
    TAKE(runtime.interpreters_head, interpreters_head, SMALL);
    TAKE(interpreter.next, interpreter_next, LARGE);
    TAKE(interpreter.threads_head, threads_head, LARGE);
    TAKE(interpreter.gil, gil_pointer, LARGE);
    TAKE(thread.next, thread_next, THREAD_BYTES - WORD);
    TAKE(thread.frame, thread_frame, THREAD_BYTES - WORD);
    TAKE(thread.thread_id, thread_id, THREAD_BYTES - WORD);
    TAKE(thread.native_id, native_id, THREAD_BYTES - WORD);
    TAKE(thread.chunk, chunk, THREAD_BYTES - WORD);
    TAKE(frame.previous, frame_previous, FRAME_BYTES - WORD);
    TAKE(frame.code, frame_code, FRAME_BYTES - WORD);
    TAKE(frame.instruction, frame_instruction, FRAME_BYTES - WORD);
    TAKE(frame.owner, frame_owner, FRAME_BYTES - WORD);
    TAKE(code.file, code_file, CODE_BYTES - WORD);
    TAKE(code.name, code_name, CODE_BYTES - WORD);
    TAKE(code.qualified, code_qualified, CODE_BYTES - WORD);
    TAKE(code.lines, code_lines, CODE_BYTES - WORD);
    TAKE(code.first_line, code_first_line, CODE_BYTES - WORD);
    TAKE(code.bytecode, code_bytecode, SMALL);
#undef TAKE
    sane = sane && offset(bytes, at->gil_own, LARGE, &own) &&
           offset(bytes, at->gil_locked, LARGE, &locked) &&
           offset(bytes, at->gil_holder, LARGE, &holder);
    if (!sane || locked - own > LOCK_LOOKED_AT - 8 || holder - own > LOCK_LOOKED_AT - 8)
        return error_set(error, STATUS_FAILED, _("the interpreter's offsets make no sense"));
    offsets->gil.locked = (uint16_t)(locked - own);
    offsets->gil.holder = (uint16_t)(holder - own);
    return true;
}
