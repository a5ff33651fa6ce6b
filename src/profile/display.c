/* SPDX-License-Identifier: MIT */
/*
 * The way from stacks to display nodes.
 *
 *     classes[function]  shown, hidden or library, and whether the filter matches: looked at once
 *     seen[location]     the naming that the stacks through it were mapped with
 *     stacks[stack]      struct shown, as one atomic word
 *     lines[location]    the line of its innermost frame that is shown
 *     nodes, children    display nodes and the index (parent, function) → node
 */
#include "config.h"

#include "display.h"

#include <regex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "interpreter.h"
#include "library.h"
#include "proftop/gettext.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"

/* A location of which no frame is shown. */
#define LINE_HIDDEN UINT32_MAX
#define LINE_MAX_SHOWN UINT32_C(0x7fffffff)

enum shown_as { CLASS_SHOWN, CLASS_HIDDEN, CLASS_LIBRARY };

struct function_class {
    uint8_t class; /* enum shown_as */
    bool matches;  /* the filter */
};

struct display {
    _Atomic uint32_t refs;
    struct names *names;
    struct scope scope; /* its stack part only */
    bool python;        /* there are Python frames: their interpreter's own are hidden */
    regex_t filter;
    bool filtered;
    struct chunks classes; /* of struct function_class */
    struct chunks nodes;   /* of struct display_node */
    struct index children;
    struct chunks stacks; /* of _Atomic uint32_t: struct shown */
    struct chunks lines;  /* of _Atomic uint32_t, by location */
    const struct naming **seen;
    size_t seen_count, seen_capacity;
    uint32_t names_version;
    struct runs *runs;
};

static uint32_t shown_word(struct shown shown)
{
    uint32_t word;

    memcpy(&word, &shown, sizeof(word));
    return word;
}

static struct shown word_shown(uint32_t word)
{
    struct shown shown;

    memcpy(&shown, &word, sizeof(shown));
    return shown;
}

/* ---- life ------------------------------------------------------------------------------------ */

static bool compile_filter(struct display *display, const char *filter, struct error *error)
{
    char reason[256];
    int code;

    if (*filter == '\0')
        return true;
    code = regcomp(&display->filter, filter, REG_EXTENDED | REG_NOSUB);
    if (code != 0) {
        regerror(code, &display->filter, reason, sizeof(reason));
        return error_set(error, STATUS_USAGE, _("the filter “%s” is not an expression: %s"), filter,
                         reason);
    }
    display->filtered = true;
    return true;
}

struct display *display_new(struct names *names, const struct scope *scope, struct error *error)
{
    struct display *display = xcalloc(1, sizeof(*display));
    struct display_node root = { .function = FUNCTION_ROOT };

    if (!compile_filter(display, scope->filter, error)) {
        free(display);
        return NULL;
    }
    atomic_init(&display->refs, 1);
    display->names = names;
    display->scope = *scope;
    display->python = names_have_python(names);
    chunks_init(&display->classes, sizeof(struct function_class));
    chunks_init(&display->nodes, sizeof(struct display_node));
    chunks_init(&display->stacks, sizeof(_Atomic uint32_t));
    chunks_init(&display->lines, sizeof(_Atomic uint32_t));
    index_init(&display->children);
    display->runs = runs_new();
    chunks_add(&display->nodes, &root);
    return display;
}

struct display *display_ref(struct display *display)
{
    atomic_fetch_add_explicit(&display->refs, 1, memory_order_relaxed);
    return display;
}

