/* SPDX-License-Identifier: MIT */
/*
 * Reading DWARF's bytes in order.  A step beyond the end gives 0 and leaves AT behind END, which
 * stops whoever loops on it.
 */
#ifndef SYMBOLS_DWARF_BYTES_H
#define SYMBOLS_DWARF_BYTES_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct dwarf_bytes {
    const uint8_t *at, *end;
    uint8_t address_size, offset_size; /* 4 or 8 */
    uint8_t version;
};

static inline bool dwarf_bytes_more(const struct dwarf_bytes *bytes)
{
    return bytes->at < bytes->end;
}

static inline void dwarf_bytes_skip(struct dwarf_bytes *bytes, uint64_t size)
{
    if (size > (uint64_t)(bytes->end - bytes->at))
        bytes->at = bytes->end;
    else
        bytes->at += size;
}

/* SIZE is up to 8, more is beyond the end; in our own byte order, as no other target runs here. */
static inline uint64_t dwarf_bytes_fixed(struct dwarf_bytes *bytes, unsigned size)
{
    uint64_t value = 0;

    if (size > sizeof(value) || (size_t)(bytes->end - bytes->at) < size) {
        bytes->at = bytes->end;
        return 0;
    }
    /* A copy whose size is known is one load, any other a call. */
    if ((size_t)(bytes->end - bytes->at) < sizeof(value)) {
        memcpy(&value, bytes->at, size);
    } else if (size > 0) {
        memcpy(&value, bytes->at, sizeof(value));
        value &= UINT64_MAX >> (64 - 8 * size);
    }
    bytes->at += size;
    return value;
}

uint64_t dwarf_bytes_long_uleb(struct dwarf_bytes *bytes);

/* Most are one byte. */
static inline uint64_t dwarf_bytes_uleb(struct dwarf_bytes *bytes)
{
    if (bytes->at < bytes->end && *bytes->at < 0x80)
        return *bytes->at++;
    return dwarf_bytes_long_uleb(bytes);
}

static inline int64_t dwarf_bytes_sleb(struct dwarf_bytes *bytes)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte = 0;

    while (bytes->at < bytes->end) {
        byte = *bytes->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (byte < 0x80)
            break;
    }
    if (shift < 64 && (byte & 0x40) != 0)
        value |= ~UINT64_C(0) << shift;
    return (int64_t)value;
}

/* A text that ends with a NUL before END; NULL, and at the end, when it does not. */
static inline const char *dwarf_bytes_text(struct dwarf_bytes *bytes)
{
    const char *text = (const char *)bytes->at;
    const uint8_t *nul =
        bytes->at < bytes->end ? memchr(bytes->at, '\0', (size_t)(bytes->end - bytes->at)) : NULL;

    bytes->at = nul != NULL ? nul + 1 : bytes->end;
    return nul != NULL ? text : NULL;
}

/* Of the standard forms, how long a value is; below 0 where that is not the same everywhere. */
enum { DWARF_FORMS = 0x2d };
extern const int8_t dwarf_form_sizes[DWARF_FORMS];

int dwarf_bytes_odd_form_size(const struct dwarf_bytes *bytes, uint64_t form);

/* How long a value of FORM is, in a unit like BYTES'; −1 when that depends on the value. */
static inline int dwarf_bytes_form_size(const struct dwarf_bytes *bytes, uint64_t form)
{
    if (form < DWARF_FORMS && dwarf_form_sizes[form] >= 0)
        return dwarf_form_sizes[form];
    return dwarf_bytes_odd_form_size(bytes, form);
}

/* Goes over a value of FORM; false when the form is not known, as where it ends is not either. */
bool dwarf_bytes_skip_form(struct dwarf_bytes *bytes, uint64_t form);
/* The number that a value of FORM is; *IS_NUMBER false when it is something else, and gone over. */
uint64_t dwarf_bytes_number(struct dwarf_bytes *bytes, uint64_t form, bool *is_number);

/* What names and lines come from, each section whole; empty when there is none. */
struct dwarf_sections {
    struct dwarf_bytes info, abbrev, line, line_str, str, ranges, rnglists, aranges;
};

/* The sections of ELF, also those of a .dwo file. */
void dwarf_bytes_sections(struct dwarf_sections *sections, Elf *elf);

#endif
