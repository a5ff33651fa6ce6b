/* SPDX-License-Identifier: MIT */
/*
 * The application without its terminal: key events and profiles go in, a grid and wishes come out.
 * It neither polls nor draws, so that a test, a script and the live loop drive the same thing.
 *
 *     key event ─► app_key() ─► action ─► view or app ─► scope, view state, overlay
 *     profile ───► app_set_profile() ─► fold worker ─► fold
 *     app_render() ─► grid         app_wish() ─► what only the loop can do: quit, suspend, copy…
 *
 * Main thread only.
 */
#ifndef UI_APP_H
#define UI_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "keys.h"
#include "proftop/grid.h"
#include "proftop/profile.h"
#include "proftop/scope.h"
#include "settings.h"

struct app;
struct output;

struct app_config {
    const char *title;  /* "busy[8968]" */
    struct scope scope; /* to begin with */
    const char *view;   /* likewise; NULL: the first */
    struct settings settings;
    bool live;        /* a process is being watched */
    bool launched;    /* … which we started */
    bool synchronous; /* fold at once: scripts and tests */
    bool ascii;
    bool keep_settings; /* write changes of the setup screen to the person's file */
};

struct app *app_new(const struct app_config *config);
void app_free(struct app *app);

/* A newer profile; the app takes a reference of its own. */
void app_set_profile(struct app *app, struct profile *profile, uint64_t now_ns);
/* The profile's names became better: it is shown anew. */
void app_names_came(struct app *app);
void app_set_overhead(struct app *app, double percent);
/* The launched command's output, borrowed; NULL when it has none. */
void app_set_output(struct app *app, struct output *output);
/* The command has printed something; true when that shows. */
bool app_news(struct app *app);
/* A sentence for the status line. */
void app_say(struct app *app, const char *format, ...) __attribute__((format(printf, 2, 3)));

void app_key(struct app *app, const struct key_event *event, int columns, int rows,
             uint64_t now_ns);
/* Takes what the workers have finished; true when something changed on the screen. */
bool app_step(struct app *app, uint64_t now_ns);
/* What is asked for is being added up: app_step() is about to have it. */
bool app_folding(const struct app *app);
/* Readable when app_step() has something to do: of these, -1 when unused. */
void app_fds(const struct app *app, int fds[2]);

void app_render(struct app *app, struct grid *grid, uint64_t now_ns);

/* When the screen must be painted again although nothing came: the clock in it moved. */
uint64_t app_next_tick_ns(const struct app *app, uint64_t now_ns);

enum app_wish {
    WISH_NONE,
    WISH_QUIT,
    WISH_TERMINATE, /* end the launched command, then quit */
    WISH_SUSPEND,
    WISH_REDRAW,
    WISH_COPY, /* app_copied() */
    WISH_RUN_AGAIN,
    WISH_SETTINGS, /* theme or mouse changed */
};

/* The next thing to do, WISH_NONE when there is none. */
enum app_wish app_wish(struct app *app);
const char *app_copied(const struct app *app);
const struct settings *app_settings(const struct app *app);
/* The newest profile it was given, borrowed. */
struct profile *app_profile(const struct app *app);
bool app_typing(const struct app *app); /* keys go to the launched command */

/* For tests: the view shown and the scope. */
const struct view_ops *app_view(const struct app *app);
const struct scope *app_scope(const struct app *app);

#endif
