/* SPDX-License-Identifier: MIT */
/* The lines of a source file, to show beside samples. */
#ifndef PROFTOP_SOURCE_TEXT_H
#define PROFTOP_SOURCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/module.h"

struct source_text {
    uint32_t count; /* lines; lines[0] is line 1 */
    const char *const *lines;
    bool newer; /* than the module that was built from it: the numbers may be off */
};

/*
 * Reads the file at PATH, as a symbol has it.  MODULE (or NULL) is what was built from it.  A file
 * that is not plain text of a sensible size is refused.  Slow; any thread.
 */
struct source_text *source_text_read(const char *path, const struct module *module,
                                     struct error *error);
/* The same of a text that is there already, SIZE bytes, which are copied. */
struct source_text *source_text_of(const char *bytes, size_t size_bytes);
void source_text_free(struct source_text *text);

#endif
