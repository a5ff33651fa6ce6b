/* SPDX-License-Identifier: MIT */
/*
 * Source files.  The path comes out of somebody's debug information: it is opened without waiting,
 * and what is no regular file is left alone.
 */
#include "config.h"

#include "proftop/source_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"

enum { BYTES_MAX = 32 << 20 };

struct page {
    struct source_text text; /* first: what is given out */
    char *bytes;
    const char **lines;
};

static bool open_source(const char *path, int *fd, struct stat *st, struct error *error)
{
    if (path[0] != '/')
        return error_set(error, STATUS_MISSING, _("%s: its folder is not known"), path);
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0 || fstat(*fd, st) != 0)
        return error_errno(error, errno, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st->st_mode))
        return error_set(error, STATUS_FAILED, _("%s: not a regular file"), path);
    if (st->st_size > BYTES_MAX)
        return error_set(error, STATUS_FAILED, _("%s: too large for a source file"), path);
    return true;
}

/* At most SIZE bytes, which may be fewer by now. */
static size_t read_all(int fd, char *bytes, size_t size)
{
    size_t count = 0;
    ssize_t more;

    while (count < size && (more = pread(fd, bytes + count, size - count, (off_t)count)) > 0)
        count += (size_t)more;
    return count;
}

/* Cuts BYTES into lines in place. */
static void split(struct page *page, size_t size)
{
    size_t capacity = 0, count = 0;
    char *at = page->bytes, *end = page->bytes + size;

    while (at < end) {
        char *newline = memchr(at, '\n', (size_t)(end - at));

        if (newline == NULL)
            newline = end;
        page->lines = array_reserve(page->lines, &capacity, count + 1, sizeof(*page->lines));
        page->lines[count++] = at;
        *newline = '\0';
        if (newline > at && newline[-1] == '\r')
            newline[-1] = '\0';
        at = newline + 1;
    }
    page->text.lines = page->lines;
    page->text.count = (uint32_t)count;
}

static bool is_newer(const struct stat *st, const struct module *module)
{
    uint64_t ns = (uint64_t)st->st_mtim.tv_sec * NS_PER_S + (uint64_t)st->st_mtim.tv_nsec;

    return module != NULL && module->mtime_ns != 0 && ns > module->mtime_ns;
}

struct source_text *source_text_read(const char *path, const struct module *module,
                                     struct error *error)
{
    struct page *page = NULL;
    struct stat st;
    int fd = -1;

    if (open_source(path, &fd, &st, error)) {
        page = xcalloc(1, sizeof(*page));
        page->bytes = xmalloc((size_t)st.st_size + 1);
        page->text.newer = is_newer(&st, module);
        split(page, read_all(fd, page->bytes, (size_t)st.st_size));
    }
    if (fd >= 0)
        close(fd);
    return page != NULL ? &page->text : NULL;
}

struct source_text *source_text_of(const char *bytes, size_t size_bytes)
{
    struct page *page = xcalloc(1, sizeof(*page));

    page->bytes = xmalloc(size_bytes + 1);
    memcpy(page->bytes, bytes, size_bytes);
    split(page, size_bytes);
    return &page->text;
}

void source_text_free(struct source_text *text)
{
    struct page *page = (struct page *)text;

    if (page == NULL)
        return;
    free(page->bytes);
    free(page->lines);
    free(page);
}
