/* SPDX-License-Identifier: MIT */
/* What each action does: the view is asked first, except for those that are the screen's own. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "app_private.h"
#include "proftop/gettext.h"
#include "src/view/screen.h"
#include "src/view/output.h"

struct request app_view_key(struct app *app, enum action action)
{
    const struct view_ops *view = app_shown(app);
    struct screen_layout layout = screen_lay_out(app->columns, app->rows, view);
    struct screen_input input = app_input(app, app->key_ns);
    struct request request;

    if (layout.too_small || input.profile == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    request =
        view->key(app->states[app->view], &input, action, layout.body_rows, layout.body_columns);
    app_follow_cursor(app);
    return request;
}

void app_request(struct app *app, const struct request *request)
{
    switch (request->kind) {
    case REQUEST_SCOPE:
        app_change_scope(app, &request->scope, true);
        break;
    case REQUEST_DRILL:
        app_drill(app, request->view, request->function);
        break;
    case REQUEST_SAY:
        app_say(app, "%s", request->text);
        break;
    case REQUEST_TYPE:
        app->typing = app->output != NULL;
        if (app->typing)
            app_say(app, _("keys go to the command now; ^] leaves"));
        break;
    default:
        break;
    }
}

/* ---- the screen's own ---------------------------------------------------------------------------
 */

static void quit(struct app *app)
{
    bool alive = app->config.launched && app->profile != NULL && !profile_ended(app->profile);

    if (alive)
        overlay_open(app, &overlay_quit);
    else
        app_wish_for(app, WISH_QUIT);
}

static void show_next(struct app *app, int step)
{
    struct screen_input input = app_input(app, app->key_ns);
    unsigned view = app->view;

    do
        view = (view + view_count + (unsigned)step) % view_count;
    while (view != app->view && view_table[view]->useful != NULL &&
           !view_table[view]->useful(&input));
    app_show_view(app, view);
}

static void show_named(struct app *app, const char *name)
{
    for (unsigned i = 0; i < view_count; i++)
        if (strcmp(view_table[i]->name, name) == 0)
            app_show_view(app, i);
}

static void freeze(struct app *app)
{
    if (app->frozen != NULL) {
        profile_unref(app->frozen);
        app->frozen = NULL;
        app->dirty_profile = true;
        app->asked++;
    } else if (!app->config.live || app->profile == NULL) {
        app_say(app, _("a saved session stands still already"));
    } else if (profile_ended(app->profile)) {
        app_say(app, _("the target has ended: nothing moves any more"));
    } else {
        app->frozen = profile_ref(app->profile);
    }
}

static void highlight(struct app *app)
{
    app->marked = app->marked == app->chosen ? FUNCTION_NONE : app->chosen;
    if (app->marked == FUNCTION_NONE)
        app_say(app, _("no function is highlighted"));
}

static void copy_name(struct app *app)
{
    if (app->result == NULL || app->chosen == FUNCTION_NONE) {
        app_say(app, _("no function under the cursor"));
        return;
    }
    snprintf(app->copied, sizeof(app->copied), "%s",
             names_get(app->result->fold->names, app->chosen)->name);
    app_wish_for(app, WISH_COPY);
    app_say(app, _("copied: %s"), app->copied);
}

static void run_again(struct app *app)
{
    if (!app->config.launched)
        app_say(app, _("nothing to run again: the target was not started by proftop"));
    else if (app->profile != NULL && !profile_ended(app->profile))
        app_say(app, _("it is still running"));
    else
        app_wish_for(app, WISH_RUN_AGAIN);
}

/* The range's own view of spikes, from any view. */
static bool spike(struct app *app, enum action action)
{
    const struct view_ops *time = view_find("time");
    struct screen_input input = app_input(app, app->key_ns);
    struct request request;

    if (time == NULL || time == app_shown(app) || input.profile == NULL)
        return false;
    for (unsigned i = 0; i < view_count; i++)
        if (view_table[i] == time) {
            request = time->key(app->states[i], &input, action, app->rows, app->columns);
            app_request(app, &request);
        }
    return true;
}

static void say_choice(struct app *app, const char *setting)
{
    char value[64];

    for (unsigned i = 0; i < settings_count(); i++)
        if (strcmp(settings_name(i), setting) == 0)
            app_say(app, "%s: %s", settings_label(i),
                    settings_value(&app->settings, i, value, sizeof(value)));
}

