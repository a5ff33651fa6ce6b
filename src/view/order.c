/* SPDX-License-Identifier: MIT */
/* Sorting the flat list, seldom. */
#include "config.h"

#include "order.h"

#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "proftop/memory.h"

struct comparison {
    const struct fold *fold;
    struct sort sort;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? 1 : a > b ? -1 : 0;
}

static int compare_by(const struct comparison *by, const struct fold_row *a,
                      const struct fold_row *b)
{
    const struct function *fa = names_get(by->fold->names, a->function);
    const struct function *fb = names_get(by->fold->names, b->function);

    switch (by->sort.key) {
    case SORT_TOTAL:
        return compare_numbers(a->total, b->total);
    case SORT_SAMPLES:
        return compare_numbers(a->self_samples, b->self_samples);
    case SORT_THREADS:
        return compare_numbers(a->threads, b->threads);
    case SORT_NAME:
        return strcmp(fa->name, fb->name);
    case SORT_MODULE:
        return strcmp(fa->module, fb->module);
    default:
        return compare_numbers(a->self, b->self);
    }
}

/* Ties keep the fold's own order, which is the same from fold to fold. */
static int compare(const void *a, const void *b, void *context)
{
    const struct comparison *by = context;
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
    int result = compare_by(by, &by->fold->rows[first], &by->fold->rows[second]);

    if (by->sort.inverted)
        result = -result;
    return result != 0 ? result : first < second ? -1 : 1;
}

static bool negligible(const struct fold_row *row)
{
    return row->self_samples < FEW_SAMPLES && row->total_samples < FEW_SAMPLES;
}

/* The rows too small to say anything go last, in their own order. */
static void part_tail(struct order *order, const struct fold *fold)
{
    uint32_t *small = xmalloc(sizeof(*small) * (order->count + 1)), kept = 0, smalls = 0;

    for (uint32_t i = 0; i < order->count; i++) {
        uint32_t row = order->rows[i];

        if (negligible(&fold->rows[row]))
            small[smalls++] = row;
        else
            order->rows[kept++] = row;
    }
    memcpy(order->rows + kept, small, sizeof(*small) * smalls);
    order->tail = kept;
    free(small);
}

static void sort_rows(struct order *order, const struct fold *fold)
{
    struct comparison by = { fold, order->sort };

    for (uint32_t i = 0; i < fold->row_count; i++)
        order->rows[i] = i;
    order->count = fold->row_count;
    if (order->sort.key != SORT_SELF || order->sort.inverted)
        qsort_r(order->rows, order->count, sizeof(order->rows[0]), compare, &by);
    if (order->sort.inverted)
        order->tail = order->count;
    else
        part_tail(order, fold);
}

/* The rows stand as sorting would put them; the tail counts as one. */
static bool is_sorted(const struct order *order, const struct fold *fold)
{
    struct comparison by = { fold, order->sort };

    for (uint32_t i = 1; i < order->tail; i++)
        if (compare(&order->rows[i - 1], &order->rows[i], &by) > 0)
            return false;
    return true;
}

/* Keeps the order shown: rows that are gone leave it, new ones join at the end. */
static void keep_rows(struct order *order, const struct fold *fold)
{
    uint32_t functions = names_functions(fold->names), count = 0;
    uint32_t *row_of = xmalloc(sizeof(*row_of) * ((size_t)functions + 1));

    memset(row_of, 0xff, sizeof(*row_of) * functions);
    for (uint32_t i = 0; i < fold->row_count; i++)
        if (fold->rows[i].function < functions)
            row_of[fold->rows[i].function] = i;
    for (uint32_t i = 0; i < order->count; i++) {
        function_id function = order->functions[i];

        if (function < functions && row_of[function] != UINT32_MAX) {
            order->rows[count++] = row_of[function];
            row_of[function] = UINT32_MAX;
        }
    }
    for (uint32_t i = 0; i < fold->row_count; i++)
        if (fold->rows[i].function < functions && row_of[fold->rows[i].function] != UINT32_MAX)
            order->rows[count++] = i;
    order->count = count;
    if (order->sort.inverted)
        order->tail = count;
    else
        part_tail(order, fold);
    free(row_of);
}

bool order_is_held(const struct order *order, const struct screen_input *input)
{
    return order->held && resort_waits(input);
}

void order_update(struct order *order, const struct screen_input *input, const struct sort *sort)
{
    const struct fold *fold = input->fold;
    bool other_sort = order->sort.key != sort->key || order->sort.inverted != sort->inverted;
    bool valid = order->resort.valid, sort_now = resort_due(&order->resort, input) || other_sort;

    if (valid && !other_sort && order->version == fold->version && !(order->held && sort_now))
        return;
    order->rows = array_reserve(order->rows, &order->rows_room, fold->row_count + order->count + 1,
                                sizeof(order->rows[0]));
    order->sort = *sort;
    if (sort_now)
        sort_rows(order, fold);
    else
        keep_rows(order, fold);
    order->held = !sort_now && !is_sorted(order, fold);
    order->functions = array_reserve(order->functions, &order->functions_room, order->count + 1,
                                     sizeof(order->functions[0]));
    for (uint32_t i = 0; i < order->count; i++)
        order->functions[i] = fold->rows[order->rows[i]].function;
    order->version = fold->version;
    resort_done(&order->resort, input, sort_now);
}

void order_fini(struct order *order)
{
    free(order->rows);
    free(order->functions);
    memset(order, 0, sizeof(*order));
}

int order_find(const struct order *order, function_id function)
{
    for (uint32_t i = 0; i < order->count; i++)
        if (order->functions[i] == function)
            return (int)i;
    return -1;
}
