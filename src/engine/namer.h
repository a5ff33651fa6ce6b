/* SPDX-License-Identifier: MIT */
/*
 * The namer gives locations their names: quickly from symbol tables on the builder thread, then
 * with lines and inlined calls on a thread of its own.
 *
 *     new location ──namer_quick()──► name from the symbol table ──worker──► inline chain, file,
 * line
 */
#ifndef PROFTOP_ENGINE_NAMER_H
#define PROFTOP_ENGINE_NAMER_H

#include <stdbool.h>

#include "proftop/names.h"
#include "proftop/symbols.h"

struct namer;

/* The function of NAMES that SYMBOL, of SYMBOLS, tells of. */
function_id namer_function(struct names *names, struct symbols *symbols,
                           const struct symbol *symbol);

/* NAMES and SYMBOLS are borrowed.  EVENT_FD is written when names became better. */
struct namer *namer_start(struct names *names, struct symbols *symbols, int event_fd);

/* Names the locations that came since the last call.  Builder thread. */
void namer_quick(struct namer *namer);

/* Waits until everything known is fully named, but not past DEADLINE_NS; then ends the worker. */
void namer_stop(struct namer *namer, uint64_t deadline_ns);

#endif
