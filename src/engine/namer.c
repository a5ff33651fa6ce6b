/* SPDX-License-Identifier: MIT */
/*
 * Two passes over the locations, each with a cursor of its own:
 *
 *     locations  0 ······ full ······ quick ······ names_locations()
 *                         │           └ builder thread: symbol tables
 *                         └ worker: DWARF, behind the builder, never in its way
 *
 * When the symbols got better (a debug file arrived, a perf map grew) both start over.
 */
#include "config.h"

#include "namer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "proftop/clock.h"
#include "proftop/memory.h"

/* How often the screen is told of better names while the worker is busy. */
#define TELL_NS (200 * NS_PER_MS)

/* Few enough that the screen hears of the first before the last are read. */
enum { BATCH_MAX = 256 };

struct namer {
    struct names *names;
    struct symbols *symbols;
    int event_fd;
    uint32_t quick_version; /* of the symbols, when the quick pass began; builder thread */
    bool *kept;             /* by module_id: looked at; builder thread */
    size_t kept_capacity;
    _Atomic uint32_t quick; /* locations below it have a quick name */
    uint32_t full;          /* likewise, fully named; worker */
    pthread_t worker;
    pthread_mutex_t lock; /* guards work and what follows */
    pthread_cond_t work;  /* QUICK went up, or the end was asked for */
    pthread_cond_t idle;  /* the worker has caught up */
    bool stopping, caught_up;
};

function_id namer_function(struct names *names, struct symbols *symbols,
                           const struct symbol *symbol)
{
    struct function function = {
        .kind = symbol->kind,
        .name = symbols_name(symbols, symbol),
        .raw_name = symbol->raw_name,
        .module = symbol->module,
        .file = symbol->first_file != NULL && symbol->first_file[0] != '\0' ? symbol->first_file
                                                                            : symbol->file,
        .line = symbol->first_line,
    };

    return names_function(names, &function);
}

/* Keeps what names the module again later, once. */
static void keep_module(struct namer *namer, module_id id)
{
    struct segment segments[SEGMENTS_MAX];
    size_t old = namer->kept_capacity;
    struct module module;

    if (id == MODULE_NONE)
        return;
    namer->kept = array_reserve(namer->kept, &namer->kept_capacity, id + 1, sizeof(*namer->kept));
    for (size_t i = old; i < namer->kept_capacity; i++)
        namer->kept[i] = false;
    if (!namer->kept[id] && symbols_describe(namer->symbols, id, &module, segments))
        names_keep_module(namer->names, &module);
    namer->kept[id] = true;
}

static bool has_symbol(const struct frame *frame)
{
    return frame->kind != FRAME_MARK;
}

void namer_quick(struct namer *namer)
{
    uint32_t count = names_locations(namer->names);
    uint32_t version = symbols_version(namer->symbols);
    uint32_t begin = atomic_load(&namer->quick);

    if (version != namer->quick_version) {
        namer->quick_version = version;
        begin = 0;
    }
    if (begin == count)
        return;
    for (location_id at = begin; at < count; at++) {
        const struct frame *frame = names_frame(namer->names, at);
        struct symbol symbol;
        struct placed placed;

        if (!has_symbol(frame))
            continue;
        symbols_fast(namer->symbols, frame, &symbol);
        if (frame->kind == FRAME_NATIVE)
            keep_module(namer, frame->module);
        placed =
            (struct placed){ namer_function(namer->names, namer->symbols, &symbol), symbol.line };
        if (names_of(namer->names, at)->state != NAMING_FULL)
            names_set(namer->names, at, NAMING_QUICK, &placed, 1);
    }
    pthread_mutex_lock(&namer->lock);
    if (begin == 0)
        namer->full = 0;
    atomic_store(&namer->quick, count);
    namer->caught_up = false;
    pthread_cond_signal(&namer->work);
    pthread_mutex_unlock(&namer->lock);
}

/* Locations that are named together, so that those close to one another share the work. */
struct batch {
    struct namer *namer;
    struct frame frames[BATCH_MAX];
    location_id locations[BATCH_MAX];
    size_t count;
};

static bool is_stopping(struct namer *namer)
{
    bool stopping;

    pthread_mutex_lock(&namer->lock);
    stopping = namer->stopping;
    pthread_mutex_unlock(&namer->lock);
    return stopping;
}

static bool name_one(void *context, size_t index, const struct symbol *chain, size_t count)
{
    struct batch *batch = context;
    struct namer *namer = batch->namer;
    struct placed placed[SYMBOLS_CHAIN_MAX];

    for (size_t i = 0; i < count; i++)
        placed[i] = (struct placed){ namer_function(namer->names, namer->symbols, &chain[i]),
                                     chain[i].line };
    names_set(namer->names, batch->locations[index], NAMING_FULL, placed, (uint32_t)count);
    return !is_stopping(namer);
}

/* The next locations to name, waiting for some; false when it is time to end. */
static bool next_batch(struct namer *namer, struct batch *batch)
{
    uint32_t quick;
    bool going;

    pthread_mutex_lock(&namer->lock);
    while (!namer->stopping && namer->full == atomic_load(&namer->quick)) {
        if (!namer->caught_up) {
            namer->caught_up = true;
            pthread_cond_broadcast(&namer->idle);
            eventfd_write(namer->event_fd, 1);
        }
        pthread_cond_wait(&namer->work, &namer->lock);
    }
    going = !namer->stopping;
    quick = atomic_load(&namer->quick);
    for (batch->count = 0; batch->count < BATCH_MAX && namer->full < quick; namer->full++) {
        const struct frame *frame = names_frame(namer->names, namer->full);

        if (!has_symbol(frame))
            continue;
        batch->locations[batch->count] = namer->full;
        batch->frames[batch->count++] = *frame;
    }
    pthread_mutex_unlock(&namer->lock);
    return going;
}

static void *work(void *argument)
{
    struct namer *namer = argument;
    uint64_t told_ns = clock_now_ns();
    struct batch batch = { .namer = namer };

    pthread_setname_np(pthread_self(), "names");
    while (next_batch(namer, &batch)) {
        symbols_many(namer->symbols, batch.frames, batch.count, name_one, &batch);
        if (clock_now_ns() - told_ns > TELL_NS) {
            eventfd_write(namer->event_fd, 1);
            told_ns = clock_now_ns();
        }
    }
    return NULL;
}

struct namer *namer_start(struct names *names, struct symbols *symbols, int event_fd)
{
    struct namer *namer = xcalloc(1, sizeof(*namer));

    namer->names = names;
    namer->symbols = symbols;
    namer->event_fd = event_fd;
    namer->caught_up = true;
    pthread_mutex_init(&namer->lock, NULL);
    pthread_cond_init(&namer->work, NULL);
    clock_cond_init(&namer->idle);
    if (pthread_create(&namer->worker, NULL, work, namer) != 0)
        die("no thread for names");
    return namer;
}

void namer_stop(struct namer *namer, uint64_t deadline_ns)
{
    if (namer == NULL)
        return;
    pthread_mutex_lock(&namer->lock);
    while (!namer->caught_up && clock_cond_wait(&namer->idle, &namer->lock, deadline_ns))
        ;
    namer->stopping = true;
    pthread_cond_signal(&namer->work);
    pthread_mutex_unlock(&namer->lock);
    pthread_join(namer->worker, NULL);
    pthread_mutex_destroy(&namer->lock);
    pthread_cond_destroy(&namer->work);
    pthread_cond_destroy(&namer->idle);
    free(namer->kept);
    free(namer);
}
