/* SPDX-License-Identifier: MIT */
/*
 * The picker.
 *
 *     proftop  choose a process         type to filter, digits = PID       F4 mine/ALL
 *        PID USER     CPU%    RES THR S COMMAND                        CAN SAMPLE
 *       8968 me      186.0    12M   5 R ./busy                         yes
 *
 * Letters and digits filter as they are typed, so that actions are on the F keys.  The cursor sits
 * on a process, not on a row.
 */
#include "config.h"

#include "picker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app_private.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/text.h"
#include "src/view/list.h"

enum { FIXED_ROWS = 4, COMMAND_COLUMN = 38, CAN_COLUMNS = 18 };

struct picker {
    bool ascii, all;
    char filter[128];
    struct list list;
    int32_t cursor; /* pid under the cursor; 0: the first row */
    const struct process_row **shown;
    size_t shown_count, shown_room;
    enum picker_answer asking; /* RUN or OPEN: a line is being typed */
    char text[1024];
    char message[1024], hint[1024];
};

struct picker *picker_new(bool ascii)
{
    struct picker *picker = xcalloc(1, sizeof(*picker));

    picker->ascii = ascii;
    picker->all = true;
    return picker;
}

void picker_free(struct picker *picker)
{
    if (picker == NULL)
        return;
    free(picker->shown);
    free(picker);
}

void picker_say(struct picker *picker, const char *message, const char *hint)
{
    snprintf(picker->message, sizeof(picker->message), "%s", message);
    snprintf(picker->hint, sizeof(picker->hint), "%s", hint);
}

static bool passes(const struct picker *picker, const struct process_row *row)
{
    char pid[16];

    if (!picker->all && !row->mine)
        return false;
    if (picker->filter[0] == '\0')
        return true;
    snprintf(pid, sizeof(pid), "%d", row->pid);
    return strncmp(pid, picker->filter, strlen(picker->filter)) == 0 ||
           strcasestr(row->command, picker->filter) != NULL ||
           strcasestr(row->name, picker->filter) != NULL || strcmp(row->user, picker->filter) == 0;
}

static void select_rows(struct picker *picker, const struct process_row *processes, size_t count,
                        int rows)
{
    picker->shown_count = 0;
    picker->shown =
        array_reserve(picker->shown, &picker->shown_room, count + 1, sizeof(picker->shown[0]));
    for (size_t i = 0; i < count; i++)
        if (passes(picker, &processes[i]))
            picker->shown[picker->shown_count++] = &processes[i];
    for (size_t i = 0; i < picker->shown_count && picker->cursor != 0; i++)
        if (picker->shown[i]->pid == picker->cursor)
            picker->list.cursor = (int)i;
    list_fit(&picker->list, (int)picker->shown_count, rows - FIXED_ROWS);
}

static const struct process_row *chosen(const struct picker *picker)
{
    return picker->list.cursor < (int)picker->shown_count ? picker->shown[picker->list.cursor]
                                                          : NULL;
}

static void pin(struct picker *picker)
{
    const struct process_row *row = chosen(picker);

    picker->cursor = row != NULL && picker->list.cursor != 0 ? row->pid : 0;
}

static enum picker_answer attach(struct picker *picker)
{
    const struct process_row *row = chosen(picker);
    char message[256];

    if (row == NULL)
        return PICKER_NONE;
    picker->cursor = row->pid;
    if (row->pid == getpid() || (!row->can && row->state == 'Z')) {
        snprintf(message, sizeof(message), _("pid %d can't be sampled: %s"), row->pid, row->why);
        picker_say(picker, message, "");
        return PICKER_NONE;
    }
    return PICKER_ATTACH; /* trying tells better than guessing whether it is permitted */
}

static enum picker_answer line_key(struct picker *picker, const struct key_event *event)
{
    enum picker_answer answer = picker->asking;

