/* SPDX-License-Identifier: MIT */
/*
 * From a line of maps to a module: which kind it is, and which file holds its code.
 *
 * The path in a line is a name from another mount namespace, perhaps of a file that is gone or has
 * been replaced, so a file is believed when its inode is the mapped one.  In this order:
 *
 *     /proc/PID/root/PATH   needs no right beyond looking at the process
 *     /proc/PID/map_files/  the mapped file itself, deleted or not; CAP_CHECKPOINT_RESTORE
 *     /proc/PID/exe         a deleted executable, for everybody
 *     /proc/PID/fd/         a memfd or deleted file that the process still has open, likewise
 *     PATH, other inode     unless deleted: file systems that show two inode numbers (overlayfs)
 *     what was opened       for another process; PATH as we see it: of one that has ended, when a
 *                           kernel's record tells only now what it had mapped
 *
 * Runs on the thread of the source that reads the maps.
 */
#include "config.h"

#include "mapped.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/open_below.h"
#include "proftop/text.h"

/* No kernel's vdso is larger; a fixture or a hostile process could claim anything. */
enum { VDSO_MAX_BYTES = 1 << 20 };

/* Descriptors of a process that are looked at for a file that is nowhere else any more. */
enum { HELD_MAX = 1024 };

static const char deleted_suffix[] = " (deleted)";

struct file_name {
    char path[PATH_MAX]; /* as the target sees it */
    bool deleted;
};

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Memory that carries a file's name or inode although no file holds its code. */
static bool nameless(const char *path)
{
    return has_prefix(path, "/memfd:") || has_prefix(path, "/dev/zero") ||
           has_prefix(path, "/SYSV") || has_prefix(path, "/anon_hugepage") ||
           has_prefix(path, "/dev/shm/") || has_prefix(path, "//anon");
}

static void module_from_stat(struct module *module, const struct stat *status)
{
    module->size_bytes = (uint64_t)status->st_size;
    module->mtime_ns =
        (uint64_t)status->st_mtim.tv_sec * NS_PER_S + (uint64_t)status->st_mtim.tv_nsec;
}

static char *proc_path(const struct mapped_by *by, const char *rest)
{
    return xasprintf("%s/%d/%s", by->proc_root, (int)by->tid, rest);
}

/* Looks before it opens: opening a device or a pipe could do something. */
static bool regular(const char *path, uint64_t inode, struct stat *status)
{
    if (stat(path, status) < 0)
        return false;
    errno = ESTALE;
    return S_ISREG(status->st_mode) && (inode == 0 || (uint64_t)status->st_ino == inode);
}

/* A descriptor of PATH when it is a regular file (with INODE, unless 0), else -1 with errno. */
static int open_regular(const char *path, uint64_t inode, struct module *module)
{
    struct stat status;
    int fd;

    if (!regular(path, inode, &status))
        return -1;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
        (inode != 0 && (uint64_t)status.st_ino != inode)) {
        close(fd);
        errno = ESTALE;
        return -1;
    }
    module_from_stat(module, &status);
    return fd;
}

/*
 * PATH whatever its inode is, which overlay file systems tell differently.  What lies there may
 * have been put there to be mistaken for it, so no link leads out of the process's root.
 */
static int open_unchecked(const struct mapped_by *by, const char *path, struct module *module)
{
    char *root_path = proc_path(by, "root");
    int root = open(root_path, O_PATH | O_CLOEXEC | O_DIRECTORY);
    int fd = root >= 0 ? open_below(root, path) : -1;
    struct stat status;

    if (fd >= 0 && (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))) {
        close(fd);
        fd = -1;
    }
    if (fd >= 0)
        module_from_stat(module, &status);
    if (root >= 0)
        close(root);
    free(root_path);
    return fd;
}

/* The path without " (deleted)", which may also be the end of a real file's name. */
static void name_file(const struct mapped_by *by, const struct maps_line *line,
                      struct file_name *name)
{
    size_t length = strnlen(line->path, sizeof(name->path) - 1);
    size_t suffix = sizeof(deleted_suffix) - 1;
    struct stat status;
    char *path;

