/* SPDX-License-Identifier: MIT */
/*
 * Drawing a tree and moving in it.
 *
 *      TOTAL%               SELF%  SAMP  FUNCTION                               MODULE
 *       97.6 █████████▊      0.6  1768    - worker                              busy
 *       97.6 █████████▊        -  1768    └ only child of a frame that did nothing itself
 */
#include "config.h"

#include "tree_pane.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "views.h"

enum {
    TOTAL_COLUMNS = 8,
    BAR_COLUMNS = 11,
    SELF_COLUMNS = 8,
    SAMPLES_COLUMNS = 6,
    MODULE_COLUMNS = 10,
    MARKER_COLUMNS = 2,
    NAME_MIN = 24,
    LEVELS_MAX = 200, /* opened at once */
    BAR_FROM = 72,    /* columns of the view from which there is room for each */
    SAMPLES_FROM = 60,
    MODULE_FROM = 50
};

struct layout {
    int bar, self, samples, name, name_width, module; /* where they begin; -1: none */
};

static struct layout lay_out(int width)
{
    struct layout layout = { .bar = -1, .samples = -1, .module = -1 };
    int at = TOTAL_COLUMNS;

    if (width >= BAR_FROM) {
        layout.bar = at;
        at += BAR_COLUMNS;
    }
    layout.self = at;
    at += SELF_COLUMNS;
    if (width >= SAMPLES_FROM) {
        layout.samples = at;
        at += SAMPLES_COLUMNS;
    }
    layout.name = at + 1;
    layout.name_width = width - layout.name;
    if (width >= MODULE_FROM) {
        layout.module = width - MODULE_COLUMNS;
        layout.name_width -= MODULE_COLUMNS + 1;
    }
    return layout;
}

static void prepare(struct tree_pane *pane, const struct screen_input *input,
                    const struct fold *fold, int height)
{
    struct tree_rows *rows = &pane->rows;
    bool sort = resort_due(&rows->resort, input);
    int found;

    if (!rows->valid || rows->version != fold->version || rows->touched || (rows->held && sort)) {
        tree_rows_update(rows, fold, !sort);
        resort_done(&rows->resort, input, sort);
    }
    found = pane->place.pinned && input->follow ? tree_rows_find(rows, pane->place.path) : -1;
    if (found >= 0)
        pane->place.list.cursor = found;
    if (found >= 0 && pane->place.revealed) /* with its callers in sight above it */
        pane->place.list.top = found - height / 2;
    pane->place.revealed &= found < 0;
    list_fit(&pane->place.list, (int)rows->count, height);
}

static void pin(struct tree_pane *pane)
{
    int at = pane->place.list.cursor;

    pane->place.pinned = at != 0;
    pane->place.path = at < (int)pane->rows.count ? pane->rows.rows[at].path : PATH_NONE;
}

static void go(struct tree_pane *pane, int row, int height)
{
    if (row < 0)
        return;
    pane->place.list.cursor = row;
    list_fit(&pane->place.list, (int)pane->rows.count, height);
    pin(pane);
}

static struct request search(struct tree_pane *pane, const struct screen_input *input,
                             const struct fold *fold, int step, int height)
{
    struct request request = { .kind = REQUEST_REDRAW };
    int count = (int)pane->rows.count, at = pane->place.list.cursor + step;

    for (int i = 0; i < count; i++, at += step != 0 ? step : 1) {
        const struct tree_row *row;

        at = (at % count + count) % count;
        row = &pane->rows.rows[at];
        if (at != 0 && row->process == 0 &&
            format_matches(input, names_get(fold->names, row->function)->name)) {
            go(pane, at, height);
            return request;
        }
    }
    for (uint32_t i = 0; i < fold->row_count; i++) /* closed rows may hide it */
        if (format_matches(input, names_get(fold->names, fold->rows[i].function)->name)) {
            tree_pane_reveal(pane, fold, fold->rows[i].function);
            return request;
        }
    return request_not_found(input);
}

/* Expand, or collapse or go to the parent, of the row under the cursor. */
static void fold_row(struct tree_pane *pane, bool open, int height)
{
    const struct tree_row *row = &pane->rows.rows[pane->place.list.cursor];

    if (row->has_children && row->open != open)
        tree_rows_set(&pane->rows, row->path, open);
    else if (!open)
        go(pane, row->parent, height);
    else if (row->has_children)
        go(pane, pane->place.list.cursor + 1, height);
    if (!pane->place.pinned)
        pin(pane);
}

/* Opens what is closed below the row under the cursor; true when there was anything. */
static bool open_closed_below(struct tree_pane *pane)
{
    int first = pane->place.list.cursor, at = first;
    bool any = false;

    do {
        const struct tree_row *row = &pane->rows.rows[at];

        if (row->has_children && !row->open) {
            tree_rows_set(&pane->rows, row->path, true);
            any = true;
        }
        at++;
    } while (at < (int)pane->rows.count && pane->rows.rows[at].parent >= first);
    return any;
}

