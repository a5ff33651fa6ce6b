/* SPDX-License-Identifier: MIT */
/* Driving the application in a test. */
#include "config.h"

#include "screen_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "tests/harness/testing.h"

#define NOW_NS (1064 * NS_PER_S)

/* All but a profile. */
static struct bench *begin(struct recording *recording, int columns, int rows, bool ascii,
                           bool live)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    struct app_config config = {
        .title = "busy[8968]", .live = live, .synchronous = true, .ascii = ascii
    };

    settings_init(&config.settings);
    scope_init(&config.scope);
    if (live)
        config.scope.last_ns = 10 * NS_PER_S;
    bench->recording = recording;
    bench->app = app_new(&config);
    bench->grid = grid_new(columns, rows, ascii);
    bench->now_ns = NOW_NS;
    return bench;
}

struct bench *bench_of(struct recording *recording, int columns, int rows, bool ascii, bool live)
{
    struct bench *bench = begin(recording, columns, rows, ascii, live);

    bench->profile = recording_profile(bench->recording, 64, false);
    app_set_profile(bench->app, bench->profile, bench->now_ns);
    return bench;
}

struct bench *bench_empty(int columns, int rows)
{
    return begin(recording_new(false), columns, rows, false, true);
}

struct bench *bench_new(int columns, int rows, bool hostile, bool ascii, bool live)
{
    return bench_of(recording_new(hostile), columns, rows, ascii, live);
}

void bench_free(struct bench *bench)
{
    app_free(bench->app);
    grid_free(bench->grid);
    profile_unref(bench->profile);
    recording_free(bench->recording);
    free(bench);
}

void bench_paint(struct bench *bench)
{
    for (int i = 0; i < 3; i++) { /* what a view wants made follows from what it shows */
        app_render(bench->app, bench->grid, bench->now_ns);
        app_step(bench->app, bench->now_ns);
    }
    app_render(bench->app, bench->grid, bench->now_ns);
    grid_check(bench->grid);
}

void bench_press(struct bench *bench, const char *keys)
{
    char word[16];

    for (; *keys != '\0'; keys += strspn(keys, " ")) {
        size_t length = strcspn(keys, " ");
        struct key_event event = { 0 };

        snprintf(word, sizeof(word), "%.*s", (int)length, keys);
        event.code = keys_parse(word);
        assert_int_not_equal(event.code, KEYCODE_NONE);
        bench->now_ns += 100 * NS_PER_MS;
        app_key(bench->app, &event, bench->grid->columns, bench->grid->rows, bench->now_ns);
        keys += length;
    }
    bench_paint(bench);
}

bool bench_shows(struct bench *bench, const char *text)
{
    char *all = grid_dump(bench->grid, false);
    bool found = strstr(all, text) != NULL;

    free(all);
    return found;
}

const char *bench_row(struct bench *bench, int row)
{
    static char text[8192];

    text[0] = '\0';
    for (int column = 0; column < bench->grid->columns; column++)
        strcat(text, grid_at(bench->grid, row, column)->text);
    return text;
}

int bench_cursor(struct bench *bench)
{
    for (int row = 0; row < bench->grid->rows; row++)
        if (grid_at(bench->grid, row, 0)->role == ROLE_SELECTED)
            return row;
    return -1;
}
