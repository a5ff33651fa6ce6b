/* SPDX-License-Identifier: MIT */
/*
 * Perf maps as found: Node writes "7f0010 20 name", Java "0x00007f0000000010 0x20 name"; names hold
 * spaces.
 */
#include "config.h"

#include "perf_map.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hexadecimal, and nothing else that strtoull() would let pass. */
static bool parse_hex(const char **text, uint64_t *value)
{
    char *end;

    if (!isxdigit((unsigned char)**text))
        return false;
    *value = strtoull(*text, &end, 16);
    if (*end != ' ' && *end != '\t')
        return false;
    while (*end == ' ' || *end == '\t')
        end++;
    *text = end;
    return true;
}

/* V8's interpreted functions ("JS:~name"): their addresses are bytecode, which no CPU runs. */
static bool is_bytecode(const char *name)
{
    size_t kind = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return kind > 0 && name[kind] == ':' && name[kind + 1] == '~';
}

bool perf_map_parse(const char *line, struct jit_code *code)
{
    uint64_t start, size;

    if (!parse_hex(&line, &start) || !parse_hex(&line, &size) || size == 0 || size > UINT32_MAX ||
        start + size < start || *line == '\0' || is_bytecode(line))
        return false;
    *code = (struct jit_code){ .start = start, .size = (uint32_t)size, .name = line };
    return true;
}

/* Cuts ":DIGITS" off the end of the LENGTH characters of TEXT; false when it is not there. */
static bool cut_number(const char *text, size_t *length, unsigned *value)
{
    size_t at = *length;

    while (at > 0 && isdigit((unsigned char)text[at - 1]))
        at--;
    if (at == *length || at == 0 || text[at - 1] != ':' || *length - at > 9)
        return false;
    *value = (unsigned)strtoul(text + at, NULL, 10);
    *length = at - 1;
    return true;
}

static void put(char text[JIT_NAME_MAX], const char **out_file, const char *name, size_t name_size,
                const char *file, size_t file_size)
{
    int count;

    if (name_size > JIT_NAME_MAX / 2 - 1)
        name_size = JIT_NAME_MAX / 2 - 1;
    if (file_size > JIT_NAME_MAX / 2 - 1)
        file_size = JIT_NAME_MAX / 2 - 1;
    count = snprintf(text, JIT_NAME_MAX, "%.*s", (int)name_size, name);
    *out_file = text + count + 1;
    snprintf(text + count + 1, JIT_NAME_MAX / 2, "%.*s", (int)file_size, file);
}

/* "JS:*name file:line:column"; the mark says which compiler made it. */
static bool v8_name(const char *name, char text[JIT_NAME_MAX], const char **file, unsigned *line)
{
    const char *marks = "*^+'", *rest;
    size_t length, space;
    unsigned column, number;

    if (strncmp(name, "JS:", 3) == 0)
        rest = name + 3;
    else if (strncmp(name, "LazyCompile:", 12) == 0)
        rest = name + 12;
    else if (strncmp(name, "Function:", 9) == 0)
        rest = name + 9;
    else
        return false;
    if (*rest != '\0' && strchr(marks, *rest) != NULL)
        rest++;
    length = strlen(rest);
    space = strcspn(rest, " ");
    if (space == length || !cut_number(rest, &length, &column))
        return false;
    /* Older versions leave the column out. */
    if (!cut_number(rest, &length, &number))
        number = column;
    if (length <= space + 1)
        return false;
    *line = number;
    if (space == 0)
        /* Nameless: where it is written is all there is to tell it by. */
        put(text, file, rest + 1, strlen(rest + 1), rest + 1, length - 1);
    else
        put(text, file, rest, space, rest + space + 1, length - space - 1);
    return true;
}

static bool python_name(const char *name, char text[JIT_NAME_MAX], const char **file)
{
    const char *colon;

    if (strncmp(name, "py::", 4) != 0)
        return false;
    name += 4;
    colon = strchr(name, ':');
    if (colon == NULL || colon == name)
        return false;
    put(text, file, name, (size_t)(colon - name), colon + 1, strlen(colon + 1));
    return true;
}

void perf_map_name(const char *name, char text[JIT_NAME_MAX], const char **file, unsigned *line)
{
    *line = 0;
    if (!v8_name(name, text, file, line) && !python_name(name, text, file))
        put(text, file, name, strlen(name), "", 0);
}
