/* SPDX-License-Identifier: MIT */
/*
 * Files.  While recording there are two of them, NAME and the write-ahead log NAME-wal; a clean end
 * leaves one.
 *
 * A copy of a database that is being written is whole if its log was not begun anew between the
 * start of copying the file and the end of copying the log: what was moved from the log to the file
 * meanwhile is then in the copied log too.  The salt in the log's header tells.
 */
#include "config.h"

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "schema.h"

enum {
    HEADER_BYTES = 100, /* of a database */
    LOG_HEADER_BYTES = 32,
    JOURNAL_MODE_AT = 18, /* in the header: 2 while there is a log */
    COPY_TRIES = 20,
    LEAVE_TRIES = 60,
    LEAVE_PAUSE_NS = 50000000,
    COPY_STEP = 1 << 18,
};

static const char *const companions[] = { "-wal", "-shm", "-journal" };

enum { COMPANIONS = sizeof(companions) / sizeof(companions[0]) };

/* ---- making ---------------------------------------------------------------------------------- */

/* What a killed recorder left beside a file of this name would be taken for ours. */
static void remove_companions(const char *path)
{
    for (unsigned i = 0; i < COMPANIONS; i++) {
        char *companion = xasprintf("%s%s", path, companions[i]);

        unlink(companion);
        free(companion);
    }
}

void file_remove(const char *path)
{
    unlink(path);
    remove_companions(path);
}

static bool make_file(const char *path, bool force, struct stat *made, struct error *error)
{
    struct stat old;
    bool good;
    int fd;

    if (lstat(path, &old) == 0) {
        if (!S_ISREG(old.st_mode))
            return error_set(error, STATUS_FAILED, _("%s is not a file to overwrite"), path);
        if (force && unlink(path) != 0)
            return error_errno(error, errno, _("cannot overwrite %s: %s"), path, strerror(errno));
    }
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        error_set(error, STATUS_FAILED, _("%s exists"), path);
        error_hint(error, _("--force overwrites it"));
        return false;
    }
    if (fd < 0)
        return error_errno(error, errno, _("cannot write %s: %s"), path, strerror(errno));
    good = fstat(fd, made) == 0;
    close(fd);
    remove_companions(path);
    return good;
}

sqlite3 *file_create(const char *path, bool force, struct error *error)
{
    sqlite3 *database = NULL;
    struct stat made, opened;

    if (!make_file(path, force, &made, error))
        return NULL;
    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        goto failed;
    if (stat(path, &opened) != 0 || opened.st_ino != made.st_ino || opened.st_dev != made.st_dev) {
        error_set(error, STATUS_FAILED, _("%s was replaced while it was made"), path);
        sqlite3_close(database);
        return NULL;
    }
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (database_run(database,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
                     "PRAGMA wal_autocheckpoint = 256; PRAGMA cache_size = -1024;"
                     "PRAGMA busy_timeout = 3000;",
                     error))
        return database;
    goto close;
failed:
    database_trouble(database, error);
close:
    sqlite3_close(database);
    file_remove(path);
    return NULL;
}

/* Leaving the log needs the file for oneself: a reader in between makes it wait. */
static bool leave_log(sqlite3 *database, struct error *error)
{
    const struct timespec pause = { 0, LEAVE_PAUSE_NS };

    for (unsigned i = 0; i < LEAVE_TRIES; i++) {
        if (database_run(database, "PRAGMA journal_mode = DELETE", NULL))
            return true;
        if ((sqlite3_errcode(database) & 0xff) != SQLITE_BUSY)
            break;
        nanosleep(&pause, NULL);
    }
    return database_trouble(database, error);
}

bool file_close_whole(sqlite3 *database, struct error *error)
{
    bool good = database_run(database, "PRAGMA wal_checkpoint(TRUNCATE)", error) &&
                leave_log(database, error);

    sqlite3_close(database);
    return good;
}

/* ---- copying --------------------------------------------------------------------------------- */

static bool copy_bytes(int from, int to)
{
    char *buffer = xmalloc(COPY_STEP);
    ssize_t got;
    bool good = true;

    while (good && (got = read(from, buffer, COPY_STEP)) > 0)
        good = write(to, buffer, (size_t)got) == got;
    free(buffer);
    return good && got == 0;
}

