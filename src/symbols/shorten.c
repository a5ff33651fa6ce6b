/* SPDX-License-Identifier: MIT */
/*
 * Names made shorter the way a reader would: what says least goes first.
 *
 *     long acme::Table<std::string, long>::sum(int) const     whole
 *     acme::Table<std::string, long>::sum                      arguments, and what they came with
 *     acme::Table::sum                                         template arguments
 *     …::Table::sum                                            the left end
 *
 * Pure text work on demangled C++ and Rust; other names only lose their left end.
 */
#include "config.h"

#include "proftop/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Length of an operator's own sign at TEXT, whose brackets are no brackets; 0 when none. */
static size_t operator_sign(const char *name, const char *text)
{
    static const char *const signs[] = { "()", "<=>", "<<=", ">>=", "->*", "<<",
                                         ">>", "<=",  ">=",  "->",  "<",   ">" };

    if (text - name < 8 || !starts(text - 8, "operator"))
        return 0;
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (starts(text, signs[i]))
            return strlen(signs[i]);
    }
    return 0;
}

/* The end of the bracket that opens at TEXT; NULL when it never closes. */
static const char *closing(const char *name, const char *text)
{
    size_t depth = 0;

    while (*text != '\0') {
        size_t sign = operator_sign(name, text);

        if (sign != 0) {
            text += sign;
            continue;
        }
        if (strchr("(<{[", *text) != NULL)
            depth++;
        else if (strchr(")}]", *text) != NULL || (*text == '>' && text[-1] != '-'))
            depth--;
        text++;
        if (depth == 0)
            return text;
    }
    return NULL;
}

/* Arguments, as against "(anonymous namespace)" or Go's "(*Type)". */
static bool is_arguments(const char *name, const char *text)
{
    return *text == '(' && text > name && strchr(".: ", text[-1]) == NULL &&
           !starts(text, "(anonymous namespace)");
}

/* Drops the arguments outside template arguments, and the return type and qualifiers with them. */
static void drop_arguments(const char *name, char *out)
{
    char *start = out;
    const char *at = name, *end;
    bool dropped = false;

    while (*at != '\0') {
        size_t copy = operator_sign(name, at);

        /* "operator<< <char>": a space that ends no return type */
        if (copy != 0 && starts(at + copy, " <"))
            copy++;
        if (copy == 0 && is_arguments(name, at) && (end = closing(name, at)) != NULL) {
            at = end;
            dropped = true;
            while (starts(at, " const") || starts(at, " volatile") || starts(at, " &"))
                at += 1 + strcspn(at + 1, " ");
            continue;
        }
        if (copy == 0 && *at == '<' && (end = closing(name, at)) != NULL)
            copy = (size_t)(end - at);
        else if (copy == 0 && starts(at, "(anonymous namespace)"))
            copy = strlen("(anonymous namespace)");
        else if (copy == 0 && *at == ' ' && !starts(at, " [clone") && !dropped &&
                 strchr(at, '(') != NULL && (out - start < 8 || !starts(out - 8, "operator"))) {
            out = start; /* so far it was the return type */
            at++;
            continue;
        } else if (copy == 0) {
            copy = 1;
        }
        memmove(out, at, copy);
        out += copy;
        at += copy;
    }
    *out = '\0';
}

/* Rust's "<Type as Trait>" and "<impl Trait for Type>" are no arguments: they are the name. */
static bool is_path(const char *name, const char *text)
{
    return *text == '<' && (text == name || starts(text, "<impl "));
}

static void drop_templates(const char *name, char *out)
{
    const char *at = name, *end;

    while (*at != '\0') {
        size_t copy = operator_sign(name, at);

        if (copy == 0 && *at == '<' && !is_path(name, at) && (end = closing(name, at)) != NULL) {
            /* Rust writes them as "::<…>", and "operator< <…>" has a space. */
            if (at - name >= 2 && starts(at - 2, "::"))
                out -= 2;
            else if (at > name && at[-1] == ' ')
                out--;
            at = end;
            continue;
        }
        if (copy == 0)
            copy = 1;
        memmove(out, at, copy);
        out += copy;
        at += copy;
    }
    *out = '\0';
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t characters(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += !is_continuation(*text);
    return count;
}

/* The last COLUMNS characters, the first of them "…" when something is missing. */
static void keep_right(const char *name, size_t columns, char *out, size_t size_bytes)
{
    size_t count = characters(name);

    if (count <= columns || columns == 0) {
        snprintf(out, size_bytes, "%s", columns != 0 ? name : "");
        return;
    }
    while (is_continuation(*name)) /* of a character that was cut off before */
        name++;
    for (size_t skip = count - columns + 1; skip > 0; skip--) {
        name++;
        while (is_continuation(*name))
            name++;
    }
    snprintf(out, size_bytes, "…%s", name);
}

char *symbol_shorten(const char *name, size_t columns, char *out, size_t size_bytes)
{
    char *text = xstrdup(name);

    if (characters(text) > columns)
        drop_arguments(name, text);
    if (characters(text) > columns) {
        char *bare = xstrdup(text);

        drop_templates(text, bare);
        free(text);
        text = bare;
    }
    keep_right(text, columns, out, size_bytes);
    free(text);
    return out;
}

/* COUNT characters further in TEXT, or its end. */
static const char *skip(const char *text, size_t count)
{
    for (; count > 0 && *text != '\0'; count--) {
        text++;
        while (is_continuation(*text))
            text++;
    }
    return text;
}

/* How many characters NAME and OTHER begin with in common. */
static size_t common(const char *name, const char *other)
{
    size_t bytes = 0, count = 0;

    while (name[bytes] != '\0' && name[bytes] == other[bytes])
        bytes++;
    while (bytes > 0 && is_continuation(name[bytes]))
        bytes--;
    for (size_t i = 0; i < bytes; i++)
        count += !is_continuation(name[i]);
    return count;
}

char *symbol_apart(const char *name, const char *other, size_t columns, char *out,
                   size_t size_bytes)
{
    size_t before = common(name, other), room = columns > 2 ? columns - 2 : 1; /* two "…" */
    size_t left = before > room / 2 ? before - room / 2 : 0;
    const char *from = skip(name, left), *to = skip(from, room);

    if (characters(name) <= columns)
        snprintf(out, size_bytes, "%s", name);
    else
        snprintf(out, size_bytes, "%s%.*s%s", left > 0 ? "…" : "", (int)(to - from), from,
                 *to != '\0' ? "…" : "");
    return out;
}
