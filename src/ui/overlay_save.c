/* SPDX-License-Identifier: MIT */
/*
 * The save form.
 *
 *     What     (•) the chosen range 12:30:21-12:30:26 (5s)   ( ) the whole run 1:04
 *     Format   proftop session: everything, opens here again
 *     File     ./proftop-busy-8968-20261120-123026.proftop
 *
 * A format other than a session saves what the scope shows: its threads, state and filter too.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "box.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/text.h"
#include "src/view/format.h"

enum { FORM_COLUMNS = 74, LABEL_COLUMNS = 9, FIELD_WHAT = 0, FIELD_FORMAT, FIELD_FILE, FIELDS };

struct save_form {
    bool whole;
    unsigned format; /* 0: a session; else export_table[FORMAT - 1] */
    char path[1024];
    bool named; /* the person wrote the name: formats leave it alone */
};

static const struct export_ops *format_of(const struct save_form *form)
{
    return form->format == 0 ? NULL : export_table[form->format - 1];
}

/* The table may hold the session itself too: it is always the first choice here. */
static bool offered(unsigned format)
{
    return format == 0 || strcmp(export_table[format - 1]->name, "session") != 0;
}

static void name_file(struct app *app)
{
    struct save_form *form = app->save_form;
    const struct export_ops *format = format_of(form);

    if (!form->named)
        saver_name(form->path, sizeof(form->path), app_visible(app), app->config.title,
                   format == NULL ? ".proftop" : format->extension);
}

static bool has_range(const struct app *app)
{
    return app->scope.last_ns != 0 || app->scope.start_ns != 0 || app->scope.end_ns != UINT64_MAX;
}

static void save_open(struct app *app)
{
    if (app_visible(app) == NULL) {
        overlay_close(app);
        app_say(app, _("nothing has been recorded yet"));
        return;
    }
    app->save_form = xcalloc(1, sizeof(*app->save_form));
    app->save_form->whole = app->scope.last_ns != 0 || !has_range(app);
    name_file(app);
}

static void save_close(struct app *app)
{
    free(app->save_form);
    app->save_form = NULL;
}

static void start(struct app *app)
{
    const struct save_form *form = app->save_form;
    struct save_job job = { .profile = app_visible(app), .format = format_of(form) };

    job.scope = app->scope;
    if (form->whole) {
        job.scope.last_ns = job.scope.start_ns = 0;
        job.scope.end_ns = UINT64_MAX;
    } else if (job.scope.last_ns != 0 && app->result != NULL) {
        job.scope.start_ns = app->result->fold->start_ns;
        job.scope.end_ns = app->result->fold->end_ns;
        job.scope.last_ns = 0;
    }
    snprintf(job.path, sizeof(job.path), "%s", form->path);
    if (saver_start(app->saver, &job))
        app_say(app, _("saving %s…"), job.path);
    else
        app_say(app, _("still saving; this one has not been begun"));
    overlay_close(app);
}

static void step_format(struct app *app, int step)
{
    struct save_form *form = app->save_form;
    unsigned count = export_count + 1;

    do
        form->format = (form->format + count + (unsigned)step) % count;
    while (!offered(form->format));
    name_file(app);
}

static void step_field(struct app *app, int step)
{
    if (app->overlay_cursor == FIELD_WHAT)
        app->save_form->whole = !app->save_form->whole;
    else if (app->overlay_cursor == FIELD_FORMAT)
        step_format(app, step);
}

static void save_key(struct app *app, const struct key_event *event)
{
    struct save_form *form = app->save_form;

    switch (event->code) {
    case KEYCODE_ESCAPE:
    case 3: /* ^C */
        overlay_close(app);
        return;
    case KEYCODE_ENTER:
    case '\n':
        start(app);
        return;
    case KEYCODE_UP:
    case KEYCODE_BACK_TAB:
        app->overlay_cursor = (app->overlay_cursor + FIELDS - 1) % FIELDS;
        return;
    case KEYCODE_DOWN:
    case KEYCODE_TAB:
        app->overlay_cursor = (app->overlay_cursor + 1) % FIELDS;
        return;
    case KEYCODE_LEFT:
        step_field(app, -1);
        return;
    case KEYCODE_RIGHT:
        step_field(app, 1);
        return;
    default:
        break;
    }
    if (app->overlay_cursor == FIELD_FILE)
        form->named |= edit_text(form->path, sizeof(form->path), event);
    else if (event->code == ' ')
        step_field(app, 1);
    else if (event->code == 'q')
        overlay_close(app);
}