static bool copy_file(const char *from_path, const char *to_path, struct error *error)
{
    int from = open(from_path, O_RDONLY | O_CLOEXEC), to = -1, saved;
    bool good = false;

    if (from >= 0)
        to = open(to_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to >= 0)
        good = copy_bytes(from, to);
    saved = errno;
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    return good || error_errno(error, saved, _("cannot copy %s to %s"), from_path, to_path);
}

/* The first bytes of a file; how many there are, 0 when it cannot be read. */
static size_t read_head(const char *path, uint8_t *head, size_t size_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = fd >= 0 ? read(fd, head, size_bytes) : 0;

    if (fd >= 0)
        close(fd);
    return got > 0 ? (size_t)got : 0;
}

static bool copy_if_there(const char *path, const char *suffix, const char *folder,
                          struct error *error)
{
    char *from = xasprintf("%s%s", path, suffix), *to = xasprintf("%s/session%s", folder, suffix);
    bool good = access(from, F_OK) != 0 || copy_file(from, to, error);

    free(from);
    free(to);
    return good;
}

/* Copies file and log to FOLDER; RETRY says that the log began anew meanwhile. */
static bool copy_once(const char *path, const char *folder, bool *retry, struct error *error)
{
    uint8_t before[LOG_HEADER_BYTES] = { 0 }, after[LOG_HEADER_BYTES] = { 0 };
    char *log = xasprintf("%s-wal", path), *copied = xasprintf("%s/session", folder);
    bool good;

    read_head(log, before, sizeof(before));
    good = copy_file(path, copied, error) && copy_if_there(path, "-wal", folder, error) &&
           copy_if_there(path, "-journal", folder, error);
    read_head(log, after, sizeof(after));
    *retry = good && memcmp(before, after, sizeof(before)) != 0;
    free(log);
    free(copied);
    return good && !*retry;
}

static char *copy_folder(struct error *error)
{
    const char *place = getenv("TMPDIR");
    char *folder = xasprintf("%s/proftop-XXXXXX", place != NULL && *place == '/' ? place : "/tmp");

    if (mkdtemp(folder) != NULL)
        return folder;
    error_errno(error, errno, _("cannot make the folder %s: %s"), folder, strerror(errno));
    free(folder);
    return NULL;
}

static void remove_copy(char *folder)
{
    static const char *const names[] = { "session", "session-wal", "session-shm",
                                         "session-journal" };

    if (folder == NULL)
        return;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = xasprintf("%s/%s", folder, names[i]);

        unlink(path);
        free(path);
    }
    rmdir(folder);
    free(folder);
}

/* A private copy of PATH with its log. */
static char *copy_session(const char *path, struct error *error)
{
    char *folder = copy_folder(error);
    bool good = false, retry = true;

    if (folder == NULL)
        return NULL;
    for (unsigned i = 0; i < COPY_TRIES && !good && retry; i++)
        good = copy_once(path, folder, &retry, error);
    if (!good && retry)
        error_set(error, STATUS_FAILED, _("%s is written too fast to be read now"), path);
    if (good)
        return folder;
    remove_copy(folder);
    return NULL;
}

/* ---- opening --------------------------------------------------------------------------------- */

static bool looks_foreign(const char *path, const uint8_t head[HEADER_BYTES], size_t size,
                          struct error *error)
{
    struct stat file;

    if (stat(path, &file) != 0) {
        error_errno(error, errno, _("cannot open %s: %s"), path, strerror(errno));
        return true;
    }
    if (!S_ISREG(file.st_mode)) {
        error_set(error, STATUS_DAMAGED, _("%s is not a file"), path);
        return true;
    }
    if (access(path, R_OK) != 0) {
        error_errno(error, errno, _("cannot open %s: %s"), path, strerror(errno));
        return true;
    }
    if (size < HEADER_BYTES || memcmp(head, "SQLite format 3", 16) != 0) {
        error_set(error, STATUS_DAMAGED, _("%s is not a proftop session"), path);
        return true;
    }
    return false;
}

/* Nothing in the file may run, reach out or change anything. */
static bool distrust(sqlite3 *database, struct error *error)
{
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(database, SQLITE_LIMIT_LENGTH, 1 << 28);
    sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
    return database_run(database,
                        "PRAGMA query_only = ON; PRAGMA cell_size_check = ON;"
                        "PRAGMA mmap_size = 0;",
                        error);
}

