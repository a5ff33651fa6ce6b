/* SPDX-License-Identifier: MIT */
/* The application: its life, what goes into the fold worker and what comes out on the grid. */
#include "config.h"

#include "app_private.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/view/output.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/timeline.h"
#include "src/view/chrome.h"
#include "src/view/format.h"
#include "src/view/screen.h"

enum {
    SOON_MS = 20,      /* between folds until there are … */
    SOON_SAMPLES = 20, /* … enough to go by, so that rows come soon … */
    FIRST_MS = 200,    /* … and after that, while the recording is young: VIEW_YOUNG_MS */
    UPDATING_MS = 300, /* a fold that takes longer is mentioned */
    DEFAULT_COLUMNS = 80,
    DEFAULT_ROWS = 24
};

struct app *app_new(const struct app_config *config)
{
    struct app *app = xcalloc(1, sizeof(*app));

    assert(view_count <= VIEWS_MAX);
    app->config = *config;
    app->config.title = xstrdup(config->title);
    app->settings = config->settings;
    app->scope = config->scope;
    app->chosen = app->marked = FUNCTION_NONE;
    app->columns = DEFAULT_COLUMNS;
    app->rows = DEFAULT_ROWS;
    app->asked = 1;
    app->timeline = timeline_new();
    app->worker = worker_new(config->synchronous);
    app->saver = saver_new(config->synchronous);
    for (unsigned i = 0; i < view_count; i++) {
        assert(view_table[i]->place_size <= PLACE_MAX);
        app->states[i] = xcalloc(1, view_table[i]->state_size);
        app->left[i] = FUNCTION_NONE;
        if (config->view != NULL && strcmp(config->view, view_table[i]->name) == 0)
            app->view = i;
    }
    return app;
}

void app_free(struct app *app)
{
    if (app == NULL)
        return;
    overlay_close(app);
    worker_free(app->worker);
    saver_free(app->saver);
    for (unsigned i = 0; i < view_count; i++) {
        if (view_table[i]->fini != NULL)
            view_table[i]->fini(app->states[i]);
        free(app->states[i]);
    }
    fold_result_free(app->result);
    timeline_free(app->timeline);
    if (app->profile != NULL)
        profile_unref(app->profile);
    if (app->frozen != NULL)
        profile_unref(app->frozen);
    free((char *)app->config.title);
    free(app);
}

const struct view_ops *app_shown(const struct app *app)
{
    return view_table[app->view];
}

struct profile *app_visible(const struct app *app)
{
    return app->frozen != NULL ? app->frozen : app->profile;
}

void app_wish_for(struct app *app, enum app_wish wish)
{
    if (app->wish_count < WISHES_MAX)
        app->wishes[app->wish_count++] = wish;
}

enum app_wish app_wish(struct app *app)
{
    enum app_wish wish;

    if (app->wish_count == 0)
        return WISH_NONE;
    wish = app->wishes[0];
    memmove(app->wishes, app->wishes + 1, --app->wish_count * sizeof(app->wishes[0]));
    return wish;
}

void app_say(struct app *app, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(app->status, sizeof(app->status), format, arguments);
    va_end(arguments);
    app->has_status = true;
}

/* ---- what views see -----------------------------------------------------------------------------
 */

/* The fold takes so long that the screen says so. */
static bool is_late(const struct app *app, uint64_t now_ns)
{
    return worker_busy(app->worker) && app->submit_ns + UPDATING_MS * NS_PER_MS < now_ns;
}

/* A result of a profile or a scope that is no longer meant shows until the next one is there. */
struct screen_input app_input(const struct app *app, uint64_t now_ns)
{
    const struct fold_result *result = app->result;
    struct profile *profile = app_visible(app);

    return (struct screen_input){
        .fold = result != NULL ? result->fold : NULL,
        .extra = result != NULL && result->fold != NULL ? &result->extra : NULL,
        .profile = profile,
        .scope = &app->scope,
        .now_ns = now_ns,
        .key_ns = app->key_ns,
        .asked = result != NULL ? result->asked : 0,
        .live = app->config.live,
        .frozen = app->frozen != NULL,
        .ended = app->profile != NULL && profile_ended(app->profile),
        .stopped = app->stopped,
        .folding = is_late(app, now_ns) || (result == NULL && worker_busy(app->worker)),
        .title = app->config.title,
        .status = app->has_status ? app->status : NULL,
        .search = app->search,
        .theme = app->settings.theme,
        .chosen = app->chosen,
        .marked = app->marked,
        .names = (enum name_style)app->settings.names,
        .units = (enum unit_style)app->settings.units,
        .follow = app->settings.follow != 0,
        .ascii = app->config.ascii || app->settings.ascii != 0,
        .alert = app->alert,
        .output = app->output,
        .timeline = app->timeline,
        .overhead_pct = app->overhead_pct,
    };
}

