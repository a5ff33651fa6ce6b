/* SPDX-License-Identifier: MIT */
/* Which format a file of samples has, and a profile from one or several of them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "importer.h"
#include "proftop/export.h"
#include "proftop/gettext.h"
#include "proftop/text.h"
#include "stacks.h"

static const struct {
    bool (*looks)(const char *line);
    bool (*read)(struct importer *importer, FILE *stream, struct error *error);
} formats[] = {
    { looks_perf_script, import_perf_script },
    { looks_folded, import_folded },
};

/* The first line that says something decides. */
static bool read_file(struct importer *importer, FILE *stream, struct error *error)
{
    char *line;

    while ((line = importer_line(importer, stream)) != NULL &&
           (line[strspn(line, " \t")] == '\0' || line[0] == '#'))
        continue;
    for (size_t i = 0; line != NULL && i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (!formats[i].looks(line))
            continue;
        rewind(stream);
        importer_begin_file(importer);
        return formats[i].read(importer, stream, error);
    }
    return error_set(error, STATUS_DAMAGED,
                     line == NULL ? _("it is empty") : _("it is no format that is known here"));
}

/* Standard input is kept in a file first, because the format is found by looking ahead. */
static FILE *keep_input(struct error *error)
{
    FILE *kept = tmpfile();
    char buffer[1 << 16];
    size_t size;

    if (kept == NULL) {
        error_errno(error, errno, _("cannot create a temporary file: %s"), strerror(errno));
        return NULL;
    }
    while ((size = fread(buffer, 1, sizeof(buffer), stdin)) > 0)
        fwrite(buffer, 1, size, kept);
    if (ferror(stdin) || fflush(kept) != 0) {
        error_errno(error, errno, _("cannot keep standard input: %s"), strerror(errno));
        fclose(kept);
        return NULL;
    }
    rewind(kept);
    return kept;
}

/* Opened without waiting: a FIFO in place of a file must not hang us. */
static FILE *open_plain(const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;

    if (fd < 0) {
        error_errno(error, errno, _("cannot open %s: %s"), path, strerror(errno));
        return NULL;
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        error_set(error, STATUS_DAMAGED, _("%s is no plain file"), path);
        return NULL;
    }
    return fdopen(fd, "r");
}

static bool import_into(struct importer *importer, const char *path, struct error *error)
{
    FILE *stream = strcmp(path, "-") == 0 ? keep_input(error) : open_plain(path, error);
    struct error why = { 0 };
    bool done;

    if (stream == NULL)
        return false;
    done = read_file(importer, stream, &why);
    fclose(stream);
    if (!done) {
        error_set(error, why.code, _("cannot read %s: %s"), path, why.message);
        error_hint(error, _("sessions, folded stacks and the text of perf script can be read"));
    }
    return done;
}

struct profile *import_files(const char *const *paths, unsigned count, struct error *error)
{
    struct importer *importer = importer_new(text_base_name(paths[0]));
    struct profile *profile = NULL;
    unsigned metrics = 0;

    for (unsigned i = 0; i < count; i++) {
        if (!import_into(importer, paths[i], error))
            goto done;
        /* A share of one metric would leave the other file out without a word. */
        if (i > 0 && (importer_file_metrics(importer) & metrics) == 0) {
            error_set(error, STATUS_USAGE,
                      _("%s counts something else than %s: they cannot be merged"), paths[i],
                      paths[0]);
            goto done;
        }
        metrics |= importer_file_metrics(importer);
    }
    profile = importer_finish(importer);
    if (profile == NULL)
        error_set(error, STATUS_DAMAGED, _("%s holds no samples"), paths[0]);
done:
    importer_free(importer);
    return profile;
}

struct profile *import_file(const char *path, struct error *error)
{
    return import_files(&path, 1, error);
}

bool import_is_session(const char *path)
{
    static const char magic[] = "SQLite format 3";
    char start[sizeof(magic)] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool session = fd >= 0 && read(fd, start, sizeof(start)) == (ssize_t)sizeof(start) &&
                   memcmp(start, magic, sizeof(magic)) == 0;

    if (fd >= 0)
        close(fd);
    return session;
}
