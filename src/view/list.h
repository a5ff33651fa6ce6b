/* SPDX-License-Identifier: MIT */
/*
 * A list with a cursor, longer than the screen: which row the cursor is on and which is the first
 * one shown.
 */
#ifndef VIEW_LIST_H
#define VIEW_LIST_H

#include <stdbool.h>

#include "proftop/action.h"
#include "proftop/view.h"

struct list {
    int cursor, top;
};

/* Keeps the cursor inside COUNT rows and in sight on a screen of ROWS. */
void list_fit(struct list *list, int count, int rows);
/* Moves for ACTION; false when it is not a move. */
bool list_key(struct list *list, enum action action, int count, int rows);
/* A click on or a wheel over the list whose first row is drawn at FIRST; false when outside. */
bool list_mouse(struct list *list, const struct mouse_event *event, int first, int count, int rows);

#endif
