/* SPDX-License-Identifier: MIT */
/*
 * Threads: what each was doing, exited ones too.
 *
 *        TID NAME       S  CPU% run/queued/wait LAST 20s             TOP FUNCTION NOW
 *       8970 wrk-0      R  87.5 ########..      ▇▇▇▇▇▇▇▇▇▇▇▇▃▃▃▃▃▇▇▇ Table::sum    41%
 *       8969 init-tmp   X                       gone at 0:41, its 12 samples are kept
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "list.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/text.h"
#include "proftop/view.h"
#include "threads_row.h"
#include "views.h"

enum thread_sort { SORT_BY_CPU, SORT_BY_WAIT, SORT_BY_TID, SORT_BY_NAME, THREAD_SORTS };

struct threads_state {
    struct threads_place {
        struct list list;
        uint32_t cursor; /* profile's thread index + 1; 0: none */
        uint32_t sort;   /* enum thread_sort */
        bool inverted;
    } place;
    uint32_t *order; /* indices into fold->threads */
    uint32_t *kept;  /* the same as profile indices */
    size_t order_room, kept_room;
    uint32_t count, asked;
    uint64_t version, sorted_ns, seen_ns; /* SEEN: when last drawn */
    uint32_t sorted_by;
    bool valid, held;
};

struct comparison {
    const struct screen_input *input;
    uint32_t sort;
    bool inverted;
};

static int descending(uint64_t a, uint64_t b)
{
    return a < b ? 1 : a > b ? -1 : 0;
}

static int compare(const void *a, const void *b, void *context)
{
    const struct comparison *by = context;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    const struct fold_thread *first = &by->input->fold->threads[i];
    const struct fold_thread *second = &by->input->fold->threads[k];
    const struct profile_thread *x = threads_facts(by->input, first),
                                *y = threads_facts(by->input, second);
    int result;

    if (threads_gone(by->input, first) != threads_gone(by->input, second))
        return threads_gone(by->input, first) ? 1 : -1;
    switch (by->sort) {
    case SORT_BY_WAIT:
        result = descending(first->waiting_ns, second->waiting_ns);
        break;
    case SORT_BY_TID:
        result = x->tid < y->tid ? -1 : x->tid > y->tid;
        break;
    case SORT_BY_NAME:
        result = strcmp(x->name, y->name);
        break;
    default:
        result = descending(first->running_ns, second->running_ns);
    }
    if (by->inverted)
        result = -result;
    return result != 0 ? result : x->tid < y->tid ? -1 : x->tid > y->tid;
}

/* Keeps the order shown; threads that are new join at the end. */
static void keep_order(struct threads_state *state, const struct fold *fold)
{
    uint32_t total = profile_threads(fold->profile), count = 0;
    uint32_t *place_of = xmalloc(sizeof(*place_of) * ((size_t)total + 1));

    memset(place_of, 0xff, sizeof(*place_of) * total);
    for (uint32_t i = 0; i < fold->thread_count; i++)
        if (fold->threads[i].thread < total)
            place_of[fold->threads[i].thread] = i;
    for (uint32_t i = 0; i < state->count; i++) {
        uint32_t thread = state->kept[i];

        if (thread < total && place_of[thread] != UINT32_MAX) {
            state->order[count++] = place_of[thread];
            place_of[thread] = UINT32_MAX;
        }
    }
    for (uint32_t i = 0; i < fold->thread_count; i++)
        if (fold->threads[i].thread < total && place_of[fold->threads[i].thread] != UINT32_MAX)
            state->order[count++] = i;
    state->count = count;
    free(place_of);
}

static void update_order(struct threads_state *state, const struct screen_input *input)
{
    const struct fold *fold = input->fold;
    uint32_t by = state->place.sort * 2 + (state->place.inverted ? 1 : 0);
    bool quiet = (input->now_ns >= input->key_ns + 2 * NS_PER_S &&
                  input->now_ns >= state->sorted_ns + NS_PER_S) ||
                 input->now_ns > state->seen_ns + 2 * NS_PER_S; /* nobody was looking */
    bool sort = !state->valid || state->asked != input->asked || state->sorted_by != by || quiet;

    state->seen_ns = input->now_ns;
    if (state->valid && state->version == fold->version && state->sorted_by == by &&
        !(state->held && quiet))
        return;
    state->order =
        array_reserve(state->order, &state->order_room,
                      (size_t)fold->thread_count + state->count + 1, sizeof(state->order[0]));
    if (sort) {
        struct comparison comparison = { input, state->place.sort, state->place.inverted };

        for (uint32_t i = 0; i < fold->thread_count; i++)
            state->order[i] = i;
        state->count = fold->thread_count;
        qsort_r(state->order, state->count, sizeof(state->order[0]), compare, &comparison);
        state->sorted_ns = input->now_ns;
    } else {
        keep_order(state, fold);
    }
    state->held = !sort;
    state->kept = array_reserve(state->kept, &state->kept_room, (size_t)state->count + 1,
                                sizeof(state->kept[0]));
    for (uint32_t i = 0; i < state->count; i++)
        state->kept[i] = fold->threads[state->order[i]].thread;
    state->version = fold->version;
    state->asked = input->asked;
    state->sorted_by = by;
    state->valid = true;
}

