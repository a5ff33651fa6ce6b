/* SPDX-License-Identifier: MIT */
/* The few things that are done with SQLite, with errors in words. */
#ifndef PROFTOP_SESSION_DATABASE_H
#define PROFTOP_SESSION_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/error.h"

/* Runs statements that give no rows. */
bool database_run(sqlite3 *database, const char *sql, struct error *error);
/* NULL and an error when it does not compile, as in a damaged file. */
sqlite3_stmt *database_prepare(sqlite3 *database, const char *sql, struct error *error);
/* Steps a statement that gives no rows and makes it ready for the next. */
bool database_step(sqlite3 *database, sqlite3_stmt *statement, struct error *error);
/* 1: a row; 0: no more; -1: an error. */
int database_next(sqlite3 *database, sqlite3_stmt *statement, struct error *error);
/* What SQLite last complained about; false. */
bool database_trouble(sqlite3 *database, struct error *error);

/* One number; ABSENT when the statement gives no row. */
bool database_number(sqlite3 *database, const char *sql, int64_t absent, int64_t *number,
                     struct error *error);

/* Columns of the current row; texts are never NULL. */
const char *column_text(sqlite3_stmt *statement, int column);
const void *column_blob(sqlite3_stmt *statement, int column, size_t *size_bytes);

#endif
