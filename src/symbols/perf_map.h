/* SPDX-License-Identifier: MIT */
/* The text that a JIT writes for profilers: "START SIZE NAME", hexadecimal, one code a line. */
#ifndef SYMBOLS_PERF_MAP_H
#define SYMBOLS_PERF_MAP_H

#include <stdbool.h>

#include "jit_table.h"

/* The code that LINE tells of, its name borrowed from LINE; false when LINE makes no sense. */
bool perf_map_parse(const char *line, struct jit_code *code);

/*
 * What NAME says, for a person:
 *
 *     JS:*fold /home/me/tree.js:12:3      fold, in /home/me/tree.js, line 12
 *     py::Tree.insert:/srv/tree.py        Tree.insert, in /srv/tree.py
 *
 * TEXT holds the function's and, after its NUL, the file's name; *FILE points there, to "" when
 * there is none.  A name of no known form is taken whole.
 */
enum { JIT_NAME_MAX = 4096 };
void perf_map_name(const char *name, char text[JIT_NAME_MAX], const char **file, unsigned *line);

#endif
