/* SPDX-License-Identifier: MIT */
/*
 * The one table of keys.  The key bar, the help, the manual page, the command line and the tests
 * are all made from it, so that none of them can promise a key that does nothing.
 *
 * Rows stand in the order the help shows them.  A view may give a key a meaning of its own by a row
 * that names the view, before the general one.
 */
#include "config.h"

#include "keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/gettext.h"

#define TREES "tree callers threads"

const struct action_info action_table[ACTIONS] = {
    [ACTION_NONE] = { "none", "", NULL, "", NULL },

    [ACTION_UP] = { "up", "Up k ^P", NULL, N_("row up"), NULL },
    [ACTION_DOWN] = { "down", "Down j ^N", NULL, N_("row down"), NULL },
    [ACTION_PAGE_UP] = { "page-up", "PgUp ^B", NULL, N_("page up"), NULL },
    [ACTION_PAGE_DOWN] = { "page-down", "PgDn ^F", NULL, N_("page down"), NULL },
    [ACTION_HALF_UP] = { "half-up", "^U", NULL, N_("half a page up"), NULL },
    [ACTION_HALF_DOWN] = { "half-down", "^D", NULL, N_("half a page down"), NULL },
    [ACTION_FIRST] = { "first", "Home g", NULL, N_("first row"), NULL },
    [ACTION_LAST] = { "last", "End G", NULL, N_("last row; in Time: live"), NULL },
    [ACTION_LEFT] = { "left", "Left h", NULL,
                      N_("scroll left; in a tree: collapse, or to the parent"), NULL },
    [ACTION_RIGHT] = { "right", "Right l", NULL, N_("scroll right; in a tree: expand"), NULL },

    [ACTION_ENTER] = { "enter", "Enter", NULL,
                       N_("drill in: a function, one thread, the chosen range"), NULL },
    [ACTION_BACK] = { "back", "Esc Backspace", NULL, N_("undo one drill, filter or range"), NULL },
    [ACTION_QUIT] = { "quit", "q F10", N_("Quit"), N_("close what is open on top, else quit"),
                      NULL },
    [ACTION_QUIT_NOW] = { "quit-now", "Q ^C", NULL, N_("quit at once"), NULL },

    [ACTION_NEXT_VIEW] = { "next-view", "Tab", NULL, N_("next view"), NULL },
    [ACTION_PREVIOUS_VIEW] = { "previous-view", "S-Tab", NULL, N_("previous view"), NULL },
    [ACTION_VIEW_1] = { "view-1", "1", NULL, N_("view 1, and so on: the digits on the tabs"),
                        NULL },
    [ACTION_VIEW_2] = { "view-2", "2", NULL, NULL, NULL },
    [ACTION_VIEW_3] = { "view-3", "3", NULL, NULL, NULL },
    [ACTION_VIEW_4] = { "view-4", "4", NULL, NULL, NULL },
    [ACTION_VIEW_5] = { "view-5", "5", NULL, NULL, NULL },
    [ACTION_VIEW_6] = { "view-6", "6", NULL, NULL, NULL },
    [ACTION_VIEW_7] = { "view-7", "7", NULL, NULL, NULL },
    [ACTION_VIEW_8] = { "view-8", "8", NULL, NULL, NULL },
    [ACTION_VIEW_9] = { "view-9", "9", NULL, NULL, NULL },

    [ACTION_SEARCH] = { "search", "/ F3", N_("Search"),
                        N_("search as you type; Enter keeps, Esc goes back"), NULL },
    [ACTION_SEARCH_NEXT] = { "search-next", "n", NULL, N_("next match"), NULL },
    [ACTION_SEARCH_PREVIOUS] = { "search-previous", "N", NULL, N_("previous match"), NULL },
    [ACTION_FILTER] = { "filter", "\\ F4", N_("Filter"),
                        N_("only stacks with a function, module or file that matches"), NULL },
    [ACTION_CLEAR] = { "clear", "Del", NULL, N_("clear the filter"), NULL },
    [ACTION_TREE] = { "tree", "t F5", N_("Tree"), N_("this function in the tree"), NULL },

    [ACTION_EXPAND] = { "expand", "+", NULL, N_("expand; in Time: zoom in"), TREES " time system" },
    [ACTION_COLLAPSE] = { "collapse", "-", NULL, N_("collapse; in Time: zoom out"),
                          TREES " time system" },
    [ACTION_EXPAND_ALL] = { "expand-all", "* E", NULL, N_("expand everything"), TREES },
    [ACTION_EXPAND_BELOW] = { "expand-below", "e", NULL, N_("expand what is below"), TREES },
    [ACTION_COLLAPSE_BELOW] = { "collapse-all", "C", NULL, N_("collapse everything"), TREES },
    [ACTION_INVERT_TREE] = { "bottom-up", "b", NULL,
                             N_("callers and callees, or callers as a tree, leaf on top"),
                             "callers" },
    [ACTION_HOTTEST] = { "hottest", "H", NULL, N_("the hottest row, path or line"), NULL },

    [ACTION_SORT_LEFT] = { "sort-left", "<", NULL, N_("sort by the column before"), "top threads" },
    [ACTION_SORT_RIGHT] = { "sort-right", ">", NULL, N_("sort by the next column"), "top threads" },
    [ACTION_SORT_MENU] = { "sort-menu", "F6", N_("SortBy"), N_("choose the column to sort by"),
                           "top threads" },
    [ACTION_SORT_INVERT] = { "sort-invert", "I", NULL, N_("turn the order round"), "top threads" },
    [ACTION_SORT_SELF] = { "sort-self", "P", NULL, N_("sort by self time; in Time: compare it"),
                           "top threads time" },
    [ACTION_SORT_TOTAL] = { "sort-total", "T", NULL, N_("sort by total time; in Time: compare it"),
                            "top threads time" },

    [ACTION_FREEZE] = { "freeze", "Space z Z", NULL, N_("freeze the view; the recording goes on"),
                        NULL },
    [ACTION_RANGE_START] = { "range-start", "[ F7", N_("From"), N_("the range begins here or now"),
                             NULL },
    [ACTION_RANGE_END] = { "range-end", "] F8", N_("To"), N_("the range ends here or now"), NULL },
    [ACTION_RANGE_FROM_NOW] = { "range-from-now", "r", NULL,
                                N_("range: from now on; nothing is deleted"), NULL },
    [ACTION_RANGE_WINDOW] = { "range-window", "w", NULL,
                              N_("range: last 10 s, 30 s, 1 min, 5 min, everything"), NULL },
    [ACTION_RANGE_EARLIER] = { "range-earlier", ",", NULL, N_("move the range one step back"),
                               NULL },
    [ACTION_RANGE_LATER] = { "range-later", ".", NULL, N_("move the range one step on"), NULL },
    [ACTION_SPIKE_PREVIOUS] = { "spike-previous", "{", NULL, N_("to the spike before"), NULL },
    [ACTION_SPIKE_NEXT] = { "spike-next", "}", NULL, N_("to the next spike"), NULL },

    [ACTION_STATE] = { "state", "o", NULL, N_("on CPU, waiting, GIL held, or all"), NULL },
    [ACTION_METRIC] = { "metric", "v", NULL,
                        N_("what is shared out: time, faults, bytes, locks and more"), NULL },
    [ACTION_HIDE_KERNEL] = { "hide-kernel", "K", NULL, N_("hide or show kernel frames"), NULL },
    [ACTION_HIDE_USER] = { "hide-user", "U", NULL, N_("hide or show user frames"), NULL },
    [ACTION_ONLY_MODULE] = { "only-module", "d", NULL,
                             N_("only this function's module; again: all"), NULL },
    [ACTION_FOLD_LIBRARIES] = { "fold-libraries", "L", NULL,
                                N_("fold runs of library frames into one"), NULL },
    [ACTION_INTERNAL] = { "internal", "J", NULL, N_("show the interpreter's own frames"), NULL },
    [ACTION_ALL_PROCESSES] = { "process", "X", NULL,
                               N_("one process after the other, then all of them"), NULL },

    [ACTION_NAMES] = { "names", "p", NULL, N_("short, full or raw names"), NULL },
    [ACTION_UNITS] = { "units", "%", NULL, N_("shares, cores, samples or seconds"), NULL },
    [ACTION_FOLLOW] = { "follow", "F", NULL, N_("the cursor follows its function, or stays"),
                        NULL },
    [ACTION_HIGHLIGHT] = { "highlight", "#", NULL, N_("highlight this function everywhere"), NULL },
    [ACTION_SOURCE] = { "source", "a", NULL,
                        N_("the source lines of this function, and where its time goes"), NULL },
    [ACTION_LANES] = { "lanes", "m", NULL, N_("which lanes are shown"), "time" },
    [ACTION_CLOCK] = { "clock", "c", NULL, N_("time since the start, or clock times"),
                       "time system" },

    [ACTION_INFO] = { "info", "i", NULL, N_("the session's facts, and this tool's own cost"),
                      NULL },
    [ACTION_SAVE] = { "save", "s F9", N_("Save"), N_("save: what, format, file"), NULL },
    [ACTION_SAVE_NOW] = { "save-now", "S", NULL, N_("save the whole session now"), NULL },
    [ACTION_RUN_AGAIN] = { "run-again", "R", NULL, N_("run the command again, after its end"),
                           NULL },
    [ACTION_COPY] = { "copy", "y", NULL, N_("copy the function's name to the clipboard"), NULL },
    [ACTION_COMMAND] = { "command", ":", NULL,
                         N_("command line: actions by name, :12:30:21 jumps to a time"), NULL },
    [ACTION_HELP] = { "help", "? F1", N_("Help"), N_("this help"), NULL },
    [ACTION_SETUP] = { "setup", "F2", N_("Setup"), N_("choices that are kept"), NULL },
    [ACTION_MOUSE] = { "mouse", "M", NULL, N_("mouse on or off"), NULL },
    [ACTION_REDRAW] = { "redraw", "^L", NULL, N_("paint everything anew"), NULL },
    [ACTION_SUSPEND] = { "suspend", "^Z", NULL, N_("suspend; the recording goes on"), NULL },
};