void display_unref(struct display *display)
{
    if (display == NULL || atomic_fetch_sub_explicit(&display->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (display->filtered)
        regfree(&display->filter);
    chunks_fini(&display->classes);
    chunks_fini(&display->nodes);
    chunks_fini(&display->stacks);
    chunks_fini(&display->lines);
    index_fini(&display->children);
    runs_free(display->runs);
    free(display->seen);
    free(display);
}

bool display_fits(const struct display *display, const struct names *names,
                  const struct scope *scope)
{
    const struct scope *own = &display->scope;

    return display->names == names && display->python == names_have_python(names) &&
           strcmp(own->filter, scope->filter) == 0 && own->hide_kernel == scope->hide_kernel &&
           own->hide_user == scope->hide_user && own->fold_libraries == scope->fold_libraries &&
           own->show_internal == scope->show_internal &&
           strcmp(own->only_module, scope->only_module) == 0;
}

/* ---- functions ------------------------------------------------------------------------------- */

static bool is_kernel(const struct function *function)
{
    return function->kind == FRAME_KERNEL ||
           (function->kind == FRAME_MARK && function->mark == MARK_KERNEL);
}

static enum shown_as classify(const struct display *display, const struct function *function)
{
    const struct scope *scope = &display->scope;
    bool mark = function->kind == FRAME_MARK;

    if (is_kernel(function) ? scope->hide_kernel : scope->hide_user && !mark)
        return CLASS_HIDDEN;
    if (!scope->show_internal &&
        (function_is_internal(function) || (display->python && function_is_interpreter(function))))
        return CLASS_HIDDEN;
    if (scope->only_module[0] != '\0' && !mark && strcmp(function->module, scope->only_module) != 0)
        return CLASS_HIDDEN;
    if (scope->fold_libraries && !mark && function_is_library(function))
        return CLASS_LIBRARY;
    return CLASS_SHOWN;
}

static bool matches(const struct display *display, const struct function *function)
{
    return !display->filtered || regexec(&display->filter, function->name, 0, NULL, 0) == 0 ||
           regexec(&display->filter, function->module, 0, NULL, 0) == 0 ||
           regexec(&display->filter, function->file, 0, NULL, 0) == 0;
}

static const struct function_class *class_of(const struct display *display, function_id function)
{
    return chunks_get(&display->classes, function);
}

static void update_classes(struct display *display)
{
    uint32_t count = names_functions(display->names);

    for (function_id id = chunks_count(&display->classes); id < count; id++) {
        const struct function *function = names_get(display->names, id);
        struct function_class class = { .class = (uint8_t)classify(display, function),
                                        .matches = matches(display, function) };

        chunks_add(&display->classes, &class);
    }
}

/* ---- lines ----------------------------------------------------------------------------------- */

static _Atomic uint32_t *line_of(const struct display *display, location_id location)
{
    return chunks_get(&display->lines, location);
}

/* The line of the innermost frame of NAMING that is shown. */
static uint32_t shown_line(const struct display *display, const struct naming *naming)
{
    for (unsigned i = 0; i < naming->count; i++) {
        if (class_of(display, naming->frames[i].function)->class != CLASS_HIDDEN)
            return naming->frames[i].line & LINE_MAX_SHOWN;
    }
    return LINE_HIDDEN;
}

static void update_lines(struct display *display, const uint8_t *changed)
{
    uint32_t known = chunks_count(&display->lines);

    for (location_id i = 0; changed != NULL && i < known; i++) {
        if (changed[i])
            atomic_store_explicit(line_of(display, i), shown_line(display, display->seen[i]),
                                  memory_order_relaxed);
    }
    for (location_id i = known; i < display->seen_count; i++) {
        _Atomic uint32_t line;

        atomic_init(&line, shown_line(display, display->seen[i]));
        chunks_add(&display->lines, (const void *)&line);
    }
}

uint32_t display_functions(const struct display *display)
{
    return chunks_count(&display->classes);
}

/* ---- nodes ----------------------------------------------------------------------------------- */

const struct display_node *display_node(const struct display *display, uint32_t node)
{
    return chunks_get(&display->nodes, node);
}

uint32_t display_nodes(const struct display *display)
{
    return chunks_count(&display->nodes);
}

static bool has_ancestor(const struct display *display, uint32_t node, function_id function)
{
    while (node != 0) {
        const struct display_node *at = display_node(display, node);

        if (at->function == function)
            return true;
        node = at->parent;
    }
    return false;
}

static uint32_t child_of(struct display *display, uint32_t parent, function_id function)
{
    uint64_t hash = hash_u64((uint64_t)parent << 32 | function);
    struct display_node node = { .function = function, .parent = parent };
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&display->children, hash, &cursor);
    while ((item = index_next(&display->children, &cursor)) != INDEX_END) {
        const struct display_node *known = display_node(display, item);

        if (known->parent == parent && known->function == function)
            return item;
    }
    node.depth = (display_node(display, parent)->depth + 1) & 0x7fffffff;
    node.recursive = function != FUNCTION_RUN && has_ancestor(display, parent, function);
    item = chunks_add(&display->nodes, &node);
    index_add(&display->children, hash, item);
    return item;
}

static uint32_t step_into(struct display *display, uint32_t node, function_id function)
{
    switch (class_of(display, function)->class) {
    case CLASS_HIDDEN:
        return node;
    case CLASS_LIBRARY:
        if (node == 0 || display_node(display, node)->function != FUNCTION_RUN)
            node = child_of(display, node, FUNCTION_RUN);
        runs_add(display->runs, node, function, names_get(display->names, function));
        return node;
    default:
        return child_of(display, node, function);
    }
}

function_id display_function(struct display *display, uint32_t node)
{
    function_id function = display_node(display, node)->function;

    return function == FUNCTION_RUN ? runs_function(display->runs, node, display->names) : function;
}

/* ---- stacks ---------------------------------------------------------------------------------- */

uint32_t display_stacks(const struct display *display)
{
    return chunks_count(&display->stacks);
}

struct shown display_stack(const struct display *display, stack_id stack)
{
    const _Atomic uint32_t *word = chunks_get(&display->stacks, stack);

    return word_shown(atomic_load_explicit(word, memory_order_relaxed));
}

static struct shown map_stack(struct display *display, stack_id stack)
{
    location_id location = names_location(display->names, stack);
    struct shown parent = display_stack(display, names_parent(display->names, stack));
    const struct naming *naming = display->seen[location];
    uint32_t node = parent.node;
    bool excluded = parent.excluded;

    for (unsigned i = naming->count; i-- > 0;) {
        function_id function = naming->frames[i].function;

        node = step_into(display, node, function);
        if (excluded && class_of(display, function)->matches)
            excluded = false;
    }
    return (struct shown){ .node = node,
                           .excluded = excluded,
                           .python = names_frame(display->names, location)->kind == FRAME_PYTHON };
}

/* Notes the namings of all locations; in CHANGED those that were known under another one. */
static bool look_at_names(struct display *display, uint32_t locations, uint8_t **changed)
{
    uint32_t version = names_version(display->names);
    bool any = false;

    *changed = NULL;
    if (version != display->names_version && display->seen_count > 0) {
        *changed = xcalloc(locations, 1);
        for (location_id i = 0; i < display->seen_count; i++) {
            const struct naming *naming = names_of(display->names, i);

            any |= (*changed)[i] = naming != display->seen[i];
            display->seen[i] = naming;
        }
    }
    display->seen =
        array_reserve(display->seen, &display->seen_capacity, locations, sizeof(*display->seen));
    while (display->seen_count < locations) {
        display->seen[display->seen_count] =
            names_of(display->names, (location_id)display->seen_count);
        display->seen_count++;
    }
    display->names_version = version;
    return any;
}

/* Maps again the known stacks that go through a location that CHANGED. */
static bool remap(struct display *display, const uint8_t *changed)
{
    uint32_t count = chunks_count(&display->stacks);
    uint8_t *dirty = xcalloc(count, 1);
    bool moved = false;

    for (stack_id stack = 1; stack < count; stack++) {
        _Atomic uint32_t *word = chunks_get(&display->stacks, stack);
        struct shown before = display_stack(display, stack), after;

        if (!changed[names_location(display->names, stack)] &&
            !dirty[names_parent(display->names, stack)])
            continue;
        after = map_stack(display, stack);
        if (shown_word(after) == shown_word(before))
            continue;
        atomic_store_explicit(word, shown_word(after), memory_order_relaxed);
        dirty[stack] = 1;
        moved = true;
    }
    free(dirty);
    return moved;
}

bool display_update(struct display *display)
{
    /* Stacks first: what they go through is in the later counts. */
    uint32_t stacks = names_stacks(display->names), locations = names_locations(display->names);
    uint8_t *changed;
    bool any, moved = false;

    any = look_at_names(display, locations, &changed);
    update_classes(display);
    update_lines(display, changed);
    if (any)
        moved = remap(display, changed);
    free(changed);
    for (stack_id stack = chunks_count(&display->stacks); stack < stacks; stack++) {
        struct shown shown = { .excluded = display->filtered };
        _Atomic uint32_t word;

        if (stack != STACK_ROOT)
            shown = map_stack(display, stack);
        atomic_init(&word, shown_word(shown));
        chunks_add(&display->stacks, (const void *)&word);
    }
    return moved;
}

uint32_t display_line(const struct display *display, stack_id stack)
{
    while (stack != STACK_ROOT) {
        uint32_t line = *line_of(display, names_location(display->names, stack));

        if (line != LINE_HIDDEN)
            return line;
        stack = names_parent(display->names, stack);
    }
    return 0;
}
