/* SPDX-License-Identifier: MIT */
/* Interned texts. */
#include "config.h"

#include "texts.h"

#include <string.h>

#include "proftop/hash.h"

void texts_init(struct texts *texts)
{
    texts->arena = arena_new();
    index_init(&texts->index);
    chunks_init(&texts->table, sizeof(const char *));
}

void texts_fini(struct texts *texts)
{
    arena_free(texts->arena);
    index_fini(&texts->index);
    chunks_fini(&texts->table);
}

const char *texts_add(struct texts *texts, const char *text)
{
    struct index_cursor cursor;
    const char *kept;
    uint64_t hash;
    uint32_t item;

    if (text == NULL || *text == '\0')
        return "";
    hash = hash_u64(hash_bytes(0, text, strlen(text)));
    index_probe(&texts->index, hash, &cursor);
    while ((item = index_next(&texts->index, &cursor)) != INDEX_END) {
        kept = *(const char **)chunks_get(&texts->table, item);
        if (strcmp(kept, text) == 0)
            return kept;
    }
    kept = arena_strdup(texts->arena, text);
    index_add(&texts->index, hash, chunks_add(&texts->table, &kept));
    return kept;
}

size_t texts_bytes(const struct texts *texts)
{
    return arena_used(texts->arena) + index_bytes(&texts->index) + chunks_bytes(&texts->table);
}
