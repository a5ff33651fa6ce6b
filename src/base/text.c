/* SPDX-License-Identifier: MIT */
/*
 * Text of strangers made fit for a terminal, and numbers as people read them.
 *
 * Our own UTF-8 decoder, because a name can hold any bytes and mbrtowc() depends on the locale;
 * wcwidth() and iswprint() for what a character is, so that we agree with the C library of the
 * machine.  Where the locale is not UTF-8 everything is drawn in ASCII anyway.
 */
#include "config.h"

#include "proftop/text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"

enum {
    MARKS_MAX = 3, /* combining marks kept on one character; more is a joke or an attack */
    UTF8_MAX = 4,
    REPLACEMENT = 0xfffd
};

/*
 * Format characters: no column, no ink, but they change how what follows is laid out, some of them
 * the direction of the whole line (U+202E).  They are left out.
 */
static bool invisible(int32_t code)
{
    static const struct {
        int32_t first, last;
    } ranges[] = {
        { 0x00ad, 0x00ad },   { 0x034f, 0x034f }, { 0x0600, 0x0605 }, { 0x061c, 0x061c },
        { 0x06dd, 0x06dd },   { 0x070f, 0x070f }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },
        { 0x180b, 0x180f },   { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
        { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0x1d173, 0x1d17a },
        { 0xe0000, 0xe0fff },
    };

    if (code < ranges[0].first)
        return false;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

int32_t text_decode(const char *text, int *length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    static const int32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    int wanted = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
    int32_t code = bytes[0] & (0xff >> (wanted + 1));

    *length = 1;
    if (bytes[0] < 0x80)
        return bytes[0];
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4)
        return TEXT_INVALID;
    for (int i = 1; i < wanted; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return TEXT_INVALID;
        code = code << 6 | (bytes[i] & 0x3f);
    }
    if (code < smallest[wanted] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return TEXT_INVALID;
    *length = wanted;
    return code;
}

static int encode(int32_t code, char *buffer)
{
    if (code < 0x80) {
        buffer[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        buffer[0] = (char)(0xc0 | code >> 6);
        buffer[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        buffer[0] = (char)(0xe0 | code >> 12);
        buffer[1] = (char)(0x80 | (code >> 6 & 0x3f));
        buffer[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    buffer[0] = (char)(0xf0 | code >> 18);
    buffer[1] = (char)(0x80 | (code >> 12 & 0x3f));
    buffer[2] = (char)(0x80 | (code >> 6 & 0x3f));
    buffer[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

int text_encode(uint32_t code, char buffer[5])
{
    int length;

    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        code = REPLACEMENT;
    length = encode((int32_t)code, buffer);
    buffer[length] = '\0';
    return length;
}

static bool is_mark(int32_t code)
{
    return code >= 0x300 && !invisible(code) && wcwidth((wchar_t)code) == 0;
}

/* What is drawn in place of CODE, and its columns. */
static int32_t printable(int32_t code, bool ascii, int *columns)
{
    *columns = 1;
    if (code == '\t')
        return ' ';
    if (code >= 0x20 && code < 0x7f)
        return code;
    if (ascii || (code >= 0 && code < 0xa0))
        return '?';
    if (code == TEXT_INVALID || !iswprint((wint_t)code) || wcwidth((wchar_t)code) < 0)
        return REPLACEMENT;
    *columns = wcwidth((wchar_t)code);
    return code;
}

/* Steps over what takes no column: invisible characters, and marks when they cannot be drawn. */
static const char *skip_invisible(const char *text)
{
    int length;

    while (*text != '\0' && invisible(text_decode(text, &length)))
        text += length;
    return text;
}

int text_next(const char **text, char *buffer, size_t size_bytes, bool ascii)
{
    const char *at = skip_invisible(*text);
    int length, columns;
    int32_t code;
    size_t used;

    *text = at;
    if (*at == '\0' || size_bytes < 2 * UTF8_MAX)
        return -1;
    if (at[0] >= 0x20 && at[0] < 0x7f && (unsigned char)at[1] < 0x80) { /* nearly every one */
        buffer[0] = at[0];
        buffer[1] = '\0';
        *text = at + 1;
        return 1;
    }
    code = printable(text_decode(at, &length), ascii, &columns);
    at += length;
    used = 0;
    if (columns == 0) { /* a mark with nothing before it: give it a space to sit on */
        buffer[used++] = ' ';
        columns = 1;
    }
    used += (size_t)encode(code, buffer + used);
    for (int marks = 0; *(at = skip_invisible(at)) != '\0'; marks++) {
        code = text_decode(at, &length);
        if (!is_mark(code))
            break;
        if (!ascii && marks < MARKS_MAX && used + UTF8_MAX < size_bytes)
            used += (size_t)encode(code, buffer + used);
        at += length;
    }
    buffer[used] = '\0';
    *text = at;
    return columns;
}

const char *text_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

int text_width(const char *text)
{
    char buffer[24];
    int columns, width = 0;

    while (width < INT_MAX - 2 && (columns = text_next(&text, buffer, sizeof(buffer), false)) >= 0)
        width += columns;
    return width;
}

/* How far into TEXT goes into COLUMNS; *USED tells how many it took. */
static const char *fitting(const char *text, int columns, bool ascii, int *used)
{
    char buffer[24];
    const char *at = text;

    *used = 0;
    for (;;) {
        int width = text_next(&at, buffer, sizeof(buffer), ascii);

        if (width < 0 || *used + width > columns)
            return text;
        *used += width;
        text = at;
    }
}

void text_fit(char *buffer, size_t size_bytes, const char *text, int columns, bool ascii)
{
    const char *end, *ellipsis = ascii ? "~" : "\u2026";
    char character[24];
    size_t used = 0;
    int width;
    bool cut;

    if (size_bytes == 0)
        return;
    end = fitting(text, columns, ascii, &width);
    cut = *skip_invisible(end) != '\0';
    if (cut)
        end = fitting(text, columns - 1, ascii, &width);
    while (text < end && text_next(&text, character, sizeof(character), ascii) >= 0) {
        size_t length = strlen(character);

        if (used + length + sizeof("\u2026") > size_bytes)
            break;
        memcpy(buffer + used, character, length);
        used += length;
    }
    buffer[used] = '\0';
    if (cut && columns > 0 && used + strlen(ellipsis) < size_bytes)
        memcpy(buffer + used, ellipsis, strlen(ellipsis) + 1);
}

size_t text_line(const char *text, int columns)
{
    const char *at = text, *broken = NULL;
    char character[24];
    int used = 0, width;

    while ((width = text_next(&at, character, sizeof(character), false)) >= 0) {
        used += width;
        if (used > columns)
            break;
        if (*at == ' ' || *at == '\0')
            broken = at;
    }
    if (broken != NULL)
        return (size_t)(broken - text);
    at = text; /* one word, longer than the line */
    for (used = 0; text_next(&at, character, sizeof(character), false) >= 0; broken = at) {
        used += text_width(character);
        if (used > columns && broken != NULL)
            break;
    }
    return broken != NULL ? (size_t)(broken - text) : 0;
}

/* VALUE in steps of STEP: three digits and a suffix, so that the columns stay narrow. */
static const char *scaled(char buffer[16], double value, double step, const char *suffixes)
{
    size_t at = 0;

    if (!(value > 0)) {
        snprintf(buffer, 16, "0");
        return buffer;
    }
    while (value >= 999.5 && suffixes[at + 1] != '\0') {
        value /= step;
        at++;
    }
    if (at == 0 && (value >= 9.95 || value == (double)(long)value))
        snprintf(buffer, 16, "%.0f", value);
    else if (at == 0)
        snprintf(buffer, 16, "%.1f", value);
    else
        snprintf(buffer, 16, value < 99.95 ? "%.1f%c" : "%.0f%c", value < 99999 ? value : 99999,
                 suffixes[at]);
    return buffer;
}

const char *text_bytes(char buffer[16], double size_bytes)
{
    return scaled(buffer, size_bytes, 1024, " KMGTPE");
}

const char *text_count(char buffer[16], double count)
{
    return scaled(buffer, count, 1000, " kMGTPE");
}

const char *text_elapsed(char buffer[24], uint64_t time_ns)
{
    uint64_t seconds = time_ns / NS_PER_S;

    if (seconds < 3600)
        snprintf(buffer, 24, "%" PRIu64 ":%02" PRIu64, seconds / 60, seconds % 60);
    else
        snprintf(buffer, 24, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, seconds / 3600,
                 seconds / 60 % 60, seconds % 60);
    return buffer;
}

const char *text_duration(char buffer[24], uint64_t time_ns)
{
    double ns = (double)time_ns;

    if (time_ns < NS_PER_US)
        snprintf(buffer, 24, "%" PRIu64 " ns", time_ns);
    else if (time_ns < NS_PER_MS)
        snprintf(buffer, 24, "%.1f us", ns / 1e3);
    else if (time_ns < NS_PER_S)
        snprintf(buffer, 24, "%.1f ms", ns / 1e6);
    else if (time_ns < 100 * NS_PER_S)
        snprintf(buffer, 24, "%.1f s", ns / 1e9);
    else
        return text_elapsed(buffer, time_ns);
    return buffer;
}