    if (event->code == KEYCODE_ESCAPE || event->code == 3) {
        picker->asking = PICKER_NONE;
    } else if (event->code == KEYCODE_ENTER || event->code == '\n') {
        picker->asking = PICKER_NONE;
        return picker->text[0] != '\0' ? answer : PICKER_NONE;
    } else {
        edit_text(picker->text, sizeof(picker->text), event);
    }
    return PICKER_NONE;
}

static void ask(struct picker *picker, enum picker_answer what)
{
    picker->asking = what;
    picker->text[0] = '\0';
}

/* The keys that move: only those that are not characters, which filter here. */
static enum action move_of(uint32_t code)
{
    return code < 0x20 || code >= KEYCODE_FIRST ? keys_action(code, "top") : ACTION_NONE;
}

enum picker_answer picker_key(struct picker *picker, const struct key_event *event, int rows,
                              const struct process_row *processes, size_t count)
{
    picker->message[0] = '\0';
    if (picker->asking != PICKER_NONE)
        return line_key(picker, event);
    select_rows(picker, processes, count, rows);
    switch (event->code) {
    case KEYCODE_ENTER:
    case '\n':
        return attach(picker);
    case KEYCODE_F1 + 1:
        ask(picker, PICKER_RUN);
        return PICKER_NONE;
    case KEYCODE_F1 + 2:
        ask(picker, PICKER_OPEN);
        return PICKER_NONE;
    case KEYCODE_F1 + 3:
        picker->all = !picker->all;
        return PICKER_NONE;
    case KEYCODE_F1 + 6:
        if (chosen(picker) == NULL)
            return PICKER_NONE;
        picker->cursor = chosen(picker)->pid;
        return PICKER_SYSTEM;
    case KEYCODE_F1 + 9:
    case 3: /* ^C */
        return PICKER_QUIT;
    case KEYCODE_ESCAPE: /* never quits: it takes back what was typed */
        picker->filter[0] = '\0';
        return PICKER_NONE;
    case KEYCODE_MOUSE:
        if (list_mouse(&picker->list, &event->mouse, 2, (int)picker->shown_count,
                       rows - FIXED_ROWS)) {
            pin(picker);
            if (event->mouse.kind == MOUSE_DOUBLE)
                return attach(picker);
        }
        return PICKER_NONE;
    default:
        break;
    }
    if (edit_text(picker->filter, sizeof(picker->filter), event)) {
        picker->cursor = 0;
        picker->list = (struct list){ 0, 0 };
    } else if (list_key(&picker->list, move_of(event->code), (int)picker->shown_count,
                        rows - FIXED_ROWS)) {
        pin(picker);
    }
    return PICKER_NONE;
}

static void render_row(struct grid *grid, int at, const struct process_row *row)
{
    char rss[16], cpu[16], can[64];
    enum role role = row->can ? ROLE_NORMAL : ROLE_DIM;
    int width = grid->columns - COMMAND_COLUMN;

    if (width > CAN_COLUMNS + 10)
        width -= CAN_COLUMNS;
    grid_printf(grid, at, 0, 7, role, "%7d", row->pid);
    grid_text(grid, at, 8, 8, role, row->user);
    snprintf(cpu, sizeof(cpu), "%.1f", row->cpu_pct);
    grid_text_right(grid, at, 17, 6, row->cpu_pct >= 50 ? ROLE_GOOD : role, cpu);
    grid_text_right(grid, at, 24, 6, role, text_bytes(rss, (double)row->rss_bytes));
    grid_printf(grid, at, 31, 4, role, "%4u", row->threads);
    grid_printf(grid, at, 36, 1, row->state == 'R' ? ROLE_GOOD : role, "%c",
                row->state > ' ' && row->state < 0x7f ? row->state : '?');
    grid_text(grid, at, COMMAND_COLUMN, width - 1, role, row->command);
    if (grid->columns - COMMAND_COLUMN == width)
        return;
    snprintf(can, sizeof(can), row->can ? "%s" : "%s   %s", row->can ? _("yes") : _("no"),
             row->why != NULL ? row->why : "");
    grid_text(grid, at, grid->columns - CAN_COLUMNS, CAN_COLUMNS, row->can ? ROLE_GOOD : ROLE_DIM,
              can);
}

