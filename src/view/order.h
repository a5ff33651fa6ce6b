/* SPDX-License-Identifier: MIT */
/*
 * The order of the rows of a flat list, which outlives a fold: a fold brings new numbers ten times
 * a second, but rows change places seldom (resort.h) and never right after a key, so that nobody
 * presses Enter on a row that has just moved away.
 */
#ifndef VIEW_ORDER_H
#define VIEW_ORDER_H

#include <stddef.h>

#include "proftop/view.h"
#include "resort.h"

enum sort_key {
    SORT_SELF,
    SORT_TOTAL,
    SORT_CORES,
    SORT_SAMPLES,
    SORT_THREADS,
    SORT_NAME,
    SORT_MODULE,
    SORT_KEYS
};

struct sort {
    enum sort_key key;
    bool inverted;
};

struct order {
    uint32_t *rows;         /* indices into fold->rows, in the order shown */
    function_id *functions; /* the same as functions: what survives the fold */
    size_t rows_room, functions_room;
    uint32_t count, tail; /* rows from TAIL on are each too few samples to say anything */
    uint64_t version;
    struct sort sort;
    struct resort resort;
    bool held; /* a better order is known but not shown yet */
};

/* Follows INPUT's fold; LIMIT: where the tail may begin at the earliest. */
void order_update(struct order *order, const struct screen_input *input, const struct sort *sort);
void order_fini(struct order *order);
/* Rows keep their places because a key has just come: worth telling. */
bool order_is_held(const struct order *order, const struct screen_input *input);
/* The place of FUNCTION, or -1. */
int order_find(const struct order *order, function_id function);

#endif
