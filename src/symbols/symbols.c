/* SPDX-License-Identifier: MIT */
/*
 * Symbols: the way in.  By kind of frame:
 *
 *     NATIVE ─► module_names (symbol table of the file, read once)
 *     KERNEL, JIT ─► likewise, from kallsyms or a perf map
 *     PYTHON ─► struct codes
 *     MARK   ─► a word in brackets
 *
 * LOCK guards what both threads share.  The cache in front of it is the fast thread's own.
 */
#include "config.h"

#include "proftop/symbols.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "dwarf_file.h"
#include "intern.h"
#include "module_names.h"
#include "proftop/clock.h"
#include "proftop/code.h"
#include "proftop/gettext.h"
#include "proftop/hash.h"
#include "proftop/memory.h"

enum { CACHE_SLOTS = 8192 };

struct cache_slot {
    struct frame frame;
    bool used;
    struct symbol symbol;
};

struct dwarf_slot {
    struct dwarf_file *file;
    bool tried;
};

struct symbols {
    struct symbols_config config;
    char *debug_dirs, *proc_root;
    struct modules *modules;
    struct codes *codes;
    struct intern *intern;
    struct cache_slot *cache; /* of symbols_fast() */

    pthread_mutex_t lock;        /* guards what follows */
    struct module_names **names; /* by module_id; NULL: not looked at */
    size_t names_capacity;
    struct symbols_counts counts;

    pthread_mutex_t dwarf_lock; /* guards what follows; taken before LOCK, never after */
    struct dwarf_slot *dwarfs;  /* by module_id */
    size_t dwarfs_capacity;
};

struct symbols *symbols_new(const struct symbols_config *config, struct modules *modules,
                            struct codes *codes)
{
    struct symbols *symbols = xcalloc(1, sizeof(*symbols));
    const char *dirs = config->debug_dirs != NULL ? config->debug_dirs : "/usr/lib/debug";

    symbols->config = *config;
    symbols->debug_dirs = xstrdup(dirs);
    symbols->proc_root = xstrdup(config->proc_root != NULL ? config->proc_root : "/proc");
    symbols->modules = modules;
    symbols->codes = codes;
    symbols->intern = intern_new();
    symbols->cache = xcalloc(CACHE_SLOTS, sizeof(*symbols->cache));
    pthread_mutex_init(&symbols->lock, NULL);
    pthread_mutex_init(&symbols->dwarf_lock, NULL);
    return symbols;
}

void symbols_free(struct symbols *symbols)
{
    if (symbols == NULL)
        return;
    for (size_t i = 0; i < symbols->names_capacity; i++)
        module_names_free(symbols->names[i]);
    free(symbols->names);
    for (size_t i = 0; i < symbols->dwarfs_capacity; i++)
        dwarf_file_close(symbols->dwarfs[i].file);
    free(symbols->dwarfs);
    pthread_mutex_destroy(&symbols->lock);
    pthread_mutex_destroy(&symbols->dwarf_lock);
    free(symbols->cache);
    intern_free(symbols->intern);
    free(symbols->debug_dirs);
    free(symbols->proc_root);
    free(symbols);
}

/* The names of MODULE, read now when nobody asked before.  With the lock held. */
static struct module_names *names_of(struct symbols *symbols, module_id id)
{
    const struct module *module = modules_get(symbols->modules, id);
    size_t old = symbols->names_capacity;
    uint64_t began_ns;

    if (module == NULL)
        return NULL;
    symbols->names =
        array_reserve(symbols->names, &symbols->names_capacity, id + 1, sizeof(*symbols->names));
    for (size_t i = old; i < symbols->names_capacity; i++)
        symbols->names[i] = NULL;
    if (symbols->names[id] != NULL)
        return symbols->names[id];
    began_ns = clock_now_ns();
    symbols->names[id] = module_names_load(module, symbols->debug_dirs);
    symbols->counts.load_ns += clock_now_ns() - began_ns;
    symbols->counts.modules++;
    switch (symbols->names[id]->trouble) {
    case TROUBLE_MISMATCH:
    case TROUBLE_DEBUG_MISMATCH:
        symbols->counts.mismatched++;
        break;
    case TROUBLE_DAMAGED:
    case TROUBLE_NOT_ELF:
        symbols->counts.damaged++;
        break;
    case TROUBLE_NOT_REGULAR:
    case TROUBLE_TOO_LARGE:
    case TROUBLE_FOREIGN:
        symbols->counts.refused++;
        break;
    default:
        break;
    }
    return symbols->names[id];
}

