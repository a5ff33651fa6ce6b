/* SPDX-License-Identifier: MIT */
/* Memory that does not fail, and the one way to die. */
#include "config.h"

#include "proftop/memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/error.h"

enum { LARGE_BYTES = 256 << 10 };

static void (*_Atomic hook)(void);

void die_hook(void (*new_hook)(void))
{
    atomic_store(&hook, new_hook);
}

void die(const char *format, ...)
{
    void (*run)(void) = atomic_exchange(&hook, NULL);
    va_list arguments;

    if (run != NULL)
        run();
    va_start(arguments, format);
    fputs("proftop: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    _Exit(STATUS_FAILED);
}

/*
 * glibc takes a large block that was freed as a reason to have larger ones in its heap from then on
 * (mallopt(3)).  An hour's sorting and folding left a third of the heap as holes between what
 * stays.
 */
void memory_begin(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
#endif
}

static void *check(void *memory, size_t size_bytes)
{
    if (memory == NULL && size_bytes != 0)
        die("out of memory (%zu bytes)", size_bytes);
    return memory;
}

void *xmalloc(size_t size_bytes)
{
    return check(malloc(size_bytes ? size_bytes : 1), size_bytes ? size_bytes : 1);
}

void *xcalloc(size_t count, size_t item_bytes)
{
    return check(calloc(count ? count : 1, item_bytes ? item_bytes : 1), 1);
}

void *xrealloc(void *old, size_t size_bytes)
{
    return check(realloc(old, size_bytes ? size_bytes : 1), size_bytes ? size_bytes : 1);
}

void *xmemdup(const void *bytes, size_t size_bytes)
{
    void *copy = xmalloc(size_bytes);

    if (size_bytes != 0)
        memcpy(copy, bytes, size_bytes);
    return copy;
}

char *xstrndup(const char *text, size_t length)
{
    return check(strndup(text, length), 1);
}

char *xstrdup(const char *text)
{
    return check(strdup(text), 1);
}

char *xvasprintf(const char *format, va_list arguments)
{
    char *text;

    if (vasprintf(&text, format, arguments) < 0)
        die("out of memory (a text)");
    return text;
}

char *xasprintf(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = xvasprintf(format, arguments);
    va_end(arguments);
    return text;
}

void *array_reserve(void *items, size_t *capacity, size_t count, size_t item_bytes)
{
    size_t wanted = *capacity;

    if (count <= wanted)
        return items;
    wanted += wanted / 2;
    if (wanted < count)
        wanted = count < 8 ? 8 : count;
    if (wanted > SIZE_MAX / item_bytes)
        die("an array of %zu items", wanted);
    *capacity = wanted;
    return xrealloc(items, wanted * item_bytes);
}
