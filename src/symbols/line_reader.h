/* SPDX-License-Identifier: MIT */
/*
 * Lines of a text file that somebody else writes, perhaps this very moment.
 *
 * Reading goes on where it stopped: a line without its end yet is kept for the next time.  A line
 * longer than the buffer is left out and counted, and nothing beyond LIMIT is read.
 */
#ifndef SYMBOLS_LINE_READER_H
#define SYMBOLS_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_BUFFER = 1 << 16 };

struct line_reader {
    int fd; /* the caller's */
    uint64_t offset, limit;
    uint32_t overlong;
    bool skipping; /* the rest of an overlong line */
    size_t start, end;
    char buffer[LINE_BUFFER];
};

void line_reader_init(struct line_reader *reader, int fd, uint64_t limit);
/* The next whole line, its end replaced by a NUL; NULL when there is none at the moment. */
char *line_reader_next(struct line_reader *reader);

#endif
