/* SPDX-License-Identifier: MIT */
/* Replaying keys from a file. */
#include "config.h"

#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/text.h"

enum { SETTLE = 4 }; /* what a view wants made follows from what it shows */

struct player {
    struct app *app;
    struct grid *grid;
    uint64_t now_ns;
    const char *name;
    unsigned line, screens;
    FILE *out;
};

static void settle(struct player *player)
{
    for (int i = 0; i < SETTLE; i++) {
        app_render(player->app, player->grid, player->now_ns);
        app_step(player->app, player->now_ns);
    }
    app_render(player->app, player->grid, player->now_ns);
    while (app_wish(player->app) != WISH_NONE)
        ; /* a script has no terminal to quit, copy to or suspend */
}

static void press(struct player *player, uint32_t code)
{
    struct key_event event = { .code = code };

    player->now_ns += NS_PER_MS;
    app_key(player->app, &event, player->grid->columns, player->grid->rows, player->now_ns);
    settle(player);
}

static bool complain(const struct player *player, const char *what, struct error *error)
{
    return error_set(error, STATUS_USAGE, _("%s:%u: not understood: %s"), player->name,
                     player->line, what);
}

static bool play_keys(struct player *player, char *words, struct error *error)
{
    char *rest = NULL;

    for (char *word = strtok_r(words, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest)) {
        uint32_t code = keys_parse(word);

        if (code == KEYCODE_NONE)
            return complain(player, word, error);
        press(player, code);
    }
    return true;
}

static void play_text(struct player *player, const char *text)
{
    for (; *text != '\0'; text++)
        press(player, (uint32_t)(unsigned char)*text);
}

static bool play_size(struct player *player, const char *words, struct error *error)
{
    int columns, rows;

    if (sscanf(words, "%dx%d", &columns, &rows) != 2)
        return complain(player, words, error);
    grid_free(player->grid);
    player->grid = grid_new(columns, rows, app_settings(player->app)->ascii != 0);
    settle(player);
    return true;
}

static void save_screen(struct player *player, const char *name)
{
    const struct grid *grid = player->grid;

    player->screens++;
    fprintf(player->out, "==== %u%s%s\n", player->screens, name[0] != '\0' ? " " : "", name);
    for (int row = 0; row < grid->rows; row++) {
        const struct cell *cells = &grid->cells[(size_t)row * (size_t)grid->columns];
        int end = grid->columns;

        while (end > 0 && strcmp(cells[end - 1].text, " ") == 0)
            end--;
        for (int column = 0; column < end; column++)
            fputs(cells[column].text, player->out);
        fputc('\n', player->out);
    }
}

static bool play_line(struct player *player, char *line, struct error *error)
{
    size_t length;
    char *words;

    line += strspn(line, " \t");
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '\0' || line[0] == '#')
        return true;
    length = strcspn(line, " \t");
    words = line + length + strspn(line + length, " \t");
    line[length] = '\0';
    if (strcmp(line, "key") == 0)
        return play_keys(player, words, error);
    if (strcmp(line, "size") == 0)
        return play_size(player, words, error);
    if (strcmp(line, "type") == 0)
        play_text(player, words);
    else if (strcmp(line, "screen") == 0)
        save_screen(player, words);
    else if (strcmp(line, "tick") == 0)
        player->now_ns += strtoull(words, NULL, 10) * NS_PER_MS;
    else
        return complain(player, line, error);
    settle(player);
    return true;
}

bool script_run(struct app *app, FILE *script, const char *name, int columns, int rows, FILE *out,
                struct error *error)
{
    struct player player = { .app = app, .name = name, .out = out };
    char *line = NULL;
    size_t room = 0;
    bool done = true;

    player.grid = grid_new(columns, rows, app_settings(app)->ascii != 0);
    player.now_ns = profile_end_ns(app_profile(app));
    settle(&player);
    while (done && getline(&line, &room, script) > 0) {
        player.line++;
        done = play_line(&player, line, error);
    }
    free(line);
    grid_free(player.grid);
    return done;
}
