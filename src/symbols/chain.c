/* SPDX-License-Identifier: MIT */
/*
 * Inline chains with files and lines: slow work for a background thread, and hungry, as the debug
 * information of the modules asked about is held in memory, within a bound.
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "proftop/sorting.h"
#include "symbols_private.h"

/* Above it the DWARF that was not used for longest is given back, and read again when wanted. */
static const size_t dwarf_max_bytes = (size_t)1 << 30;

/* How frames are sorted: bits of kind, module and address. */
static const unsigned kind_shift = 61, module_shift = 40;
static const uint64_t address_mask = (UINT64_C(1) << 40) - 1;

enum {
    CALLS_BETWEEN_CHECKS = 256,
    BATCH_MAX = 1 << 17, /* with the lock held; between two the helper has nothing to do */
    AHEAD = 16           /* sorted, frames are all over memory */
};

static void close_slot(struct dwarf_slot *slot)
{
    dwarf_file_close(slot->file);
    *slot = (struct dwarf_slot){ 0 };
}

void chain_close(struct symbols *symbols)
{
    for (size_t i = 0; i < symbols->dwarfs_capacity; i++)
        close_slot(&symbols->dwarfs[i]);
}

/* Closes the least recently used until the rest fits. */
static void keep_within_bound(struct symbols *symbols)
{
    for (;;) {
        struct dwarf_slot *oldest = NULL;
        size_t bytes = 0, open = 0;

        for (size_t i = 0; i < symbols->dwarfs_capacity; i++) {
            struct dwarf_slot *slot = &symbols->dwarfs[i];

            if (slot->file == NULL)
                continue;
            open++;
            bytes += dwarf_file_bytes(slot->file);
            if (oldest == NULL || slot->used < oldest->used)
                oldest = slot;
        }
        /* One alone may be as large as it is. */
        if (bytes <= dwarf_max_bytes || open <= 1)
            return;
        close_slot(oldest);
    }
}

static struct dwarf_file *open_dwarf(struct symbols *symbols, module_id id, enum trouble *trouble)
{
    const struct module *module = modules_get(symbols->modules, id);
    struct debug_places places = { module->root, module->path, symbols->config.debug_dirs, NULL };

    pthread_mutex_lock(&symbols->lock);
    places.fetched = resolve_fetched(symbols, id);
    pthread_mutex_unlock(&symbols->lock);
    return dwarf_file_open(module, &places, trouble);
}

static void note_trouble(struct symbols *symbols, module_id id, enum trouble trouble)
{
    struct module_names *names;

    pthread_mutex_lock(&symbols->lock);
    names = resolve_module(symbols, id);
    if (trouble == TROUBLE_STRIPPED || trouble == TROUBLE_MISSING) {
        resolve_ask(symbols, names); /* most files are like that: nothing to tell */
    } else {
        names->dwarf_trouble = trouble;
        if (names->trouble == TROUBLE_NONE)
            resolve_warn(symbols, id, trouble);
    }
    if (trouble == TROUBLE_DAMAGED)
        symbols->counts.damaged++;
    pthread_mutex_unlock(&symbols->lock);
}

void chain_forget(struct symbols *symbols, module_id id)
{
    pthread_mutex_lock(&symbols->dwarf_lock);
    if (id < symbols->dwarfs_capacity)
        close_slot(&symbols->dwarfs[id]);
    pthread_mutex_unlock(&symbols->dwarf_lock);
}

/* The DWARF of module ID, opened now when nobody asked before.  With DWARF_LOCK held. */
static struct dwarf_file *dwarf_of(struct symbols *symbols, module_id id)
{
    size_t old = symbols->dwarfs_capacity;
    struct dwarf_slot *slot;
    enum trouble trouble;

