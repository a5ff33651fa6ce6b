/* SPDX-License-Identifier: MIT */
/*
 * Locations, the functions they lie in, and the stacks made of them.
 *
 *     struct frame ──names_locate()─► location_id ──names_of()─► naming: the inline chain there
 *     location_ids ──names_push()───► stack_id     a node of one tree: (parent, location);
 *                                                  a child's id is always above its parent's
 *
 * Locations and stacks are appended by the builder only.  A location's naming is set by the thread
 * that resolves names, twice as a rule: quickly from the symbol table, later with lines and inlined
 * calls; names_version() goes up, and folds redo what changed.  Any thread reads without a lock.
 */
#ifndef PROFTOP_NAMES_H
#define PROFTOP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/frame.h"

typedef uint32_t location_id;
typedef uint32_t function_id;
typedef uint32_t stack_id;

#define STACK_ROOT 0 /* the empty stack */

/* A function: what rows of every view are about.  Interned by (kind, raw_name, module, file). */
struct function {
    enum frame_kind kind;
    bool internal;        /* an interpreter's shim or trampoline: hidden unless asked for */
    const char *name;     /* demangled, whole */
    const char *raw_name; /* as in the symbol table; the same pointer as name where the same */
    const char *module;   /* "" when none */
    const char *file;     /* "" when unknown */
    uint32_t line;        /* where it begins; 0 when unknown */
    uint32_t mark;        /* kind MARK: enum mark */
    uint64_t hue;         /* a hash of module and name, the same on every machine */
};

struct placed {
    function_id function;
    uint32_t line; /* in function's file; 0 when unknown */
};

enum naming_state { NAMING_NONE, NAMING_QUICK, NAMING_FULL };

/* What a location is called.  Immutable; innermost inlined call first, the real function last. */
struct naming {
    uint8_t state; /* enum naming_state */
    uint8_t count; /* at least 1 */
    uint16_t pad;
    struct placed frames[];
};

struct codes;
struct module;
struct modules;
struct names;

struct names *names_new(void);
void names_free(struct names *names);

/* Where placeholders find a module's name and Python functions theirs; either may be NULL. */
void names_describe(struct names *names, const struct modules *modules, const struct codes *codes);

/*
 * What names native frames where their files are not: modules by the numbers that frames have, each
 * with its build id and segments, copied.  Kept for the session file, and read from it.  Builder
 * only; a number is kept once.
 */
void names_keep_module(struct names *names, const struct module *module);
uint32_t names_kept_modules(const struct names *names);
const struct module *names_kept_module(const struct names *names, uint32_t index);

/* The location of FRAME, new or known.  Builder only. */
location_id names_locate(struct names *names, const struct frame *frame);
uint32_t names_locations(const struct names *names);
const struct frame *names_frame(const struct names *names, location_id location);

/* The stack of PARENT with one more frame inside it.  Builder only. */
stack_id names_push(struct names *names, stack_id parent, location_id location);
uint32_t names_stacks(const struct names *names);
stack_id names_parent(const struct names *names, stack_id stack);
location_id names_location(const struct names *names, stack_id stack);

/* The function like WANTED (texts are copied when new).  Any thread; a lock inside. */
function_id names_function(struct names *names, const struct function *wanted);
/* Whether a Python function is among them. */
bool names_have_python(const struct names *names);
uint32_t names_functions(const struct names *names);
const struct function *names_get(const struct names *names, function_id function);
/* Machine code that is shown as "module+0xoffset", "0xaddress" or FRAME_JIT_NAMELESS only. */
bool function_is_nameless(const struct function *function);
/* What a reader of its numbers must know, in a few words; NULL when there is nothing. */
const char *function_footnote(const struct function *function);

/* Never NULL: before anything is known, a placeholder function "module+0xoffset" or "0xaddress". */
const struct naming *names_of(const struct names *names, location_id location);
/* As names_of(), but NULL instead of a placeholder: for who goes about naming. */
const struct naming *names_known(const struct names *names, location_id location);
void names_set(struct names *names, location_id location, enum naming_state state,
               const struct placed *frames, uint32_t count);
/* Goes up when a location's functions or lines change. */
uint32_t names_version(const struct names *names);

size_t names_bytes(const struct names *names);

#endif
