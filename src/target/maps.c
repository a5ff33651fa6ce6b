/* SPDX-License-Identifier: MIT */
/*
 * Reads /proc/PID/maps (see proc_pid_maps(5)) into a sorted array of executable mappings.
 *
 * The text is written by the kernel page by page while the process goes on mapping, so lines may
 * overlap or repeat: what was read first keeps its addresses.  A mapping that another continues in
 * memory and in the file joins it.
 */
#include "config.h"

#include "proftop/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mapped.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/proc.h"

enum {
    READ_BYTES = 64 << 10,
    TEXT_MAX_BYTES = 256 << 20, /* vm.max_map_count can be raised far, but not to this */
};

static const char kernel_name[] = "[kernel]";

/* Grows a struct maps while it is being made. */
struct builder {
    struct mapped_by by;
    struct mapping *mappings;
    size_t count, capacity;
};

static void builder_push(struct builder *builder, const struct mapping *mapping)
{
    struct mapping *last;

    if (builder->count > 0) {
        last = &builder->mappings[builder->count - 1];
        if (last->module == mapping->module && last->end == mapping->start &&
            last->offset + (last->end - last->start) == mapping->offset &&
            last->readable == mapping->readable && last->writable == mapping->writable) {
            last->end = mapping->end;
            return;
        }
    }
    builder->mappings = array_reserve(builder->mappings, &builder->capacity, builder->count + 1,
                                      sizeof(*builder->mappings));
    builder->mappings[builder->count++] = *mapping;
}

static void builder_add_line(struct builder *builder, struct maps_line line)
{
    uint64_t used = builder->count > 0 ? builder->mappings[builder->count - 1].end : 0;

    if (!line.executable || line.end <= line.start || line.end <= used)
        return;
    if (line.start < used) {
        line.offset += used - line.start;
        line.start = used;
    }
    builder_push(builder, &(struct mapping){
                              .start = line.start,
                              .end = line.end,
                              .offset = line.offset,
                              .module = mapped_module(&builder->by, &line),
                              .executable = true,
                              .readable = line.readable,
                              .writable = line.writable,
                          });
}

static struct maps *builder_finish(struct builder *builder)
{
    size_t size = builder->count * sizeof(struct mapping);
    struct maps *maps = xmalloc(sizeof(*maps) + size);

    *maps = (struct maps){
        .refs = 1,
        .generation = builder->by.generation,
        .pid = builder->by.pid,
        .count = (uint32_t)builder->count,
    };
    if (size > 0)
        memcpy(maps->mappings, builder->mappings, size);
    free(builder->mappings);
    return maps;
}

/* "\012" stands for a newline in a path, the only character the kernel escapes. */
static void unescape(char *path)
{
    char *to = path;

    for (const char *from = path; *from != '\0';) {
        if (strncmp(from, "\\012", 4) == 0) {
            *to++ = '\n';
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

/*
 * start-end perms offset major:minor inode   path
 *
 * TEXT is one line, without its newline; the path is unescaped in place.
 */
static bool parse_line(char *text, struct maps_line *line)
{
    char permissions[5];
    unsigned major, minor;
    int path_at = 0;

    if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &line->start,
               &line->end, permissions, &line->offset, &major, &minor, &line->inode,
               &path_at) != 7 ||
        path_at == 0 || strlen(permissions) != 4)
        return false;
    line->device = (uint64_t)major << 32 | minor;
    line->readable = permissions[0] == 'r';
    line->writable = permissions[1] == 'w';
    line->executable = permissions[2] == 'x';
    unescape(text + path_at);
    line->path = text + path_at;
    return true;
}

/* Most lines are data: a look at the permissions saves parsing them. */
static bool may_execute(const char *text)
{
    const char *space = strchr(text, ' ');

    return space != NULL && strnlen(space, 5) == 5 && space[3] == 'x';
}

/* The whole of PATH as a NUL-terminated text, or NULL with errno. */
static char *read_text(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    size_t length = 0, capacity = 0;
    ssize_t got;

    if (fd < 0)
        return NULL;
    do {
        text = array_reserve(text, &capacity, length + READ_BYTES + 1, 1);
        got = read(fd, text + length, READ_BYTES);
        if (got > 0)
            length += (size_t)got;
    } while ((got > 0 && length < TEXT_MAX_BYTES) || (got < 0 && errno == EINTR));
    if (got < 0) {
        int saved_errno = errno;

        free(text);
        close(fd);
        errno = saved_errno;
        return NULL;
    }
    close(fd);
    text[length] = '\0';
    return text;
}

static struct mapped_by mapped_by(const char *proc_root, int32_t pid, uint32_t generation,
                                  struct modules *modules)
{
    return (struct mapped_by){ .proc_root = proc_root,
                               .pid = pid,
                               .tid = proc_living_thread(proc_root, pid),
                               .generation = generation,
                               .modules = modules };
}

struct maps *maps_read(const char *proc_root, int32_t pid, uint32_t generation,
                       struct modules *modules, struct error *error)
{
    struct builder builder = { .by = mapped_by(proc_root, pid, generation, modules) };
    char *path = xasprintf("%s/%d/maps", proc_root, (int)builder.by.tid);
    char *text = read_text(path);
    struct maps *maps = NULL;
    struct maps_line line;

    if (text == NULL) {
        error_errno(error, errno, _("cannot read the mappings of process %d"), (int)pid);
        goto out;
    }
    for (char *at = text, *next; at != NULL; at = next) {
        next = strchr(at, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (may_execute(at) && parse_line(at, &line))
            builder_add_line(&builder, line);
    }
    maps = builder_finish(&builder);
out:
    free(text);
    free(path);
    return maps;
}

/* The part of MAPPING inside [start, end), when there is one. */
static void push_part(struct builder *builder, const struct mapping *mapping, uint64_t start,
                      uint64_t end)
{
    struct mapping part = *mapping;

    if (part.start < start) {
        part.offset += start - part.start;
        part.start = start;
    }
    if (part.end > end)
        part.end = end;
    if (part.start < part.end)
        builder_push(builder, &part);
}

struct maps *maps_with(const struct maps *old, const char *proc_root, int32_t pid,
                       uint32_t generation, struct modules *modules, const struct maps_line *line)
{
    struct builder builder = { .by = mapped_by(proc_root, pid, generation, modules) };
    uint32_t count = old != NULL ? old->count : 0;

    if (line->end < line->start)
        return builder_finish(&builder);
    for (uint32_t i = 0; i < count; i++)
        push_part(&builder, &old->mappings[i], 0, line->start);
    builder_add_line(&builder, *line);
    for (uint32_t i = 0; i < count; i++)
        push_part(&builder, &old->mappings[i], line->end, UINT64_MAX);
    return builder_finish(&builder);
}

struct maps *maps_ref(struct maps *maps)
{
    __atomic_add_fetch(&maps->refs, 1, __ATOMIC_RELAXED);
    return maps;
}

void maps_unref(struct maps *maps)
{
    if (maps != NULL && __atomic_sub_fetch(&maps->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free(maps);
}

const struct mapping *maps_find(const struct maps *maps, uint64_t address)
{
    uint32_t low = 0, high = maps->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (maps->mappings[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == maps->count || maps->mappings[low].start > address)
        return NULL;
    return &maps->mappings[low];
}

const struct module *maps_kernel(struct modules *modules)
{
    struct module wanted = {
        .kind = MODULE_KERNEL, .path = kernel_name, .name = kernel_name, .fd = -1
    };

    return modules_add(modules, &wanted);
}
