/* SPDX-License-Identifier: MIT */
/*
 * Changing what is shown, and going back.
 *
 *     Top ──Enter──► Callers of f ──\ regex──► … filtered        each arrow pushes a step;
 *      ▲                 ▲    Esc ◄──────────────────┘            Esc pops one and puts everything
 *      └────── Esc ──────┘                                        back: scope, view, cursor
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "app_private.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/metric.h"
#include "src/view/chrome.h"

#define RANGE_STEP_NS NS_PER_S

static void save_place(const struct app *app, unsigned view, uint8_t place[PLACE_MAX])
{
    memcpy(place, app->states[view], view_table[view]->place_size);
}

static void restore_place(struct app *app, unsigned view, const uint8_t place[PLACE_MAX])
{
    memcpy(app->states[view], place, view_table[view]->place_size);
}

void app_push_step(struct app *app)
{
    struct step *step;

    if (app->step_count == STEPS_MAX) /* forget the oldest */
        memmove(app->steps, app->steps + 1, --app->step_count * sizeof(app->steps[0]));
    step = &app->steps[app->step_count++];
    step->scope = app->scope;
    step->view = app->view;
    step->chosen = app->chosen;
    save_place(app, app->view, step->place);
}

bool app_pop_step(struct app *app)
{
    while (app->step_count > 0) {
        const struct step *step = &app->steps[--app->step_count];
        bool other_scope = !scope_equal(&step->scope, &app->scope);
        bool changes =
            other_scope || step->view != app->view ||
            memcmp(step->place, app->states[step->view], view_table[step->view]->place_size) != 0;

        app->scope = step->scope;
        app->view = step->view;
        app->chosen = step->chosen;
        restore_place(app, step->view, step->place);
        if (other_scope)
            app->asked++;
        if (changes)
            return true;
    }
    return false;
}

void app_change_scope(struct app *app, const struct scope *scope, bool undoable)
{
    if (scope_equal(scope, &app->scope))
        return;
    if (undoable)
        app_push_step(app);
    app->scope = *scope;
    app->asked++;
}

void app_show_view(struct app *app, unsigned view)
{
    struct screen_input input = app_input(app, app->key_ns);

    if (view >= view_count || view == app->view || !chrome_has_tab(&input, view_table[view]))
        return;
    app_follow_cursor(app);
    app->left[app->view] = app->chosen;
    input = app_input(app, app->key_ns);
    app->view = view;
    if (view_table[view]->enter != NULL && app->moved && app->left[view] != app->chosen)
        view_table[view]->enter(app->states[view], &input);
}

void app_drill(struct app *app, const char *view, function_id function)
{
    const struct view_ops *ops = view_find(view);
    struct screen_input input;

    if (ops == NULL)
        return;
    app_push_step(app);
    app->left[app->view] = app->chosen;
    app->chosen = function;
    input = app_input(app, app->key_ns);
    for (unsigned i = 0; i < view_count; i++)
        if (view_table[i] == ops)
            app->view = i;
    if (ops->enter != NULL)
        ops->enter(app->states[app->view], &input);
}

/* ---- ranges -------------------------------------------------------------------------------------
 */

/* The range as two moments, whatever it was said as. */
static void fix_range(const struct app *app, struct scope *scope)
{
    uint64_t start = profile_start_ns(app_visible(app)), end = profile_end_ns(app_visible(app));

    if (scope->last_ns != 0) {
        scope->start_ns = end > start + scope->last_ns ? end - scope->last_ns : start;
        scope->end_ns = end;
        scope->last_ns = 0;
    }
    if (scope->start_ns == 0)
        scope->start_ns = start;
    if (scope->end_ns == UINT64_MAX)
        scope->end_ns = end;
}

static void range_from(struct app *app, bool keep_end)
{
    struct scope scope = app->scope;

    scope.last_ns = 0;
    scope.start_ns = profile_end_ns(app_visible(app));
    if (!keep_end || scope.end_ns <= scope.start_ns)
        scope.end_ns = UINT64_MAX;
    app_change_scope(app, &scope, true);
}

static void range_to(struct app *app)
{
    struct scope scope = app->scope;

    fix_range(app, &scope);
    scope.end_ns = profile_end_ns(app_visible(app));
    if (scope.end_ns <= scope.start_ns) {
        app_say(app, _("the range would end before it begins"));
        return;
    }
    app_change_scope(app, &scope, true);
}

