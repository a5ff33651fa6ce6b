/* SPDX-License-Identifier: MIT */
/*
 * The real function of a frame, by kind:
 *
 *     NATIVE, KERNEL ─► module_names: a symbol table, read once
 *     JIT            ─► jit: what the program writes as it goes
 *     PYTHON         ─► struct codes
 *     MARK           ─► a word in brackets
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "naming.h"
#include "perf_map.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "symbols_private.h"

static void count_trouble(struct symbols_counts *counts, enum trouble trouble)
{
    switch (trouble) {
    case TROUBLE_MISMATCH:
    case TROUBLE_DEBUG_MISMATCH:
        counts->mismatched++;
        break;
    case TROUBLE_DAMAGED:
    case TROUBLE_NOT_ELF:
        counts->damaged++;
        break;
    case TROUBLE_NOT_REGULAR:
    case TROUBLE_TOO_LARGE:
    case TROUBLE_FOREIGN:
        counts->refused++;
        break;
    default:
        break;
    }
}

/* Stripped files, and programs without a perf map, are everywhere: that is for who asks. */
static bool is_worth_a_warning(enum trouble trouble)
{
    switch (trouble) {
    case TROUBLE_MISMATCH:
    case TROUBLE_DEBUG_MISMATCH:
    case TROUBLE_DAMAGED:
    case TROUBLE_NOT_ELF:
    case TROUBLE_NOT_REGULAR:
    case TROUBLE_TOO_LARGE:
    case TROUBLE_NO_ALT:
    case TROUBLE_HIDDEN:
        return true;
    default:
        return false;
    }
}

void resolve_warn(struct symbols *symbols, module_id id, enum trouble trouble)
{
    if (is_worth_a_warning(trouble) && symbols->warnings_count < WARNINGS_MAX)
        symbols->warnings[symbols->warnings_count++] = (struct warning){ id, trouble };
}

struct module_names *resolve_module(struct symbols *symbols, module_id id)
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
    symbols->names[id] = module_names_load(module, &symbols->config, resolve_fetched(symbols, id));
    symbols->counts.load_ns += clock_now_ns() - began_ns;
    symbols->counts.modules++;
    count_trouble(&symbols->counts, symbols->names[id]->trouble);
    resolve_warn(symbols, id, symbols->names[id]->trouble);
    if (symbols->names[id]->trouble == TROUBLE_STRIPPED ||
        symbols->names[id]->trouble == TROUBLE_DEBUG_MISMATCH)
        resolve_ask(symbols, symbols->names[id]);
    return symbols->names[id];
}

const char *resolve_fetched(const struct symbols *symbols, module_id id)
{
    return id < symbols->fetched_capacity ? symbols->fetched[id] : NULL;
}

void resolve_ask(struct symbols *symbols, const struct module_names *names)
{
    if (symbols->fetch != NULL && names->module->kind == MODULE_FILE)
        fetch_ask(symbols->fetch, names->module->id, names->build_id, names->build_id_size);
}

void resolve_arrived(void *context, module_id id, const char *path)
{
    struct symbols *symbols = context;
    size_t old = symbols->fetched_capacity;

    pthread_mutex_lock(&symbols->lock);
    symbols->fetched = array_reserve(symbols->fetched, &symbols->fetched_capacity, id + 1,
                                     sizeof(*symbols->fetched));
    for (size_t i = old; i < symbols->fetched_capacity; i++)
        symbols->fetched[i] = NULL;
    symbols->fetched[id] = intern_text(symbols->intern, path);
    symbols->counts.fetched++;
    /* Read again when next asked.  Nothing outside points into it: texts are interned. */
    module_names_free(symbols->names[id]);
    symbols->names[id] = NULL;
    pthread_mutex_unlock(&symbols->lock);
    chain_forget(symbols, id);
    atomic_fetch_add(&symbols->version, 1);
}

struct jit *resolve_jit(struct symbols *symbols, const struct module *module)
{
    size_t old = symbols->jits_capacity;
    struct jit *jit;