void app_follow_cursor(struct app *app)
{
    const struct view_ops *view = app_shown(app);
    struct screen_input input = app_input(app, app->key_ns);

    if (view->chosen != NULL && input.fold != NULL)
        app->chosen = view->chosen(app->states[app->view], &input);
}

/* ---- folding ------------------------------------------------------------------------------------
 */

static struct view_wants wants_now(const struct app *app, uint64_t now_ns)
{
    struct screen_input input = app_input(app, now_ns);
    struct view_wants wants;

    screen_wants(&input, app_shown(app), app->states[app->view], app->columns, app->rows, &wants);
    return wants;
}

/* In the last second every thread was held by SIGSTOP or a debugger. */
static bool is_stopped(const struct profile *profile)
{
    uint64_t end = profile_end_ns(profile), start = end > NS_PER_S ? end - NS_PER_S : 0;
    struct slice_cursor cursor;
    const struct slice *slice;
    bool any = false;

    profile_slices(profile, start, end, NS_PER_S / 10, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL) {
        struct slice_entry entry;
        struct slice_walk walk;

        slice_entries(slice, &walk);
        while (slice_next_entry(&walk, &entry)) {
            if (entry.state != STATE_WAITING || entry.reason != WAIT_STOPPED)
                return false;
            any = true;
        }
    }
    return any;
}

/* What the recording has to tell, once each: of several at a time the gravest, the last of those.
 */
static void tell_notes(struct app *app, const struct profile *profile)
{
    const struct profile_note *chosen = NULL;
    uint32_t count = profile_notes(profile);

    for (uint32_t i = app->notes_told; i < count; i++) {
        const struct profile_note *note = profile_note(profile, i);

        if (chosen == NULL || note->level >= chosen->level)
            chosen = note;
    }
    if (chosen != NULL && app->config.live)
        app_say(app, "%s", chosen->text);
    app->notes_told = count;
}

void app_submit(struct app *app, uint64_t now_ns)
{
    struct fold_job job = { .profile = app_visible(app), .scope = app->scope, .asked = app->asked };

    if (job.profile == NULL)
        return;
    timeline_update(app->timeline, job.profile);
    app->stopped = app->config.live && is_stopped(job.profile);
    tell_notes(app, job.profile);
    job.wants = wants_now(app, now_ns);
    worker_submit(app->worker, &job);
    app->wants = job.wants;
    app->submitted = app->asked;
    app->submit_ns = now_ns;
    app->dirty_profile = false;
}

static uint64_t refresh_ns(const struct app *app)
{
    uint64_t age = profile_end_ns(app->profile) - profile_start_ns(app->profile);
    uint64_t refresh = app->settings.refresh_ms;

    if (age < VIEW_YOUNG_MS * NS_PER_MS && refresh > FIRST_MS)
        refresh =
            app->result == NULL || app->result->fold->samples < SOON_SAMPLES ? SOON_MS : FIRST_MS;
    return refresh * NS_PER_MS;
}

/*
 * A wish of the person at once; new samples as often as was chosen.  What the view wants made can
 * be another thing only after something was shown or pressed: MOVED.  True when there is a new job.
 */
static bool submit_if_due(struct app *app, uint64_t now_ns, bool moved)
{
    struct view_wants wants;

    if (app_visible(app) == NULL)
        return false;
    if (app->asked != app->submitted ||
        (app->dirty_profile && app->frozen == NULL && !worker_busy(app->worker) &&
         (app->result == NULL || app->config.synchronous || profile_ended(app->profile) ||
          now_ns >= app->submit_ns + refresh_ns(app)))) {
        app_submit(app, now_ns);
        return true;
    }
    if (!moved || worker_busy(app->worker))
        return false;
    wants = wants_now(app, now_ns);
    if (memcmp(&wants, &app->wants, sizeof(wants)) == 0)
        return false;
    app_submit(app, now_ns);
    return true;
}

static bool take_result(struct app *app)
{
    struct fold_result *result = worker_take(app->worker);

    if (result == NULL)
        return false;
    if (result->fold == NULL) { /* keep what is shown, say why */
        app_say(app, "%s", result->error.message);
        fold_result_free(result);
        return true;
    }
    fold_result_free(app->result);
    app->result = result;
    return true;
}

