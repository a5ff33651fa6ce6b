/* SPDX-License-Identifier: MIT */
/*
 * Writes JSON to a stream as it goes: nothing is kept but the nesting.  Commas, escapes and the
 * decimal point are its own affair; bytes that are no UTF-8 become U+FFFD; what is no finite number
 * becomes null.
 *
 *     json_begin(&json, stream);
 *     json_object(&json, NULL);              {
 *     json_string(&json, "name", "main");      "name": "main",
 *     json_array(&json, "children");           "children": []
 *     json_end(&json);
 *     json_end(&json);                       }
 *
 * A key is given inside an object and NULL inside an array.
 */
#ifndef PROFTOP_JSON_WRITER_H
#define PROFTOP_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH_MAX = 512 };

struct json {
    FILE *stream;
    unsigned depth;
    bool inside_html;           /* "<" is escaped, so that no text can end a script */
    bool compact;               /* everything in one line */
    char close[JSON_DEPTH_MAX]; /* '}' or ']' of each level */
    bool filled[JSON_DEPTH_MAX];
};

void json_begin(struct json *json, FILE *stream);
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_end(struct json *json); /* of the innermost object or array */

void json_string(struct json *json, const char *key, const char *text); /* NULL: null */
void json_integer(struct json *json, const char *key, int64_t value);
void json_unsigned(struct json *json, const char *key, uint64_t value);
void json_number(struct json *json, const char *key, double value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* VALUE with a point whatever the locale, 12 significant digits at most; "null" when not finite. */
const char *plain_number(char buffer[40], double value);

#endif
