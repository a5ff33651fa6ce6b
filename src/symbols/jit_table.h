/* SPDX-License-Identifier: MIT */
/*
 * Code that a program makes while it runs.  It moves, and its addresses are used again: what was
 * said last holds, but what was said before stays known by its number.
 *
 *     codes   0 fold   1 parse   2 fold         live   [100,180) 0 ─► [100,140) 2
 *             [100,180)  [200,260)  [100,140)          [200,260) 1    [200,260) 1
 *
 * One thread at a time.
 */
#ifndef SYMBOLS_JIT_TABLE_H
#define SYMBOLS_JIT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JIT_NONE UINT32_MAX

/* From here on in the code is FILE's LINE. */
struct jit_line {
    uint32_t offset, line;
    const char *file;
};

struct jit_code {
    uint64_t start;
    uint32_t size;
    uint32_t line_count;
    const char *name;             /* as the program says it */
    const struct jit_line *lines; /* by offset; NULL: not told */
};

struct jit_table;

struct jit_table *jit_table_new(void);
void jit_table_free(struct jit_table *table);

/* CODE is there from now on.  Its texts must outlive the table. */
void jit_table_add(struct jit_table *table, const struct jit_code *code);
/* The code at START moved to NEW_START. */
void jit_table_move(struct jit_table *table, uint64_t start, uint64_t new_start);

/* The number of the code at ADDRESS now, or JIT_NONE. */
uint32_t jit_table_find(struct jit_table *table, uint64_t address);
const struct jit_code *jit_table_get(const struct jit_table *table, uint32_t number);
uint32_t jit_table_count(const struct jit_table *table);
size_t jit_table_bytes(const struct jit_table *table);

#endif