static void prepare(struct threads_state *state, const struct screen_input *input, int rows)
{
    update_order(state, input);
    if (input->follow && state->place.cursor != 0)
        for (uint32_t i = 0; i < state->count; i++)
            if (state->kept[i] == state->place.cursor - 1)
                state->place.list.cursor = (int)i;
    list_fit(&state->place.list, (int)state->count, rows);
}

static void pin(struct threads_state *state)
{
    int at = state->place.list.cursor;

    state->place.cursor = at > 0 && at < (int)state->count ? state->kept[at] + 1 : 0;
}

static const struct fold_thread *thread_at(const struct threads_state *state,
                                           const struct screen_input *input, int index)
{
    return index >= 0 && index < (int)state->count ? &input->fold->threads[state->order[index]]
                                                   : NULL;
}

/* Only this thread; or, when it is the only one already, all again. */
static struct request only_thread(const struct threads_state *state,
                                  const struct screen_input *input)
{
    const struct fold_thread *thread = thread_at(state, input, state->place.list.cursor);
    struct request request = { .kind = REQUEST_SCOPE, .scope = *input->scope };
    int32_t tid;

    if (thread == NULL)
        return (struct request){ .kind = REQUEST_REDRAW };
    tid = threads_facts(input, thread)->tid;
    memset(request.scope.threads, 0, sizeof(request.scope.threads));
    if (input->scope->threads[0] != tid || input->scope->threads[1] != 0)
        request.scope.threads[0] = tid;
    request.scope.thread_name[0] = '\0';
    return request;
}

static struct request search(struct threads_state *state, const struct screen_input *input,
                             int step, int rows)
{
    struct request request = { .kind = REQUEST_REDRAW };
    int count = (int)state->count, at = state->place.list.cursor + step;

    for (int i = 0; i < count; i++, at += step != 0 ? step : 1) {
        char tid[FORMAT_MAX];
        const struct profile_thread *facts;

        at = (at % count + count) % count;
        facts = threads_facts(input, thread_at(state, input, at));
        snprintf(tid, sizeof(tid), "%d", facts->tid);
        if (format_matches(input, facts->name) || format_matches(input, tid)) {
            state->place.list.cursor = at;
            list_fit(&state->place.list, count, rows);
            pin(state);
            return request;
        }
    }
    request.kind = REQUEST_SAY;
    snprintf(request.text, sizeof(request.text), _("not found: %.100s"), input->search);
    return request;
}

