/* SPDX-License-Identifier: MIT */
/*
 * What lies on top of the views: the help, the menus, the setup screen, the question before
 * quitting.  The save form and the facts have files of their own.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "app_private.h"
#include "box.h"
#include "proftop/gettext.h"
#include "proftop/metric.h"
#include "proftop/text.h"
#include "src/view/help.h"
#include "src/view/list.h"

void overlay_open(struct app *app, const struct overlay *overlay)
{
    overlay_close(app);
    app->overlay = overlay;
    app->overlay_cursor = app->overlay_top = 0;
    if (overlay->open != NULL)
        overlay->open(app);
}

void overlay_close(struct app *app)
{
    const struct overlay *overlay = app->overlay;

    app->overlay = NULL;
    if (overlay != NULL && overlay->close != NULL)
        overlay->close(app);
}

/* The keys that close any of them; Quit-now stays what it is. */
bool overlay_closes(struct app *app, const struct key_event *event)
{
    enum action action = keys_action(event->code, app_shown(app)->name);

    if (action == ACTION_QUIT_NOW) {
        app_wish_for(app, WISH_QUIT);
        return true;
    }
    if (action != ACTION_QUIT && action != ACTION_BACK)
        return false;
    overlay_close(app);
    return true;
}

static enum action moves(struct app *app, const struct key_event *event)
{
    return keys_action(event->code, app_shown(app)->name);
}

/* ---- help ---------------------------------------------------------------------------------------
 */

static int help_lines(const struct app *app)
{
    struct grid *grid = grid_new(app->columns, app->rows, true);
    int lines = help_render(grid, app_shown(app), 0);

    grid_free(grid);
    return lines;
}

static void help_key(struct app *app, const struct key_event *event)
{
    int rows = app->rows - 1, last = help_lines(app) - rows;
    enum action action = moves(app, event);

    if (overlay_closes(app, event))
        return;
    switch (action) {
    case ACTION_HELP:
        overlay_close(app);
        return;
    case ACTION_UP:
        app->overlay_top--;
        break;
    case ACTION_DOWN:
        app->overlay_top++;
        break;
    case ACTION_PAGE_UP:
        app->overlay_top -= rows;
        break;
    case ACTION_PAGE_DOWN:
    case ACTION_FREEZE: /* Space, as in less */
        app->overlay_top += rows;
        break;
    case ACTION_HALF_UP:
        app->overlay_top -= rows / 2;
        break;
    case ACTION_HALF_DOWN:
        app->overlay_top += rows / 2;
        break;
    case ACTION_FIRST:
        app->overlay_top = 0;
        break;
    case ACTION_LAST:
        app->overlay_top = last;
        break;
    default:
        if (event->code == KEYCODE_MOUSE)
            app->overlay_top += event->mouse.kind == MOUSE_WHEEL_DOWN ? 3
                                : event->mouse.kind == MOUSE_WHEEL_UP ? -3
                                                                      : 0;
    }
    if (app->overlay_top > last)
        app->overlay_top = last;
    if (app->overlay_top < 0)
        app->overlay_top = 0;
}

static void help_draw(struct app *app, struct grid *grid)
{
    help_render(grid, app_shown(app), app->overlay_top);
}

const struct overlay overlay_help = { .name = "help", .render = help_draw, .key = help_key };

/* ---- menus --------------------------------------------------------------------------------------
 */

/* Moves in a menu of COUNT rows; true when a row was chosen. */
static bool menu_key(struct app *app, const struct key_event *event, int count)
{
    struct list list = { app->overlay_cursor, app->overlay_top };
    enum action action = moves(app, event);

    if (event->code >= '1' && event->code <= '9' && (int)(event->code - '1') < count) {
        app->overlay_cursor = (int)(event->code - '1');
        return true;
    }
    if (action == ACTION_ENTER)
        return true;
    if (list_key(&list, action, count, app->rows - 6)) {
        app->overlay_cursor = list.cursor;
        app->overlay_top = list.top;
    } else {
        overlay_closes(app, event);
    }
    return false;
}

static void menu_draw(struct app *app, struct grid *grid, const char *title, int count,
                      const char *(*label)(const struct app *app, int index))
{
    struct box box;
    int columns = text_width(title) + 4;

    for (int i = 0; i < count; i++)
        if (text_width(label(app, i)) + 6 > columns)
            columns = text_width(label(app, i)) + 6;
    box = box_draw(grid, columns, count, title);
    for (int i = 0; i < box.rows && app->overlay_top + i < count; i++) {
        int index = app->overlay_top + i;

        grid_printf(grid, box.row + i, box.column, box.columns, ROLE_NORMAL, "%d  %s", index + 1,
                    label(app, index));
        if (index == app->overlay_cursor)
            grid_role(grid, box.row + i, box.column, box.columns, ROLE_SELECTED);
    }
}

static const char *metric_label(const struct app *app, int index)
{
    (void)app;
    return _(metric_table[index].label);
}

static void metric_open(struct app *app)
{
    app->overlay_cursor = (int)(metric_of(&app->scope) - metric_table);
}

static void metric_draw(struct app *app, struct grid *grid)
{
    menu_draw(app, grid, _("Shares of what?"), (int)metric_count, metric_label);
}

static void metric_key(struct app *app, const struct key_event *event)
{
    struct scope scope = app->scope;
    struct error error;
    const char *name;

    if (!menu_key(app, event, (int)metric_count))
        return;
    name = metric_table[app->overlay_cursor].name;
    overlay_close(app);
    if (metric_choose(&scope, name, &error))
        app_change_scope(app, &scope, true);
    else
        app_say(app, "%s", error.message);
}

