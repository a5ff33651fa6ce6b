/* SPDX-License-Identifier: MIT */
/* Recordings made up by tests, written to session files as they go. */
#ifndef HARNESS_SESSION_H
#define HARNESS_SESSION_H

#include "proftop/profile.h"
#include "proftop/session.h"
#include "tests/harness/recording.h"

enum { WRITTEN_FUNCTIONS = 15, WRITTEN_THREADS = 4, WRITTEN_PER_SECOND = 100, WRITTEN_MODULE = 3 };

struct written {
    struct recording recording;
    struct session_writer *writer;
    uint64_t now_ns;
};

/* A folder with the path of a session to be. */
struct place {
    char *folder, *path;
};

struct place place_new(void);
void place_free(struct place *place);
bool place_has(const struct place *place, const char *suffix);

void written_begin(struct written *written, const struct session_config *config, uint64_t seed);
/* As the namer does: keeps what the module WRITTEN_MODULE, "program", is known by. */
void written_keep_module(struct written *written);
/* That many seconds of random samples, lanes and tallies; names come after each. */
void written_seconds(struct written *written, unsigned seconds);
/* Seals all and ends the file. */
void written_end(struct written *written);
void written_fini(struct written *written);
struct profile *written_profile(struct written *written);

/* Opens what has to open. */
struct profile *written_open(const char *path);

#endif