static void draw_what(struct app *app, struct grid *grid, int row, int column, int width)
{
    struct screen_input input = app_input(app, app->key_ns);
    struct profile *profile = app_visible(app);
    uint64_t start = profile_start_ns(profile), end = profile_end_ns(profile);
    const char *on = app->config.ascii ? "(*)" : "(\u2022)", *off = "( )";
    char range[FORMAT_LONG], elapsed[24];
    bool whole = app->save_form->whole;

    grid_printf(grid, row, column, width, ROLE_NORMAL, _("%s range %s   %s whole run %s"),
                whole ? off : on, format_range(range, &input, true), whole ? on : off,
                text_elapsed(elapsed, end > start ? end - start : 0));
}

static void draw_format(struct app *app, struct grid *grid, int row, int column, int width)
{
    const struct export_ops *format = format_of(app->save_form);

    grid_printf(grid, row, column, width, ROLE_NORMAL, "< %s >",
                format == NULL ? _("proftop session: profile and system, opens here again")
                               : _(format->label));
}

/* Its end is what matters and what is typed. */
static void draw_file(struct app *app, struct grid *grid, int row, int column, int width)
{
    const char *path = app->save_form->path;

    grid_text(grid, row, column, width, ROLE_NORMAL,
              format_scrolled(path, text_width(path) - width + 1));
    if (app->overlay_cursor == FIELD_FILE) {
        int used = text_width(path);

        grid->cursor_row = row;
        grid->cursor_column = column + (used < width ? used : width - 1);
    }
}

static void save_draw(struct app *app, struct grid *grid)
{
    static const char *const labels[FIELDS] = { N_("What"), N_("Format"), N_("File") };
    static void (*const draw[FIELDS])(struct app *, struct grid *, int, int,
                                      int) = { draw_what, draw_format, draw_file };
    struct box box = box_draw(grid, FORM_COLUMNS, FIELDS + 4, _("Save"));
    bool session = app->save_form->format == 0;

    for (int i = 0; i < FIELDS && i < box.rows; i++) {
        grid_text(grid, box.row + i, box.column, LABEL_COLUMNS, ROLE_TITLE, _(labels[i]));
        if (i == app->overlay_cursor && i != FIELD_FILE)
            grid_fill(grid, box.row + i, box.column + LABEL_COLUMNS, box.columns - LABEL_COLUMNS,
                      ROLE_NORMAL, " ");
        draw[i](app, grid, box.row + i, box.column + LABEL_COLUMNS, box.columns - LABEL_COLUMNS);
        if (i == app->overlay_cursor && i != FIELD_FILE)
            grid_role(grid, box.row + i, box.column + LABEL_COLUMNS, box.columns - LABEL_COLUMNS,
                      ROLE_SELECTED);
    }
    grid_text(grid, box.row + FIELDS + 1, box.column, box.columns, ROLE_DIM,
              session
                  ? _("Contains the command line, paths, names and system counters.  Mode 0600.")
                  : _("Contains what the scope shows: its threads, state and filter."));
    grid_text(grid, box.row + FIELDS + 2, box.column, box.columns, ROLE_DIM,
              _("Never overwrites."));
    grid_text_right(grid, box.row + FIELDS + 3, box.column, box.columns, ROLE_TITLE,
                    _("Tab field   Space change   Enter save   Esc back"));
}

const struct overlay overlay_save = {
    .name = "save", .open = save_open, .render = save_draw, .key = save_key, .close = save_close
};