    symbols->dwarfs =
        array_reserve(symbols->dwarfs, &symbols->dwarfs_capacity, id + 1, sizeof(*symbols->dwarfs));
    for (size_t i = old; i < symbols->dwarfs_capacity; i++)
        symbols->dwarfs[i] = (struct dwarf_slot){ 0 };
    slot = &symbols->dwarfs[id];
    slot->used = ++symbols->dwarf_calls;
    if (!slot->tried) {
        slot->tried = true;
        slot->file = open_dwarf(symbols, id, &trouble);
        note_trouble(symbols, id, trouble);
        keep_within_bound(symbols);
    } else if (symbols->dwarf_calls % CALLS_BETWEEN_CHECKS == 0) {
        keep_within_bound(symbols);
    }
    return slot->file;
}

/* What DWARF says of the real function, LAST, added to what the symbol table says. */
static void add_place(struct symbol *function, const struct symbol *last)
{
    if (!function->known && last->raw_name != NULL) {
        function->known = true;
        function->raw_name = last->raw_name;
        function->given_name = NULL;
    }
    /* Padding between functions has lines too, but they mean nothing. */
    if (!function->known)
        return;
    function->file = last->file;
    function->line = last->line;
    function->first_file = last->first_file;
    function->first_line = last->first_line;
}

/* Frames that have one and the same chain. */
struct stretch {
    module_id module; /* MODULE_NONE: no frame */
    uint64_t from, to;
};

/*
 * As symbols_full(), for an ADDRESS with DWARF; 0 when there is none.  OUT's last is FUNCTION.
 * EXTENT is where the chain is the same, as far as DWARF goes.
 */
static size_t chain_at(struct symbols *symbols, struct dwarf_file *dwarf, uint64_t address,
                       struct symbol *function, struct symbol *out, size_t limit,
                       struct dwarf_extent *extent)
{
    size_t count = dwarf_file_chain(dwarf, symbols->intern, address, out, limit, extent);

    if (count == 0)
        return 0;
    for (size_t i = 0; i + 1 < count; i++) {
        out[i].kind = FRAME_INLINE;
        out[i].module = function->module;
        out[i].known = out[i].raw_name != NULL;
        if (!out[i].known)
            out[i].given_name = out[i].raw_name = "?";
    }
    add_place(function, &out[count - 1]);
    return count;
}

/* The real function of FRAME; true when there may be DWARF for it, at ADDRESS. */
static bool find_function(struct symbols *symbols, const struct frame *frame,
                          struct symbol *function, uint64_t *address)
{
    struct nearby *nearby = &symbols->nearby;
    bool native = frame->kind == FRAME_NATIVE;

    if (native &&
        (nearby->module != frame->module || frame->address < nearby->from ||
         frame->address >= nearby->to || nearby->version != symbols_version(symbols)) &&
        !resolve_nearby(symbols, frame, nearby))
        *nearby = (struct nearby){ .module = MODULE_NONE };
    if (native && nearby->module != MODULE_NONE) {
        *function = nearby->function;
        *address = frame->address + nearby->shift;
        return true;
    }
    resolve_frame(symbols, frame, function);
    return native && resolve_address(symbols, frame, address);
}

/* The part of the function NEARBY in which DWARF says the same, EXTENT, in a frame's terms. */
static struct stretch stretch_of(const struct nearby *nearby, const struct dwarf_extent *extent)
{
    uint64_t from = nearby->from + nearby->shift, to = nearby->to + nearby->shift;

    if (extent->from > from)
        from = extent->from;
    if (extent->to < to)
        to = extent->to;
    if (nearby->module == MODULE_NONE || from >= to)
        return (struct stretch){ .module = MODULE_NONE };
    return (struct stretch){ nearby->module, from - nearby->shift, to - nearby->shift };
}

/* The DWARF that FRAME may be in; NULL when there is none.  With DWARF_LOCK held. */
static struct dwarf_file *dwarf_for(struct symbols *symbols, const struct frame *frame)
{
    const struct module *module =
        frame->kind == FRAME_NATIVE ? modules_get(symbols->modules, frame->module) : NULL;

    return module != NULL && module->kind == MODULE_FILE ? dwarf_of(symbols, frame->module) : NULL;
}

