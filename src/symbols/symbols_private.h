/* SPDX-License-Identifier: MIT */
/*
 * What the files of symbols/ that know the whole share:
 *
 *     symbols.c    the way in: caches, counts, life and death
 *     resolve.c    one frame → its real function
 *     chain.c      one frame → its inline chain with lines
 */
#ifndef SYMBOLS_PRIVATE_H
#define SYMBOLS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "dwarf/file.h"
#include "fetch.h"
#include "helper.h"
#include "intern.h"
#include "jit.h"
#include "module_names.h"
#include "proftop/code.h"
#include "proftop/symbols.h"

struct cache_slot;

struct dwarf_slot {
    struct dwarf_file *file;
    bool tried;
    uint64_t used; /* when, in calls */
};

/* What was found wrong with a module, to be told once. */
struct warning {
    module_id module;
    enum trouble trouble;
};

enum { WARNINGS_MAX = 32 }; /* a person reads no more */

/* The function that was asked for last: the next address is often in it, too. */
struct nearby {
    module_id module; /* MODULE_NONE: nothing yet */
    uint32_t version;
    uint64_t from, to; /* in a frame's terms */
    uint64_t shift;    /* + a frame's address = the program's own */
    struct symbol function;
};

struct symbols {
    struct symbols_config config; /* its texts are our own */
    struct modules *modules;
    struct codes *codes;
    struct intern *intern;
    struct cache_slot *cache; /* of symbols_fast() alone */
    _Atomic uint32_t version;
    struct fetch *fetch;   /* NULL: not allowed */
    struct nearby nearby;  /* of symbols_full() alone */
    struct helper *helper; /* of symbols_many() alone */

    pthread_mutex_t lock;        /* guards what follows; taken last */
    struct module_names **names; /* by module_id; NULL: not looked at */
    const char **fetched;        /* by module_id, as far as names goes: interned, or NULL */
    size_t names_capacity, fetched_capacity;
    struct symbols_counts counts;
    struct warning warnings[WARNINGS_MAX];
    uint32_t warnings_count;

    pthread_mutex_t jit_lock; /* guards what follows; taken before LOCK */
    struct jit **jits;        /* by module_id */
    size_t jits_capacity;

    pthread_mutex_t dwarf_lock; /* guards what follows; held long; taken first */
    struct dwarf_slot *dwarfs;  /* by module_id */
    size_t dwarfs_capacity;
    uint64_t dwarf_calls;
};

/* resolve.c */

/* The real function of FRAME. */
void resolve_frame(struct symbols *symbols, const struct frame *frame, struct symbol *out);
/* The names of a module, read now when nobody asked before.  With LOCK held. */
struct module_names *resolve_module(struct symbols *symbols, module_id id);
/* Where FRAME lies in its program, as DWARF counts; false when that cannot be said. */
bool resolve_address(struct symbols *symbols, const struct frame *frame, uint64_t *address);
/* The function at FRAME, and how far it reaches; false when it has no name. */
bool resolve_nearby(struct symbols *symbols, const struct frame *frame, struct nearby *nearby);
/* What debuginfod gave for a module, or NULL.  With LOCK held. */
const char *resolve_fetched(const struct symbols *symbols, module_id id);
/* Asks debuginfod for a module's debug file, if that is allowed.  With LOCK held. */
void resolve_ask(struct symbols *symbols, const struct module_names *names);
/* A module has a trouble; is kept if a person must know.  With LOCK held. */
void resolve_warn(struct symbols *symbols, module_id id, enum trouble trouble);
/* It came: PATH.  Called by the thread that fetches. */
void resolve_arrived(void *symbols, module_id id, const char *path);
/* The JIT code of a module, likewise, with what it wrote lately.  With JIT_LOCK held. */
struct jit *resolve_jit(struct symbols *symbols, const struct module *module);

/* chain.c */

void chain_close(struct symbols *symbols);
/* There is better DWARF for a module now. */
void chain_forget(struct symbols *symbols, module_id id);

#endif
