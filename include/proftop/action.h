/* SPDX-License-Identifier: MIT */
/*
 * Actions: what a key asks for.  One table (ui/keys.c, action_table) gives each its keys, the words
 * for the help and the man page, and the views where it means something.
 */
#ifndef PROFTOP_ACTION_H
#define PROFTOP_ACTION_H

enum action {
    ACTION_NONE,
    ACTION_UP,
    ACTION_DOWN,
    ACTION_PAGE_UP,
    ACTION_PAGE_DOWN,
    ACTION_HALF_UP,
    ACTION_HALF_DOWN,
    ACTION_FIRST,
    ACTION_LAST,
    ACTION_LEFT,
    ACTION_RIGHT,
    ACTION_ENTER,
    ACTION_BACK,
    ACTION_QUIT,
    ACTION_QUIT_NOW,
    ACTION_NEXT_VIEW,
    ACTION_PREVIOUS_VIEW,
    ACTION_VIEW_1,
    ACTION_VIEW_2,
    ACTION_VIEW_3,
    ACTION_VIEW_4,
    ACTION_VIEW_5,
    ACTION_VIEW_6,
    ACTION_VIEW_7,
    ACTION_VIEW_8,
    ACTION_VIEW_9,
    ACTION_SEARCH,
    ACTION_SEARCH_NEXT,
    ACTION_SEARCH_PREVIOUS,
    ACTION_FILTER,
    ACTION_CLEAR,
    ACTION_TREE,
    ACTION_EXPAND,
    ACTION_COLLAPSE,
    ACTION_EXPAND_ALL,
    ACTION_EXPAND_BELOW,
    ACTION_COLLAPSE_BELOW,
    ACTION_HOTTEST,
    ACTION_SORT_LEFT,
    ACTION_SORT_RIGHT,
    ACTION_SORT_MENU,
    ACTION_SORT_INVERT,
    ACTION_SORT_SELF,
    ACTION_SORT_TOTAL,
    ACTION_FREEZE,
    ACTION_RANGE_START,
    ACTION_RANGE_END,
    ACTION_SPIKE_PREVIOUS,
    ACTION_SPIKE_NEXT,
    ACTION_RANGE_EARLIER,
    ACTION_RANGE_LATER,
    ACTION_RANGE_FROM_NOW,
    ACTION_RANGE_WINDOW,
    ACTION_FOLLOW,
    ACTION_HIDE_KERNEL,
    ACTION_HIDE_USER,
    ACTION_ONLY_MODULE,
    ACTION_FOLD_LIBRARIES,
    ACTION_INTERNAL,
    ACTION_METRIC,
    ACTION_RUN_AGAIN,
    ACTION_STATE,
    ACTION_NAMES,
    ACTION_UNITS,
    ACTION_SOURCE,
    ACTION_INFO,
    ACTION_HIGHLIGHT,
    ACTION_SAVE,
    ACTION_SAVE_NOW,
    ACTION_COPY,
    ACTION_COMMAND,
    ACTION_HELP,
    ACTION_SETUP,
    ACTION_MOUSE,
    ACTION_REDRAW,
    ACTION_SUSPEND,
    ACTION_LANES,
    ACTION_CLOCK,
    ACTION_INVERT_TREE,
    ACTION_ALL_PROCESSES,
    ACTIONS
};

/* One row of the table: everything that is told about an action anywhere. */
struct action_info {
    const char *name;  /* for the command line and scripts: "sort-menu" */
    const char *keys;  /* as shown in the help, apart by spaces: "Up k ^P" */
    const char *bar;   /* N_() word on the key bar, or NULL */
    const char *help;  /* N_() sentence */
    const char *views; /* where it means something, apart by spaces; NULL: everywhere */
};

extern const struct action_info action_table[ACTIONS];

/* The action called NAME, or ACTION_NONE. */
enum action action_find(const char *name);

#endif
