/* SPDX-License-Identifier: MIT */
/*
 * Kept descriptors of /proc: pread() from 0 makes the kernel write the file anew, for a third of
 * what opening it again costs.
 */
#include "config.h"

#include "proftop/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/memory.h"

enum { FIRST_SIZE = 1024 };

bool proc_file_open(struct proc_file *file, const char *root, const char *format, ...)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/", root);
    va_list arguments;

    proc_file_close(file);
    if (length < 0 || length >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    va_start(arguments, format);
    vsnprintf(path + length, sizeof(path) - (size_t)length, format, arguments);
    va_end(arguments);
    /* NONBLOCK: a fixture or a strange mount could hold a FIFO. */
    file->fd_plus_1 = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) + 1;
    return file->fd_plus_1 > 0;
}

bool proc_file_is_open(const struct proc_file *file)
{
    return file->fd_plus_1 > 0;
}

static void grow(struct proc_file *file)
{
    file->capacity = file->capacity == 0 ? FIRST_SIZE : file->capacity * 2;
    file->text = xrealloc(file->text, file->capacity);
}

const char *proc_file_read(struct proc_file *file)
{
    size_t asked;
    ssize_t got;

    if (file->fd_plus_1 <= 0) {
        errno = ENOENT;
        return NULL;
    }
    file->length = 0;
    for (;;) {
        if (file->capacity - file->length < FIRST_SIZE / 2 && file->capacity < PROC_FILE_MAX)
            grow(file);
        if (file->capacity - file->length <= 1)
            break;
        asked = file->capacity - file->length - 1;
        got = pread(file->fd_plus_1 - 1, file->text + file->length, asked, (off_t)file->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return NULL;
        file->length += (size_t)got;
        if (proc_file_ended((size_t)got, asked))
            break;
    }
    file->text[file->length] = '\0';
    return file->text;
}

void proc_file_close(struct proc_file *file)
{
    if (file->fd_plus_1 > 0)
        close(file->fd_plus_1 - 1);
    free(file->text);
    memset(file, 0, sizeof(*file));
}
