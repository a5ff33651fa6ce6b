/* SPDX-License-Identifier: MIT */
/*
 * The session file: a recording that keeps time, readable without the target and its binaries.
 * SQLite; the schema is in doc/session-format.md.
 */
#ifndef PROFTOP_SESSION_H
#define PROFTOP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/profile.h"

struct session_writer;

struct session_config {
    const char *path;
    bool force;         /* overwrite */
    uint64_t max_bytes; /* 0: no bound; above it the oldest detail is thinned */
    uint64_t period_ns; /* of transactions; 0: a third of a second */
};

/* Starts the writer's own thread.  Never overwrites unless told to; mode 0600. */
struct session_writer *session_create(const struct session_config *config,
                                      const struct profile_info *info, struct error *error);
/* From the builder thread: queues a sealed slice (kept by a reference). */
void session_add(struct session_writer *writer, struct profile *profile, const struct slice *slice);
/*
 * From there too: nothing more comes for now.  Writes what was added, if the last transaction is a
 * period ago; without it that waits for up to two.
 */
void session_flush(struct session_writer *writer);
/* Bytes of the file and its log. */
uint64_t session_bytes(const struct session_writer *writer);
/* Up to when, on the profile's clock, the file has all that was given. */
uint64_t session_written_ns(const struct session_writer *writer);
/* Whether writing has failed; the file keeps what was written before. */
bool session_trouble(struct session_writer *writer, struct error *error);
/* Writes what is left, makes it one plain file, frees.  False: what could be written is there. */
bool session_finish(struct session_writer *writer, struct profile *profile, struct error *error);

/* Writes a whole profile, or a range of it, at once (the save dialog). */
bool session_save(const struct session_config *config, struct profile *profile, uint64_t start_ns,
                  uint64_t end_ns, struct error *error);

/* Opens a session (also one still being written, or one whose recorder was killed). */
struct profile *session_open(const char *path, struct error *error);
/* Several at once, their times kept. */
struct profile *session_open_all(const char *const *paths, unsigned count, struct error *error);
/* Follows a file that is still being written. */
struct session_follower;
struct session_follower *session_follow(const char *path, struct error *error);
/* What is there at first, then newer profiles; NULL when nothing changed, or with an error set. */
struct profile *session_follow_next(struct session_follower *follower, struct error *error);
void session_follow_end(struct session_follower *follower);

#endif
