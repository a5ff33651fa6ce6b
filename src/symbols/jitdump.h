/* SPDX-License-Identifier: MIT */
/*
 * The binary file that a JIT writes for profilers: codes as they are made and moved, with lines.
 *
 *     header | LOAD | DEBUG (lines of the next LOAD) | LOAD | MOVE | …
 *
 * Read as it grows: a record that is not whole yet is left for the next time.
 */
#ifndef SYMBOLS_JITDUMP_H
#define SYMBOLS_JITDUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "jit_table.h"
#include "proftop/arena.h"

struct jitdump {
    int fd;                 /* the caller's */
    uint64_t offset;        /* of the next record; 0: the header was not read yet */
    bool damaged;           /* makes no sense from here on */
    uint64_t bytes;         /* of texts and lines kept */
    struct jit_line *lines; /* told ahead of their code */
    uint32_t line_count;
    uint64_t lines_of;
};

/* Reads what is new into TABLE, texts into TEXTS; true when there was something. */
bool jitdump_read(struct jitdump *dump, struct jit_table *table, struct arena *texts);

#endif
