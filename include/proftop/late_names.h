/* SPDX-License-Identifier: MIT */
/*
 * Names that come after the recording: frames of a saved session that have no name, or no line, get
 * them from debug files of the same build ids: those installed here, and those that debuginfod has.
 *
 *     profile: locations, kept modules ──► thread: symbols ──► names_set() ──► fd: fold again
 *
 * What has a name and a line keeps both.  The session is a stranger's: it says which build ids are
 * asked for, of a bounded number of modules, and never which file is opened.
 */
#ifndef PROFTOP_LATE_NAMES_H
#define PROFTOP_LATE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/profile.h"

struct late_names;

/* Begins at once, on a thread of its own; PROFILE is kept by a reference. */
struct late_names *late_names_start(struct profile *profile);
/* A newer profile of the same session, which is still being recorded. */
void late_names_follow(struct late_names *late, struct profile *profile);

/* Readable when names became better or nothing more will come, until late_names_clear(). */
int late_names_fd(const struct late_names *late);
void late_names_clear(struct late_names *late);

/* Waits until nothing more will come, but not past DEADLINE_NS; false: that was too soon. */
bool late_names_wait(struct late_names *late, uint64_t deadline_ns);
/* Which names could not be had and why, in a translated sentence; false: nothing is missing. */
bool late_names_missing(struct late_names *late, char *text, size_t size_bytes);

/* Breaks off what is under way; the names that came stay. */
void late_names_end(struct late_names *late);

#endif
