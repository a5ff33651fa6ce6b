/* SPDX-License-Identifier: MIT */
/* The lanes that have been described so far. */
#include "config.h"

#include "proftop/lane.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/arena.h"
#include "proftop/chunks.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"

struct lanes {
    pthread_mutex_t adding; /* guards texts, index and appending to table */
    struct arena *texts;
    struct index index;
    struct chunks table; /* of struct lane */
};

struct lanes *lanes_new(void)
{
    struct lanes *lanes = xcalloc(1, sizeof(*lanes));

    pthread_mutex_init(&lanes->adding, NULL);
    lanes->texts = arena_new();
    index_init(&lanes->index);
    chunks_init(&lanes->table, sizeof(struct lane));
    return lanes;
}

void lanes_free(struct lanes *lanes)
{
    if (lanes == NULL)
        return;
    pthread_mutex_destroy(&lanes->adding);
    arena_free(lanes->texts);
    index_fini(&lanes->index);
    chunks_fini(&lanes->table);
    free(lanes);
}

static uint64_t hash_of(const struct lane *lane)
{
    uint64_t hash = hash_bytes(lane->group, lane->key, strlen(lane->key));

    return hash_pair(hash, (uint64_t)(uint32_t)lane->pid << 32 | (uint32_t)lane->tid);
}

static uint32_t find(const struct lanes *lanes, uint64_t hash, const struct lane *wanted)
{
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&lanes->index, hash, &cursor);
    while ((item = index_next(&lanes->index, &cursor)) != INDEX_END) {
        const struct lane *lane = chunks_get(&lanes->table, item);

        if (lane->group == wanted->group && lane->pid == wanted->pid && lane->tid == wanted->tid &&
            strcmp(lane->key, wanted->key) == 0)
            return item;
    }
    return INDEX_END;
}

lane_id lanes_add(struct lanes *lanes, const struct lane *wanted)
{
    uint64_t hash = hash_of(wanted);
    uint32_t item;

    pthread_mutex_lock(&lanes->adding);
    item = find(lanes, hash, wanted);
    if (item == INDEX_END) {
        struct lane lane = *wanted;

        lane.id = chunks_count(&lanes->table);
        lane.key = arena_strdup(lanes->texts, wanted->key);
        lane.label = arena_strdup(lanes->texts, wanted->label);
        if (wanted->absent != NULL)
            lane.absent = arena_strdup(lanes->texts, wanted->absent);
        item = chunks_add(&lanes->table, &lane);
        index_add(&lanes->index, hash, item);
    }
    pthread_mutex_unlock(&lanes->adding);
    return item;
}

const struct lane *lanes_get(const struct lanes *lanes, lane_id id)
{
    return id < chunks_count(&lanes->table) ? chunks_get(&lanes->table, id) : NULL;
}

uint32_t lanes_count(const struct lanes *lanes)
{
    return chunks_count(&lanes->table);
}