/*
 * The rows may change places for the new numbers, and then want sparks that were not made with
 * them: a second job makes those.  One paint, not two, shows both.
 */
static bool waits_for_more(struct app *app, uint64_t now_ns)
{
    if (app->config.synchronous || app->result == NULL || app->waited)
        return false;
    wants_now(app, now_ns); /* puts the rows in order: another one may be the chosen now */
    app_follow_cursor(app);
    app->waited = submit_if_due(app, now_ns, true);
    return app->waited;
}

bool app_step(struct app *app, uint64_t now_ns)
{
    char message[sizeof(app->status)];
    bool taken = take_result(app), changed = taken && !waits_for_more(app, now_ns);

    if (saver_take(app->saver, message, sizeof(message))) {
        app_say(app, "%s", message);
        changed = true;
    }
    submit_if_due(app, now_ns, changed);
    if (app->config.synchronous)
        for (int i = 0; i < 3 && take_result(app); i++) { /* wants follow from what is shown */
            changed = true;
            submit_if_due(app, now_ns, true);
        }
    if (is_late(app, now_ns) != app->late) {
        app->late = !app->late;
        changed = true;
    }
    return changed;
}

bool app_folding(const struct app *app)
{
    return worker_owes(app->worker);
}

void app_fds(const struct app *app, int fds[2])
{
    fds[0] = worker_fd(app->worker);
    fds[1] = saver_fd(app->saver);
}

uint64_t app_next_tick_ns(const struct app *app, uint64_t now_ns)
{
    uint64_t next = now_ns + NS_PER_S;

    if (!app->config.live || app->profile == NULL)
        return UINT64_MAX;
    if (worker_busy(app->worker)) /* its descriptor tells when it is done */
        return app->late ? next : app->submit_ns + (UPDATING_MS + 1) * NS_PER_MS;
    if (profile_ended(app->profile))
        return UINT64_MAX;
    if (app->dirty_profile && app->frozen == NULL) {
        uint64_t due = app->submit_ns + refresh_ns(app);

        next = due > now_ns ? due : now_ns;
    }
    return next;
}

/* The target's end is a state of the screen: what can be done from here on. */
static void tell_end(struct app *app)
{
    app_say(app, app->config.launched
                     ? _("it has ended; all is kept.  s save  6 timeline  R run it again  q quit")
                     : _("it has ended; all is kept.  s save  6 timeline  q quit"));
}

/* After an exec the title names the program that runs now: "srv[8968]+2". */
static void follow_exec(struct app *app)
{
    int32_t pid = profile_info(app->profile)->pid;
    uint32_t count = profile_threads(app->profile);
    const char *others = strrchr(app->config.title, '+');
    char name[NAME_MAX_BYTES], *title;

    for (uint32_t i = 0; i < count; i++) {
        const struct profile_thread *thread = profile_thread(app->profile, i);

        if (thread->tid != pid || thread->execs == app->execs)
            continue;
        app->execs = thread->execs;
        title = xasprintf("%s%s", format_process(name, app->profile, pid),
                          others != NULL ? others : "");
        free((char *)app->config.title);
        app->config.title = title;
        return;
    }
}

void app_set_profile(struct app *app, struct profile *profile, uint64_t now_ns)
{
    bool first = app->profile == NULL;

    if (profile == app->profile)
        return;
    if (app->config.live && profile_ended(profile) && (first || !profile_ended(app->profile)))
        tell_end(app);
    profile_ref(profile);
    if (app->profile != NULL)
        profile_unref(app->profile);
    app->profile = profile;
    app->dirty_profile = true;
    if (app->config.live)
        follow_exec(app);
    if (profile_ended(profile))
        app->typing = false; /* nobody is left to type to */
    if (first)
        app_submit(app, now_ns);
}

void app_names_came(struct app *app)
{
    app->dirty_profile = true;
}

void app_set_overhead(struct app *app, double percent)
{
    app->overhead_pct = percent;
}

void app_set_output(struct app *app, struct output *output)
{
    app->output = output;
}

bool app_news(struct app *app)
{
    bool shown = strcmp(app_shown(app)->name, "output") == 0, was = app->alert;

    app->alert = !shown;
    return shown || !was;
}

/* ---- keys and painting --------------------------------------------------------------------------
 */