static struct request key(void *opaque, const struct screen_input *input, enum action action,
                          int rows, int columns)
{
    struct threads_state *state = opaque;
    struct request request = { .kind = REQUEST_REDRAW };

    (void)columns;
    if (input->fold == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    rows--;
    prepare(state, input, rows);
    if (list_key(&state->place.list, action, (int)state->count, rows)) {
        pin(state);
        return request;
    }
    switch (action) {
    case ACTION_ENTER:
        return only_thread(state, input);
    case ACTION_SORT_LEFT:
        state->place.sort = (state->place.sort + THREAD_SORTS - 1) % THREAD_SORTS;
        return request;
    case ACTION_SORT_RIGHT:
        state->place.sort = (state->place.sort + 1) % THREAD_SORTS;
        return request;
    case ACTION_SORT_INVERT:
        state->place.inverted = !state->place.inverted;
        return request;
    case ACTION_SORT_SELF:
    case ACTION_SORT_TOTAL:
    case ACTION_HOTTEST:
        state->place.sort = SORT_BY_CPU;
        state->place.inverted = false;
        if (action == ACTION_HOTTEST) {
            state->place.list = (struct list){ 0, 0 };
            state->place.cursor = 0;
        }
        return request;
    case ACTION_SEARCH:
        return search(state, input, 0, rows);
    case ACTION_SEARCH_NEXT:
        return search(state, input, 1, rows);
    case ACTION_SEARCH_PREVIOUS:
        return search(state, input, -1, rows);
    default:
        request.kind = REQUEST_NONE;
        return request;
    }
}

static struct request mouse(void *opaque, const struct screen_input *input,
                            const struct mouse_event *event, int rows, int columns)
{
    struct threads_state *state = opaque;

    if (input->fold == NULL)
        return (struct request){ .kind = REQUEST_NONE };
    prepare(state, input, rows - 1);
    if (event->row == 0 && event->kind == MOUSE_PRESS) {
        struct threads_layout layout = threads_lay_out(input, columns);
        uint32_t sort = event->column < TID_COLUMNS                          ? SORT_BY_TID
                        : event->column < TID_COLUMNS + NAME_COLUMNS         ? SORT_BY_NAME
                        : layout.parts >= 0 && event->column >= layout.parts ? SORT_BY_WAIT
                                                                             : SORT_BY_CPU;

        state->place.inverted = sort == state->place.sort ? !state->place.inverted : false;
        state->place.sort = sort;
    } else if (list_mouse(&state->place.list, event, 1, (int)state->count, rows - 1)) {
        pin(state);
        if (event->kind == MOUSE_DOUBLE)
            return only_thread(state, input);
    } else {
        return (struct request){ .kind = REQUEST_NONE };
    }
    return (struct request){ .kind = REQUEST_REDRAW };
}

static void render_header(const struct threads_state *state, const struct screen_input *input,
                          struct grid *grid, const struct threads_layout *layout)
{
    const char *arrow = input->ascii ? (state->place.inverted ? "^" : "v")
                                     : (state->place.inverted ? "\u25b3" : "\u25bd");
    static const int arrow_at[THREAD_SORTS] = {
        [SORT_BY_CPU] = TID_COLUMNS + NAME_COLUMNS + STATE_COLUMNS + CPU_COLUMNS - 1,
        [SORT_BY_WAIT] =
            TID_COLUMNS + NAME_COLUMNS + STATE_COLUMNS + CPU_COLUMNS + PARTS_COLUMNS - 1,
        [SORT_BY_TID] = TID_COLUMNS - 1,
        [SORT_BY_NAME] = TID_COLUMNS + 4,
    };
    int at = TID_COLUMNS;

    grid_fill(grid, 0, 0, grid->columns, ROLE_HEADER, " ");
    grid_text_right(grid, 0, 0, TID_COLUMNS - 1, ROLE_HEADER, _("TID"));
    grid_text(grid, 0, at, NAME_COLUMNS, ROLE_HEADER, _("NAME"));
    at += NAME_COLUMNS;
    grid_text(grid, 0, at, STATE_COLUMNS, ROLE_HEADER, _("S"));
    at += STATE_COLUMNS;
    grid_text_right(grid, 0, at, CPU_COLUMNS - 1, ROLE_HEADER, _("CPU%"));
    if (layout->parts >= 0)
        grid_text(grid, 0, layout->parts, PARTS_COLUMNS - 1, ROLE_HEADER, _("run/queued/wait"));
    if (layout->spark >= 0)
        grid_text(grid, 0, layout->spark, SPARK_NARROW, ROLE_HEADER, _("LAST 20s"));
    if (layout->io >= 0)
        grid_text(grid, 0, layout->io, IO_COLUMNS, ROLE_HEADER, _(" RD/s   WR/s"));
    if (layout->process >= 0)
        grid_text(grid, 0, layout->process, PROCESS_COLUMNS - 1, ROLE_HEADER, _("PROCESS"));
    grid_text(grid, 0, layout->top, grid->columns - layout->top, ROLE_HEADER,
              _("TOP FUNCTION NOW"));
    if (state->place.sort != SORT_BY_WAIT || layout->parts >= 0)
        grid_text(grid, 0, arrow_at[state->place.sort % THREAD_SORTS], 1, ROLE_HEADER, arrow);
}

static void render(void *opaque, const struct screen_input *input, struct grid *grid)
{
    struct threads_state *state = opaque;
    const struct list *list = &state->place.list;
    struct threads_layout layout;

    if (input->fold == NULL || grid->rows < 2)
        return;
    layout = threads_lay_out(input, grid->columns);
    prepare(state, input, grid->rows - 1);
    render_header(state, input, grid, &layout);
    for (int i = 0; i < grid->rows - 1 && list->top + i < (int)state->count; i++) {
        threads_draw_row(input, grid, i + 1, thread_at(state, input, list->top + i), &layout);
        if (list->top + i == list->cursor)
            grid_role(grid, i + 1, 0, grid->columns, ROLE_SELECTED);
    }
}

static void wants(const void *opaque, const struct screen_input *input, int rows, int columns,
                  struct view_wants *wants)
{
    const struct threads_state *state = opaque;

    if (columns < SPARK_FROM || input->fold == NULL)
        return;
    wants->span_ns = SPARK_NS;
    wants->buckets = (uint32_t)threads_spark_columns(columns);
    for (int i = 0; i < rows && state->place.list.top + i < (int)state->count; i++) {
        if (wants->series_count == SERIES_MAX)
            return;
        wants->series[wants->series_count++] =
            (struct view_series){ FUNCTION_NONE, state->kept[state->place.list.top + i] };
    }
}

static function_id chosen(const void *opaque, const struct screen_input *input)
{
    const struct threads_state *state = opaque;
    const struct fold_thread *thread = input->fold != NULL && state->version == input->fold->version
                                           ? thread_at(state, input, state->place.list.cursor)
                                           : NULL;

    return thread != NULL && thread->weight != 0 ? thread->top : FUNCTION_NONE;
}

static void fini(void *opaque)
{
    struct threads_state *state = opaque;

    free(state->order);
    free(state->kept);
}

const struct view_ops threads_view = {
    .name = "threads",
    .label = N_("Threads"),
    .state_size = sizeof(struct threads_state),
    .place_size = sizeof(struct threads_place),
    .key = key,
    .mouse = mouse,
    .render = render,
    .wants = wants,
    .chosen = chosen,
    .fini = fini,
};
