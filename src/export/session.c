/* SPDX-License-Identifier: MIT */
/*
 * The session file as an export: the range of the fold, whole, into a stream.  SQLite writes files
 * only, so it is written to a temporary one first.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/session.h"

static bool copy_file(const char *path, FILE *stream, struct error *error)
{
    FILE *from = fopen(path, "r");
    char buffer[1 << 16];
    size_t size;

    if (from == NULL)
        return error_errno(error, errno, _("cannot open %s: %s"), path, strerror(errno));
    while ((size = fread(buffer, 1, sizeof(buffer), from)) > 0)
        fwrite(buffer, 1, size, stream);
    fclose(from);
    return true;
}

static bool write_session(const struct fold *fold, const struct export_options *options,
                          FILE *stream, struct error *error)
{
    const char *folder = getenv("TMPDIR");
    char *inside = xasprintf("%s/proftop-XXXXXX", folder != NULL ? folder : "/tmp");
    struct session_config config = { 0 };
    char *path = NULL;
    bool done = false;

    (void)options;
    if (mkdtemp(inside) == NULL) {
        error_errno(error, errno, _("cannot create a folder for a temporary file: %s"),
                    strerror(errno));
        goto done;
    }
    config.path = path = xasprintf("%s/session", inside);
    done = session_save(&config, (struct profile *)fold->profile, fold->start_ns, fold->end_ns,
                        error) &&
           copy_file(path, stream, error);
    unlink(path);
    rmdir(inside);
done:
    free(path);
    free(inside);
    return done;
}

const struct export_ops export_session = {
    .name = "session",
    .extension = ".proftop",
    .label = N_("a session, which keeps everything"),
    .binary = true,
    .secret = true,
    .write = write_session,
};
