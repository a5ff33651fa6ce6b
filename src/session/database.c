/* SPDX-License-Identifier: MIT */
/* SQLite, with errors in words. */
#include "config.h"

#include "database.h"

#include "proftop/gettext.h"

static enum status status_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* a table or column that is not there */
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return STATUS_DAMAGED;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return STATUS_DENIED;
    default:
        return STATUS_FAILED;
    }
}

bool database_trouble(sqlite3 *database, struct error *error)
{
    const char *path = sqlite3_db_filename(database, "main");
    int code = sqlite3_extended_errcode(database);

    if (path == NULL)
        path = "";
    if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
        error_set(error, STATUS_DAMAGED, _("%s is damaged, or only a part of a session: %s"), path,
                  sqlite3_errmsg(database));
    else
        error_set(error, status_of(code), _("%s: %s"), path, sqlite3_errmsg(database));
    if ((code & 0xff) == SQLITE_FULL)
        error_hint(error, _("make room on that disk, or bound the file with --max-size"));
    return false;
}

bool database_run(sqlite3 *database, const char *sql, struct error *error)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        return database_trouble(database, error);
    return true;
}

sqlite3_stmt *database_prepare(sqlite3 *database, const char *sql, struct error *error)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK) {
        database_trouble(database, error);
        return NULL;
    }
    return statement;
}

bool database_step(sqlite3 *database, sqlite3_stmt *statement, struct error *error)
{
    bool done = sqlite3_step(statement) == SQLITE_DONE;

    if (!done)
        database_trouble(database, error);
    sqlite3_reset(statement);
    return done;
}

int database_next(sqlite3 *database, sqlite3_stmt *statement, struct error *error)
{
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        return 1;
    case SQLITE_DONE:
        return 0;
    default:
        database_trouble(database, error);
        return -1;
    }
}

bool database_number(sqlite3 *database, const char *sql, int64_t absent, int64_t *number,
                     struct error *error)
{
    sqlite3_stmt *statement = database_prepare(database, sql, error);
    int got;

    if (statement == NULL)
        return false;
    got = database_next(database, statement, error);
    *number = got == 1 ? sqlite3_column_int64(statement, 0) : absent;
    sqlite3_finalize(statement);
    return got >= 0;
}

const char *column_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text != NULL ? (const char *)text : "";
}

const void *column_blob(sqlite3_stmt *statement, int column, size_t *size_bytes)
{
    const void *blob = sqlite3_column_blob(statement, column);

    *size_bytes = (size_t)sqlite3_column_bytes(statement, column);
    return blob;
}
