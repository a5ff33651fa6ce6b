/* SPDX-License-Identifier: MIT */
/*
 * Finding and following what a process writes about its JIT code.
 *
 * The perf map is /tmp/perf-PID.map as the process sees it: below its own root, with the PID of its
 * innermost namespace.  Anybody can write to /tmp, so it must be a plain file of the target's user
 * or of root, and no link is followed out of the target's root.
 */
#include "config.h"

#include "jit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jitdump.h"
#include "line_reader.h"
#include "perf_map.h"
#include "proftop/arena.h"
#include "proftop/clock.h"
#include "proftop/memory.h"
#include "proftop/open_below.h"

#define SETTLED (UINT64_C(1) << 63)

static const uint64_t map_max_bytes = UINT64_C(512) << 20;
static const uint64_t poll_ns = 50 * NS_PER_MS;
/* Asking again for everything costs more than reading: not more often than this. */
static const uint64_t news_ns = NS_PER_S;

struct jit {
    const struct module *module;
    const char *proc_root;
    struct jit_table *table;
    struct arena *texts;
    struct line_reader *map; /* NULL: not open */
    struct jitdump dump;
    module_id scanned; /* modules below this were looked at for a jitdump */
    uint64_t polled_ns;
    uint64_t news_ns;   /* when it was last told that there is something new */
    bool missed, grown; /* since then: an address was not known; something was read */
    enum trouble trouble;
};

struct jit *jit_new(const struct module *module, const char *proc_root)
{
    struct jit *jit = xcalloc(1, sizeof(*jit));

    jit->module = module;
    jit->proc_root = proc_root;
    jit->table = jit_table_new();
    jit->texts = arena_new();
    jit->dump.fd = -1;
    jit->trouble = TROUBLE_NO_MAP;
    return jit;
}

void jit_free(struct jit *jit)
{
    if (jit == NULL)
        return;
    if (jit->map != NULL)
        close(jit->map->fd);
    free(jit->map);
    jit_table_free(jit->table);
    arena_free(jit->texts);
    free(jit);
}

/* The process's PID in its innermost namespace: the last number of the NSpid line; 0: unknown. */
static int inner_pid(const struct jit *jit)
{
    char path[PATH_MAX], line[256];
    FILE *file;
    int pid = 0;

    snprintf(path, sizeof(path), "%s/%d/status", jit->proc_root, jit->module->pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        char *last = strrchr(line, '\t');

        if (strncmp(line, "NSpid:", 6) != 0 || last == NULL)
            continue;
        pid = atoi(last + 1);
        break;
    }
    fclose(file);
    return pid;
}

static enum trouble check_owner(const struct jit *jit, int fd)
{
    char path[PATH_MAX];
    struct stat file, process;

    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
        return TROUBLE_NOT_REGULAR;
    snprintf(path, sizeof(path), "%s/%d", jit->proc_root, jit->module->pid);
    if (file.st_uid != 0 && (stat(path, &process) != 0 || process.st_uid != file.st_uid))
        return TROUBLE_FOREIGN;
    return TROUBLE_NONE;
}

static enum trouble open_map(struct jit *jit)
{
    char path[PATH_MAX], name[64];
    enum trouble trouble;
    int root, fd, pid = inner_pid(jit);

    if (pid <= 0)
        return TROUBLE_NO_MAP;
    snprintf(path, sizeof(path), "%s/%d/root", jit->proc_root, jit->module->pid);
    snprintf(name, sizeof(name), "tmp/perf-%d.map", pid);
    root = open(path, O_PATH | O_CLOEXEC | O_DIRECTORY);
    if (root < 0)
        return trouble_of_errno(errno);
    fd = open_below(root, name);
    trouble = fd >= 0 ? check_owner(jit, fd) : trouble_of_errno(errno);
    close(root);
    if (trouble == TROUBLE_MISSING)
        return TROUBLE_NO_MAP;
    if (trouble != TROUBLE_NONE) {
        if (fd >= 0)
            close(fd);
        return trouble;
    }
    jit->map = xmalloc(sizeof(*jit->map));
    line_reader_init(jit->map, fd, map_max_bytes);
    return TROUBLE_NONE;
}

static bool read_map(struct jit *jit)
{
    struct jit_code code;
    bool any = false;
    char *line;

    while ((line = line_reader_next(jit->map)) != NULL) {
        if (!perf_map_parse(line, &code))
            continue;
        code.name = arena_strdup(jit->texts, code.name);
        jit_table_add(jit->table, &code);
        any = true;
    }
    return any;
}

/* A program that writes a jitdump maps it executable, so that profilers see where it is. */
static void find_dump(struct jit *jit, const struct modules *modules)
{
    char name[64];
    int pid;

    if (jit->dump.fd >= 0 || jit->scanned == modules_count(modules))
        return;
    pid = inner_pid(jit);
    snprintf(name, sizeof(name), "jit-%d.dump", pid > 0 ? pid : jit->module->pid);
    for (; jit->scanned < modules_count(modules); jit->scanned++) {
        const struct module *module = modules_get(modules, jit->scanned);

        if (module->kind == MODULE_FILE && module->fd >= 0 && strcmp(module->name, name) == 0)
            jit->dump.fd = module->fd;
    }
}

bool jit_update(struct jit *jit, const struct modules *modules, uint64_t now_ns)
{
    if (jit->polled_ns != 0 && now_ns - jit->polled_ns < poll_ns)
        return false;
    jit->polled_ns = now_ns;
    find_dump(jit, modules);
    if (jit->map == NULL)
        jit->trouble = open_map(jit);
    if (jit->map != NULL)
        jit->grown |= read_map(jit);
    if (jit->dump.fd >= 0) {
        jit->grown |= jitdump_read(&jit->dump, jit->table, jit->texts);
        jit->trouble = jit->dump.damaged ? TROUBLE_DAMAGED : TROUBLE_NONE;
    }
    if (!jit->missed || !jit->grown || now_ns - jit->news_ns < news_ns)
        return false;
    jit->missed = jit->grown = false;
    jit->news_ns = now_ns;
    return true;
}

bool jit_is_settled(uint64_t address)
{
    return (address & SETTLED) != 0;
}

uint64_t jit_settle(struct jit *jit, uint64_t address)
{
    uint32_t number = JIT_NONE;

    if (!jit_is_settled(address))
        number = jit_table_find(jit->table, address);
    if (number == JIT_NONE)
        return address;
    return SETTLED | (uint64_t)number << 32 | (address - jit_table_get(jit->table, number)->start);
}

const struct jit_code *jit_find(struct jit *jit, uint64_t address, uint32_t *offset)
{
    const struct jit_code *code;

    if (jit_is_settled(address)) {
        *offset = (uint32_t)address;
        return jit_table_get(jit->table, (uint32_t)(address >> 32) & INT32_MAX);
    }
    code = jit_table_get(jit->table, jit_table_find(jit->table, address));
    if (code != NULL)
        *offset = (uint32_t)(address - code->start);
    else
        jit->missed = true;
    return code;
}

enum trouble jit_trouble(const struct jit *jit)
{
    return jit->trouble;
}

size_t jit_bytes(const struct jit *jit)
{
    return sizeof(*jit) + jit_table_bytes(jit->table) + arena_used(jit->texts) +
           (jit->map != NULL ? sizeof(*jit->map) : 0);
}