static void step_choice(struct app *app, const char *setting)
{
    for (unsigned i = 0; i < settings_count(); i++)
        if (strcmp(settings_name(i), setting) == 0)
            settings_step(&app->settings, i, 1);
    say_choice(app, setting);
}

/* True when ACTION was one of the screen's own. */
static bool own_action(struct app *app, enum action action)
{
    switch (action) {
    case ACTION_QUIT:
        quit(app);
        return true;
    case ACTION_QUIT_NOW:
        app_wish_for(app, WISH_QUIT);
        return true;
    case ACTION_BACK:
        if (!app_pop_step(app))
            app_say(app, _("nothing to go back to; q quits"));
        return true;
    case ACTION_NEXT_VIEW:
        show_next(app, 1);
        return true;
    case ACTION_PREVIOUS_VIEW:
        show_next(app, -1);
        return true;
    case ACTION_SEARCH:
        prompt_open(app, PROMPT_SEARCH);
        return true;
    case ACTION_FILTER:
        prompt_open(app, PROMPT_FILTER);
        return true;
    case ACTION_COMMAND:
        prompt_open(app, PROMPT_COMMAND);
        return true;
    case ACTION_HELP:
        overlay_open(app, &overlay_help);
        return true;
    case ACTION_SETUP:
        overlay_open(app, &overlay_setup);
        return true;
    case ACTION_INFO:
        overlay_open(app, &overlay_info);
        return true;
    case ACTION_METRIC:
        overlay_open(app, &overlay_metric);
        return true;
    case ACTION_SORT_MENU:
        overlay_open(app, &overlay_sort);
        return true;
    case ACTION_SAVE:
        overlay_open(app, &overlay_save);
        return true;
    case ACTION_SAVE_NOW:
        save_now(app);
        return true;
    case ACTION_FREEZE:
        freeze(app);
        return true;
    case ACTION_HIGHLIGHT:
        highlight(app);
        return true;
    case ACTION_COPY:
        copy_name(app);
        return true;
    case ACTION_RUN_AGAIN:
        run_again(app);
        return true;
    case ACTION_REDRAW:
        app_wish_for(app, WISH_REDRAW);
        return true;
    case ACTION_SUSPEND:
        app_wish_for(app, WISH_SUSPEND);
        return true;
    default:
        return false;
    }
}

/* The choices that have a key of their own. */
static bool choice_action(struct app *app, enum action action)
{
    switch (action) {
    case ACTION_NAMES:
        step_choice(app, "names");
        return true;
    case ACTION_UNITS:
        step_choice(app, "units");
        return true;
    case ACTION_FOLLOW:
        step_choice(app, "follow");
        return true;
    case ACTION_MOUSE:
        step_choice(app, "mouse");
        app_wish_for(app, WISH_SETTINGS);
        return true;
    default:
        return false;
    }
}

/* What the view does with ACTION; false when it is none of its keys. */
static bool view_action(struct app *app, enum action action)
{
    struct request request = app_view_key(app, action);

    if (request.kind == REQUEST_NONE)
        return false;
    app->moved = true;
    app_request(app, &request);
    return true;
}

void app_do(struct app *app, enum action action)
{
    const struct view_ops *view = app_shown(app);

    if (view->on_top != NULL && view->on_top(app->states[app->view]) && view_action(app, action))
        return;
    if (action == ACTION_NONE || own_action(app, action) || choice_action(app, action))
        return;
    if (action >= ACTION_VIEW_1 && action <= ACTION_VIEW_9) {
        app_show_view(app, (unsigned)(action - ACTION_VIEW_1));
        return;
    }
    if (app_visible(app) == NULL)
        return;
    if (view_action(app, action) || app_scope_action(app, action))
        return;
    if (action == ACTION_TREE && app->chosen != FUNCTION_NONE &&
        strcmp(app_shown(app)->name, "tree") != 0)
        app_drill(app, "tree", app->chosen);
    else if (action == ACTION_TREE)
        show_named(app, "tree");
    else if (action == ACTION_SOURCE && app->chosen != FUNCTION_NONE)
        app_drill(app, "source", app->chosen);
    else if ((action == ACTION_SPIKE_NEXT || action == ACTION_SPIKE_PREVIOUS) &&
             !spike(app, action))
        app_say(app, _("spikes are found in the Time view"));
    else if (action == ACTION_SEARCH_NEXT || action == ACTION_SEARCH_PREVIOUS)
        app_say(app, _("nothing to search in here"));
}