static void render_frame(const struct picker *picker, struct grid *grid)
{
    char right[128];

    snprintf(right, sizeof(right), "%s", picker->all ? _("F4 mine/ALL") : _("F4 MINE/all"));
    grid_fill(grid, 0, 0, grid->columns, ROLE_TITLE, " ");
    if (picker->filter[0] != '\0')
        grid_printf(grid, 0, 0, grid->columns - 13, ROLE_TITLE,
                    _("proftop  choose a process   filter: %s_"), picker->filter);
    else
        grid_text(grid, 0, 0, grid->columns - 13, ROLE_TITLE,
                  _("proftop  choose a process   type to filter, digits = PID"));
    grid_text_right(grid, 0, grid->columns - 12, 12, ROLE_TITLE, right);
    grid_fill(grid, 1, 0, grid->columns, ROLE_HEADER, " ");
    grid_text(grid, 1, 0, grid->columns, ROLE_HEADER,
              _("    PID USER       CPU%    RES  THR S COMMAND"));
    if (grid->columns - COMMAND_COLUMN > CAN_COLUMNS + 10)
        grid_text(grid, 1, grid->columns - CAN_COLUMNS, CAN_COLUMNS, ROLE_HEADER, _("CAN SAMPLE"));
    grid_text(grid, grid->rows - 1, 0, grid->columns, ROLE_KEY_TEXT,
              _("Enter attach  F2 run  F3 open a session  F4 mine/all  F7 system  F10 quit"));
    if (picker->asking != PICKER_NONE) {
        int left = grid_text(grid, grid->rows - 2, 0, grid->columns, ROLE_TITLE,
                             picker->asking == PICKER_RUN ? _("Command: ") : _("Session file: "));

        left += grid_text(grid, grid->rows - 2, left, grid->columns - left - 1, ROLE_NORMAL,
                          picker->text);
        grid->cursor_row = grid->rows - 2;
        grid->cursor_column = left;
    }
}

/* MESSAGE and HINT may hold several lines: the whole story of a refusal. */
static void render_message(const struct picker *picker, struct grid *grid)
{
    char text[sizeof(picker->message) + sizeof(picker->hint) + 2];
    int row = 2;

    snprintf(text, sizeof(text), "%s\n%s", picker->message, picker->hint);
    for (char *line = text, *end; line != NULL && row < grid->rows - 2; line = end, row++) {
        end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        grid_fill(grid, row, 0, grid->columns, ROLE_NORMAL, " ");
        grid_text(grid, row, 1, grid->columns - 2, row == 2 ? ROLE_ALARM : ROLE_NORMAL, line);
    }
    grid_fill(grid, row, 0, grid->columns, ROLE_DIM, "\u2500");
}

void picker_render(struct picker *picker, struct grid *grid, const struct process_row *processes,
                   size_t count)
{
    grid_clear(grid);
    if (grid->rows < FIXED_ROWS + 1)
        return;
    select_rows(picker, processes, count, grid->rows);
    render_frame(picker, grid);
    for (int i = 0; i < grid->rows - FIXED_ROWS; i++) {
        int index = picker->list.top + i;

        if (index >= (int)picker->shown_count)
            break;
        render_row(grid, 2 + i, picker->shown[index]);
        if (index == picker->list.cursor)
            grid_role(grid, 2 + i, 0, grid->columns, ROLE_SELECTED);
    }
    if (picker->shown_count == 0)
        grid_text(grid, 2, 2, grid->columns - 2, ROLE_DIM,
                  _("no process matches; Esc clears the filter"));
    if (picker->message[0] != '\0')
        render_message(picker, grid);
}

int32_t picker_pid(const struct picker *picker)
{
    return picker->cursor;
}

const char *picker_text(const struct picker *picker)
{
    return picker->text;
}
