/* SPDX-License-Identifier: MIT */
/*
 * A recording made by hand: 64 seconds of "busy", five threads on two CPUs, with known shares, for
 * tests of what the screens show of it.  The same bytes every time.
 */
#ifndef TESTS_SCREEN_FIXTURE_H
#define TESTS_SCREEN_FIXTURE_H

#include "proftop/grid.h"
#include "proftop/profile.h"

struct recording;

/* With hostile names in place of some good ones when HOSTILE. */
struct recording *recording_new(bool hostile);
/*
 * The last two of its threads are two of another process, 9100 "worker", and run Python: 8973 holds
 * the interpreter's lock while it runs, both wait for it else.  Instructions and more are counted
 * beside its samples.
 */
struct recording *recording_of_two(void);
/* The text of busy's only source file came with the recording. */
void recording_add_source(struct recording *recording, const char *text);
/* The first process becomes another program, NAME. */
void recording_exec(struct recording *recording, const char *name);
void recording_free(struct recording *recording);

/* The profile after SECONDS of it; the caller unrefs it. */
struct profile *recording_profile(struct recording *recording, unsigned seconds, bool ended);

/* GRID as text, rows without trailing blanks; with ROLES a second block, a letter a role. */
char *grid_dump(const struct grid *grid, bool roles);

/* Fails the test unless every row is as wide as the grid and printable, ASCII where it must be. */
void grid_check(const struct grid *grid);

#endif
