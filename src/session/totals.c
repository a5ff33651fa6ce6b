/* SPDX-License-Identifier: MIT */
/* Sums by function for other SQLite clients. */
#include "config.h"

#include "totals.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/memory.h"

enum { COST_MAX = 25 /* an update may take one part in so many of the time */ };

struct given {
    uint64_t self, total;
};

struct totals {
    struct folder *folder;
    struct fold *fold;
    bool events;
    struct given *given; /* by function */
    size_t count, capacity;
    bool started_over;
    uint32_t next;
    uint64_t last_ns, cost_ns;
};

struct totals *totals_new(void)
{
    struct totals *totals = xcalloc(1, sizeof(*totals));

    totals->folder = folder_new_rows();
    return totals;
}

void totals_free(struct totals *totals)
{
    if (totals == NULL)
        return;
    fold_free(totals->fold);
    folder_free(totals->folder);
    free(totals->given);
    free(totals);
}

static struct fold *fold_all(struct totals *totals, struct profile *profile)
{
    struct scope scope;

    scope_init(&scope);
    scope.metric = totals->events ? METRIC_EVENT : METRIC_TIME;
    return fold_update(totals->folder, profile, &scope, NULL);
}

/* Functions that were given and are not in the fold any more have got other names. */
static bool lost_rows(const struct totals *totals)
{
    for (function_id i = 0; i < totals->count; i++) {
        if (totals->given[i].total != 0 && fold_find(totals->fold, i) == NULL)
            return true;
    }
    return false;
}

const struct fold *totals_update(struct totals *totals, struct profile *profile)
{
    uint64_t began_ns = clock_now_ns();
    uint32_t functions;

    totals_release(totals);
    totals->fold = fold_all(totals, profile);
    if (totals->fold->samples == 0 && !totals->events) {
        totals->events = true;
        fold_free(totals->fold);
        totals->fold = fold_all(totals, profile);
        totals->events = totals->fold->samples != 0;
    }
    totals->started_over = lost_rows(totals);
    if (totals->started_over)
        memset(totals->given, 0, totals->count * sizeof(*totals->given));
    functions = names_functions(totals->fold->names);
    totals->given =
        array_reserve(totals->given, &totals->capacity, functions, sizeof(*totals->given));
    for (; totals->count < functions; totals->count++)
        totals->given[totals->count] = (struct given){ 0 };
    totals->next = 0;
    totals->last_ns = clock_now_ns();
    totals->cost_ns = totals->last_ns - began_ns;
    return totals->fold;
}

bool totals_started_over(const struct totals *totals)
{
    return totals->started_over;
}

const struct fold_row *totals_next_changed(struct totals *totals)
{
    while (totals->next < totals->fold->row_count) {
        const struct fold_row *row = &totals->fold->rows[totals->next++];
        struct given *given = &totals->given[row->function];

        if (given->self == row->self && given->total == row->total)
            continue;
        *given = (struct given){ row->self, row->total };
        return row;
    }
    return NULL;
}

void totals_release(struct totals *totals)
{
    fold_free(totals->fold);
    totals->fold = NULL;
}

const char *totals_metric(const struct totals *totals)
{
    return totals->events ? "event" : "cpu";
}

bool totals_due(const struct totals *totals, uint64_t now_ns)
{
    return now_ns - totals->last_ns >= totals->cost_ns * COST_MAX;
}
