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
 * through /proc/PID/root, map_files or exe.  Known modules are found again without opening
 * anything. GENERATION counts the execs of the process: reading again after an mmap keeps it, so
 * that code made at run time keeps its module.  NULL when the process is gone or may not be looked
 * at.
 */
struct maps *maps_read(const char *proc_root, int32_t pid, uint32_t generation,
                       struct modules *modules, struct error *error);

/* A mapping as the kernel reports it the moment it is made (PERF_RECORD_MMAP2). */
struct maps_line {
    uint64_t start, end, offset;
    uint64_t device, inode; /* device: major << 32 | minor */
    const char *path;       /* as in maps: "[vdso]", "" or "//anon" when it has none */
    bool readable, writable, executable;
};

/* OLD (or NULL: nothing mapped yet) with LINE mapped over it: a new generation of maps, for PID. */
struct maps *maps_with(const struct maps *old, const char *proc_root, int32_t pid,
                       uint32_t generation, struct modules *modules, const struct maps_line *line);

struct maps *maps_ref(struct maps *maps);
void maps_unref(struct maps *maps);

/* The mapping that holds ADDRESS, or NULL. */
const struct mapping *maps_find(const struct maps *maps, uint64_t address);

/* The module all kernel addresses lie in. */
const struct module *maps_kernel(struct modules *modules);

#endif