const struct overlay overlay_metric = {
    .name = "metric", .open = metric_open, .render = metric_draw, .key = metric_key
};

/* Columns to sort by: so many steps to the right of the first one. */
static const char *const top_columns[] = { N_("SELF"),    N_("TOTAL"),    N_("CPU"),   N_("SAMP"),
                                           N_("THREADS"), N_("FUNCTION"), N_("MODULE") };
static const char *const thread_columns[] = { N_("CPU%"), N_("wait"), N_("TID"), N_("NAME") };

static bool sorts_threads(const struct app *app)
{
    return strcmp(app_shown(app)->name, "threads") == 0;
}

static int sort_count(const struct app *app)
{
    return (int)(sorts_threads(app) ? sizeof(thread_columns) / sizeof(thread_columns[0])
                                    : sizeof(top_columns) / sizeof(top_columns[0]));
}

static const char *sort_label(const struct app *app, int index)
{
    return _(sorts_threads(app) ? thread_columns[index] : top_columns[index]);
}

static void sort_draw(struct app *app, struct grid *grid)
{
    menu_draw(app, grid, _("Sort by"), sort_count(app), sort_label);
}

static void sort_key_event(struct app *app, const struct key_event *event)
{
    int steps;

    if (!menu_key(app, event, sort_count(app)))
        return;
    steps = app->overlay_cursor;
    overlay_close(app);
    app_view_key(app, ACTION_SORT_SELF); /* the first column */
    while (steps-- > 0)
        app_view_key(app, ACTION_SORT_RIGHT);
}

const struct overlay overlay_sort = { .name = "sort", .render = sort_draw, .key = sort_key_event };

/* ---- setup --------------------------------------------------------------------------------------
 */

static void keep_settings(struct app *app)
{
    struct error error;

    if (app->config.keep_settings && !settings_save(&app->settings, &error))
        app_say(app, "%s", error.message);
}

/* Choices that are part of the scope take hold at once. */
static void apply_settings(struct app *app, unsigned index)
{
    struct scope scope = app->scope;
    const char *name = settings_name(index);

    if (strcmp(name, "fold-libraries") == 0)
        scope.fold_libraries = app->settings.fold_libraries != 0;
    if (strcmp(name, "hide-kernel") == 0)
        scope.hide_kernel = app->settings.hide_kernel != 0;
    if (strcmp(name, "window") == 0 && app->config.live) {
        scope.last_ns = app->settings.window_s * UINT64_C(1000000000);
        scope.start_ns = 0;
        scope.end_ns = UINT64_MAX;
    }
    app_change_scope(app, &scope, false);
    app_wish_for(app, WISH_SETTINGS);
}

static void setup_key(struct app *app, const struct key_event *event)
{
    struct list list = { app->overlay_cursor, app->overlay_top };
    enum action action = moves(app, event);

    if (list_key(&list, action, (int)settings_count(), app->rows - 8)) {
        app->overlay_cursor = list.cursor;
        app->overlay_top = list.top;
    } else if (action == ACTION_ENTER || action == ACTION_RIGHT || action == ACTION_LEFT ||
               action == ACTION_FREEZE) {
        settings_step(&app->settings, (unsigned)app->overlay_cursor,
                      action == ACTION_LEFT ? -1 : 1);
        apply_settings(app, (unsigned)app->overlay_cursor);
        keep_settings(app);
    } else if (action == ACTION_SETUP) {
        overlay_close(app);
    } else {
        overlay_closes(app, event);
    }
}

static void setup_draw(struct app *app, struct grid *grid)
{
    struct box box = box_draw(grid, 64, (int)settings_count() + 2, _("Setup"));
    char value[64];

    for (int i = 0; i < box.rows - 2 && app->overlay_top + i < (int)settings_count(); i++) {
        unsigned index = (unsigned)(app->overlay_top + i);

        grid_text(grid, box.row + i, box.column + 1, 38, ROLE_NORMAL, settings_label(index));
        grid_text(grid, box.row + i, box.column + 40, box.columns - 40, ROLE_TITLE,
                  settings_value(&app->settings, index, value, sizeof(value)));
        if ((int)index == app->overlay_cursor)
            grid_role(grid, box.row + i, box.column, box.columns, ROLE_SELECTED);
    }
    grid_text(grid, box.row + box.rows - 1, box.column + 1, box.columns - 1, ROLE_DIM,
              _("Enter or arrows change it; kept in ~/.config/proftop/settings"));
}

const struct overlay overlay_setup = { .name = "setup", .render = setup_draw, .key = setup_key };

/* ---- quitting while the command lives -----------------------------------------------------------
 */

static const char *quit_label(const struct app *app, int index)
{
    static const char *const labels[] = { N_("leave it running, quit"), N_("terminate it, quit"),
                                          N_("stay here") };

    (void)app;
    return _(labels[index]);
}

static void quit_draw(struct app *app, struct grid *grid)
{
    menu_draw(app, grid, _("The command is still running"), 3, quit_label);
}

static void quit_key(struct app *app, const struct key_event *event)
{
    if (!menu_key(app, event, 3))
        return;
    switch (app->overlay_cursor) {
    case 0:
        app_wish_for(app, WISH_QUIT);
        break;
    case 1:
        app_wish_for(app, WISH_TERMINATE);
        break;
    default:
        break;
    }
    overlay_close(app);
}

const struct overlay overlay_quit = { .name = "quit", .render = quit_draw, .key = quit_key };
