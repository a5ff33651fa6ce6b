/* SPDX-License-Identifier: MIT */
/* Lines of a growing file. */
#include "config.h"

#include "line_reader.h"

#include <string.h>
#include <unistd.h>

void line_reader_init(struct line_reader *reader, int fd, uint64_t limit)
{
    reader->fd = fd;
    reader->offset = 0;
    reader->limit = limit;
    reader->overlong = 0;
    reader->skipping = false;
    reader->start = reader->end = 0;
}

/* Reads more behind what is there; false when there is no more. */
static bool fill(struct line_reader *reader)
{
    ssize_t count;

    if (reader->start > 0) {
        memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    if (reader->end == LINE_BUFFER) {
        reader->overlong += !reader->skipping;
        reader->skipping = true;
        reader->end = 0;
    }
    if (reader->offset >= reader->limit)
        return false;
    count = pread(reader->fd, reader->buffer + reader->end, LINE_BUFFER - reader->end,
                  (off_t)reader->offset);
    if (count <= 0)
        return false;
    reader->offset += (uint64_t)count;
    reader->end += (size_t)count;
    return true;
}

char *line_reader_next(struct line_reader *reader)
{
    for (;;) {
        char *line = reader->buffer + reader->start;
        char *newline = memchr(line, '\n', reader->end - reader->start);

        if (newline == NULL) {
            if (!fill(reader))
                return NULL;
            continue;
        }
        *newline = '\0';
        reader->start = (size_t)(newline + 1 - reader->buffer);
        if (!reader->skipping)
            return line;
        reader->skipping = false;
    }
}
