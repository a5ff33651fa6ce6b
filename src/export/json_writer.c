/* SPDX-License-Identifier: MIT */
/* Writes JSON to a stream as it goes. */
#include "config.h"

#include "proftop/json_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "proftop/text.h"

void json_begin(struct json *json, FILE *stream)
{
    memset(json, 0, sizeof(*json));
    json->stream = stream;
}

static void write_text(const struct json *json, const char *text)
{
    FILE *stream = json->stream;

    putc('"', stream);
    while (*text != '\0') {
        int length;
        int32_t point = text_decode(text, &length);

        if (point == '"' || point == '\\')
            fprintf(stream, "\\%c", (int)point);
        else if (point == '\n')
            fputs("\\n", stream);
        else if ((point >= 0 && point < 0x20) || point == 0x7f ||
                 (point == '<' && json->inside_html))
            fprintf(stream, "\\u%04" PRIx32, (uint32_t)point);
        else if (point == TEXT_INVALID)
            fputs("\xef\xbf\xbd", stream); /* U+FFFD */
        else
            fwrite(text, 1, (size_t)length, stream);
        text += length;
    }
    putc('"', stream);
}

/* What comes before a value: a comma, a new line, the key. */
static void lead(struct json *json, const char *key)
{
    if (json->depth == 0)
        return;
    if (json->filled[json->depth - 1])
        putc(',', json->stream);
    json->filled[json->depth - 1] = true;
    /* Deep nesting is not indented: a tree of a thousand levels would be mostly blanks. */
    if (!json->compact)
        fprintf(json->stream, "\n%*s", json->depth < 8 ? (int)json->depth : 8, "");
    assert((key != NULL) == (json->close[json->depth - 1] == '}'));
    if (key == NULL)
        return;
    write_text(json, key);
    fputs(json->compact ? ":" : ": ", json->stream);
}

static void nest(struct json *json, const char *key, char open, char close)
{
    lead(json, key);
    putc(open, json->stream);
    assert(json->depth < JSON_DEPTH_MAX);
    json->close[json->depth] = close;
    json->filled[json->depth++] = false;
}

void json_object(struct json *json, const char *key)
{
    nest(json, key, '{', '}');
}

void json_array(struct json *json, const char *key)
{
    nest(json, key, '[', ']');
}

void json_end(struct json *json)
{
    assert(json->depth > 0);
    json->depth--;
    putc(json->close[json->depth], json->stream);
    if (json->depth == 0)
        putc('\n', json->stream);
}

void json_string(struct json *json, const char *key, const char *text)
{
    lead(json, key);
    if (text == NULL)
        fputs("null", json->stream);
    else
        write_text(json, text);
}

void json_integer(struct json *json, const char *key, int64_t value)
{
    lead(json, key);
    fprintf(json->stream, "%" PRId64, value);
}

void json_unsigned(struct json *json, const char *key, uint64_t value)
{
    lead(json, key);
    fprintf(json->stream, "%" PRIu64, value);
}

void json_number(struct json *json, const char *key, double value)
{
    char buffer[40];

    lead(json, key);
    fputs(plain_number(buffer, value), json->stream);
}

void json_bool(struct json *json, const char *key, bool value)
{
    lead(json, key);
    fputs(value ? "true" : "false", json->stream);
}

void json_null(struct json *json, const char *key)
{
    lead(json, key);
    fputs("null", json->stream);
}

const char *plain_number(char buffer[40], double value)
{
    size_t radix;

    if (!isfinite(value))
        return "null";
    snprintf(buffer, 40, "%.12g", value);
    /* The only bytes that are not of a number are the locale's decimal point. */
    radix = strspn(buffer, "+-0123456789e");
    if (buffer[radix] != '\0') {
        size_t length = strcspn(buffer + radix, "+-0123456789e");

        buffer[radix] = '.';
        memmove(buffer + radix + 1, buffer + radix + length, strlen(buffer + radix + length) + 1);
    }
    return buffer;
}
