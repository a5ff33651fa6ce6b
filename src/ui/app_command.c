/* SPDX-License-Identifier: MIT */
/*
 * The command line: every action by its name, and what needs words.
 *
 *     :sort-total      any action of the key table
 *     :12:30:21        the ten seconds around a moment
 *     :range 5..9      seconds from the start, or clock times
 *     :filter REGEX    :thread NAME|TID    :view NAME    :set NAME VALUE    :help    :quit
 *
 * As much of a name is enough as Tab would complete: :q
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"

enum { AROUND_S = 5 };

static void command_range(struct app *app, const char *words)
{
    struct scope scope = app->scope;
    struct error error = { 0 };

    if (app_visible(app) == NULL)
        return;
    scope.last_ns = 0;
    if (strcmp(words, "all") == 0) {
        scope.start_ns = 0;
        scope.end_ns = UINT64_MAX;
    } else if (!scope_parse_range(&scope, words, profile_start_ns(app_visible(app)),
                                  profile_info(app_visible(app))->realtime_offset_ns, &error)) {
        app_say(app, "%s", error.message);
        return;
    }
    app_change_scope(app, &scope, true);
}

static void command_filter(struct app *app, const char *words)
{
    struct scope scope = app->scope;

    if (!filter_good(app, words))
        return;
    snprintf(scope.filter, sizeof(scope.filter), "%s", words);
    app_change_scope(app, &scope, true);
}

static void command_thread(struct app *app, const char *words)
{
    struct scope scope = app->scope;

    memset(scope.threads, 0, sizeof(scope.threads));
    scope.thread_name[0] = '\0';
    if (isdigit((unsigned char)words[0]))
        scope.threads[0] = (int32_t)strtol(words, NULL, 10);
    else if (strcmp(words, "all") != 0)
        snprintf(scope.thread_name, sizeof(scope.thread_name), "%.*s",
                 (int)sizeof(scope.thread_name) - 1, words);
    app_change_scope(app, &scope, true);
}

static void command_process(struct app *app, const char *words)
{
    struct scope scope = app->scope;

    memset(scope.processes, 0, sizeof(scope.processes));
    if (isdigit((unsigned char)words[0])) {
        scope.processes[0] = (int32_t)strtol(words, NULL, 10);
    } else if (strcmp(words, "all") != 0) {
        app_say(app, _("\"%s\" is no process: its number is wanted, or all"), words);
        return;
    }
    app_change_scope(app, &scope, true);
}

static void command_view(struct app *app, const char *words)
{
    for (unsigned i = 0; i < view_count; i++)
        if (strcmp(view_table[i]->name, words) == 0) {
            app_show_view(app, i);
            return;
        }
    app_say(app, _("no view is called \"%s\""), words);
}

static void command_set(struct app *app, const char *words)
{
    char name[64];
    size_t length = strcspn(words, " =");

    if (length >= sizeof(name))
        length = sizeof(name) - 1;
    memcpy(name, words, length);
    name[length] = '\0';
    words += length;
    words += strspn(words, " =");
    if (!settings_set(&app->settings, name, words))
        app_say(app, _("no setting is called \"%s\", or it can't be \"%s\""), name, words);
    app_wish_for(app, WISH_SETTINGS);
}

static const struct {
    const char *word;
    void (*run)(struct app *app, const char *words);
} commands[] = {
    { "filter", command_filter }, { "process", command_process }, { "range", command_range },
    { "set", command_set },       { "thread", command_thread },   { "view", command_view },
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* "12:30:21" or "90" (seconds from the start): the seconds around it. */
static void jump(struct app *app, const char *when)
{
    struct scope scope = app->scope;
    struct error error = { 0 };
    char range[TEXT_MAX + 4];
    uint64_t around = AROUND_S * NS_PER_S;

    if (app_visible(app) == NULL)
        return;
    snprintf(range, sizeof(range), "%s..", when);
    if (!scope_parse_range(&scope, range, profile_start_ns(app_visible(app)),
                           profile_info(app_visible(app))->realtime_offset_ns, &error)) {
        app_say(app, "%s", error.message);
        return;
    }
    scope.last_ns = 0;
    scope.end_ns = scope.start_ns + around;
    scope.start_ns = scope.start_ns > around ? scope.start_ns - around : 0;
    app_change_scope(app, &scope, true);
}

void command_run(struct app *app, const char *line)
{
    size_t length = strcspn(line, " ");
    const char *words = line + length + strspn(line + length, " ");
    char word[TEXT_MAX];
    enum action action;

    if (length == 0)
        return;
    snprintf(word, sizeof(word), "%.*s", (int)length, line);
    command_complete(word, sizeof(word));
    if (isdigit((unsigned char)line[0])) {
        jump(app, line);
        return;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].word, word) == 0 && words[0] != '\0') {
            commands[i].run(app, words);
            return;
        }
    action = action_find(word);
    if (action != ACTION_NONE && keys_in_view(&action_table[action], app_shown(app)->name))
        app_do(app, action);
    else if (action != ACTION_NONE)
        app_say(app, _("\"%s\" means nothing in this view"), word);
    else
        app_say(app, _("no command is called \"%s\"; Tab completes, F1 lists them"), word);
}

/* Narrows COMMON (LENGTH bytes of it agree so far) to what it shares with CANDIDATE. */
static void narrow(const char *candidate, const char *typed, size_t typed_length,
                   const char **common, size_t *length)
{
    size_t same = 0;

    if (candidate == NULL || strncmp(candidate, typed, typed_length) != 0)
        return;
    if (*common == NULL) {
        *common = candidate;
        *length = strlen(candidate);
        return;
    }
    while (same < *length && candidate[same] == (*common)[same])
        same++;
    *length = same;
}

bool command_complete(char *text, size_t size_bytes)
{
    char *last = strrchr(text, ' '), *typed = last != NULL ? last + 1 : text;
    size_t typed_length = strlen(typed), length = 0, before = (size_t)(typed - text);
    const char *common = NULL;

    if (typed == text) {
        for (unsigned i = 1; i < ACTIONS; i++)
            narrow(action_table[i].name, typed, typed_length, &common, &length);
        for (size_t i = 0; i < COMMANDS; i++)
            narrow(commands[i].word, typed, typed_length, &common, &length);
    } else if (strncmp(text, "view ", 5) == 0) {
        for (unsigned i = 0; i < view_count; i++)
            narrow(view_table[i]->name, typed, typed_length, &common, &length);
    } else if (strncmp(text, "set ", 4) == 0) {
        for (unsigned i = 0; i < settings_count(); i++)
            narrow(settings_name(i), typed, typed_length, &common, &length);
    }
    if (common == NULL || length <= typed_length || before + length >= size_bytes)
        return false;
    memcpy(typed, common, length);
    typed[length] = '\0';
    return true;
}
