/* SPDX-License-Identifier: MIT */
/* The table of modules: see module.h for what an address means in each kind. */
#include "config.h"

#include "proftop/module.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/arena.h"
#include "proftop/chunks.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"

struct modules {
    pthread_mutex_t adding; /* guards texts, index and appending to table */
    struct arena *texts;
    struct index index;
    struct chunks table; /* of struct module */
};

struct modules *modules_new(void)
{
    struct modules *modules = xcalloc(1, sizeof(*modules));
    struct module none = { .kind = MODULE_UNKNOWN, .path = "", .name = "", .fd = -1 };

    pthread_mutex_init(&modules->adding, NULL);
    modules->texts = arena_new();
    index_init(&modules->index);
    chunks_init(&modules->table, sizeof(struct module));
    modules_add(modules, &none);
    return modules;
}

static void close_descriptors(const struct module *module)
{
    if (module->fd >= 0)
        close(module->fd);
    if (module->root > 0)
        close(module->root);
}

void modules_free(struct modules *modules)
{
    if (modules == NULL)
        return;
    for (module_id id = 0; id < modules_count(modules); id++)
        close_descriptors(modules_get(modules, id));
    pthread_mutex_destroy(&modules->adding);
    arena_free(modules->texts);
    index_fini(&modules->index);
    chunks_fini(&modules->table);
    free(modules);
}

static uint64_t hash_of(const struct module *module)
{
    uint64_t hash = hash_bytes(module->kind, module->path, strlen(module->path));

    hash = hash_pair(hash, hash_pair(module->device, module->inode));
    return hash_pair(hash, (uint64_t)(uint32_t)module->pid << 32 | module->generation);
}

static bool same(const struct module *a, const struct module *b)
{
    bool ids = a->build_id_size != 0 && b->build_id_size != 0;

    return a->kind == b->kind && a->device == b->device && a->inode == b->inode &&
           a->size_bytes == b->size_bytes && a->mtime_ns == b->mtime_ns && a->pid == b->pid &&
           a->generation == b->generation && strcmp(a->path, b->path) == 0 &&
           (!ids || (a->build_id_size == b->build_id_size &&
                     memcmp(a->build_id, b->build_id, a->build_id_size) == 0));
}

static const struct module *find(const struct modules *modules, uint64_t hash,
                                 const struct module *wanted)
{
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&modules->index, hash, &cursor);
    while ((item = index_next(&modules->index, &cursor)) != INDEX_END) {
        const struct module *module = chunks_get(&modules->table, item);

        if (same(module, wanted))
            return module;
    }
    return NULL;
}

static const struct module *append(struct modules *modules, uint64_t hash,
                                   const struct module *wanted)
{
    struct module module = *wanted;
    struct arena *texts = modules->texts;
    uint32_t item = chunks_count(&modules->table);

    module.id = item;
    module.path = arena_strdup(texts, wanted->path);
    module.name = arena_strdup(texts, wanted->name);
    if (wanted->trouble != NULL)
        module.trouble = arena_strdup(texts, wanted->trouble);
    if (wanted->image != NULL)
        module.image =
            memcpy(arena_alloc(texts, wanted->image_size), wanted->image, wanted->image_size);
    if (wanted->segments != NULL)
        module.segments =
            memcpy(arena_alloc(texts, wanted->segment_count * sizeof(*wanted->segments)),
                   wanted->segments, wanted->segment_count * sizeof(*wanted->segments));
    chunks_add(&modules->table, &module);
    index_add(&modules->index, hash, item);
    return chunks_get(&modules->table, item);
}

const struct module *modules_add(struct modules *modules, const struct module *wanted)
{
    uint64_t hash = hash_of(wanted);
    const struct module *module;

    pthread_mutex_lock(&modules->adding);
    module = find(modules, hash, wanted);
    if (module == NULL)
        module = append(modules, hash, wanted);
    else
        close_descriptors(wanted);
    pthread_mutex_unlock(&modules->adding);
    return module;
}

const struct module *modules_find(struct modules *modules, const struct module *wanted)
{
    uint64_t hash = hash_of(wanted);
    const struct module *module;

    pthread_mutex_lock(&modules->adding);
    module = find(modules, hash, wanted);
    pthread_mutex_unlock(&modules->adding);
    return module;
}

const struct module *modules_get(const struct modules *modules, module_id id)
{
    return id < chunks_count(&modules->table) ? chunks_get(&modules->table, id) : NULL;
}

uint32_t modules_count(const struct modules *modules)
{
    return chunks_count(&modules->table);
}
