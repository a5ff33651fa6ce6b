/* SPDX-License-Identifier: MIT */
/* Abbreviations: what each kind of entry in a unit consists of. */
#ifndef SYMBOLS_DWARF_ABBREV_H
#define SYMBOLS_DWARF_ABBREV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

/* An attribute, or several in a row that are of no interest and always as long. */
struct dwarf_attribute {
    uint16_t name, form; /* NAME 0: of no interest */
    int32_t size;        /* bytes; −1: depends on the value */
    int64_t constant;    /* for DW_FORM_implicit_const */
};

struct dwarf_abbrev {
    uint32_t first, count; /* attributes */
    uint16_t tag;          /* 0: no such abbreviation */
    bool children;
};

struct dwarf_abbrevs {
    struct dwarf_abbrev *items; /* by code */
    size_t count, capacity;
    struct dwarf_attribute *attributes;
    size_t attributes_count, attributes_capacity;
};

/*
 * Reads the table at BYTES, for a unit whose sizes are those of BYTES, in place of what was there
 * before.  ABBREVS all 0: nothing.
 */
void dwarf_abbrevs_read(struct dwarf_abbrevs *abbrevs, struct dwarf_bytes bytes);
void dwarf_abbrevs_fini(struct dwarf_abbrevs *abbrevs);

static inline void dwarf_attribute_skip(const struct dwarf_attribute *attribute,
                                        struct dwarf_bytes *bytes)
{
    if (attribute->size >= 0)
        dwarf_bytes_skip(bytes, (uint64_t)attribute->size);
    else if (!dwarf_bytes_skip_form(bytes, attribute->form))
        bytes->at = bytes->end;
}

/* The abbreviation CODE, or NULL. */
static inline const struct dwarf_abbrev *dwarf_abbrevs_get(const struct dwarf_abbrevs *abbrevs,
                                                           uint64_t code)
{
    return code < abbrevs->count && abbrevs->items[code].tag != 0 ? &abbrevs->items[code] : NULL;
}

#endif
