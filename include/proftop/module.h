/* SPDX-License-Identifier: MIT */
/*
 * Modules: the files and other pieces of code that addresses lie in.
 *
 * A module is made when a mapping of it is first seen, with a descriptor opened at that moment, so
 * that a binary that is deleted or replaced afterwards still gives its names.  Two mappings of the
 * same file, in one process or many, are one module; a file that changed on disk is another.
 *
 *     kind      address in a struct frame
 *     FILE      offset in the file: pc − start of the mapping + its file offset
 *     VDSO      offset from the start of the image
 *     KERNEL    the address itself
 *     JIT       the address itself, in process PID
 *     UNKNOWN   the address itself
 *
 * The table is append-only.  Any thread adds (a lock inside guards the appending) and any thread
 * reads without a lock.
 */
#ifndef PROFTOP_MODULE_H
#define PROFTOP_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t module_id;

/* Module 0 stands for "no mapping there". */
#define MODULE_NONE 0

enum module_kind { MODULE_UNKNOWN, MODULE_FILE, MODULE_VDSO, MODULE_KERNEL, MODULE_JIT };

enum { BUILD_ID_MAX = 64, SEGMENTS_MAX = 64 };

/* A part of a file and where it is loaded, as ELF counts: its PT_LOAD. */
struct segment {
    uint64_t offset, size, address; /* in the file; in the program's own address space */
    bool executable;
};

struct module {
    module_id id;
    enum module_kind kind;
    const char *path; /* as the target's maps show it, without " (deleted)"; "" when it has none */
    const char *name; /* what a screen shows: the last part of the path, "[vdso]", "[kernel]"… */
    int fd;           /* owned by the table; -1 when it could not be opened or is not a file */
    int root;         /* "/" of who maps it, owned likewise, O_PATH; 0: it is ours */
    const char *trouble; /* why fd is -1, translated; or NULL */
    bool deleted;
    uint8_t build_id[BUILD_ID_MAX];
    uint8_t build_id_size; /* 0: none, or not read yet at the time of adding */
    uint64_t device, inode, size_bytes, mtime_ns;
    const uint8_t *image; /* VDSO: a copy of it; owned by the table */
    size_t image_size;
    /*
     * FILE that a recording tells of: where its code is loaded; owned by the table.  There is no
     * path and no descriptor, only debug files of its build id give names.  Else NULL.
     */
    const struct segment *segments;
    uint32_t segment_count; /* at most SEGMENTS_MAX */
    int32_t pid;            /* JIT: the process, as we see it */
    uint32_t generation;    /* JIT: goes up with exec, so that old samples keep old names */
};

struct modules;

struct modules *modules_new(void); /* holds module 0, MODULE_UNKNOWN */
void modules_free(struct modules *modules);

/*
 * The module like WANTED (whose id is ignored), new or known.  Takes over WANTED->fd and its root,
 * closing them when the module was known; copies everything else.
 */
const struct module *modules_add(struct modules *modules, const struct module *wanted);

/* The module like WANTED, or NULL when there is none yet. */
const struct module *modules_find(struct modules *modules, const struct module *wanted);

const struct module *modules_get(const struct modules *modules, module_id id);
uint32_t modules_count(const struct modules *modules);

#endif
