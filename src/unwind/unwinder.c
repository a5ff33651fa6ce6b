/* SPDX-License-Identifier: MIT */
/*
 * The unwinder: modules' tables, built on a worker thread, and the entry points for sources.
 *
 *     blocks ──► block of slots ──► slot of one module: table, image
 *
 * A slot is found without a lock; blocks are added and the queue is changed under one.  A table is
 * published when it is complete and stays until the unwinder goes.
 */
#include "config.h"

#include "proftop/unwind.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "image.h"
#include "proftop/clock.h"
#include "proftop/memory.h"
#include "table.h"
#include "unwinder_private.h"
#include "walk.h"

enum { BLOCK_SLOTS = 256, BLOCKS = 4096 };

struct slot {
    _Atomic(struct table *) table;
    _Atomic(struct image *) image;
    atomic_bool asked;
};

struct unwinder {
    _Atomic(struct slot *) blocks[BLOCKS];
    pthread_t worker;
    pthread_mutex_t lock; /* guards what follows, adding blocks, and reading images */
    pthread_cond_t asked, idle;
    const struct module **queue; /* a ring of modules to build */
    size_t queue_count, queue_capacity;
    size_t building; /* taken from the queue and not published yet */
    bool stopping;
    struct unwinder_cost cost;
};

static struct slot *slot_of(struct unwinder *unwinder, module_id id)
{
    struct slot *block;

    if (id / BLOCK_SLOTS >= BLOCKS)
        return NULL;
    block = atomic_load_explicit(&unwinder->blocks[id / BLOCK_SLOTS], memory_order_acquire);
    if (block == NULL) {
        pthread_mutex_lock(&unwinder->lock);
        block = atomic_load(&unwinder->blocks[id / BLOCK_SLOTS]);
        if (block == NULL) {
            block = xcalloc(BLOCK_SLOTS, sizeof(*block));
            atomic_store_explicit(&unwinder->blocks[id / BLOCK_SLOTS], block, memory_order_release);
        }
        pthread_mutex_unlock(&unwinder->lock);
    }
    return &block[id % BLOCK_SLOTS];
}

static void build(struct unwinder *unwinder, const struct module *module)
{
    uint64_t start_ns = clock_now_ns();
    struct table *table = table_build(module);

    atomic_store_explicit(&slot_of(unwinder, module->id)->table, table, memory_order_release);
    pthread_mutex_lock(&unwinder->lock);
    unwinder->cost.tables++;
    unwinder->cost.rows += table_rows(table);
    unwinder->cost.bytes += table_bytes(table);
    unwinder->cost.build_ns += clock_now_ns() - start_ns;
    pthread_mutex_unlock(&unwinder->lock);
}

static void *work(void *argument)
{
    struct unwinder *unwinder = argument;

    pthread_mutex_lock(&unwinder->lock);
    while (!unwinder->stopping) {
        const struct module *module;

        if (unwinder->queue_count == 0) {
            pthread_cond_broadcast(&unwinder->idle);
            pthread_cond_wait(&unwinder->asked, &unwinder->lock);
            continue;
        }
        /* The last one asked for is what the newest sample needs. */
        module = unwinder->queue[--unwinder->queue_count];
        unwinder->building++;
        pthread_mutex_unlock(&unwinder->lock);
        build(unwinder, module);
        pthread_mutex_lock(&unwinder->lock);
        unwinder->building--;
    }
    pthread_mutex_unlock(&unwinder->lock);
    return NULL;
}

struct unwinder *unwinder_new(void)
{
    struct unwinder *unwinder = xcalloc(1, sizeof(*unwinder));

    pthread_mutex_init(&unwinder->lock, NULL);
    pthread_cond_init(&unwinder->asked, NULL);
    clock_cond_init(&unwinder->idle);
    if (pthread_create(&unwinder->worker, NULL, work, unwinder) != 0)
        die("cannot start a thread");
    return unwinder;
}

static void slot_drop(struct slot *slot)
{
    struct image *image = atomic_load(&slot->image);

    table_free(atomic_load(&slot->table));
    if (image != NULL) {
        image_fini(image);
        free(image);
    }
}

void unwinder_free(struct unwinder *unwinder)
{
    if (unwinder == NULL)
        return;
    pthread_mutex_lock(&unwinder->lock);
    unwinder->stopping = true;
    pthread_cond_signal(&unwinder->asked);
    pthread_mutex_unlock(&unwinder->lock);
    pthread_join(unwinder->worker, NULL);
    for (unsigned i = 0; i < BLOCKS; i++) {
        struct slot *block = atomic_load(&unwinder->blocks[i]);

        for (unsigned k = 0; block != NULL && k < BLOCK_SLOTS; k++)
            slot_drop(&block[k]);
        free(block);
    }
    free(unwinder->queue);
    pthread_cond_destroy(&unwinder->asked);
    pthread_cond_destroy(&unwinder->idle);
    pthread_mutex_destroy(&unwinder->lock);
    free(unwinder);
}

