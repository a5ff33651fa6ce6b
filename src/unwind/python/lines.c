/* SPDX-License-Identifier: MIT */
/* Three formats of line tables, from 3.8 to today. */
#include "config.h"

#include "lines.h"

#include <stdbool.h>

/* Up to 3.9: pairs (bytes of code, lines), the second signed. */
static uint32_t from_lnotab(const uint8_t *table, size_t size, uint32_t first_line, int64_t byte)
{
    int64_t address = 0, line = first_line;

    for (size_t i = 0; i + 1 < size; i += 2) {
        address += table[i];
        if (address > byte)
            break;
        line += (int8_t)table[i + 1];
    }
    return line > 0 ? (uint32_t)line : first_line;
}

/* 3.10: pairs (bytes of code, lines); −128 means no line. */
static uint32_t from_deltas(const uint8_t *table, size_t size, uint32_t first_line, int64_t byte)
{
    int64_t address = 0, line = first_line;

    for (size_t i = 0; i + 1 < size; i += 2) {
        int8_t delta = (int8_t)table[i + 1];

        if (delta != INT8_MIN)
            line += delta;
        address += table[i];
        if (byte < address)
            return delta != INT8_MIN && line > 0 ? (uint32_t)line : first_line;
    }
    return first_line;
}

struct reader {
    const uint8_t *at, *end;
};

static uint64_t read_varint(struct reader *reader)
{
    uint64_t value = 0;
    unsigned shift = 0;

    while (reader->at < reader->end && shift < 60) {
        uint8_t byte = *reader->at++;

        value |= (uint64_t)(byte & 63) << shift;
        if (!(byte & 64))
            break;
        shift += 6;
    }
    return value;
}

static int64_t read_signed(struct reader *reader)
{
    uint64_t value = read_varint(reader);

    return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static void skip(struct reader *reader, size_t bytes)
{
    reader->at = (size_t)(reader->end - reader->at) > bytes ? reader->at + bytes : reader->end;
}

/* 3.11 and later: entries of (code, length in units), then what the code says follows. */
static uint32_t from_locations(const uint8_t *table, size_t size, uint32_t first_line, int64_t unit)
{
    enum {
        SHORT_LAST = 9,
        ONE_LINE_0 = 10,
        ONE_LINE_2 = 12,
        NO_COLUMNS = 13,
        LONG = 14,
        NO_LINE = 15
    };
    struct reader reader = { table, table + size };
    int64_t address = 0, line = first_line;

    while (reader.at < reader.end) {
        uint8_t head = *reader.at++;
        unsigned code = head >> 3 & 15;
        bool told = code != NO_LINE;

        if (code == NO_COLUMNS) {
            line += read_signed(&reader);
        } else if (code == LONG) {
            line += read_signed(&reader);
            read_varint(&reader);
            read_varint(&reader);
            read_varint(&reader);
        } else if (code >= ONE_LINE_0 && code <= ONE_LINE_2) {
            line += code - ONE_LINE_0;
            skip(&reader, 2);
        } else if (code <= SHORT_LAST) {
            skip(&reader, 1);
        }
        address += (head & 7) + 1;
        if (unit < address)
            return told && line > 0 ? (uint32_t)line : first_line;
    }
    return first_line;
}

uint32_t python_line(enum python_lines kind, const uint8_t *table, size_t size, uint32_t first_line,
                     int64_t instruction)
{
    if (instruction < 0)
        return first_line;
    switch (kind) {
    case LINES_LNOTAB:
        return from_lnotab(table, size, first_line, instruction);
    case LINES_DELTAS:
        return from_deltas(table, size, first_line, instruction * 2);
    case LINES_LOCATIONS:
        return from_locations(table, size, first_line, instruction);
    }
    return first_line;
}
