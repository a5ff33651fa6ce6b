/* SPDX-License-Identifier: MIT */
/*
 * Saving from the screen, on a thread of its own: a long recording takes seconds to write, and keys
 * are answered meanwhile.
 */
#ifndef UI_SAVER_H
#define UI_SAVER_H

#include <stdbool.h>
#include <stddef.h>

#include "proftop/export.h"
#include "proftop/profile.h"
#include "proftop/scope.h"

struct app;
struct saver;

struct save_job {
    struct profile *profile;         /* kept by a reference */
    struct scope scope;              /* of exports; a session takes its range only */
    const struct export_ops *format; /* NULL: a session */
    char path[1024];
};

struct saver *saver_new(bool synchronous);
void saver_free(struct saver *saver); /* waits for what is being written */

/* False when one is being written already. */
bool saver_start(struct saver *saver, const struct save_job *job);
/* What became of the last one, in a sentence, once. */
bool saver_take(struct saver *saver, char *message, size_t size_bytes);
int saver_fd(const struct saver *saver);

/* A name for a file of PROFILE saved now: "proftop-busy-8968-20261120-123026.proftop". */
void saver_name(char *path, size_t size_bytes, const struct profile *profile, const char *title,
                const char *extension);

/* The whole session under that name, at once. */
void save_now(struct app *app);

#endif