/* PATH as a part of a URI, in which three characters mean something else. */
static char *escape_path(const char *path)
{
    char *escaped = xmalloc(strlen(path) * 3 + 1), *at = escaped;

    for (; *path != '\0'; path++) {
        if (*path == '?' || *path == '#' || *path == '%')
            at += sprintf(at, "%%%02x", (unsigned char)*path);
        else
            *at++ = *path;
    }
    *at = '\0';
    return escaped;
}

/* MODE: "ro", "ro&immutable=1", or "rw" for a copy of our own, whose log is to be played back. */
static sqlite3 *open_distrusted(const char *path, const char *mode, struct error *error)
{
    char *escaped = escape_path(path);
    char *uri = xasprintf("file:%s?mode=%s", escaped, mode);
    sqlite3 *database = NULL;
    int code;

    code = sqlite3_open_v2(uri, &database,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    free(uri);
    free(escaped);
    if (code == SQLITE_OK && distrust(database, error))
        return database;
    if (code != SQLITE_OK)
        database_trouble(database, error);
    sqlite3_close(database);
    return NULL;
}

static bool check_identity(struct session_file *file, const char *path, struct error *error)
{
    int64_t application, version;

    if (!database_number(file->database, "PRAGMA application_id", 0, &application, error) ||
        !database_number(file->database, "PRAGMA user_version", 0, &version, error))
        return false;
    if (application != SESSION_APPLICATION_ID)
        return error_set(error, STATUS_DAMAGED, _("%s is a database, but not a proftop session"),
                         path);
    if (version > SESSION_VERSION) {
        error_set(error, STATUS_DAMAGED,
                  _("%s was written by a newer proftop (format %lld, this one reads %d to %d)"),
                  path, (long long)version, SESSION_VERSION_OLDEST, SESSION_VERSION);
        error_hint(error, _("open it with that version, or export it there"));
        return false;
    }
    if (version < 1)
        return error_set(error, STATUS_DAMAGED, _("%s is damaged: it has no format"), path);
    if (version < SESSION_VERSION_OLDEST) {
        error_set(error, STATUS_DAMAGED,
                  _("%s was written by an older proftop (format %lld, this one reads %d to %d)"),
                  path, (long long)version, SESSION_VERSION_OLDEST, SESSION_VERSION);
        error_hint(error, _("open it with that version, or export it there"));
        return false;
    }
    file->version = (int)version;
    return true;
}

/* Every table that will be read has to be the one that we would have made. */
static bool check_schema(struct session_file *file, const char *path, struct error *error)
{
    sqlite3_stmt *statement = database_prepare(
        file->database,
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ? AND sql = ?", error);
    bool good = statement != NULL;

    for (unsigned i = 0; i < schema_tables_of(file->version) && good; i++) {
        sqlite3_bind_text(statement, 1, schema_tables[i].name, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, schema_tables[i].sql, -1, SQLITE_STATIC);
        good = database_next(file->database, statement, error) == 1;
        if (good && sqlite3_column_int(statement, 0) != 1)
            good = error_set(error, STATUS_DAMAGED, _("%s is damaged: its table “%s” is not right"),
                             path, schema_tables[i].name);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    return good;
}

bool file_open(struct session_file *file, const char *path, bool live, struct error *error)
{
    uint8_t head[HEADER_BYTES] = { 0 };
    size_t size = read_head(path, head, sizeof(head));
    char *log = xasprintf("%s-wal", path), *journal = xasprintf("%s-journal", path), *copied;
    bool unfinished =
        head[JOURNAL_MODE_AT] == 2 || access(log, F_OK) == 0 || access(journal, F_OK) == 0;

    free(log);
    free(journal);
    *file = (struct session_file){ 0 };
    if (looks_foreign(path, head, size, error))
        return false;
    if (!unfinished || live) {
        file->database = open_distrusted(path, unfinished ? "ro" : "ro&immutable=1", error);
        if (file->database != NULL && check_identity(file, path, error) &&
            check_schema(file, path, error))
            return true;
        file_close(file);
        if (!unfinished)
            return false;
    }
    file->copy = copy_session(path, error);
    if (file->copy == NULL)
        return false;
    copied = xasprintf("%s/session", file->copy);
    file->database = open_distrusted(copied, "rw", error);
    free(copied);
    if (file->database != NULL && check_identity(file, path, error) &&
        check_schema(file, path, error))
        return true;
    file_close(file);
    return false;
}

void file_close(struct session_file *file)
{
    sqlite3_close(file->database);
    remove_copy(file->copy);
    *file = (struct session_file){ 0 };
}
