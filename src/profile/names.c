/* SPDX-License-Identifier: MIT */
/*
 * The tables of locations, stacks and functions.
 *
 *     locations  chunks of {frame, naming}       appended by the builder; naming is an atomic
 *                                                pointer that only ever moves to a later one
 *     stacks     chunks of {parent, location}    appended by the builder
 *     functions  chunks of struct function       appended under the lock
 *     kept       chunks of struct module         appended by the builder
 *     namings    in an arena, never freed before the end, so that a reader may hold an old one
 *
 * The lock guards functions, texts and the arena of namings and segments.  Reading takes no lock,
 * except for the first look at a location that has no name yet.
 */
#include "config.h"

#include "proftop/names.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "placeholder.h"
#include "proftop/arena.h"
#include "proftop/chunks.h"
#include "proftop/gettext.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"
#include "proftop/module.h"
#include "texts.h"

enum { NAMING_FRAMES_MAX = 255 };

struct location {
    struct frame frame;
    const struct naming *_Atomic naming; /* NULL: nobody has asked */
};

struct stack_node {
    stack_id parent;
    location_id location;
};

struct names {
    struct chunks locations, stacks, kept;
    struct index location_index, stack_index; /* the builder's alone */
    _Atomic uint32_t version;
    _Atomic bool python;
    const struct modules *modules;
    const struct codes *codes;

    pthread_mutex_t lock; /* guards what follows */
    struct chunks functions;
    struct index function_index;
    struct texts texts;
    struct arena *namings;
};

struct names *names_new(void)
{
    struct names *names = xcalloc(1, sizeof(*names));
    struct stack_node root = { STACK_ROOT, UINT32_MAX };

    chunks_init(&names->locations, sizeof(struct location));
    chunks_init(&names->stacks, sizeof(struct stack_node));
    chunks_init(&names->kept, sizeof(struct module));
    chunks_init(&names->functions, sizeof(struct function));
    index_init(&names->location_index);
    index_init(&names->stack_index);
    index_init(&names->function_index);
    pthread_mutex_init(&names->lock, NULL);
    texts_init(&names->texts);
    names->namings = arena_new();
    chunks_add(&names->stacks, &root);
    return names;
}

void names_free(struct names *names)
{
    if (names == NULL)
        return;
    chunks_fini(&names->locations);
    chunks_fini(&names->stacks);
    chunks_fini(&names->kept);
    chunks_fini(&names->functions);
    index_fini(&names->location_index);
    index_fini(&names->stack_index);
    index_fini(&names->function_index);
    pthread_mutex_destroy(&names->lock);
    texts_fini(&names->texts);
    arena_free(names->namings);
    free(names);
}

void names_describe(struct names *names, const struct modules *modules, const struct codes *codes)
{
    names->modules = modules;
    names->codes = codes;
}

/* ---- modules --------------------------------------------------------------------------------- */

void names_keep_module(struct names *names, const struct module *module)
{
    size_t size = module->segment_count * sizeof(*module->segments);
    struct module kept = *module;

    pthread_mutex_lock(&names->lock);
    kept.path = "";
    kept.name = texts_add(&names->texts, module->name);
    kept.segments = memcpy(arena_alloc(names->namings, size), module->segments, size);
    pthread_mutex_unlock(&names->lock);
    chunks_add(&names->kept, &kept);
}

uint32_t names_kept_modules(const struct names *names)
{
    return chunks_count(&names->kept);
}

const struct module *names_kept_module(const struct names *names, uint32_t index)
{
    return chunks_get(&names->kept, index);
}

/* ---- locations ------------------------------------------------------------------------------- */

static struct location *location_at(const struct names *names, location_id location)
{
    return chunks_get(&names->locations, location);
}

