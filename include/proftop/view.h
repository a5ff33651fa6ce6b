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
enum unit_style { UNIT_SHARE, UNIT_CORES, UNIT_SAMPLES, UNIT_SECONDS, UNIT_STYLES };

/* What the whole screen knows; views read it only. */
struct screen_input {
    const struct fold *fold; /* NULL before the first */
    const struct fold *rest; /* the recording outside the range, for comparing; or NULL */
    const struct profile *profile;
    const struct scope *scope;
    uint64_t now_ns; /* the injected clock */
    bool live, frozen, ended, folding;
    const char *title;  /* "busy[8968]" */
    const char *status; /* a sentence for the status line, or NULL */
    const char *search; /* "" when none */
    function_id chosen; /* the function the views agree on; UINT32_MAX none */
    enum name_style names;
    enum unit_style units;
    bool follow; /* cursor stays with its function */
    bool ascii;
    const struct text_page *page;    /* source or assembly, when asked for and there */
    const struct terminal *terminal; /* the child's own, or NULL */
    double overhead_pct;             /* the tool's own cost, of one core */
};

enum request_kind {
    REQUEST_NONE,
    REQUEST_REDRAW,
    REQUEST_SCOPE,  /* replace the scope by SCOPE, remembering the old one for Esc */
    REQUEST_DRILL,  /* show VIEW with FUNCTION chosen */
    REQUEST_CHOOSE, /* FUNCTION is now the chosen one */
    REQUEST_PAGE,   /* fetch source or assembly of FUNCTION */
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
    struct request (*key)(void *state, const struct screen_input *input, enum action action,
                          int rows, int columns);
    struct request (*mouse)(void *state, const struct screen_input *input,
                            const struct mouse_event *event, int rows, int columns); /* or NULL */
    void (*render)(void *state, const struct screen_input *input, struct grid *grid);
    bool (*useful)(const struct screen_input *input); /* NULL: always has a tab */
};

extern const struct view_ops *const view_table[];
extern const unsigned view_count;

#endif