static void move_range(struct app *app, int direction)
{
    struct scope scope = app->scope;
    uint64_t start = profile_start_ns(app_visible(app)), end = profile_end_ns(app_visible(app));

    fix_range(app, &scope);
    if (direction < 0 && scope.start_ns < start + RANGE_STEP_NS) {
        app_say(app, _("the range begins where the recording does"));
        return;
    }
    if (direction > 0 && scope.end_ns + RANGE_STEP_NS > end) {
        app_say(app, _("the range ends where the recording does; w follows it again"));
        return;
    }
    scope.start_ns += direction < 0 ? -RANGE_STEP_NS : RANGE_STEP_NS;
    scope.end_ns += direction < 0 ? -RANGE_STEP_NS : RANGE_STEP_NS;
    /* One step back undoes a whole walk. */
    app_change_scope(app, &scope, app->scope.last_ns != 0 || app->scope.end_ns == UINT64_MAX);
}

static void next_window(struct app *app)
{
    static const uint64_t windows_s[] = { 10, 30, 60, 300, 0 };
    enum { WINDOWS = sizeof(windows_s) / sizeof(windows_s[0]) };
    struct scope scope = app->scope;
    size_t at = 0;

    if (app->config.live && (scope.last_ns != 0 || scope.end_ns == UINT64_MAX))
        while (at < WINDOWS && windows_s[at] * NS_PER_S != scope.last_ns)
            at++;
    else
        at = WINDOWS - 2; /* a fixed range, a saved session: everything comes next */
    scope.last_ns = windows_s[(at + 1) % WINDOWS] * NS_PER_S;
    scope.start_ns = 0;
    scope.end_ns = UINT64_MAX;
    app_change_scope(app, &scope, true);
}

/* ---- states, processes, modules -----------------------------------------------------------------
 */

static void next_state(struct app *app)
{
    static const enum scope_state after[SCOPE_STATES] = { [SCOPE_ON_CPU] = SCOPE_WAITING,
                                                          [SCOPE_WAITING] = SCOPE_ALL,
                                                          [SCOPE_ALL] = SCOPE_GIL,
                                                          [SCOPE_GIL] = SCOPE_ON_CPU };
    struct scope scope = app->scope;

    scope.state = after[scope.state];
    app_change_scope(app, &scope, true);
}

/* One process after the other in the order they came, then all of them. */
static void next_process(struct app *app)
{
    struct profile *profile = app_visible(app);
    uint32_t count = profile_threads(profile);
    struct scope scope = app->scope;
    bool passed = scope.processes[0] == 0;
    int32_t next = 0;

    for (uint32_t i = 0; i < count && next == 0; i++) {
        const struct profile_thread *thread = profile_thread(profile, i);

        if (!thread->process)
            continue;
        if (passed)
            next = thread->pid;
        passed |= thread->pid == scope.processes[0];
    }
    memset(scope.processes, 0, sizeof(scope.processes));
    scope.processes[0] = next;
    app_change_scope(app, &scope, true);
}

static void toggle_module(struct app *app)
{
    struct scope scope = app->scope;

    if (scope.only_module[0] != '\0') {
        scope.only_module[0] = '\0';
    } else if (app->result != NULL && app->chosen != FUNCTION_NONE) {
        const struct function *function = names_get(app->result->fold->names, app->chosen);

        if (strlen(function->module) >= sizeof(scope.only_module) || function->module[0] == '\0') {
            app_say(app, _("this function has no module to stay in"));
            return;
        }
        snprintf(scope.only_module, sizeof(scope.only_module), "%s", function->module);
    }
    app_change_scope(app, &scope, true);
}

static void toggle(struct app *app, bool *flag, const struct scope *scope)
{
    *flag = !*flag;
    app_change_scope(app, scope, false);
}

bool app_scope_action(struct app *app, enum action action)
{
    struct scope scope = app->scope;

    switch (action) {
    case ACTION_RANGE_START:
        range_from(app, true);
        return true;
    case ACTION_RANGE_FROM_NOW:
        range_from(app, false);
        return true;
    case ACTION_RANGE_END:
        range_to(app);
        return true;
    case ACTION_RANGE_EARLIER:
    case ACTION_RANGE_LATER:
        move_range(app, action == ACTION_RANGE_EARLIER ? -1 : 1);
        return true;
    case ACTION_RANGE_WINDOW:
        next_window(app);
        return true;
    case ACTION_STATE:
        next_state(app);
        return true;
    case ACTION_ALL_PROCESSES:
        next_process(app);
        return true;
    case ACTION_ONLY_MODULE:
        toggle_module(app);
        return true;
    case ACTION_HIDE_KERNEL:
        toggle(app, &scope.hide_kernel, &scope);
        return true;
    case ACTION_HIDE_USER:
        toggle(app, &scope.hide_user, &scope);
        return true;
    case ACTION_FOLD_LIBRARIES:
        toggle(app, &scope.fold_libraries, &scope);
        return true;
    case ACTION_INTERNAL:
        toggle(app, &scope.show_internal, &scope);
        return true;
    case ACTION_CLEAR:
        scope.filter[0] = '\0';
        app_change_scope(app, &scope, true);
        return true;
    default:
        return false;
    }
}
