/* SPDX-License-Identifier: MIT */
/* Code records, interned by content. */
#include "config.h"

#include "proftop/code.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/arena.h"
#include "proftop/chunks.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"

struct codes {
    pthread_mutex_t adding; /* guards texts, index and appending to table */
    struct arena *texts;
    struct index index;
    struct chunks table; /* of struct code */
};

struct codes *codes_new(void)
{
    struct codes *codes = xcalloc(1, sizeof(*codes));

    pthread_mutex_init(&codes->adding, NULL);
    codes->texts = arena_new();
    index_init(&codes->index);
    chunks_init(&codes->table, sizeof(struct code));
    return codes;
}

void codes_free(struct codes *codes)
{
    if (codes == NULL)
        return;
    pthread_mutex_destroy(&codes->adding);
    arena_free(codes->texts);
    index_fini(&codes->index);
    chunks_fini(&codes->table);
    free(codes);
}

static uint64_t hash_of(const struct code *code)
{
    uint64_t hash = hash_bytes(0, code->name, strlen(code->name) + 1);

    hash = hash_bytes(hash, code->file, strlen(code->file));
    return hash_pair(hash, code->first_line);
}

static uint32_t find(const struct codes *codes, uint64_t hash, const struct code *wanted)
{
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&codes->index, hash, &cursor);
    while ((item = index_next(&codes->index, &cursor)) != INDEX_END) {
        const struct code *code = chunks_get(&codes->table, item);

        if (code->first_line == wanted->first_line && code->flags == wanted->flags &&
            strcmp(code->name, wanted->name) == 0 && strcmp(code->file, wanted->file) == 0)
            return item;
    }
    return INDEX_END;
}

code_id codes_add(struct codes *codes, const struct code *wanted)
{
    uint64_t hash = hash_of(wanted);
    uint32_t item;

    pthread_mutex_lock(&codes->adding);
    item = find(codes, hash, wanted);
    if (item == INDEX_END) {
        struct code code = *wanted;

        code.name = arena_strdup(codes->texts, wanted->name);
        code.file = arena_strdup(codes->texts, wanted->file);
        item = chunks_add(&codes->table, &code);
        index_add(&codes->index, hash, item);
    }
    pthread_mutex_unlock(&codes->adding);
    return item;
}

const struct code *codes_get(const struct codes *codes, code_id id)
{
    return id < chunks_count(&codes->table) ? chunks_get(&codes->table, id) : NULL;
}

uint32_t codes_count(const struct codes *codes)
{
    return chunks_count(&codes->table);
}
