/* SPDX-License-Identifier: MIT */
/*
 * Reads a session file into a history, what is new at a time.  Every number, text and blob is
 * checked before it is used: whoever made the file may have meant harm.
 */
#ifndef PROFTOP_SESSION_READER_H
#define PROFTOP_SESSION_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "file.h"
#include "proftop/history.h"

struct session_reader;

/* For PATH, which LIVE may still be written while it is read again and again. */
struct session_reader *reader_new(const char *path, bool live);
void reader_free(struct session_reader *reader);

/* Opens the file, takes in what is new and closes it; ANY says whether there was something. */
bool reader_load(struct session_reader *reader, bool *any, struct error *error);
/* What has been read; the caller unrefs it. */
struct profile *reader_profile(struct session_reader *reader);

#endif