/* As symbols_full(), from DWARF, or NULL; the frames in STRETCH have the same chain. */
static size_t find_chain(struct symbols *symbols, struct dwarf_file *dwarf,
                         const struct frame *frame, struct symbol *out, size_t limit,
                         struct stretch *stretch)
{
    struct dwarf_extent extent = { 0 };
    struct symbol function;
    uint64_t address;
    size_t count = 0;

    if (!symbols->config.inlines)
        limit = 1;
    stretch->module = MODULE_NONE;
    if (find_function(symbols, frame, &function, &address) && dwarf != NULL) {
        count = chain_at(symbols, dwarf, address, &function, out, limit, &extent);
        *stretch = stretch_of(&symbols->nearby, &extent);
    }
    if (count == 0)
        count = 1;
    out[count - 1] = function;
    return count;
}

size_t symbols_full(struct symbols *symbols, const struct frame *frame, struct symbol *out,
                    size_t limit)
{
    struct stretch stretch;
    size_t count;

    assert(limit > 0);
    if (limit > SYMBOLS_CHAIN_MAX)
        limit = SYMBOLS_CHAIN_MAX;
    pthread_mutex_lock(&symbols->dwarf_lock);
    count = find_chain(symbols, dwarf_for(symbols, frame), frame, out, limit, &stretch);
    pthread_mutex_unlock(&symbols->dwarf_lock);
    return count;
}

/* FRAMES by kind, module and address, their places in KEYS. */
static void sort_frames(const struct frame *frames, size_t count, struct sort_key *keys)
{
    for (size_t i = 0; i < count; i++) {
        /* Offsets in files are far below 2^40; what is not is in no file that has DWARF. */
        keys[i].key = (uint64_t)frames[i].kind << kind_shift |
                      (uint64_t)frames[i].module << module_shift |
                      (frames[i].address & address_mask);
        keys[i].item = (uint32_t)i;
    }
    sort_keys(keys, count);
}

/* Where COUNT keys, all of one module, lie as DWARF counts; 0 for what is in no segment. */
static uint64_t *addresses_of(struct symbols *symbols, module_id module,
                              const struct sort_key *keys, size_t count)
{
    uint64_t *addresses = xmalloc(count * sizeof(*addresses));
    const struct segment *segment = NULL;
    const struct module_names *names;

    pthread_mutex_lock(&symbols->lock);
    names = resolve_module(symbols, module);
    for (size_t i = 0; i < count; i++) {
        uint64_t offset = keys[i].key & address_mask;

        if (segment == NULL || offset - segment->offset >= segment->size)
            segment = elf_segments_find(&names->segments, offset);
        addresses[i] = segment != NULL ? segment->address + (offset - segment->offset) : 0;
    }
    pthread_mutex_unlock(&symbols->lock);
    return addresses;
}

/* How many of the first COUNT keys are of one kind and module, at most BATCH_MAX. */
static size_t batch_of(const struct sort_key *keys, size_t count)
{
    size_t same = 1;

    while (same < count && same < BATCH_MAX &&
           keys[same].key >> module_shift == keys[0].key >> module_shift)
        same++;
    return same;
}

static bool is_in(const struct stretch *stretch, const struct frame *frame)
{
    return stretch->module != MODULE_NONE && frame->kind == FRAME_NATIVE &&
           frame->module == stretch->module && frame->address >= stretch->from &&
           frame->address < stretch->to;
}

/* The helper opens the DWARF a frame may be in, while the caller does something else. */
struct opening {
    struct symbols *symbols;
    const struct frame *frame;
    bool shared; /* with the helper */
};

/* Whether there is nothing to do for who opens it; whoever has the lock may be at it. */
static bool is_open(struct symbols *symbols, const struct frame *frame)
{
    bool open;

    if (frame->kind != FRAME_NATIVE)
        return true;
    if (pthread_mutex_trylock(&symbols->dwarf_lock) != 0)
        return false;
    open = frame->module < symbols->dwarfs_capacity && symbols->dwarfs[frame->module].tried;
    pthread_mutex_unlock(&symbols->dwarf_lock);
    return open;
}