    symbols->jits = array_reserve(symbols->jits, &symbols->jits_capacity, module->id + 1,
                                  sizeof(*symbols->jits));
    for (size_t i = old; i < symbols->jits_capacity; i++)
        symbols->jits[i] = NULL;
    if (symbols->jits[module->id] == NULL)
        symbols->jits[module->id] = jit_new(module, symbols->config.proc_root);
    jit = symbols->jits[module->id];
    if (jit_update(jit, symbols->modules, clock_now_ns()))
        atomic_fetch_add(&symbols->version, 1);
    return jit;
}

/* kallsyms writes "name<tab>[module]". */
static void kernel_name(struct symbols *symbols, struct symbol *out, const char *text)
{
    const char *tab = strchr(text, '\t');

    out->raw_name = tab == NULL ? intern_text(symbols->intern, text)
                                : intern_printf(symbols->intern, "%.*s", (int)(tab - text), text);
    if (tab != NULL)
        out->module = intern_text(symbols->intern, tab + 1);
}

/* NAMES: of the module, or NULL. */
static void unnamed(struct symbols *symbols, const struct module *module,
                    struct module_names *names, const struct frame *frame, struct symbol *out)
{
    uint64_t start = frame->address;

    if (names != NULL && frame->kind == FRAME_NATIVE)
        start = module_names_nameless(names, frame->address);
    if (frame->kind == FRAME_KERNEL && module != NULL)
        out->given_name = intern_text(symbols->intern, module->name);
    else if (frame->kind == FRAME_NATIVE && module != NULL && module->name[0] != '\0')
        out->given_name = intern_printf(symbols->intern, "%s+0x%" PRIx64, module->name, start);
    else if (frame->kind == FRAME_JIT)
        out->given_name = intern_text(symbols->intern, FRAME_JIT_NAMELESS);
    else
        out->given_name = intern_printf(symbols->intern, "0x%" PRIx64, frame->address);
    out->raw_name = out->given_name;
    out->address = start;
    symbols->counts.unnamed++;
}

/* The symbol of RANGE; OUT comes with what all symbols of the module share. */
static void range_symbol(struct symbols *symbols, struct module_names *names,
                         const struct range *range, struct symbol *out)
{
    bool kernel = names->module->kind == MODULE_KERNEL;
    const char *text = symbol_table_name(names->table, range);

    out->known = true;
    out->address = module_names_start(names, range);
    if (!module_names_made(names, range, out)) {
        if (kernel)
            kernel_name(symbols, out, text);
        else
            out->raw_name = intern_text(symbols->intern, text);
        module_names_make(names, range, out);
    }
    if (kernel)
        out->given_name = out->raw_name;
}

static void machine_symbol(struct symbols *symbols, const struct module *module,
                           const struct frame *frame, struct symbol *out)
{
    const struct range *range = NULL;
    struct module_names *names;

    pthread_mutex_lock(&symbols->lock);
    names = resolve_module(symbols, frame->module);
    if (names != NULL)
        range = module_names_find(names, frame->address);
    if (range != NULL)
        range_symbol(symbols, names, range, out);
    else
        unnamed(symbols, module, names, frame, out);
    pthread_mutex_unlock(&symbols->lock);
}

bool resolve_address(struct symbols *symbols, const struct frame *frame, uint64_t *address)
{
    const struct module_names *names;
    bool found;

    pthread_mutex_lock(&symbols->lock);
    names = resolve_module(symbols, frame->module);
    found = names != NULL && names->module->kind == MODULE_FILE &&
            elf_segments_address(&names->segments, frame->address, address);
    pthread_mutex_unlock(&symbols->lock);
    return found;
}

bool resolve_nearby(struct symbols *symbols, const struct frame *frame, struct nearby *nearby)
{
    const struct segment *segment = NULL;
    const struct range *range = NULL;
    struct module_names *names;
    uint64_t address, end;

    *nearby = (struct nearby){ .version = symbols_version(symbols) };
    pthread_mutex_lock(&symbols->lock);
    names = resolve_module(symbols, frame->module);
    if (names != NULL && names->module->kind == MODULE_FILE)
        segment = elf_segments_find(&names->segments, frame->address);
    if (segment != NULL) {
        address = segment->address + (frame->address - segment->offset);
        range = symbol_table_find(names->table, address);
    }
    if (range != NULL) {
        nearby->function = (struct symbol){
            .kind = frame->kind, .module = names->module->name, .file = "", .first_file = ""
        };
        range_symbol(symbols, names, range, &nearby->function);
        nearby->module = frame->module;
        nearby->shift = segment->address - segment->offset;
        /* What of the function lies in this segment. */
        end = range->start + range->size - nearby->shift;
        nearby->from =
            range->start > segment->address ? range->start - nearby->shift : segment->offset;
        nearby->to = end < segment->offset + segment->size ? end : segment->offset + segment->size;
    }
    pthread_mutex_unlock(&symbols->lock);
    return range != NULL;
}

