/* SPDX-License-Identifier: MIT */
/* The interpreter of a process: found, opened, asked, closed.  See python.h for who calls when. */
#include "config.h"

#include "proftop/python.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "find.h"
#include "interpreter.h"

#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/proc.h"

bool python_read(const struct python *python, uint64_t address, void *buffer, size_t size)
{
    struct iovec local = { buffer, size };
    struct iovec remote = { (void *)(uintptr_t)address, size };

    return process_vm_readv(python->pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

uint64_t python_word(const uint8_t *bytes, uint32_t offset)
{
    uint64_t word;

    memcpy(&word, bytes + offset, sizeof(word));
    return word;
}

bool python_suspected(const struct maps *maps)
{
    for (uint32_t i = 0; i < maps->count; i++) {
        if (maps->mappings[i].executable && python_named(maps->mappings[i].module))
            return true;
    }
    return false;
}

static bool choose_offsets(struct python *python, const struct python_place *place,
                           struct error *error)
{
    uint8_t published[PYTHON_PUBLISHED_BYTES];
    const struct python_offsets *offsets;
    uint32_t version = (uint32_t)place->named << 16;

    if (!python_read(python, place->runtime, published, sizeof(published)))
        return error_set(error, STATUS_FAILED, _("the memory of process %d cannot be read"),
                         python->pid);
    if (place->version != 0)
        python_read(python, place->version, &version, sizeof(version));
    if (version & 0xffff)
        snprintf(python->version, sizeof(python->version), "%u.%u.%u", version >> 24,
                 version >> 16 & 255, version >> 8 & 255);
    else
        snprintf(python->version, sizeof(python->version), "%u.%u", version >> 24,
                 version >> 16 & 255);
    if (python_publishes(published))
        return python_offsets_published(published, &python->offsets, error);
    offsets = python_offsets_known((uint16_t)(version >> 16));
    if (offsets == NULL)
        return error_set(error, STATUS_FAILED, _("Python %s in process %d is not supported"),
                         python->version, python->pid);
    python->offsets = *offsets;
    return true;
}

/* Whether the process numbers its threads differently from us. */
static bool is_namespaced(const char *proc_root, int32_t pid)
{
    return proc_namespace_pid(proc_root, pid) != pid;
}

struct python *python_open(const char *proc_root, const struct maps *maps, struct codes *codes,
                           struct error *error)
{
    struct python_place place = { 0 };
    struct python *python;

    if (!python_find(maps, &place, error))
        return NULL;
    python = xcalloc(1, sizeof(*python));
    python->proc_root = proc_root;
    python->pid = maps->pid;
    python->codes = codes;
    python->runtime = place.runtime;
    python->pthread_tid_offset = -1;
    python->cache = python_code_cache_new();
    if (!choose_offsets(python, &place, error)) {
        python_close(python);
        return NULL;
    }
    python->frame_bytes = python_frame_bytes(&python->offsets);
    python->namespaced = is_namespaced(proc_root, python->pid);
    python_threads_look(python);
    return python;
}

void python_close(struct python *python)
{
    if (python == NULL)
        return;
    python_threads_fini(python);
    python_code_cache_free(python->cache);
    free(python);
}

const char *python_version(const struct python *python)
{
    return python->version;
}

struct python_sample *python_sample_new(void)
{
    return xcalloc(1, sizeof(struct python_sample));
}

void python_sample_free(struct python_sample *sample)
{
    free(sample);
}

enum gil python_sample_gil(const struct python_sample *sample)
{
    return sample->gil;
}

enum python_end python_sample_end(const struct python_sample *sample)
{
    return sample->end;
}

static struct frame cut_mark(enum python_end end)
{
    return (struct frame){ .kind = FRAME_MARK, .module = MARK_PYTHON_CUT, .address = end };
}

uint32_t python_merge(struct python *python, struct python_sample *sample, struct frame *frames,
                      uint64_t *stacks, uint32_t count, uint32_t limit)
{
    struct frame *resolved;
    struct merge_result result;

    python_code_validate(python, sample->frames, sample->frame_count);
    resolved = xcalloc(sample->frame_count, sizeof(*resolved));
    for (uint32_t i = 0; i < sample->frame_count; i++) {
        if (!python_code_resolve(python, &sample->frames[i], &resolved[i]))
            resolved[i] = cut_mark(PYTHON_BAD_CODE);
    }
    result =
        python_merge_runs(sample->runs, sample->run_count, resolved, frames, stacks, count, limit);
    free(resolved);
    if (sample->end > PYTHON_STRANGER && result.count < limit) {
        frames[result.count] = cut_mark(sample->end);
        stacks[result.count++] = 0;
    }
    return result.count;
}
