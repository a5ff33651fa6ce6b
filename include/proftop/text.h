/* SPDX-License-Identifier: MIT */
/*
 * Text that strangers chose (names of functions, threads, files) on its way to a person: made
 * printable, measured in columns, cut without breaking a character.  And numbers as people read
 * them.
 */
#ifndef PROFTOP_TEXT_H
#define PROFTOP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The last part of PATH. */
const char *text_base_name(const char *path);

/* Columns TEXT takes on a terminal, after sanitising. */
int text_width(const char *text);

/*
 * The next character of *TEXT with its combining marks, made printable (an escape byte becomes "?",
 * invalid UTF-8 U+FFFD, or "?" when ASCII), into BUFFER; its columns, or -1 at the end.
 */
int text_next(const char **text, char *buffer, size_t size_bytes, bool ascii);

/*
 * The code point at TEXT, whatever the locale, and its length in bytes; TEXT_INVALID with a length
 * of 1 where there is none (also surrogates and overlong forms).
 */
#define TEXT_INVALID (-1)
int32_t text_decode(const char *text, int *length);

/* CODE as UTF-8 into BUFFER, NUL-terminated; its bytes.  U+FFFD where it is no character. */
int text_encode(uint32_t code, char buffer[5]);

/* Makes TEXT printable into BUFFER, at most COLUMNS wide. */
void text_fit(char *buffer, size_t size_bytes, const char *text, int columns, bool ascii);

/*
 * How many bytes of TEXT make a line of at most COLUMNS, broken behind a word where it has one; 0
 * at its end only.
 */
size_t text_line(const char *text, int columns);

/* "12.5M", "486", "1.2G": at most 5 columns. */
const char *text_bytes(char buffer[16], double size_bytes);
/* "18.7k" */
const char *text_count(char buffer[16], double count);
/* "1:04", "2:03:09" */
const char *text_elapsed(char buffer[24], uint64_t time_ns);
/* "12.3 ms", "4.1 s" */
const char *text_duration(char buffer[24], uint64_t time_ns);

#endif
