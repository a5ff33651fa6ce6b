/* SPDX-License-Identifier: MIT */
/*
 * Where the fields of CPython's structures are: for 3.8–3.12 a table a version, from 3.13 on the
 * offsets the interpreter itself publishes at the start of _PyRuntime.
 */
#ifndef PROFTOP_UNWIND_PYTHON_OFFSETS_H
#define PROFTOP_UNWIND_PYTHON_OFFSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/error.h"

/* How the frames of a thread are linked, and what marks the native frame that runs them. */
enum python_layout {
    LAYOUT_OBJECTS,        /* 3.8, 3.9: heap objects, a native frame each, no anchor */
    LAYOUT_OBJECTS_CFRAME, /* 3.10: the same, a CFrame on the C stack for each */
    LAYOUT_ENTRY,          /* 3.11: a run ends after a frame with is_entry; a CFrame a run */
    LAYOUT_SHIM,           /* 3.12+: a run ends at a shim frame, which lies on the C stack */
};

/* Which line table a code object has. */
enum python_lines { LINES_LNOTAB, LINES_DELTAS, LINES_LOCATIONS };

#define PYTHON_ABSENT UINT16_MAX

/* How far into a structure its offsets reach at most: so much of it is read at once. */
enum { THREAD_BYTES = 512, FRAME_BYTES = 128, CODE_BYTES = 256 };

struct python_offsets {
    uint16_t version; /* 0x030b */
    enum python_layout layout;
    enum python_lines lines;
    struct {
        uint16_t interpreters_head, lock;
    } runtime; /* lock: the one lock of all interpreters, up to 3.11 */
    struct {
        uint32_t next, threads_head, gil;
    } interpreter; /* gil: a pointer to the lock, from 3.12 */
    struct {
        uint16_t holder, locked;
    } gil; /* in the lock */
    struct {
        uint16_t next, frame, cframe, thread_id, native_id, chunk;
    } thread;
    struct {
        uint16_t frame, previous;
    } cframe;
    struct {
        uint16_t code, previous, instruction, owner, entry;
    } frame;
    struct {
        uint16_t first_line, file, name, qualified, lines, bytecode;
    } code;
    struct {
        uint16_t ascii, other;
    } text;
};

/* The offsets for VERSION (0x0308–0x030c), or NULL. */
const struct python_offsets *python_offsets_known(uint16_t version);

/* How much of a frame its offsets reach. */
uint32_t python_frame_bytes(const struct python_offsets *offsets);

enum { PYTHON_PUBLISHED_BYTES = 1024, LOCK_LOOKED_AT = 64 };

/* Reads what a 3.13+ runtime publishes in its first bytes; false with why. */
bool python_offsets_published(const uint8_t bytes[PYTHON_PUBLISHED_BYTES],
                              struct python_offsets *offsets, struct error *error);

/* BYTES start with the mark of a runtime that publishes its offsets. */
bool python_publishes(const uint8_t *bytes);

#endif
