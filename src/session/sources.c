/* SPDX-License-Identifier: MIT */
/*
 * Source files are read once, at the end of a recording, by their paths in debug information: these
 * come from a stranger, so that only regular files of a sensible size are taken.
 */
#include "config.h"

#include "sources.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proftop/memory.h"

enum { FILES_MAX = 200, ALL_BYTES_MAX = 4 << 20 };

struct kept {
    const char *files[FILES_MAX]; /* interned: the same path has the same address */
    unsigned count;
    size_t bytes;
};

static bool is_kept(const struct kept *kept, const char *file)
{
    for (unsigned i = 0; i < kept->count; i++) {
        if (kept->files[i] == file)
            return true;
    }
    return false;
}

/*
 * Whether the file may leave this machine in a session: a program that names a secret as its source
 * must not have a privileged profiler fetch it.
 */
static bool is_public(const struct stat *file)
{
    return S_ISREG(file->st_mode) &&
           ((file->st_mode & S_IROTH) != 0 || (geteuid() != 0 && file->st_uid == geteuid()));
}

/* The file's text, which the caller frees; NULL when it is none to take along. */
static char *read_source(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat file;
    char *text = NULL;
    ssize_t got = -1;

    if (fd >= 0 && fstat(fd, &file) == 0 && is_public(&file) && file.st_size > 0 &&
        file.st_size <= SOURCE_BYTES_MAX) {
        text = xmalloc((size_t)file.st_size);
        got = pread(fd, text, (size_t)file.st_size, 0);
    }
    if (fd >= 0)
        close(fd);
    if (got <= 0) {
        free(text);
        return NULL;
    }
    *size = (size_t)got;
    return text;
}

static bool store_source(struct session_store *store, const char *file, const char *text,
                         size_t size, struct error *error)
{
    sqlite3_stmt *statement = store->statements[STORE_SOURCE];

    sqlite3_bind_text(statement, 1, file, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(statement, 2, text, size, SQLITE_STATIC);
    return database_step(store->database, statement, error);
}

/* One file, from the profile if that has it: it may be of another machine. */
static bool keep_source(struct session_store *store, const struct profile *profile,
                        const char *file, struct kept *kept, struct error *error)
{
    size_t size = 0;
    const char *had = profile_source(profile, file, &size);
    char *read = had == NULL ? read_source(file, &size) : NULL;
    bool good = true;

    if ((had != NULL || read != NULL) && kept->bytes + size <= ALL_BYTES_MAX) {
        good = store_source(store, file, had != NULL ? had : read, size, error);
        kept->bytes += size;
    }
    kept->files[kept->count++] = file;
    free(read);
    return good;
}

bool store_sources(struct session_store *store, const struct profile *profile,
                   const struct fold *fold, struct error *error)
{
    struct kept kept = { .count = 0 };

    for (uint32_t i = 0; i < fold->row_count && kept.count < FILES_MAX; i++) {
        const char *file = names_get(fold->names, fold->rows[i].function)->file;

        if (file[0] == '/' && !is_kept(&kept, file) &&
            !keep_source(store, profile, file, &kept, error))
            return false;
    }
    return true;
}
