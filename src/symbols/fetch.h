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

/* ARRIVED is called on the thread, with the path of a file in the cache. */
struct fetch *fetch_new(void (*arrived)(void *context, module_id module, const char *path),
                        void *context);
/* Breaks off what is under way. */
void fetch_free(struct fetch *fetch);

/* Asks once for a build id, for MODULE.  Any thread; never waits. */
void fetch_ask(struct fetch *fetch, module_id module, const uint8_t *id, size_t size);

enum fetch_state fetch_state(struct fetch *fetch);

#endif