static void ask(struct unwinder *unwinder, struct slot *slot, const struct module *module)
{
    if (atomic_exchange(&slot->asked, true))
        return;
    pthread_mutex_lock(&unwinder->lock);
    unwinder->queue = array_reserve(unwinder->queue, &unwinder->queue_capacity,
                                    unwinder->queue_count + 1, sizeof(*unwinder->queue));
    unwinder->queue[unwinder->queue_count++] = module;
    pthread_cond_signal(&unwinder->asked);
    pthread_mutex_unlock(&unwinder->lock);
}

const struct table *unwinder_table(struct unwinder *unwinder, const struct module *module)
{
    struct slot *slot = slot_of(unwinder, module->id);
    const struct table *table;

    if (slot == NULL)
        return NULL;
    table = atomic_load_explicit(&slot->table, memory_order_acquire);
    if (table == NULL)
        ask(unwinder, slot, module);
    return table;
}

const struct image *unwinder_image(struct unwinder *unwinder, const struct module *module)
{
    struct slot *slot = slot_of(unwinder, module->id);
    struct image *image;

    if (slot == NULL)
        return NULL;
    image = atomic_load_explicit(&slot->image, memory_order_acquire);
    if (image != NULL)
        return image;
    pthread_mutex_lock(&unwinder->lock);
    image = atomic_load(&slot->image);
    if (image == NULL) {
        image = xmalloc(sizeof(*image));
        if (image_read(image, module)) /* without an ELF file it stays empty */
            image_make_hdr(image);
        image_forget_tables(image);
        atomic_store_explicit(&slot->image, image, memory_order_release);
    }
    pthread_mutex_unlock(&unwinder->lock);
    return image;
}

void unwinder_prepare(struct unwinder *unwinder, const struct maps *maps)
{
    for (uint32_t i = 0; i < maps->count; i++) {
        const struct module *module = maps->mappings[i].module;

        if (module->kind == MODULE_FILE || module->kind == MODULE_VDSO)
            unwinder_table(unwinder, module);
    }
}

void unwinder_wait(struct unwinder *unwinder, uint64_t until_ns)
{
    pthread_mutex_lock(&unwinder->lock);
    while ((unwinder->queue_count > 0 || unwinder->building > 0) &&
           clock_cond_wait(&unwinder->idle, &unwinder->lock, until_ns))
        ;
    pthread_mutex_unlock(&unwinder->lock);
}

void unwinder_cost(struct unwinder *unwinder, struct unwinder_cost *cost)
{
    pthread_mutex_lock(&unwinder->lock);
    *cost = unwinder->cost;
    pthread_mutex_unlock(&unwinder->lock);
}

static bool run(struct unwinder *unwinder, const struct frozen *frozen, struct trail trail,
                bool (*how)(struct walk *), struct unwound *unwound)
{
    struct walk walk;
    bool ready;

    assert(trail.limit >= UNWIND_LIMIT_MIN);
    trail.limit--; /* the mark of a broken stack */
    if ((frozen->registers.known & (KNOWN_IP | KNOWN_SP)) != (KNOWN_IP | KNOWN_SP)) {
        *unwound = (struct unwound){ .end = STACK_NONE };
        return true;
    }
    walk_init(&walk, unwinder, frozen, &trail, trail.saved != NULL);
    ready = how(&walk);
    unwound->count = trail_finish(&walk.trail, &unwound->skipped);
    unwound->end = walk.end;
    unwound->end_address = walk.end_address;
    unwound->signal_frame = walk.signal_frame;
    unwound->switched = walk.switched;
    if (walk.end != STACK_COMPLETE) {
        if (trail.stacks != NULL)
            trail.stacks[unwound->count] = walk.place.sp;
        if (trail.saved != NULL)
            trail.saved[unwound->count] = (struct unwind_saved){ 0 };
        trail.frames[unwound->count++] =
            (struct frame){ .address = walk.end, .module = MARK_BROKEN, .kind = FRAME_MARK };
    }
    return ready;
}

bool unwind_frozen(struct unwinder *unwinder, const struct frozen *frozen, struct frame *frames,
                   uint64_t *stacks, uint32_t limit, struct unwound *unwound)
{
    struct trail trail = { .frames = frames, .stacks = stacks, .limit = limit };

    return run(unwinder, frozen, trail, walk_run, unwound);
}

bool unwind_full(struct unwinder *unwinder, const struct frozen *frozen, struct frame *frames,
                 uint64_t *stacks, struct unwind_saved *saved, uint32_t limit,
                 struct unwound *unwound)
{
    struct trail trail = { .frames = frames, .stacks = stacks, .saved = saved, .limit = limit };

    return run(unwinder, frozen, trail, walk_run, unwound);
}

bool unwind_slowly(struct unwinder *unwinder, const struct frozen *frozen, struct frame *frames,
                   uint64_t *stacks, uint32_t limit, struct unwound *unwound)
{
    struct trail trail = { .frames = frames, .stacks = stacks, .limit = limit };

    return run(unwinder, frozen, trail, slow_run, unwound);
}
