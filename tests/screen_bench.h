/* SPDX-License-Identifier: MIT */
/* The application on the recording of screen_fixture.h, with keys by name and a grid to look at. */
#ifndef TESTS_SCREEN_BENCH_H
#define TESTS_SCREEN_BENCH_H

#include "screen_fixture.h"
#include "src/ui/app.h"

struct bench {
    struct recording *recording;
    struct profile *profile;
    struct app *app;
    struct grid *grid;
    uint64_t now_ns;
};

struct bench *bench_new(int columns, int rows, bool hostile, bool ascii, bool live);
/* On RECORDING, which is given over. */
struct bench *bench_of(struct recording *recording, int columns, int rows, bool ascii, bool live);
/* Live, and shown nothing so far: the test sets the profiles. */
struct bench *bench_empty(int columns, int rows);
void bench_free(struct bench *bench);
void bench_paint(struct bench *bench);
/* "2 Down Enter": presses them and paints. */
void bench_press(struct bench *bench, const char *keys);
/* TEXT is on the screen. */
bool bench_shows(struct bench *bench, const char *text);
/* Row ROW as text. */
const char *bench_row(struct bench *bench, int row);
/* The row under the cursor, -1 when none. */
int bench_cursor(struct bench *bench);

#endif