static void jit_name(struct symbols *symbols, const struct jit_code *code, uint32_t offset,
                     struct symbol *out)
{
    char text[JIT_NAME_MAX];
    const char *file;
    unsigned line;

    perf_map_name(code->name, text, &file, &line);
    out->known = true;
    out->given_name = intern_text(symbols->intern, text);
    /* The tier of the compiler is no part of what function it is. */
    out->raw_name = file[0] == '\0' ? out->given_name
                                    : intern_printf(symbols->intern, "%s %s:%u", text, file, line);
    out->file = out->first_file = intern_text(symbols->intern, file);
    out->line = out->first_line = line;
    out->address = code->start;
    for (uint32_t i = 0; i < code->line_count && code->lines[i].offset <= offset; i++) {
        out->file = intern_text(symbols->intern, code->lines[i].file);
        out->line = code->lines[i].line;
    }
}

static void jit_symbol(struct symbols *symbols, const struct module *module,
                       const struct frame *frame, struct symbol *out)
{
    const struct jit_code *code;
    uint32_t offset;

    pthread_mutex_lock(&symbols->jit_lock);
    code = jit_find(resolve_jit(symbols, module), frame->address, &offset);
    if (code != NULL)
        jit_name(symbols, code, offset, out);
    pthread_mutex_unlock(&symbols->jit_lock);
    if (code != NULL)
        return;
    pthread_mutex_lock(&symbols->lock);
    unnamed(symbols, module, NULL, frame, out);
    pthread_mutex_unlock(&symbols->lock);
}

static void python_symbol(struct symbols *symbols, const struct frame *frame, struct symbol *out)
{
    const struct code *code = codes_get(symbols->codes, frame->module);

    if (code == NULL) {
        out->given_name = out->raw_name = "?";
        return;
    }
    out->known = true;
    out->given_name = out->raw_name = code->name;
    out->file = out->first_file = code->file;
    out->line = (uint32_t)frame->address;
    out->first_line = code->first_line;
    out->address = code->first_line;
}

static void mark_symbol(struct symbols *symbols, const struct frame *frame, struct symbol *out)
{
    struct intern *intern = symbols->intern;

    out->known = true;
    out->address = frame->address;
    switch (frame->module) {
    case MARK_BROKEN:
        out->given_name =
            intern_printf(intern, "[%s]", stack_end_text((enum stack_end)frame->address));
        break;
    case MARK_SKIPPED:
        out->given_name = intern_printf(intern, _("[%" PRIu64 " frames left out]"), frame->address);
        break;
    case MARK_SYSCALL:
        out->given_name = intern_printf(intern, _("[system call %" PRIu64 "]"), frame->address);
        break;
    case MARK_KERNEL:
        out->given_name = intern_text(intern, "[kernel]");
        break;
    default:
        out->given_name = intern_text(intern, _("[native frames cut]"));
    }
    out->raw_name = out->given_name;
}

void resolve_frame(struct symbols *symbols, const struct frame *frame, struct symbol *out)
{
    const struct module *module;

    *out = (struct symbol){ .kind = frame->kind, .module = "", .file = "", .first_file = "" };
    if (frame->kind == FRAME_PYTHON) {
        python_symbol(symbols, frame, out);
        return;
    }
    if (frame->kind == FRAME_MARK) {
        mark_symbol(symbols, frame, out);
        return;
    }
    module = modules_get(symbols->modules, frame->module);
    if (module != NULL)
        out->module = module->name;
    if (module != NULL && module->kind == MODULE_JIT)
        jit_symbol(symbols, module, frame, out);
    else
        machine_symbol(symbols, module, frame, out);
}
