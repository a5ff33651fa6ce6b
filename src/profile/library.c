/* SPDX-License-Identifier: MIT */
/*
 * Libraries are recognised by where they are installed: a module "lib….so", a Python file below
 * lib/pythonX.Y or site-packages, the kernel.  The rest is taken for the program's own.
 */
#include "config.h"

#include "library.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"

enum { RUN_LABELS = 3, LABEL_MAX = 32, RUN_NAME_MAX = 40 + RUN_LABELS * (LABEL_MAX + 2) };

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool function_is_internal(const struct function *function)
{
    if (function->internal)
        return true;
    if (function->kind == FRAME_PYTHON)
        return strcmp(function->name, "<shim>") == 0 || strcmp(function->name, "<trampoline>") == 0;
    return starts_with(function->name, "_TAIL_CALL_") ||
           strcmp(function->name, "py_trampoline_evaluator") == 0;
}

/* Behind "…/lib/python3.11/" or "…/site-packages/" in FILE, or NULL. */
static const char *python_package(const char *file)
{
    static const char *const folders[] = { "/site-packages/", "/dist-packages/" };
    const char *at;

    for (unsigned i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        at = strstr(file, folders[i]);
        if (at != NULL)
            return at + strlen(folders[i]);
    }
    at = strstr(file, "/lib/python");
    if (at != NULL)
        at = strchr(at + strlen("/lib/python"), '/');
    if (at != NULL)
        return at + 1;
    return starts_with(file, "<frozen ") ? file : NULL;
}

static bool is_shared_object(const char *module)
{
    return starts_with(module, "lib") || starts_with(module, "ld-") ||
           starts_with(module, "ld.so") || strstr(module, ".so") != NULL || module[0] == '[';
}

bool function_is_library(const struct function *function)
{
    switch (function->kind) {
    case FRAME_KERNEL:
        return true;
    case FRAME_PYTHON:
        return python_package(function->file) != NULL;
    case FRAME_NATIVE:
    case FRAME_INLINE:
        return is_shared_object(function->module) || starts_with(function->module, "python");
    default:
        return false;
    }
}

/* "requests" of ".../site-packages/requests/api.py", "libc" of "libc.so.6". */
static void label_of(const struct function *function, char label[LABEL_MAX])
{
    const char *from = function->kind == FRAME_PYTHON ? python_package(function->file) : NULL;
    size_t length;

    if (from == NULL)
        from = function->module;
    length = strcspn(from, "/");
    if (from[length] != '/') { /* a file: without what comes behind its name */
        const char *so = strstr(from, ".so"), *dot = strstr(from, ".py");

        if (so != NULL)
            length = (size_t)(so - from);
        else if (dot != NULL)
            length = (size_t)(dot - from);
    }
    snprintf(label, LABEL_MAX, "%.*s", (int)(length < LABEL_MAX ? length : LABEL_MAX - 1), from);
}

/* ---- runs ------------------------------------------------------------------------------------ */

struct run {
    uint32_t node, functions;
    unsigned label_count;
    char labels[RUN_LABELS][LABEL_MAX];
    bool more_labels;
};

struct member {
    uint32_t run;
    function_id function;
};

struct runs {
    struct run *runs;
    size_t count, capacity;
    struct index by_node;
    struct member *members; /* which functions were counted for which run */
    size_t member_count, member_capacity;
    struct index by_member;
};

struct runs *runs_new(void)
{
    struct runs *runs = xcalloc(1, sizeof(*runs));

    index_init(&runs->by_node);
    index_init(&runs->by_member);
    return runs;
}

void runs_free(struct runs *runs)
{
    free(runs->runs);
    free(runs->members);
    index_fini(&runs->by_node);
    index_fini(&runs->by_member);
    free(runs);
}

static struct run *find_run(const struct runs *runs, uint32_t node)
{
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&runs->by_node, hash_u64(node), &cursor);
    while ((item = index_next(&runs->by_node, &cursor)) != INDEX_END) {
        if (runs->runs[item].node == node)
            return &runs->runs[item];
    }
    return NULL;
}

static struct run *add_run(struct runs *runs, uint32_t node)
{
    runs->runs = array_reserve(runs->runs, &runs->capacity, runs->count + 1, sizeof(*runs->runs));
    index_add(&runs->by_node, hash_u64(node), (uint32_t)runs->count);
    runs->runs[runs->count] = (struct run){ .node = node };
    return &runs->runs[runs->count++];
}

/* Notes that FUNCTION is in the run of NODE; false when it was known. */
static bool add_member(struct runs *runs, uint32_t node, function_id function)
{
    uint64_t hash = hash_u64((uint64_t)node << 32 | function);
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&runs->by_member, hash, &cursor);
    while ((item = index_next(&runs->by_member, &cursor)) != INDEX_END) {
        if (runs->members[item].run == node && runs->members[item].function == function)
            return false;
    }
    runs->members = array_reserve(runs->members, &runs->member_capacity, runs->member_count + 1,
                                  sizeof(*runs->members));
    index_add(&runs->by_member, hash, (uint32_t)runs->member_count);
    runs->members[runs->member_count++] = (struct member){ node, function };
    return true;
}

void runs_add(struct runs *runs, uint32_t node, function_id id, const struct function *function)
{
    struct run *run;
    char label[LABEL_MAX];

    if (!add_member(runs, node, id))
        return;
    run = find_run(runs, node);
    if (run == NULL)
        run = add_run(runs, node);
    run->functions++;
    label_of(function, label);
    for (unsigned i = 0; i < run->label_count; i++) {
        if (strcmp(run->labels[i], label) == 0)
            return;
    }
    if (run->label_count < RUN_LABELS)
        memcpy(run->labels[run->label_count++], label, sizeof(label));
    else
        run->more_labels = true;
}

function_id runs_function(struct runs *runs, uint32_t node, struct names *names)
{
    const struct run *run = find_run(runs, node);
    char name[RUN_NAME_MAX];
    struct function function = { .kind = FRAME_MARK, .mark = UINT32_MAX, .name = name };
    size_t length;

    length = (size_t)snprintf(name, sizeof(name), "[%u hidden:", run->functions);
    for (unsigned i = 0; i < run->label_count; i++)
        length += (size_t)snprintf(name + length, sizeof(name) - length, "%s %s", i > 0 ? "," : "",
                                   run->labels[i]);
    snprintf(name + length, sizeof(name) - length, "%s]", run->more_labels ? ", …" : "");
    return names_function(names, &function);
}