static void unnamed(struct symbols *symbols, const struct module *module, const struct frame *frame,
                    struct symbol *out)
{
    if (module != NULL && module->name[0] != '\0' && frame->kind != FRAME_JIT)
        out->name = intern_printf(symbols->intern, "%s+0x%" PRIx64, module->name, frame->address);
    else
        out->name = intern_printf(symbols->intern, "0x%" PRIx64, frame->address);
    out->raw_name = out->name;
    out->address = frame->address;
    symbols->counts.unnamed++;
}

static void set_name(struct symbols *symbols, struct symbol *out, const char *raw)
{
    char plain[DEMANGLED_MAX];
    const char *version = strchr(raw, '@');

    out->known = true;
    out->name = out->raw_name = intern_text(symbols->intern, raw);
    if (demangle(raw, plain))
        out->name = intern_text(symbols->intern, plain);
    else if (version != NULL && version > raw && strcmp(version, "@plt") != 0)
        out->name = intern_printf(symbols->intern, "%.*s", (int)(version - raw), raw);
}

static void machine_symbol(struct symbols *symbols, const struct frame *frame, struct symbol *out)
{
    const struct module *module = modules_get(symbols->modules, frame->module);
    const struct range *range = NULL;
    const struct module_names *names;

    out->module = module != NULL ? module->name : "";
    pthread_mutex_lock(&symbols->lock);
    names = names_of(symbols, frame->module);
    if (names != NULL)
        range = module_names_find(names, frame->address);
    if (range != NULL) {
        set_name(symbols, out, symbol_table_name(names->table, range));
        out->address = module_names_start(names, range);
    } else {
        unnamed(symbols, module, frame, out);
    }
    pthread_mutex_unlock(&symbols->lock);
}

static void python_symbol(struct symbols *symbols, const struct frame *frame, struct symbol *out)
{
    const struct code *code = codes_get(symbols->codes, frame->module);

    if (code == NULL) {
        out->name = out->raw_name = "?";
        return;
    }
    out->known = true;
    out->name = out->raw_name = code->name;
    out->file = out->first_file = code->file;
    out->line = (uint32_t)frame->address;
    out->first_line = code->first_line;
    out->address = code->first_line;
}

static void mark_symbol(struct symbols *symbols, const struct frame *frame, struct symbol *out)
{
    out->known = true;
    out->address = frame->address;
    switch (frame->module) {
    case MARK_BROKEN:
        out->name =
            intern_printf(symbols->intern, "[%s]", stack_end_text((enum stack_end)frame->address));
        break;
    case MARK_SKIPPED:
        out->name =
            intern_printf(symbols->intern, _("[%" PRIu64 " frames left out]"), frame->address);
        break;
    case MARK_SYSCALL:
        out->name = intern_printf(symbols->intern, _("[system call %" PRIu64 "]"), frame->address);
        break;
    case MARK_KERNEL:
        out->name = intern_text(symbols->intern, "[kernel]");
        break;
    default:
        out->name = intern_text(symbols->intern, _("[native frames cut]"));
    }
    out->raw_name = out->name;
}

static void resolve(struct symbols *symbols, const struct frame *frame, struct symbol *out)
{
    *out = (struct symbol){ .kind = frame->kind, .module = "", .file = "", .first_file = "" };
    switch (frame->kind) {
    case FRAME_PYTHON:
        python_symbol(symbols, frame, out);
        break;
    case FRAME_MARK:
        mark_symbol(symbols, frame, out);
        break;
    default:
        machine_symbol(symbols, frame, out);
    }
}

static bool same_frame(const struct frame *a, const struct frame *b)
{
    return a->address == b->address && a->module == b->module && a->kind == b->kind;
}

void symbols_fast(struct symbols *symbols, const struct frame *frame, struct symbol *out)
{
    uint64_t hash = hash_pair(frame->address, frame->module);
    struct cache_slot *slot = &symbols->cache[hash % CACHE_SLOTS];

    if (!slot->used || !same_frame(&slot->frame, frame)) {
        resolve(symbols, frame, &slot->symbol);
        slot->frame = *frame;
        slot->used = true;
    }
    *out = slot->symbol;
}

/* The DWARF of module ID, opened now when nobody asked before.  With the DWARF lock held. */
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
    if (!slot->tried)
        slot->file =
            dwarf_file_open(modules_get(symbols->modules, id), symbols->debug_dirs, &trouble);
    slot->tried = true;
    return slot->file;
}