    memcpy(name->path, line->path, length);
    name->path[length] = '\0';
    name->deleted = false;
    if (length <= suffix || strcmp(name->path + length - suffix, deleted_suffix) != 0)
        return;
    path = xasprintf("%s/%d/root%s", by->proc_root, (int)by->tid, name->path);
    if (!regular(path, line->inode, &status)) {
        name->path[length - suffix] = '\0';
        name->deleted = true;
    }
    free(path);
}

/*
 * The file of LINE among those that the process has open.  It may hold files open that it cannot
 * read itself, so both numbers must be those of what it runs.
 */
static int open_held(const struct mapped_by *by, const struct maps_line *line,
                     struct module *module)
{
    dev_t device = makedev(line->device >> 32, line->device & UINT32_MAX);
    char *folder = proc_path(by, "fd"), *path;
    DIR *entries = opendir(folder);
    struct dirent *entry;
    struct stat status;
    int fd = -1;

    for (int i = 0; i < HELD_MAX && fd < 0 && entries != NULL && line->inode != 0; i++) {
        entry = readdir(entries);
        if (entry == NULL)
            break;
        if (entry->d_name[0] == '.')
            continue;
        path = xasprintf("%s/%s", folder, entry->d_name);
        if (regular(path, line->inode, &status) && status.st_dev == device)
            fd = open_regular(path, line->inode, module);
        free(path);
    }
    if (entries != NULL)
        closedir(entries);
    free(folder);
    return fd;
}

/* The file of LINE where we see it ourselves. */
static int open_ours(const struct maps_line *line, struct module *module)
{
    dev_t device = makedev(line->device >> 32, line->device & UINT32_MAX);
    struct stat status;

    return regular(line->path, line->inode, &status) && status.st_dev == device
               ? open_regular(line->path, line->inode, module)
               : -1;
}

/* Opens the file of LINE and fills size and time; -1 with errno set to the most telling reason. */
static int open_mapped(const struct mapped_by *by, const struct maps_line *line,
                       const struct file_name *name, struct module *module)
{
    char *root = xasprintf("%s/%d/root%s", by->proc_root, (int)by->tid, name->path);
    char *exe = proc_path(by, "exe");
    char range[64];
    struct stat status;
    char *map_file;
    int fd, saved_errno;

    snprintf(range, sizeof(range), "map_files/%llx-%llx", (unsigned long long)line->start,
             (unsigned long long)line->end);
    map_file = proc_path(by, range);
    fd = open_regular(root, line->inode, module);
    saved_errno = errno;
    if (fd < 0)
        fd = open_regular(map_file, 0, module);
    if (fd < 0)
        fd = open_regular(exe, line->inode, module);
    if (fd < 0 && name->deleted)
        fd = open_held(by, line, module);
    if (fd < 0 && !name->deleted && regular(root, 0, &status))
        fd = open_unchecked(by, name->path, module);
    free(root);
    free(exe);
    free(map_file);
    errno = saved_errno;
    return fd;
}

static bool is_elf(int fd)
{
    char magic[SELFMAG];

    return pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
           memcmp(magic, ELFMAG, SELFMAG) == 0;
}

static const struct module *jit_module(const struct mapped_by *by)
{
    struct module wanted = {
        .kind = MODULE_JIT,
        .path = "",
        .name = "[jit]",
        .fd = -1,
        .pid = by->pid,
        .generation = by->generation,
    };

    return modules_add(by->modules, &wanted);
}

/*
 * The module opened last of the same inode under the same name, where there is no file to look at
 * any more: an inode is not reused while it is mapped.
 */
static const struct module *known_inode(const struct modules *modules, const struct module *wanted)
{
    for (module_id id = modules_count(modules); id-- > 1;) {
        const struct module *module = modules_get(modules, id);

        if (module->kind == MODULE_FILE && module->device == wanted->device &&
            module->inode == wanted->inode && strcmp(module->path, wanted->path) == 0)
            return module;
    }
    return NULL;
}

/* A module of the same file that was opened before and has not changed since. */
static const struct module *known_file(const struct mapped_by *by, const struct maps_line *line,
                                       struct module *wanted)
{
    char *path;
    struct stat status;
    const struct module *known = NULL;

