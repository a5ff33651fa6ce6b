/* SPDX-License-Identifier: MIT */
/* Moving in a list: the same keys do the same in every view. */
#include "config.h"

#include "list.h"

enum { WHEEL_ROWS = 3 };

void list_fit(struct list *list, int count, int rows)
{
    if (rows < 1)
        rows = 1;
    if (list->cursor >= count)
        list->cursor = count - 1;
    if (list->cursor < 0)
        list->cursor = 0;
    if (list->top > list->cursor)
        list->top = list->cursor;
    if (list->top < list->cursor - rows + 1)
        list->top = list->cursor - rows + 1;
    if (list->top > count - rows)
        list->top = count - rows; /* no empty space below while there is more above */
    if (list->top < 0)
        list->top = 0;
}

bool list_key(struct list *list, enum action action, int count, int rows)
{
    int page = rows > 1 ? rows - 1 : 1;

    switch (action) {
    case ACTION_UP:
        list->cursor--;
        break;
    case ACTION_DOWN:
        list->cursor++;
        break;
    case ACTION_PAGE_UP:
        list->cursor -= page;
        list->top -= page;
        break;
    case ACTION_PAGE_DOWN:
        list->cursor += page;
        list->top += page;
        break;
    case ACTION_HALF_UP:
        list->cursor -= (page + 1) / 2;
        break;
    case ACTION_HALF_DOWN:
        list->cursor += (page + 1) / 2;
        break;
    case ACTION_FIRST:
        list->cursor = 0;
        break;
    case ACTION_LAST:
        list->cursor = count - 1;
        break;
    default:
        return false;
    }
    list_fit(list, count, rows);
    return true;
}

bool list_mouse(struct list *list, const struct mouse_event *event, int first, int count, int rows)
{
    int row = event->row - first;

    switch (event->kind) {
    case MOUSE_WHEEL_UP:
        list->cursor -= WHEEL_ROWS;
        list->top -= WHEEL_ROWS;
        break;
    case MOUSE_WHEEL_DOWN:
        list->cursor += WHEEL_ROWS;
        list->top += WHEEL_ROWS;
        break;
    case MOUSE_PRESS:
    case MOUSE_DOUBLE:
        if (row < 0 || row >= rows || list->top + row >= count)
            return false;
        list->cursor = list->top + row;
        break;
    default:
        return false;
    }
    list_fit(list, count, rows);
    return true;
}
