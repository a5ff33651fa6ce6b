/* SPDX-License-Identifier: MIT */
/*
 * Debug files from debuginfod servers, one after another on a thread of its own.  Only started when
 * the user allowed it; DEBUGINFOD_URLS says where, the cache is the one that gdb and others share.
 *
 *     fetch_ask(build id) ──► thread: libdebuginfod ──► arrived(context, module, path)
 */
#ifndef SYMBOLS_FETCH_H
#define SYMBOLS_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "proftop/module.h"

struct fetch;

enum fetch_state {
    FETCH_IDLE,
    FETCH_BUSY,
    FETCH_NO_LIBRARY, /* libdebuginfod is not installed */
    FETCH_NO_SERVER,  /* DEBUGINFOD_URLS is not set */
};

/*
 * ARRIVED is called on the thread, with the path of a file in the cache.  What would take more than
 * MAX_BYTES from servers, all together, is broken off; 0: no bound.
 */
struct fetch *fetch_new(void (*arrived)(void *context, module_id module, const char *path),
                        void *context, uint64_t max_bytes);
void fetch_free(struct fetch *fetch); /* stops it before */
/* Breaks off what is under way and begins nothing more.  Any thread; does not wait. */
void fetch_stop(struct fetch *fetch);

/* Asks once for a build id, for MODULE.  Any thread; never waits. */
void fetch_ask(struct fetch *fetch, module_id module, const uint8_t *id, size_t size);

enum fetch_state fetch_state(struct fetch *fetch);

/* Waits until VERSION, which ARRIVED changes, is not SEEN, or nothing is left to wait for. */
void fetch_await(struct fetch *fetch, const _Atomic uint32_t *version, uint32_t seen);

#endif