static void open_dwarf_of(void *argument)
{
    const struct opening *opening = argument;

    pthread_mutex_lock(&opening->symbols->dwarf_lock);
    dwarf_for(opening->symbols, opening->frame);
    pthread_mutex_unlock(&opening->symbols->dwarf_lock);
}

static void open_begin(struct opening *opening, struct symbols *symbols, const struct frame *frame)
{
    *opening = (struct opening){ .symbols = symbols, .frame = frame };
    if (!is_open(symbols, frame))
        opening->shared = helper_begin(symbols->helper, open_dwarf_of, opening);
}

/* Its names will be asked for, too: they are read until the helper is done. */
static void open_end(struct opening *opening)
{
    if (!opening->shared)
        return;
    pthread_mutex_lock(&opening->symbols->lock);
    resolve_module(opening->symbols, opening->frame->module);
    pthread_mutex_unlock(&opening->symbols->lock);
    helper_end(opening->symbols->helper);
}

/* Frames of one module. */
struct batch {
    struct dwarf_file *dwarf; /* that they may be in, or NULL */
    const struct frame *frames;
    const struct sort_key *keys;
    size_t count;
};

/* Gives the chains of one run of BATCH; false when that is enough. */
static bool give_run(struct symbols *symbols, const struct batch *batch,
                     const struct dwarf_run *run, symbols_give *give, void *context)
{
    struct stretch stretch = { .module = MODULE_NONE };
    struct symbol chain[SYMBOLS_CHAIN_MAX];
    size_t found = 0;
    bool more = true;

    for (size_t i = run->from; i < run->to && more; i++) {
        const struct frame *frame = &batch->frames[batch->keys[i].item];

        if (i + AHEAD < batch->count)
            __builtin_prefetch(&batch->frames[batch->keys[i + AHEAD].item]);
        if (!is_in(&stretch, frame))
            found = find_chain(symbols, batch->dwarf, frame, chain, SYMBOLS_CHAIN_MAX, &stretch);
        more = give(context, batch->keys[i].item, chain, found);
    }
    return more;
}

/* Gives the chains of BATCH, with DWARF_LOCK held; false when that is enough. */
static bool give_batch(struct symbols *symbols, struct batch *batch, symbols_give *give,
                       void *context)
{
    const struct frame *first = &batch->frames[batch->keys[0].item];
    struct dwarf_run whole = { .to = batch->count }, *runs = &whole;
    size_t runs_count = 1;
    bool more = true;

    batch->dwarf = dwarf_for(symbols, first);
    if (batch->dwarf != NULL && batch->count > 1) {
        uint64_t *addresses = addresses_of(symbols, first->module, batch->keys, batch->count);

        runs_count =
            dwarf_file_ahead(batch->dwarf, addresses, batch->count, symbols->helper, &runs);
        free(addresses);
    }
    for (int late = 0; late < 2; late++)
        for (size_t i = 0; i < runs_count && more; i++)
            if (runs[i].large == (late != 0))
                more = give_run(symbols, batch, &runs[i], give, context);
    if (batch->dwarf != NULL)
        dwarf_file_ahead_end(batch->dwarf);
    if (runs != &whole)
        free(runs);
    return more;
}

void symbols_many(struct symbols *symbols, const struct frame *frames, size_t count,
                  symbols_give *give, void *context)
{
    struct sort_key *keys = xmalloc((count + 1) * sizeof(*keys));
    struct opening opening;
    struct batch batch;
    bool more = true;

    assert(count <= UINT32_MAX);
    for (size_t at = 0; at < count && more; at += batch.count) {
        open_begin(&opening, symbols, &frames[at == 0 ? 0 : keys[at].item]);
        if (at == 0)
            sort_frames(frames, count, keys);
        open_end(&opening);
        batch = (struct batch){ NULL, frames, keys + at, batch_of(keys + at, count - at) };
        pthread_mutex_lock(&symbols->dwarf_lock);
        more = give_batch(symbols, &batch, give, context);
        pthread_mutex_unlock(&symbols->dwarf_lock);
    }
    free(keys);
}