static const char *path_text(struct symbols *symbols, const char *folder, const char *file)
{
    if (file == NULL)
        return "";
    if (file[0] == '/' || folder == NULL)
        return intern_text(symbols->intern, file);
    return intern_printf(symbols->intern, "%s/%s", folder, file);
}

static void set_place(struct symbols *symbols, struct symbol *out, const struct dwarf_place *place)
{
    out->file = path_text(symbols, place->folder, place->file);
    out->line = place->line;
    out->first_file = path_text(symbols, place->folder, place->first_file);
    out->first_line = place->first_line;
}

/* Where FRAME lies in its program, as DWARF counts; false when that cannot be said. */
static bool program_address(struct symbols *symbols, const struct frame *frame, uint64_t *address)
{
    const struct module_names *names;
    bool found;

    pthread_mutex_lock(&symbols->lock);
    names = names_of(symbols, frame->module);
    found = names != NULL && names->module->kind == MODULE_FILE &&
            elf_segments_address(&names->segments, frame->address, address);
    pthread_mutex_unlock(&symbols->lock);
    return found;
}

size_t symbols_full(struct symbols *symbols, const struct frame *frame, struct symbol *out,
                    size_t limit)
{
    struct dwarf_place places[SYMBOLS_CHAIN_MAX];
    struct dwarf_file *dwarf;
    struct symbol function;
    uint64_t address;
    size_t count = 0;

    assert(limit > 0);
    resolve(symbols, frame, &function);
    if (frame->kind == FRAME_NATIVE && program_address(symbols, frame, &address)) {
        if (limit > SYMBOLS_CHAIN_MAX)
            limit = SYMBOLS_CHAIN_MAX;
        pthread_mutex_lock(&symbols->dwarf_lock);
        dwarf = dwarf_of(symbols, frame->module);
        if (dwarf != NULL)
            count = dwarf_file_chain(dwarf, address, places, symbols->config.inlines ? limit : 1);
        for (size_t i = 0; i + 1 < count; i++) {
            out[i] = (struct symbol){ .kind = FRAME_INLINE, .module = function.module };
            set_name(symbols, &out[i], places[i].name != NULL ? places[i].name : "?");
            set_place(symbols, &out[i], &places[i]);
        }
        if (count > 0 && !function.known && places[count - 1].name != NULL)
            set_name(symbols, &function, places[count - 1].name);
        /* Padding between functions has lines too, but they mean nothing. */
        if (count > 0 && function.known)
            set_place(symbols, &function, &places[count - 1]);
        pthread_mutex_unlock(&symbols->dwarf_lock);
    }
    out[count > 0 ? count - 1 : 0] = function;
    return count > 0 ? count : 1;
}

void symbols_settle(struct symbols *symbols, struct frame *frames, uint32_t count)
{
    (void)symbols;
    (void)frames;
    (void)count;
}

uint32_t symbols_version(const struct symbols *symbols)
{
    (void)symbols;
    return 0;
}

const char *symbols_trouble(struct symbols *symbols, module_id id)
{
    const struct module *module = modules_get(symbols->modules, id);
    const struct module_names *names;
    const char *text = NULL;

    if (module == NULL || module->kind == MODULE_UNKNOWN)
        return NULL;
    pthread_mutex_lock(&symbols->lock);
    names = names_of(symbols, id);
    if (names->trouble != TROUBLE_NONE)
        text = module->trouble != NULL ? module->trouble : trouble_text(names->trouble);
    pthread_mutex_unlock(&symbols->lock);
    return text;
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
    names = names_of(symbols, id);
    size = names->build_id_size;
    memcpy(bytes, names->build_id, size);
    pthread_mutex_unlock(&symbols->lock);
    return size;
}

void symbols_counts(struct symbols *symbols, struct symbols_counts *counts)
{
    pthread_mutex_lock(&symbols->lock);
    *counts = symbols->counts;
    counts->bytes = intern_bytes(symbols->intern) + CACHE_SLOTS * sizeof(*symbols->cache);
    for (size_t i = 0; i < symbols->names_capacity; i++) {
        const struct module_names *names = symbols->names[i];

        if (names == NULL)
            continue;
        counts->bytes += module_names_bytes(names);
        if (names->table == NULL || symbol_table_count(names->table) == 0)
            counts->nameless++;
    }
    pthread_mutex_unlock(&symbols->lock);
}
