/* SPDX-License-Identifier: MIT */
/* The line tables of code objects: pure decoders, safe on any bytes. */
#ifndef PROFTOP_UNWIND_PYTHON_LINES_H
#define PROFTOP_UNWIND_PYTHON_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "offsets.h"

/*
 * The line of INSTRUCTION (bytes for LNOTAB, 2-byte units for the others; below 0: not begun) in a
 * code object that begins at FIRST_LINE; FIRST_LINE itself when the table does not tell.
 */
uint32_t python_line(enum python_lines kind, const uint8_t *table, size_t size, uint32_t first_line,
                     int64_t instruction);

#endif