    if (wanted->deleted)
        return known_inode(by->modules, wanted);
    path = xasprintf("%s/%d/root%s", by->proc_root, (int)by->tid, line->path);
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
        module_from_stat(wanted, &status);
        known = modules_find(by->modules, wanted);
    }
    free(path);
    return known;
}

/* It has no root any more, and soon no folder. */
static bool has_ended(const struct mapped_by *by)
{
    char *root = proc_path(by, "root");
    struct stat status;
    bool ended = stat(root, &status) < 0 && (errno == ENOENT || errno == ESRCH);

    free(root);
    return ended;
}

static bool same_file(const char *path, const char *other)
{
    struct stat a, b;

    return stat(path, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* What the process calls "/", where debug files may be that we do not see; 0 when it is as ours. */
static int other_root(const struct mapped_by *by)
{
    char *path = proc_path(by, "root"), *space = proc_path(by, "ns/mnt");
    bool same = same_file(path, "/") && same_file(space, "/proc/self/ns/mnt");
    int root = same ? 0 : open(path, O_PATH | O_CLOEXEC | O_DIRECTORY);

    free(path);
    free(space);
    return root > 0 ? root : 0;
}

static const struct module *file_module(const struct mapped_by *by, const struct maps_line *line)
{
    struct file_name name;
    struct module wanted = { .kind = MODULE_FILE, .fd = -1 };
    const struct module *known;
    char trouble[256];
    int saved_errno;

    name_file(by, line, &name);
    wanted.path = name.path;
    wanted.name = text_base_name(name.path);
    wanted.deleted = name.deleted;
    wanted.device = line->device;
    wanted.inode = line->inode;
    known = known_file(by, line, &wanted);
    if (known != NULL)
        return known;
    wanted.fd = open_mapped(by, line, &name, &wanted);
    saved_errno = errno;
    if (wanted.fd < 0 && has_ended(by)) {
        known = known_inode(by->modules, &wanted);
        if (known != NULL)
            return known;
        wanted.fd = open_ours(line, &wanted);
    }
    if (nameless(line->path) && (wanted.fd < 0 || !is_elf(wanted.fd))) {
        if (wanted.fd >= 0)
            close(wanted.fd);
        return jit_module(by);
    }
    if (wanted.fd < 0) {
        snprintf(trouble, sizeof(trouble), "%s",
                 name.deleted ? _("the file was deleted while it runs") : strerror(saved_errno));
        wanted.trouble = trouble;
    } else {
        wanted.root = other_root(by);
    }
    return modules_add(by->modules, &wanted);
}

/* The vdso is in no file: its image is copied out of the process. */
static const struct module *vdso_module(const struct mapped_by *by, const struct maps_line *line)
{
    uint64_t size = line->end - line->start;
    struct module wanted = {
        .kind = MODULE_VDSO, .path = "[vdso]", .name = "[vdso]", .fd = -1, .size_bytes = size
    };
    const struct module *known = modules_find(by->modules, &wanted);
    char *path;
    uint8_t *image;
    int fd;

    if (known != NULL)
        return known;
    if (size > VDSO_MAX_BYTES)
        return jit_module(by);
    path = proc_path(by, "mem");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    image = xmalloc(size);
    if (fd >= 0 && pread(fd, image, size, (off_t)line->start) == (ssize_t)size) {
        wanted.image = image;
        wanted.image_size = size;
    }
    /* Without its image it is not kept as the vdso: another process may show it. */
    known = wanted.image != NULL ? modules_add(by->modules, &wanted) : jit_module(by);
    if (fd >= 0)
        close(fd);
    free(image);
    free(path);
    return known;
}

static const struct module *special_module(const struct mapped_by *by, const char *name)
{
    struct module wanted = { .kind = MODULE_UNKNOWN, .path = name, .name = name, .fd = -1 };

    return modules_add(by->modules, &wanted);
}

const struct module *mapped_module(const struct mapped_by *by, const struct maps_line *line)
{
    if (strcmp(line->path, "[vdso]") == 0)
        return vdso_module(by, line);
    if (strcmp(line->path, "[vsyscall]") == 0 || strcmp(line->path, "[uprobes]") == 0)
        return special_module(by, line->path);
    if (line->path[0] == '/' && line->inode != 0)
        return file_module(by, line);
    return jit_module(by);
}