static const struct {
    const char *name;
    uint32_t code;
} named_keys[] = {
    { "Up", KEYCODE_UP },       { "Down", KEYCODE_DOWN },      { "Left", KEYCODE_LEFT },
    { "Right", KEYCODE_RIGHT }, { "PgUp", KEYCODE_PAGE_UP },   { "PgDn", KEYCODE_PAGE_DOWN },
    { "Home", KEYCODE_HOME },   { "End", KEYCODE_END },        { "Del", KEYCODE_DELETE },
    { "Ins", KEYCODE_INSERT },  { "Enter", KEYCODE_ENTER },    { "Esc", KEYCODE_ESCAPE },
    { "Tab", KEYCODE_TAB },     { "S-Tab", KEYCODE_BACK_TAB }, { "Backspace", KEYCODE_BACKSPACE },
    { "Space", ' ' },
};
enum { NAMED_KEYS = sizeof(named_keys) / sizeof(named_keys[0]) };

uint32_t keys_parse(const char *name)
{
    char *end;
    long number;

    for (size_t i = 0; i < NAMED_KEYS; i++)
        if (strcmp(named_keys[i].name, name) == 0)
            return named_keys[i].code;
    if (name[0] == '^' && name[1] != '\0' && name[2] == '\0')
        return (uint32_t)name[1] & 0x1f;
    if (name[0] == 'F' && name[1] != '\0') {
        number = strtol(name + 1, &end, 10);
        if (*end == '\0' && number >= 1 && number <= 12)
            return KEYCODE_F1 + (uint32_t)number - 1;
    }
    return name[0] != '\0' && name[1] == '\0' ? (uint32_t)(unsigned char)name[0] : KEYCODE_NONE;
}