static void mouse_in_body(struct app *app, const struct mouse_event *event,
                          const struct screen_layout *layout)
{
    const struct view_ops *view = app_shown(app);
    struct screen_input input = app_input(app, app->key_ns);
    struct mouse_event inside = *event;
    struct request request;

    if (view->mouse == NULL)
        return;
    inside.row -= layout->body;
    if (event->kind != MOUSE_DRAG && event->kind != MOUSE_RELEASE &&
        (inside.row < 0 || inside.row >= layout->body_rows ||
         inside.column >= layout->body_columns))
        return;
    request = view->mouse(app->states[app->view], &input, &inside, layout->body_rows,
                          layout->body_columns);
    app->moved |= request.kind != REQUEST_NONE;
    app_request(app, &request);
    app_follow_cursor(app);
}

static void mouse_event(struct app *app, const struct mouse_event *event)
{
    struct screen_layout layout = screen_lay_out(app->columns, app->rows, app_shown(app));
    struct screen_input input = app_input(app, app->key_ns);
    bool press = event->kind == MOUSE_PRESS || event->kind == MOUSE_DOUBLE;

    if (layout.too_small)
        return;
    if (press && event->row == layout.tabs) {
        const struct view_ops *view =
            chrome_tab_at(&input, app->columns, event->column, app_shown(app));

        for (unsigned i = 0; i < view_count; i++)
            if (view_table[i] == view)
                app_show_view(app, i);
    } else if (press && event->row == layout.keys) {
        app_do(app, chrome_key_at(app->columns, event->column));
    } else {
        mouse_in_body(app, event, &layout);
    }
}

/* Keys go to the command, all but the one that leaves. */
static void type_key(struct app *app, const struct key_event *event)
{
    enum { LEAVE = 0x1d }; /* ^] */

    if (event->code == LEAVE || app->output == NULL) {
        app->typing = false;
        app_say(app, _("keys are proftop's again; Enter goes back to typing"));
    } else if (event->code != KEYCODE_MOUSE) {
        output_type(app->output, event->code);
    }
}

void app_key(struct app *app, const struct key_event *event, int columns, int rows, uint64_t now_ns)
{
    app->columns = columns;
    app->rows = rows;
    app->key_ns = now_ns;
    app->has_status = false;
    if (app->typing) {
        type_key(app, event);
        return;
    }
    if (app->prompt.kind != PROMPT_NONE)
        prompt_key(app, event);
    else if (app->overlay != NULL)
        app->overlay->key(app, event);
    else if (event->code == KEYCODE_MOUSE)
        mouse_event(app, &event->mouse);
    else
        app_do(app, keys_action(event->code, app_shown(app)->name));
    submit_if_due(app, now_ns, true);
    if (app->config.synchronous)
        app_step(app, now_ns);
}

void app_render(struct app *app, struct grid *grid, uint64_t now_ns)
{
    struct screen_input input;
    struct screen_layout layout;

    app->waited = false;
    app->columns = grid->columns;
    app->rows = grid->rows;
    if (app_shown(app)->useful != NULL) {
        input = app_input(app, now_ns);
        if (!app_shown(app)->useful(&input))
            app->view = 0;
    }
    input = app_input(app, now_ns);
    layout = screen_lay_out(grid->columns, grid->rows, app_shown(app));
    if (app->output != NULL && strcmp(app_shown(app)->name, "output") == 0)
        app->alert = false;
    grid_clear(grid);
    if (input.profile == NULL) {
        chrome_title(&input, grid, 0);
        grid_text(grid, 2, 2, grid->columns - 2, ROLE_DIM, _("Waiting for the first samples…"));
    } else {
        screen_render(&input, app_shown(app), app->states[app->view], grid);
        app_follow_cursor(app);
        if (app->chosen != input.chosen && layout.status >= 0 && !layout.too_small) {
            input.chosen = app->chosen;
            grid_fill(grid, layout.status, 0, grid->columns, ROLE_NORMAL, " ");
            chrome_status(&input, grid, layout.status);
        }
    }
    if (app->overlay != NULL && !layout.too_small)
        app->overlay->render(app, grid);
    if (app->prompt.kind != PROMPT_NONE && !layout.too_small)
        prompt_render(app, grid, layout.status);
    submit_if_due(app, now_ns, true);
}

const char *app_copied(const struct app *app)
{
    return app->copied;
}

const struct settings *app_settings(const struct app *app)
{
    return &app->settings;
}

struct profile *app_profile(const struct app *app)
{
    return app->profile;
}

bool app_typing(const struct app *app)
{
    return app->typing;
}

const struct view_ops *app_view(const struct app *app)
{
    return app_shown(app);
}

const struct scope *app_scope(const struct app *app)
{
    return &app->scope;
}
