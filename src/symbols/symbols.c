/* SPDX-License-Identifier: MIT */
/* Symbols: the way in, and the cache in front of it.  See symbols_private.h for the rest. */
#include "config.h"

#include "proftop/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "naming.h"
#include "proftop/gettext.h"
#include "proftop/hash.h"
#include "proftop/memory.h"
#include "symbols_private.h"

enum { CACHE_SLOTS = 8192 };

struct cache_slot {
    struct frame frame;
    bool used;
    uint32_t version;
    struct symbol symbol;
};

struct symbols *symbols_new(const struct symbols_config *config, struct modules *modules,
                            struct codes *codes)
{
    struct symbols *symbols = xcalloc(1, sizeof(*symbols));
    const char *dirs = config->debug_dirs != NULL ? config->debug_dirs : "/usr/lib/debug";

    symbols->config = *config;
    symbols->config.debug_dirs = xstrdup(dirs);
    symbols->config.proc_root = xstrdup(config->proc_root != NULL ? config->proc_root : "/proc");
    symbols->modules = modules;
    symbols->codes = codes;
    symbols->intern = intern_new();
    symbols->cache = xcalloc(CACHE_SLOTS, sizeof(*symbols->cache));
    pthread_mutex_init(&symbols->lock, NULL);
    pthread_mutex_init(&symbols->jit_lock, NULL);
    pthread_mutex_init(&symbols->dwarf_lock, NULL);
    symbols->helper = helper_new();
    if (config->debuginfod)
        symbols->fetch = fetch_new(resolve_arrived, symbols, config->fetch_max_bytes);
    return symbols;
}

void symbols_free(struct symbols *symbols)
{
    if (symbols == NULL)
        return;
    fetch_free(symbols->fetch);
    for (size_t i = 0; i < symbols->names_capacity; i++)
        module_names_free(symbols->names[i]);
    free(symbols->names);
    free(symbols->fetched);
    for (size_t i = 0; i < symbols->jits_capacity; i++)
        jit_free(symbols->jits[i]);
    free(symbols->jits);
    chain_close(symbols);
    helper_free(symbols->helper);
    free(symbols->dwarfs);
    pthread_mutex_destroy(&symbols->lock);
    pthread_mutex_destroy(&symbols->jit_lock);
    pthread_mutex_destroy(&symbols->dwarf_lock);
    free(symbols->cache);
    intern_free(symbols->intern);
    free((char *)symbols->config.debug_dirs);
    free((char *)symbols->config.proc_root);
    free(symbols);
}

static bool same_frame(const struct frame *a, const struct frame *b)
{
    return a->address == b->address && a->module == b->module && a->kind == b->kind;
}

void symbols_fast(struct symbols *symbols, const struct frame *frame, struct symbol *out)
{
    uint64_t hash = hash_pair(frame->address, frame->module);
    struct cache_slot *slot = &symbols->cache[hash % CACHE_SLOTS];
    uint32_t version = atomic_load_explicit(&symbols->version, memory_order_relaxed);

    /* Until a sample is settled, its JIT code may be another one every time. */
    if (frame->kind == FRAME_JIT && !jit_is_settled(frame->address)) {
        resolve_frame(symbols, frame, out);
        return;
    }
    /* A name never changes, but one may come for what had none. */
    if (!slot->used || !same_frame(&slot->frame, frame) ||
        (!slot->symbol.known && slot->version != version)) {
        resolve_frame(symbols, frame, &slot->symbol);
        slot->frame = *frame;
        slot->version = version;
        slot->used = true;
    }
    *out = slot->symbol;
}

const char *symbols_name(struct symbols *symbols, const struct symbol *symbol)
{
    return symbol->given_name != NULL ? symbol->given_name
                                      : naming_of(symbols->intern, symbol->raw_name);
}

void symbols_settle(struct symbols *symbols, struct frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct module *module;

        if (frames[i].kind != FRAME_JIT)
            continue;
        module = modules_get(symbols->modules, frames[i].module);
        if (module == NULL || module->kind != MODULE_JIT)
            continue;
        pthread_mutex_lock(&symbols->jit_lock);
        frames[i].address = jit_settle(resolve_jit(symbols, module), frames[i].address);
        pthread_mutex_unlock(&symbols->jit_lock);
    }
}

uint32_t symbols_version(const struct symbols *symbols)
{
    return atomic_load(&symbols->version);
}

static enum trouble jit_trouble_of(struct symbols *symbols, module_id id)
{
    enum trouble trouble = TROUBLE_NONE;

    pthread_mutex_lock(&symbols->jit_lock);
    if (id < symbols->jits_capacity && symbols->jits[id] != NULL)
        trouble = jit_trouble(symbols->jits[id]);
    pthread_mutex_unlock(&symbols->jit_lock);
    return trouble;
}

