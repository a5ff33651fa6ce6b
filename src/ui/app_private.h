/* SPDX-License-Identifier: MIT */
/* The application's state, shared by the files that make it up. */
#ifndef UI_APP_PRIVATE_H
#define UI_APP_PRIVATE_H

#include "app.h"
#include "fold_worker.h"
#include "proftop/view.h"
#include "saver.h"

enum { VIEWS_MAX = 9, STEPS_MAX = 64, PLACE_MAX = 256, TEXT_MAX = 256, WISHES_MAX = 8 };

/* Where the person was before a drill, a filter or a range: what Esc brings back. */
struct step {
    struct scope scope;
    unsigned view;
    function_id chosen;
    uint8_t place[PLACE_MAX];
};

enum prompt_kind { PROMPT_NONE, PROMPT_SEARCH, PROMPT_FILTER, PROMPT_COMMAND };

/* The line being typed at the bottom. */
struct prompt {
    enum prompt_kind kind;
    char text[TEXT_MAX];
    char before[TEXT_MAX]; /* what Esc brings back */
    struct scope scope_before;
    uint8_t place[PLACE_MAX];
    bool stepped; /* a step has been pushed for it */
};

struct overlay;

struct app {
    struct app_config config;
    struct settings settings;
    struct profile *profile; /* the newest; a reference */
    struct profile *frozen;  /* what is shown while frozen; a reference, or NULL */
    struct fold_worker *worker;
    struct fold_result *result; /* what is shown; NULL before the first */
    struct saver *saver;
    struct output *output;
    struct timeline *timeline; /* of the visible profile */

    struct scope scope;
    uint32_t asked, submitted; /* SUBMITTED: the ASKED of the last job */
    struct view_wants wants;   /* of the last job */
    uint64_t submit_ns;
    bool dirty_profile; /* newer than the last job's */

    unsigned view;
    void *states[VIEWS_MAX];
    function_id left[VIEWS_MAX]; /* the chosen function when each view was last shown */
    function_id chosen, marked;
    struct step steps[STEPS_MAX];
    unsigned step_count;

    struct prompt prompt;
    char search[TEXT_MAX];
    char status[512];
    bool has_status, typing, stopped, alert;
    bool waited; /* since the last paint, for what the newest fold's rows want beside it */
    bool late;   /* the fold that is awaited takes long, and the screen says so */
    bool moved;  /* the person has used a view: its function is then where others begin */
    uint64_t key_ns, drag_ns;
    double overhead_pct;
    uint32_t notes_told;
    uint32_t execs;    /* of the first process, when its title was made */
    int columns, rows; /* of the screen, when a key last came or it was last drawn */

    const struct overlay *overlay;
    int overlay_cursor, overlay_top;
    struct save_form *save_form;

    enum app_wish wishes[WISHES_MAX];
    unsigned wish_count;
    char copied[1024];
};

/*
 * Something on top of the views that takes all keys: a menu, a form, the help.
 */
struct overlay {
    const char *name;
    void (*open)(struct app *app); /* or NULL */
    void (*render)(struct app *app, struct grid *grid);
    void (*key)(struct app *app, const struct key_event *event);
    void (*close)(struct app *app); /* or NULL */
};

extern const struct overlay overlay_help;
extern const struct overlay overlay_info;
extern const struct overlay overlay_metric;
extern const struct overlay overlay_quit;
extern const struct overlay overlay_save;
extern const struct overlay overlay_setup;
extern const struct overlay overlay_sort;

void overlay_open(struct app *app, const struct overlay *overlay);
void overlay_close(struct app *app);
/* EVENT is one of the keys that close any of them, and has. */
bool overlay_closes(struct app *app, const struct key_event *event);

/* app.c */
const struct view_ops *app_shown(const struct app *app);
struct screen_input app_input(const struct app *app, uint64_t now_ns);
struct profile *app_visible(const struct app *app); /* frozen or newest; NULL before the first */
void app_wish_for(struct app *app, enum app_wish wish);
void app_submit(struct app *app, uint64_t now_ns);
/* Learns which function the view's cursor is on now. */
void app_follow_cursor(struct app *app);

/* app_scope.c: changes that Esc undoes. */
void app_push_step(struct app *app);
bool app_pop_step(struct app *app);
void app_change_scope(struct app *app, const struct scope *scope, bool undoable);
void app_show_view(struct app *app, unsigned view);
void app_drill(struct app *app, const char *view, function_id function);
bool app_scope_action(struct app *app, enum action action);

/* app_actions.c */
void app_do(struct app *app, enum action action);
void app_request(struct app *app, const struct request *request);
struct request app_view_key(struct app *app, enum action action);

/* app_prompt.c, app_command.c */
/* Whether TEXT can be a filter; says why not. */
bool filter_good(struct app *app, const char *text);
void prompt_open(struct app *app, enum prompt_kind kind);
void prompt_key(struct app *app, const struct key_event *event);
void prompt_render(struct app *app, struct grid *grid, int row);
void command_run(struct app *app, const char *line);
/* Completes TEXT in place; false when there is nothing to add. */
bool command_complete(char *text, size_t size_bytes);

/* The one line editor: false when EVENT is not its business. */
bool edit_text(char *text, size_t size_bytes, const struct key_event *event);

#endif
