/* SPDX-License-Identifier: MIT */
/*
 * Texts kept once, each behind the number of its other text, packed:
 *
 *     … │ 7 │ "_ZN3fooEv\0" │ −1 │ "main\0" │ …
 */
#include "config.h"

#include "intern.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/arena.h"
#include "proftop/chunks.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"

struct intern {
    pthread_mutex_t lock; /* guards everything below */
    struct arena *texts;
    struct chunks table; /* of char * into texts */
    struct index index;
};

struct intern *intern_new(void)
{
    struct intern *intern = xcalloc(1, sizeof(*intern));

    pthread_mutex_init(&intern->lock, NULL);
    intern->texts = arena_new();
    chunks_init(&intern->table, sizeof(char *));
    index_init(&intern->index);
    return intern;
}

void intern_free(struct intern *intern)
{
    if (intern == NULL)
        return;
    pthread_mutex_destroy(&intern->lock);
    arena_free(intern->texts);
    chunks_fini(&intern->table);
    index_fini(&intern->index);
    free(intern);
}

static uint32_t item_of(struct intern *intern, const char *text)
{
    size_t size = strlen(text) + 1;
    uint64_t hash = hash_u64(hash_bytes(0, text, size - 1));
    struct index_cursor cursor;
    uint32_t item, none = INDEX_END;
    char *copy;

    index_probe(&intern->index, hash, &cursor);
    while ((item = index_next(&intern->index, &cursor)) != INDEX_END) {
        if (strcmp(*(char **)chunks_get(&intern->table, item), text) == 0)
            return item;
    }
    copy = arena_bytes(intern->texts, sizeof(none) + size);
    memcpy(copy, &none, sizeof(none));
    copy = memcpy(copy + sizeof(none), text, size);
    item = chunks_add(&intern->table, &copy);
    index_add(&intern->index, hash, item);
    return item;
}

const char *intern_text(struct intern *intern, const char *text)
{
    const char *result;

    pthread_mutex_lock(&intern->lock);
    result = *(char **)chunks_get(&intern->table, item_of(intern, text));
    pthread_mutex_unlock(&intern->lock);
    return result;
}

const char *intern_other(struct intern *intern, const char *text)
{
    const char *result = NULL;
    uint32_t item;

    pthread_mutex_lock(&intern->lock);
    memcpy(&item, text - sizeof(item), sizeof(item));
    if (item != INDEX_END)
        result = *(char **)chunks_get(&intern->table, item);
    pthread_mutex_unlock(&intern->lock);
    return result;
}

void intern_set_other(struct intern *intern, const char *text, const char *other)
{
    char *kept;
    uint32_t item;

    pthread_mutex_lock(&intern->lock);
    kept = *(char **)chunks_get(&intern->table, item_of(intern, text));
    item = item_of(intern, other);
    memcpy(kept - sizeof(item), &item, sizeof(item));
    pthread_mutex_unlock(&intern->lock);
}

const char *intern_printf(struct intern *intern, const char *format, ...)
{
    const char *result;
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = xvasprintf(format, arguments);
    va_end(arguments);
    result = intern_text(intern, text);
    free(text);
    return result;
}

size_t intern_bytes(struct intern *intern)
{
    size_t bytes;

    pthread_mutex_lock(&intern->lock);
    bytes = arena_used(intern->texts) + chunks_bytes(&intern->table) + index_bytes(&intern->index);
    pthread_mutex_unlock(&intern->lock);
    return bytes;
}
