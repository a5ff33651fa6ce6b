/* SPDX-License-Identifier: MIT */
/*
 * The executable mappings of one process, sorted by address, and the modules behind them.
 *
 * Owned by the thread of the source that samples the process.  A change makes a new generation; a
 * stack copy that waits to be unwound keeps the generation it was taken under (maps_ref).
 */
#ifndef PROFTOP_MAPS_H
#define PROFTOP_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/module.h"

struct mapping {
    uint64_t start, end, offset; /* [start, end), file offset of start */
    const struct module *module;
    bool executable, readable, writable;
};

/* Immutable once made, refcounted. */
struct maps {
    uint32_t refs;
    uint32_t generation;
    int32_t pid;
    uint32_t count;
    struct mapping mappings[]; /* sorted, none overlapping */
};

/*
 * Reads /proc/PID/maps below PROC_ROOT ("/proc"), opening each executable file as it is seen,
 * through map_files or /proc/PID/root.  Known modules are found again without opening anything.
 */
struct maps *maps_read(const char *proc_root, int32_t pid, uint32_t generation,
                       struct modules *modules, struct error *error);
struct maps *maps_ref(struct maps *maps);
void maps_unref(struct maps *maps);

/* The mapping that holds ADDRESS, or NULL. */
const struct mapping *maps_find(const struct maps *maps, uint64_t address);

#endif