location_id names_locate(struct names *names, const struct frame *frame)
{
    uint64_t hash = hash_pair((uint64_t)frame->kind << 32 | frame->module, frame->address);
    struct location location = { .frame = *frame };
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&names->location_index, hash, &cursor);
    while ((item = index_next(&names->location_index, &cursor)) != INDEX_END) {
        const struct frame *known = &location_at(names, item)->frame;

        if (known->address == frame->address && known->module == frame->module &&
            known->kind == frame->kind)
            return item;
    }
    item = chunks_add(&names->locations, &location);
    index_add(&names->location_index, hash, item);
    return item;
}

uint32_t names_locations(const struct names *names)
{
    return chunks_count(&names->locations);
}

const struct frame *names_frame(const struct names *names, location_id location)
{
    return &location_at(names, location)->frame;
}

/* ---- stacks ---------------------------------------------------------------------------------- */

static const struct stack_node *stack_at(const struct names *names, stack_id stack)
{
    return chunks_get(&names->stacks, stack);
}

stack_id names_push(struct names *names, stack_id parent, location_id location)
{
    uint64_t hash = hash_u64((uint64_t)parent << 32 | location);
    struct stack_node node = { parent, location };
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&names->stack_index, hash, &cursor);
    while ((item = index_next(&names->stack_index, &cursor)) != INDEX_END) {
        const struct stack_node *known = stack_at(names, item);

        if (known->parent == parent && known->location == location)
            return item;
    }
    item = chunks_add(&names->stacks, &node);
    index_add(&names->stack_index, hash, item);
    return item;
}

uint32_t names_stacks(const struct names *names)
{
    return chunks_count(&names->stacks);
}

stack_id names_parent(const struct names *names, stack_id stack)
{
    return stack_at(names, stack)->parent;
}

location_id names_location(const struct names *names, stack_id stack)
{
    return stack_at(names, stack)->location;
}

/* ---- functions ------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct function *function)
{
    uint64_t hash = hash_bytes(function->kind, function->raw_name, strlen(function->raw_name) + 1);

    hash = hash_bytes(hash, function->module, strlen(function->module) + 1);
    return hash_u64(hash_bytes(hash, function->file, strlen(function->file)));
}

static uint64_t hue_of(const struct function *function)
{
    uint64_t hash = hash_bytes(0, function->module, strlen(function->module) + 1);

    return hash_u64(hash_bytes(hash, function->name, strlen(function->name)));
}

/* With the lock held. */
static function_id add_function(struct names *names, const struct function *wanted)
{
    struct function new = *wanted;
    struct index_cursor cursor;
    uint64_t hash;
    uint32_t item;

    new.name = texts_add(&names->texts, wanted->name);
    new.raw_name = texts_add(&names->texts, wanted->raw_name != NULL ? wanted->raw_name : new.name);
    new.module = texts_add(&names->texts, wanted->module);
    new.file = texts_add(&names->texts, wanted->file);
    hash = hash_of(&new);
    index_probe(&names->function_index, hash, &cursor);
    while ((item = index_next(&names->function_index, &cursor)) != INDEX_END) {
        const struct function *known = chunks_get(&names->functions, item);

        /* Texts are interned: the same words have the same address. */
        if (known->kind == new.kind && known->raw_name == new.raw_name &&
            known->module == new.module && known->file == new.file)
            return item;
    }
    new.hue = hue_of(&new);
    item = chunks_add(&names->functions, &new);
    index_add(&names->function_index, hash, item);
    return item;
}

function_id names_function(struct names *names, const struct function *wanted)
{
    function_id function;

    pthread_mutex_lock(&names->lock);
    function = add_function(names, wanted);
    pthread_mutex_unlock(&names->lock);
    if (wanted->kind == FRAME_PYTHON)
        atomic_store(&names->python, true);
    return function;
}

bool names_have_python(const struct names *names)
{
    return atomic_load(&names->python);
}

uint32_t names_functions(const struct names *names)
{
    return chunks_count(&names->functions);
}

const struct function *names_get(const struct names *names, function_id function)
{
    return chunks_get(&names->functions, function);
}

