/* SPDX-License-Identifier: MIT */
/*
 * Views: each is a pure function from its state and one input to a grid of cells.  A view never
 * reads a clock, a file or a terminal; what it wants done it returns as a request.
 *
 *     key ─► enum action ─► view->key(state, input) ─► struct request ─► app changes scope or view
 *     fold, scope, size ─► view->render(state, input) ─► grid
 *
 * A new view is one file in view/ and one line in view_table.
 */
#ifndef PROFTOP_VIEW_H
#define PROFTOP_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/action.h"
#include "proftop/fold.h"
#include "proftop/grid.h"
#include "proftop/lane.h"
#include "proftop/profile.h"
#include "proftop/scope.h"

enum name_style { NAME_SHORT, NAME_FULL, NAME_RAW, NAME_STYLES };
enum unit_style { UNITS_SHARE, UNITS_CORES, UNITS_SAMPLES, UNITS_SECONDS, UNITS_STYLES };

#define FUNCTION_NONE UINT32_MAX

/*
 * What a view needs besides the fold.  The fold worker makes it along with the fold, so that
 * painting never waits for it; until it has, the view paints without.
 */
enum { SERIES_MAX = 128, SERIES_BUCKETS_MAX = 512 };

struct view_series {
    function_id function; /* FUNCTION_NONE: every one */
    uint32_t thread;      /* index in the profile; UINT32_MAX: every one */
};

struct comparison;  /* compare.h */
struct source_text; /* source_text.h */
struct timeline;    /* timeline.h */

/* A comparison of functions, and the seconds of one of them. */
struct view_contrast {
    bool wanted;
    lane_id lift;         /* UINT32_MAX: the fold's range against the rest of the recording; else
                             the top decile of this lane's readings against the others */
    bool total;           /* total times, not self times */
    function_id function; /* whose cores to give by bucket; FUNCTION_NONE: nobody's */
    uint64_t start_ns, bucket_ns;
    uint32_t buckets;
};

struct view_wants {
    function_id function; /* whose callers, callees and lines; FUNCTION_NONE: nobody's */
    bool bottom_up;       /* the tree turned over, from FUNCTION or from everything */
    bool source;          /* the file FUNCTION lies in */
    uint64_t span_ns;     /* series: the last so long before the fold's end; 0: the fold's range */
    uint32_t buckets, series_count;
    struct view_series series[SERIES_MAX];
    struct view_contrast contrast;
};

struct view_extra {
    struct view_wants wants; /* what was asked */
    uint64_t version;        /* of the fold it was made from */
    const struct fold_callers *callers;
    const struct fold *bottom_up;
    const struct fold_line *lines; /* of the function, heaviest first */
    uint32_t line_count;
    const struct source_text *source; /* NULL: not wanted, or not to be had … */
    const char *source_trouble;       /* … for this reason; or NULL */
    uint64_t start_ns, end_ns;        /* what the series cover */
    const uint64_t *weights;          /* [series][bucket], likewise samples */
    const uint64_t *samples;
    const struct comparison *comparison; /* NULL: not wanted, or a lane that does not move */
    const double *cores;                 /* of wants.contrast.function, by bucket */
};

/*
 * A recording so young is folded anew several times a second, and each time its rows are sorted:
 * the order of its first samples means nothing.
 */
enum { VIEW_YOUNG_MS = 3000 };

/* What the whole screen knows; views read it only. */
struct screen_input {
    const struct fold *fold;        /* NULL before the first */
    const struct view_extra *extra; /* NULL before the first; compare wants before use */
    const struct profile *profile;
    const struct scope *scope; /* what is asked for; fold->scope is what is shown */
    uint64_t now_ns;           /* the injected clock */
    uint64_t key_ns;           /* when the last key came: nothing is re-sorted right after one */
    uint32_t asked;            /* another number: FOLD shows something else than before */
    bool live;                 /* a process is being watched; false: a saved session */
    bool frozen;               /* the view stands still, the recording goes on */
    bool ended;                /* nothing more will come */
    bool stopped;              /* the target is held by SIGSTOP or a debugger */
    bool folding;              /* what is asked for is still being added up */
    const char *title;         /* "busy[8968]" */
    const char *status;        /* a sentence for the status line, or NULL */
    const char *search;        /* "" when none */
    const char *theme;
    function_id chosen; /* the function the views agree on; FUNCTION_NONE when none */
    function_id marked; /* highlighted everywhere; FUNCTION_NONE when none */
    enum name_style names;
    enum unit_style units;
    bool follow; /* cursor stays with its function */
    bool ascii;
    bool alert;                  /* the Output view has news */
    const struct output *output; /* what the launched command printed, or NULL */
    struct timeline *timeline;   /* lanes over time; NULL before the first */
    double overhead_pct;         /* the tool's own cost, of one core */
};

enum request_kind {
    REQUEST_NONE,   /* not a key of this view: the app may know it */
    REQUEST_REDRAW, /* done; paint again */
    REQUEST_SCOPE,  /* replace the scope by SCOPE, remembering the old one for Esc */
    REQUEST_DRILL,  /* show VIEW with FUNCTION chosen */
    REQUEST_TYPE,   /* keys go to the child's terminal now */
    REQUEST_SAY,    /* show TEXT in the status line */
};

struct request {
    enum request_kind kind;
    const char *view; /* a view's name */
    function_id function;
    struct scope scope;
    char text[256];
};

struct mouse_event {
    int row, column;
    enum {
        MOUSE_PRESS,
        MOUSE_DRAG,
        MOUSE_RELEASE,
        MOUSE_DOUBLE,
        MOUSE_WHEEL_UP,
        MOUSE_WHEEL_DOWN
    } kind;
};

struct view_ops {
    const char *name;  /* stable: "top" */
    const char *label; /* N_("Top"): its tab */
    size_t state_size; /* zeroed at the start; no pointers into folds may stay in it */
    size_t place_size; /* the first bytes of it are where one is: plain data, what Esc restores */
    struct request (*key)(void *state, const struct screen_input *input, enum action action,
                          int rows, int columns);
    struct request (*mouse)(void *state, const struct screen_input *input,
                            const struct mouse_event *event, int rows, int columns); /* or NULL */
    void (*render)(void *state, const struct screen_input *input, struct grid *grid);
    /*
     * What it would like made for a screen of ROWS, its rows in the order that render() is about to
     * give them; NULL: nothing.
     */
    void (*wants)(void *state, const struct screen_input *input, int rows, int columns,
                  struct view_wants *wants);
    /* The function under the cursor, FUNCTION_NONE when none; NULL: never one. */
    function_id (*chosen)(const void *state, const struct screen_input *input);
    /* It is shown from now on: go to input->chosen if that is there; or NULL. */
    void (*enter)(void *state, const struct screen_input *input);
    /* A list of the view's own lies on top and takes keys before the app does; or NULL. */
    bool (*on_top)(const void *state);
    void (*fini)(void *state);                        /* or NULL */
    bool (*useful)(const struct screen_input *input); /* NULL: always has a tab */
};

/* A row of a script, a search or the command line may name one. */
const struct view_ops *view_find(const char *name);

extern const struct view_ops *const view_table[];
extern const unsigned view_count;

#endif
