/* SPDX-License-Identifier: MIT */
/* The files behind a session: made with care, opened with suspicion. */
#ifndef PROFTOP_SESSION_FILE_H
#define PROFTOP_SESSION_FILE_H

#include <stdbool.h>

#include "database.h"

/* A new, empty database for writing: mode 0600, never a file that was there unless FORCE. */
sqlite3 *file_create(const char *path, bool force, struct error *error);
/* Removes what could not become a session. */
void file_remove(const char *path);
/* Ends it as one plain file. */
bool file_close_whole(sqlite3 *database, struct error *error);

/* An opened session. */
struct session_file {
    sqlite3 *database;
    int version; /* of its format */
    char *copy;  /* a private folder with a copy of the file, or NULL */
};

/*
 * Opens a session to read.  One whose recorder was killed, or runs, is copied with its log to a
 * private folder first, so that its folder may be read-only and nothing there changes; with LIVE
 * it is read in place where that works.
 */
bool file_open(struct session_file *file, const char *path, bool live, struct error *error);
void file_close(struct session_file *file);

#endif
