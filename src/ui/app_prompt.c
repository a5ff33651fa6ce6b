/* SPDX-License-Identifier: MIT */
/*
 * The line at the bottom: search, filter, command.  Search and filter follow every letter; Enter
 * keeps, Esc brings back what was before.
 */
#include "config.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "app_private.h"
#include "proftop/gettext.h"
#include "proftop/text.h"

static const char *label_of(enum prompt_kind kind)
{
    switch (kind) {
    case PROMPT_SEARCH:
        return _("Search: ");
    case PROMPT_FILTER:
        return _("Filter (regex on function, module, file): ");
    default:
        return ":";
    }
}

/* Takes the last character off, all of its bytes. */
static void erase_last(char *text)
{
    size_t length = strlen(text);

    while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
        length--;
    text[length > 0 ? length - 1 : 0] = '\0';
}

bool edit_text(char *text, size_t size_bytes, const struct key_event *event)
{
    enum { KILL_LINE = 0x15, KILL_WORD = 0x17 };
    size_t length = strlen(text);
    char bytes[5];

    if (event->code == KEYCODE_BACKSPACE || event->code == 8) {
        erase_last(text);
    } else if (event->code == KILL_LINE) {
        text[0] = '\0';
    } else if (event->code == KILL_WORD) {
        while (length > 0 && text[length - 1] == ' ')
            text[--length] = '\0';
        while (length > 0 && text[length - 1] != ' ')
            text[--length] = '\0';
    } else if (event->code >= 0x20 && event->code < KEYCODE_FIRST) {
        size_t added = (size_t)text_encode(event->code, bytes);

        if (length + added < size_bytes)
            memcpy(text + length, bytes, added + 1);
    } else {
        return false;
    }
    return true;
}

void prompt_open(struct app *app, enum prompt_kind kind)
{
    struct prompt *prompt = &app->prompt;

    memset(prompt, 0, sizeof(*prompt));
    prompt->kind = kind;
    prompt->scope_before = app->scope;
    memcpy(prompt->place, app->states[app->view], app_shown(app)->place_size);
    if (kind == PROMPT_SEARCH)
        snprintf(prompt->before, sizeof(prompt->before), "%s", app->search);
    if (kind == PROMPT_FILTER)
        snprintf(prompt->text, sizeof(prompt->text), "%s", app->scope.filter);
}

static void search_now(struct app *app)
{
    struct request request;

    snprintf(app->search, sizeof(app->search), "%s", app->prompt.text);
    memcpy(app->states[app->view], app->prompt.place, app_shown(app)->place_size);
    if (app->search[0] == '\0')
        return;
    request = app_view_key(app, ACTION_SEARCH);
    if (request.kind == REQUEST_SAY)
        app_request(app, &request);
}

bool filter_good(struct app *app, const char *text)
{
    char message[128];
    regex_t regex;
    int result;

    if (strlen(text) >= sizeof(app->scope.filter)) {
        app_say(app, _("the filter is too long"));
        return false;
    }
    result = text[0] != '\0' ? regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) : 0;
    if (result != 0) {
        regerror(result, &regex, message, sizeof(message));
        app_say(app, _("no expression: %s"), message);
        return false;
    }
    if (text[0] != '\0')
        regfree(&regex);
    return true;
}

/* A regex that is not complete yet leaves the filter as it is. */
static void filter_now(struct app *app)
{
    struct scope scope = app->scope;

    if (!filter_good(app, app->prompt.text))
        return;
    snprintf(scope.filter, sizeof(scope.filter), "%.*s", (int)sizeof(scope.filter) - 1,
             app->prompt.text);
    if (scope_equal(&scope, &app->scope))
        return;
    if (!app->prompt.stepped)
        app_push_step(app);
    app->prompt.stepped = true;
    app_change_scope(app, &scope, false);
}

static void follow_text(struct app *app)
{
    if (app->prompt.kind == PROMPT_SEARCH)
        search_now(app);
    else if (app->prompt.kind == PROMPT_FILTER)
        filter_now(app);
}

static void cancel(struct app *app)
{
    struct prompt *prompt = &app->prompt;

    if (prompt->kind == PROMPT_SEARCH) {
        snprintf(app->search, sizeof(app->search), "%s", prompt->before);
        memcpy(app->states[app->view], prompt->place, app_shown(app)->place_size);
    }
    if (prompt->stepped)
        app_pop_step(app);
    prompt->kind = PROMPT_NONE;
}

void prompt_key(struct app *app, const struct key_event *event)
{
    struct prompt *prompt = &app->prompt;
    enum prompt_kind kind = prompt->kind;

    if (event->code == KEYCODE_ESCAPE || event->code == 3 ||
        (event->code == KEYCODE_BACKSPACE && prompt->text[0] == '\0')) {
        cancel(app);
    } else if (event->code == KEYCODE_ENTER || event->code == '\n') {
        prompt->kind = PROMPT_NONE;
        if (kind == PROMPT_COMMAND)
            command_run(app, prompt->text);
    } else if (event->code == KEYCODE_TAB && kind == PROMPT_COMMAND) {
        command_complete(prompt->text, sizeof(prompt->text));
    } else if (edit_text(prompt->text, sizeof(prompt->text), event)) {
        follow_text(app);
    } else if (kind == PROMPT_SEARCH && event->code >= KEYCODE_FIRST &&
               event->code != KEYCODE_MOUSE) {
        prompt->kind = PROMPT_NONE; /* an arrow ends the typing and moves */
        app_do(app, keys_action(event->code, app_shown(app)->name));
    }
}

void prompt_render(struct app *app, struct grid *grid, int row)
{
    const char *label = label_of(app->prompt.kind), *text = app->prompt.text;
    int left, room;

    grid_fill(grid, row, 0, grid->columns, ROLE_NORMAL, " ");
    left = grid_text(grid, row, 0, grid->columns - 10, ROLE_TITLE, label);
    room = grid->columns - left - 1;
    while (text_width(text) > room && *text != '\0') { /* the end is what is being typed */
        char character[CELL_TEXT_MAX];

        text_next(&text, character, sizeof(character), grid->ascii);
    }
    left += grid_text(grid, row, left, room, ROLE_NORMAL, text);
    grid->cursor_row = row;
    grid->cursor_column = left;
    if (app->has_status)
        grid_text(grid, row, left + 2, grid->columns - left - 2, ROLE_WARN, app->status);
}