bool function_is_nameless(const struct function *function)
{
    size_t length = strlen(function->module);

    if (function->kind == FRAME_PYTHON || function->kind == FRAME_MARK)
        return false;
    if (function->kind == FRAME_JIT)
        return strcmp(function->name, FRAME_JIT_NAMELESS) == 0;
    if (length > 0 && strncmp(function->name, function->module, length) == 0)
        return strncmp(function->name + length, "+0x", 3) == 0;
    return strncmp(function->name, "0x", 2) == 0;
}

const char *function_footnote(const struct function *function)
{
    if (function->kind == FRAME_KERNEL && strstr(function->name, "_irqrestore") != NULL)
        return _("interrupts-off time is charged here");
    if (function->kind == FRAME_JIT && function_is_nameless(function))
        return _("no map: node --perf-basic-prof, jcmd PID Compiler.perfmap");
    return NULL;
}

/* ---- what a location is called --------------------------------------------------------------- */

/* With the lock held. */
static const struct naming *make_naming(struct names *names, enum naming_state state,
                                        const struct placed *frames, uint32_t count)
{
    struct naming *naming;

    assert(count > 0);
    if (count > NAMING_FRAMES_MAX)
        count = NAMING_FRAMES_MAX;
    naming = arena_alloc(names->namings, sizeof(*naming) + count * sizeof(frames[0]));
    *naming = (struct naming){ .state = (uint8_t)state, .count = (uint8_t)count };
    memcpy(naming->frames, frames, count * sizeof(frames[0]));
    return naming;
}

static const struct naming *add_placeholder(struct names *names, struct location *location)
{
    struct function function;
    struct placed placed;
    enum naming_state state;
    char text[PLACEHOLDER_MAX];
    const struct naming *naming;

    state = placeholder_describe(names->modules, names->codes, &location->frame, &function,
                                 &placed.line, text);
    pthread_mutex_lock(&names->lock);
    naming = atomic_load(&location->naming);
    if (naming == NULL) {
        placed.function = add_function(names, &function);
        naming = make_naming(names, state, &placed, 1);
        atomic_store_explicit(&location->naming, naming, memory_order_release);
    }
    pthread_mutex_unlock(&names->lock);
    return naming;
}

const struct naming *names_known(const struct names *names, location_id location)
{
    return atomic_load_explicit(&location_at(names, location)->naming, memory_order_acquire);
}

const struct naming *names_of(const struct names *names, location_id location)
{
    const struct naming *naming = names_known(names, location);

    /* A cache fills itself: the tables change, what they say does not. */
    return naming != NULL ? naming
                          : add_placeholder((struct names *)names, location_at(names, location));
}

static bool same_frames(const struct naming *naming, const struct placed *frames, uint32_t count)
{
    return naming != NULL && naming->count == count &&
           memcmp(naming->frames, frames, count * sizeof(frames[0])) == 0;
}

void names_set(struct names *names, location_id location, enum naming_state state,
               const struct placed *frames, uint32_t count)
{
    struct location *at = location_at(names, location);
    const struct naming *old;

    pthread_mutex_lock(&names->lock);
    old = atomic_load(&at->naming);
    if (old == NULL || old->state != state || !same_frames(old, frames, count)) {
        atomic_store_explicit(&at->naming, make_naming(names, state, frames, count),
                              memory_order_release);
        if (!same_frames(old, frames, count))
            atomic_fetch_add_explicit(&names->version, 1, memory_order_release);
    }
    pthread_mutex_unlock(&names->lock);
}

uint32_t names_version(const struct names *names)
{
    return atomic_load_explicit(&names->version, memory_order_acquire);
}

size_t names_bytes(const struct names *names)
{
    return chunks_bytes(&names->locations) + chunks_bytes(&names->stacks) +
           chunks_bytes(&names->kept) + chunks_bytes(&names->functions) +
           index_bytes(&names->location_index) + index_bytes(&names->stack_index) +
           index_bytes(&names->function_index) + texts_bytes(&names->texts) +
           arena_used(names->namings);
}