const char *keys_name(uint32_t code, char buffer[8])
{
    for (size_t i = 0; i < NAMED_KEYS; i++)
        if (named_keys[i].code == code)
            return named_keys[i].name;
    if (code >= KEYCODE_F1 && code <= KEYCODE_F12)
        snprintf(buffer, 8, "F%u", code - KEYCODE_F1 + 1);
    else if (code < 0x20)
        snprintf(buffer, 8, "^%c", (int)code + '@');
    else
        snprintf(buffer, 8, "%c", code < 0x7f ? (int)code : '?');
    return buffer;
}

/* CODE is one of the words of KEYS. */
static bool among(uint32_t code, const char *keys)
{
    char word[16];
    size_t length;

    for (; *keys != '\0'; keys += length + (keys[length] == ' ')) {
        length = strcspn(keys, " ");
        if (length == 0 || length >= sizeof(word))
            continue;
        memcpy(word, keys, length);
        word[length] = '\0';
        if (keys_parse(word) == code)
            return true;
    }
    return false;
}

bool keys_in_view(const struct action_info *info, const char *view)
{
    const char *found = info->views;
    size_t length = strlen(view);

    if (found == NULL)
        return true;
    while ((found = strstr(found, view)) != NULL) {
        if ((found == info->views || found[-1] == ' ') &&
            (found[length] == ' ' || found[length] == '\0'))
            return true;
        found += length;
    }
    return false;
}

enum action keys_action(uint32_t code, const char *view)
{
    if (code == '\n')
        code = KEYCODE_ENTER;
    if (code == 8) /* ^H: what some terminals send for Backspace */
        code = KEYCODE_BACKSPACE;
    for (unsigned i = 0; i < ACTIONS; i++)
        if (action_table[i].keys != NULL && keys_in_view(&action_table[i], view) &&
            among(code, action_table[i].keys))
            return (enum action)i;
    return ACTION_NONE;
}

enum action action_find(const char *name)
{
    for (unsigned i = 0; i < ACTIONS; i++)
        if (action_table[i].name != NULL && strcmp(action_table[i].name, name) == 0)
            return (enum action)i;
    return ACTION_NONE;
}