const char *symbols_trouble(struct symbols *symbols, module_id id)
{
    const struct module *module = modules_get(symbols->modules, id);
    const struct module_names *names = NULL;
    enum trouble trouble = TROUBLE_NONE;

    if (module == NULL || module->kind == MODULE_UNKNOWN)
        return NULL;
    if (module->kind == MODULE_JIT) {
        trouble = jit_trouble_of(symbols, id);
        return trouble != TROUBLE_NONE ? trouble_text(trouble) : NULL;
    }
    pthread_mutex_lock(&symbols->lock);
    if (id < symbols->names_capacity)
        names = symbols->names[id];
    if (names != NULL)
        trouble = names->trouble != TROUBLE_NONE ? names->trouble : names->dwarf_trouble;
    pthread_mutex_unlock(&symbols->lock);
    if (trouble == TROUBLE_NONE)
        return NULL;
    return module->trouble != NULL ? module->trouble : trouble_text(trouble);
}

bool symbols_warning(struct symbols *symbols, uint32_t number, char *text, size_t size_bytes)
{
    struct warning warning = { 0 };
    const struct module *module;
    bool found;

    pthread_mutex_lock(&symbols->lock);
    found = number < symbols->warnings_count;
    if (found)
        warning = symbols->warnings[number];
    pthread_mutex_unlock(&symbols->lock);
    if (!found)
        return false;
    module = modules_get(symbols->modules, warning.module);
    snprintf(text, size_bytes, _("names of %s: %s"), module->name, trouble_text(warning.trouble));
    return true;
}

const char *symbols_fetching(struct symbols *symbols)
{
    if (symbols->fetch == NULL)
        return NULL;
    switch (fetch_state(symbols->fetch)) {
    case FETCH_BUSY:
        return _("fetching debug files");
    case FETCH_NO_LIBRARY:
        return _("debuginfod: libdebuginfod is not installed");
    case FETCH_NO_SERVER:
        return _("debuginfod: DEBUGINFOD_URLS is not set");
    default:
        return NULL;
    }
}

size_t symbols_build_id(struct symbols *symbols, module_id id, uint8_t bytes[BUILD_ID_MAX])
{
    const struct module *module = modules_get(symbols->modules, id);
    const struct module_names *names;
    size_t size;

    if (module == NULL)
        return 0;
    if (module->build_id_size != 0) {
        memcpy(bytes, module->build_id, module->build_id_size);
        return module->build_id_size;
    }
    pthread_mutex_lock(&symbols->lock);
    names = resolve_module(symbols, id);
    size = names->build_id_size;
    memcpy(bytes, names->build_id, size);
    pthread_mutex_unlock(&symbols->lock);
    return size;
}

bool symbols_describe(struct symbols *symbols, module_id id, struct module *out,
                      struct segment segments[SEGMENTS_MAX])
{
    const struct module *module = modules_get(symbols->modules, id);
    const struct module_names *names;

    if (module == NULL || module->kind != MODULE_FILE)
        return false;
    *out = (struct module){ .id = id,
                            .kind = MODULE_FILE,
                            .path = "",
                            .name = module->name,
                            .fd = -1,
                            .segments = segments };
    pthread_mutex_lock(&symbols->lock);
    names = resolve_module(symbols, id);
    out->build_id_size = (uint8_t)names->build_id_size;
    memcpy(out->build_id, names->build_id, names->build_id_size);
    for (uint32_t i = 0; i < names->segments.count; i++) {
        if (names->segments.items[i].executable)
            segments[out->segment_count++] = names->segments.items[i];
    }
    pthread_mutex_unlock(&symbols->lock);
    return out->build_id_size != 0 && out->segment_count != 0;
}

bool symbols_await(struct symbols *symbols, uint32_t version)
{
    if (symbols->fetch != NULL)
        fetch_await(symbols->fetch, &symbols->version, version);
    return symbols_version(symbols) != version;
}

void symbols_fetch_no_more(struct symbols *symbols)
{
    if (symbols->fetch != NULL)
        fetch_stop(symbols->fetch);
}

void symbols_counts(struct symbols *symbols, struct symbols_counts *counts)
{
    size_t jit_size = 0;

    pthread_mutex_lock(&symbols->jit_lock);
    for (size_t i = 0; i < symbols->jits_capacity; i++)
        jit_size += symbols->jits[i] != NULL ? jit_bytes(symbols->jits[i]) : 0;
    pthread_mutex_unlock(&symbols->jit_lock);

    pthread_mutex_lock(&symbols->lock);
    *counts = symbols->counts;
    counts->bytes =
        intern_bytes(symbols->intern) + CACHE_SLOTS * sizeof(*symbols->cache) + jit_size;
    for (size_t i = 0; i < symbols->names_capacity; i++) {
        const struct module_names *names = symbols->names[i];

        if (names == NULL)
            continue;
        counts->bytes += module_names_bytes(names);
        if (symbol_table_count(names->table) == 0)
            counts->nameless++;
    }
    pthread_mutex_unlock(&symbols->lock);
}