/* Level by level: what is closed has no rows yet to be opened. */
static void expand_below(struct tree_pane *pane, const struct fold *fold)
{
    for (int level = 0; level < LEVELS_MAX && open_closed_below(pane); level++)
        tree_rows_update(&pane->rows, fold, true);
}

struct request tree_pane_key(struct tree_pane *pane, const struct screen_input *input,
                             const struct fold *fold, enum action action, int height)
{
    struct request request = { .kind = REQUEST_REDRAW };
    const struct tree_row *row;

    height--;
    prepare(pane, input, fold, height);
    if (list_key(&pane->place.list, action, (int)pane->rows.count, height)) {
        pin(pane);
        return request;
    }
    if (pane->rows.count == 0)
        return (struct request){ .kind = REQUEST_NONE };
    row = &pane->rows.rows[pane->place.list.cursor];
    switch (action) {
    case ACTION_ENTER:
        if (row->process != 0)
            return request_process(input, (int32_t)row->process);
        if (pane->place.list.cursor != 0)
            return (struct request){ .kind = REQUEST_DRILL,
                                     .view = "callers",
                                     .function = row->function };
        break;
    case ACTION_LEFT:
    case ACTION_COLLAPSE:
        fold_row(pane, false, height);
        break;
    case ACTION_RIGHT:
    case ACTION_EXPAND:
        fold_row(pane, true, height);
        break;
    case ACTION_EXPAND_BELOW:
        expand_below(pane, fold);
        break;
    case ACTION_EXPAND_ALL:
        tree_rows_set_all(&pane->rows, 0);
        break;
    case ACTION_COLLAPSE_BELOW:
        tree_rows_set_all(&pane->rows, 2);
        break;
    case ACTION_HOTTEST:
        pane->place.path = tree_rows_hottest(&pane->rows, fold, row->path);
        pane->place.pinned = pane->place.path != PATH_NONE;
        break;
    case ACTION_SEARCH:
        return search(pane, input, fold, 0, height);
    case ACTION_SEARCH_NEXT:
        return search(pane, input, fold, 1, height);
    case ACTION_SEARCH_PREVIOUS:
        return search(pane, input, fold, -1, height);
    default:
        request.kind = REQUEST_NONE;
    }
    return request;
}

struct request tree_pane_mouse(struct tree_pane *pane, const struct screen_input *input,
                               const struct fold *fold, const struct mouse_event *event, int height)
{
    struct request request = { .kind = REQUEST_REDRAW };

    prepare(pane, input, fold, height - 1);
    if (!list_mouse(&pane->place.list, event, 1, (int)pane->rows.count, height - 1))
        return (struct request){ .kind = REQUEST_NONE };
    pin(pane);
    if (event->kind == MOUSE_DOUBLE) {
        const struct tree_row *row = &pane->rows.rows[pane->place.list.cursor];

        if (row->has_children)
            tree_rows_set(&pane->rows, row->path, !row->open);
    }
    return request;
}

static void render_header(const struct tree_pane *pane, const struct screen_input *input,
                          struct grid *grid, const struct layout *layout)
{
    char title[FORMAT_MAX];

    grid_fill(grid, 0, 0, grid->columns, ROLE_HEADER, " ");
    snprintf(title, sizeof(title), "%s%s", _("TOTAL"), format_unit(input));
    grid_text_right(grid, 0, 0, TOTAL_COLUMNS - 1, ROLE_HEADER, title);
    snprintf(title, sizeof(title), "%s%s", _("SELF"), format_unit(input));
    grid_text_right(grid, 0, layout->self, SELF_COLUMNS - 1, ROLE_HEADER, title);
    if (layout->samples >= 0)
        grid_text_right(grid, 0, layout->samples, SAMPLES_COLUMNS - 1, ROLE_HEADER, _("SAMP"));
    grid_text(grid, 0, layout->name, layout->name_width, ROLE_HEADER, _("FUNCTION"));
    if (pane->rows.held && resort_waits(input))
        grid_text_right(grid, 0, layout->name, layout->name_width, ROLE_HEADER, _("sort held"));
    if (layout->module >= 0)
        grid_text(grid, 0, layout->module, MODULE_COLUMNS, ROLE_HEADER, _("MODULE"));
}

/* How far names are moved left, so that those around the cursor keep room to be read. */
static int shift_of(const struct tree_pane *pane, const struct layout *layout)
{
    int indent = pane->rows.rows[pane->place.list.cursor].indent;
    int room = layout->name_width - MARKER_COLUMNS - NAME_MIN;

    return indent > room ? indent - (room > 0 ? room : 0) : 0;
}

