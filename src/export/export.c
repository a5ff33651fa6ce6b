/* SPDX-License-Identifier: MIT */
/*
 * The table of formats, and the one way to write a file: beside its place under another name first,
 * so that a failure leaves nothing half-written and what was there before.
 */
#include "config.h"

#include "proftop/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"

const struct export_ops *const export_table[] = {
    &export_session,     &export_text,       &export_json,  &export_csv,
    &export_folded,      &export_speedscope, &export_pprof, &export_callgrind,
    &export_perf_script, &export_svg,        &export_html,
};

const unsigned export_count = sizeof(export_table) / sizeof(export_table[0]);

const struct export_ops *export_find(const char *name)
{
    for (unsigned i = 0; i < export_count; i++)
        if (strcmp(export_table[i]->name, name) == 0)
            return export_table[i];
    return NULL;
}

bool export_stream(const struct export_ops *ops, const struct fold *fold,
                   const struct export_options *options, FILE *stream, struct error *error)
{
    if (!ops->write(fold, options, stream, error))
        return false;
    if (fflush(stream) == 0 && !ferror(stream))
        return true;
    return error_errno(error, errno, _("cannot write: %s"), strerror(errno));
}

/* Not a plain file: a terminal, a pipe, /dev/null.  Written to in place. */
static bool is_special(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

bool export_refuse_existing(const char *path, struct error *error)
{
    error_set(error, STATUS_FAILED, _("%s exists already"), path);
    error_hint(error, _("--force overwrites it; -o FILE writes elsewhere"));
    return false;
}

static FILE *open_beside(const char *path, char *beside, mode_t mode, struct error *error)
{
    int fd = mkstemp(beside);
    FILE *stream = fd < 0 ? NULL : fdopen(fd, "w");

    if (stream == NULL) {
        error_errno(error, errno, _("cannot create %s: %s"), path, strerror(errno));
        if (fd >= 0) {
            unlink(beside);
            close(fd);
        }
        return NULL;
    }
    fchmod(fd, mode);
    return stream;
}

static bool put_in_place(const char *beside, const char *path, bool force, struct error *error)
{
    if (force ? rename(beside, path) == 0 : link(beside, path) == 0 && unlink(beside) == 0)
        return true;
    if (!force && errno == EEXIST)
        return export_refuse_existing(path, error);
    /* A file system without hard links: the check for an old file was a moment ago. */
    if (!force && rename(beside, path) == 0)
        return true;
    return error_errno(error, errno, _("cannot write %s: %s"), path, strerror(errno));
}

static mode_t usual_mode(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return 0666 & ~mask;
}

static bool write_special(const struct export_ops *ops, const struct fold *fold,
                          const struct export_options *options, const char *path,
                          struct error *error)
{
    FILE *stream = fopen(path, "w");
    bool written;

    if (stream == NULL)
        return error_errno(error, errno, _("cannot open %s: %s"), path, strerror(errno));
    written = export_stream(ops, fold, options, stream, error);
    return fclose(stream) == 0 ? written
                               : written && error_errno(error, errno, _("cannot write %s: %s"),
                                                        path, strerror(errno));
}

bool export_file(const struct export_ops *ops, const struct fold *fold,
                 const struct export_options *options, const char *path, bool force,
                 struct error *error)
{
    char *beside;
    FILE *stream;
    bool done;

    if (is_special(path))
        return write_special(ops, fold, options, path, error);
    if (!force && access(path, F_OK) == 0)
        return export_refuse_existing(path, error);
    beside = xasprintf("%s.XXXXXX", path);
    stream = open_beside(path, beside, ops->secret ? 0600 : usual_mode(), error);
    if (stream == NULL) {
        free(beside);
        return false;
    }
    done = export_stream(ops, fold, options, stream, error);
    if (fclose(stream) != 0 && done)
        done = error_errno(error, errno, _("cannot write %s: %s"), path, strerror(errno));
    done = done && put_in_place(beside, path, force, error);
    if (!done)
        unlink(beside);
    free(beside);
    return done;
}