static const char *name_of(char buffer[NAME_MAX_BYTES], const struct screen_input *input,
                           const struct fold *fold, const struct tree_row *row, int columns)
{
    size_t length;

    if (row->process != 0) {
        format_process(buffer, input->profile, (int32_t)row->process);
        return buffer;
    }
    format_name(buffer, input, names_get(fold->names, row->function), columns);
    length = strlen(buffer);
    if (row->times > 1)
        snprintf(buffer + length, NAME_MAX_BYTES - length, " %s%u", input->ascii ? "x" : "\u00d7",
                 row->times);
    return buffer;
}

static void render_name(const struct screen_input *input, const struct fold *fold,
                        struct grid *grid, int at, const struct tree_row *row,
                        const struct layout *layout, int shift, const char *root)
{
    const struct function *function =
        row->parent < 0 || row->process != 0 ? NULL : names_get(fold->names, row->function);
    enum role role = function != NULL ? format_role(input, function) : ROLE_TITLE;
    int indent = row->indent - shift;
    const char *marker = !row->has_children ? " " : row->open ? "-" : "+";
    int left, width;
    char name[NAME_MAX_BYTES], module[FORMAT_LONG];
    const char *found;

    if (row->chain && (row->open || !row->has_children))
        marker = input->ascii ? "`" : "\u2514";
    if (indent < 0)
        indent = 0;
    left = layout->name + indent;
    width = layout->name_width - indent - MARKER_COLUMNS;
    grid_text(grid, at, left, 1, ROLE_DIM, marker);
    if (function == NULL && row->process == 0)
        snprintf(name, sizeof(name), "%s", root);
    else
        name_of(name, input, fold, row, width);
    grid_text(grid, at, left + MARKER_COLUMNS, width, role, name);
    found =
        input->search != NULL && input->search[0] != '\0' ? strcasestr(name, input->search) : NULL;
    if (found != NULL && found - name < width)
        grid_role(grid, at, left + MARKER_COLUMNS + (int)(found - name), (int)strlen(input->search),
                  ROLE_MATCH);
    if (function != NULL && layout->module >= 0)
        grid_text(grid, at, layout->module, MODULE_COLUMNS,
                  role == ROLE_KERNEL ? ROLE_KERNEL : ROLE_DIM, format_module(module, function));
}

static void render_numbers(const struct screen_input *input, const struct fold *fold,
                           struct grid *grid, int at, const struct tree_row *row,
                           const struct layout *layout)
{
    char text[FORMAT_MAX];

    format_weight(text, input, fold, row->total, row->total_samples);
    grid_text_right(grid, at, 0, TOTAL_COLUMNS - 1,
                    row->total_samples < FEW_SAMPLES ? ROLE_DIM : ROLE_NORMAL, text);
    if (layout->bar >= 0)
        grid_bar(grid, at, layout->bar, BAR_COLUMNS - 1, ROLE_BAR, format_part(fold, row->total));
    format_weight(text, input, fold, row->self, row->self_samples);
    grid_text_right(grid, at, layout->self, SELF_COLUMNS - 1,
                    row->self_samples < FEW_SAMPLES ? ROLE_DIM : ROLE_NORMAL, text);
    if (layout->samples >= 0) {
        snprintf(text, sizeof(text), "%llu", (unsigned long long)row->total_samples);
        grid_text_right(grid, at, layout->samples, SAMPLES_COLUMNS - 1, ROLE_NORMAL, text);
    }
}

void tree_pane_render(struct tree_pane *pane, const struct screen_input *input,
                      const struct fold *fold, struct grid *grid, const char *root)
{
    struct layout layout = lay_out(grid->columns);
    const struct list *list = &pane->place.list;
    int shift;

    if (grid->rows < 2)
        return;
    prepare(pane, input, fold, grid->rows - 1);
    render_header(pane, input, grid, &layout);
    if (pane->rows.count == 0)
        return;
    shift = shift_of(pane, &layout);
    for (int i = 0; i < grid->rows - 1 && list->top + i < (int)pane->rows.count; i++) {
        const struct tree_row *row = &pane->rows.rows[list->top + i];

        render_numbers(input, fold, grid, i + 1, row, &layout);
        render_name(input, fold, grid, i + 1, row, &layout, shift, root);
        if (list->top + i == list->cursor)
            grid_role(grid, i + 1, 0, grid->columns, ROLE_SELECTED);
    }
}

function_id tree_pane_chosen(const struct tree_pane *pane)
{
    int at = pane->place.list.cursor;

    return at > 0 && at < (int)pane->rows.count && pane->rows.rows[at].process == 0
               ? pane->rows.rows[at].function
               : FUNCTION_NONE;
}

void tree_pane_reveal(struct tree_pane *pane, const struct fold *fold, function_id function)
{
    uint64_t path = tree_rows_reveal(&pane->rows, fold, function);

    if (path == PATH_NONE)
        return;
    pane->place.path = path;
    pane->place.pinned = pane->place.revealed = true;
}
