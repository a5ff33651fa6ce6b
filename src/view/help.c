/* SPDX-License-Identifier: MIT */
/* The help, made from the table of keys. */
#include "config.h"

#include "help.h"

#include <stdio.h>
#include <string.h>

#include "proftop/gettext.h"

enum { KEYS_COLUMNS = 20, LINES_MAX = 256, LINE_BYTES = 256 };

struct line {
    const char *keys; /* NULL: a heading or a sentence */
    const char *text;
    bool heading;
};

struct lines {
    struct line lines[LINES_MAX];
    int count;
};

static void add(struct lines *lines, const char *keys, const char *text, bool heading)
{
    if (lines->count < LINES_MAX)
        lines->lines[lines->count++] = (struct line){ keys, text, heading };
}

/* What the numbers of VIEW mean: the part of the help that no key table can give. */
static void add_numbers(struct lines *lines, const struct view_ops *view, bool ascii)
{
    add(lines, NULL, _("What the numbers mean"), true);
    if (strcmp(view->name, "threads") == 0) {
        add(lines, "S", _("mostly: R running, S asleep, D disk, T stopped, X gone"), false);
        add(lines, "CPU%", _("100 = one core for the whole range"), false);
        add(lines, "run/queued/wait", _("# on a CPU, . wanted one and had none, - asleep"), false);
    } else {
        add(lines, "SELF", _("samples with this function on top, of the N in the range"), false);
        add(lines, "TOTAL", _("samples with it anywhere on the stack, recursion once"), false);
        add(lines, "CPU", _("SELF in cores: 1.00 = one CPU fully busy"), false);
    }
    add(lines, ascii ? "N +-" : "N \u00b1",
        _("samples in the range; the 95 % error of the largest share"), false);
    add(lines, "<0.3", _("under 5 samples: too few to say more"), false);
    add(lines, "[broken stack]", _("stacks that could not be followed to their end, by reason"),
        false);
    add(lines, "missed", _("samples that were due and did not come: steal, throttling"), false);
}

static bool names_view(const struct action_info *info, const char *view)
{
    return info->views != NULL && strstr(info->views, view) != NULL;
}

static void gather(struct lines *lines, const struct view_ops *view, bool ascii)
{
    add(lines, NULL, _("Keys of this view"), true);
    for (unsigned i = 1; i < ACTIONS; i++)
        if (action_table[i].help != NULL && names_view(&action_table[i], view->name))
            add(lines, action_table[i].keys, _(action_table[i].help), false);
    if (lines->count == 1)
        lines->count = 0;
    add(lines, NULL, _("Keys of every view"), true);
    for (unsigned i = 1; i < ACTIONS; i++)
        if (action_table[i].help != NULL && action_table[i].views == NULL)
            add(lines, action_table[i].keys, _(action_table[i].help), false);
    add_numbers(lines, view, ascii);
}

int help_render(struct grid *grid, const struct view_ops *view, int top)
{
    struct lines lines = { .count = 0 };
    int pages, page, rows = grid->rows - 1;

    gather(&lines, view, grid->ascii);
    pages = rows > 0 ? (lines.count + rows - 1) / rows : 1;
    page = rows > 0 ? (top + rows - 1) / rows + 1 : 1;
    grid_clear(grid);
    grid_fill(grid, 0, 0, grid->columns, ROLE_HEADER, " ");
    grid_printf(grid, 0, 0, grid->columns, ROLE_HEADER,
                top + rows < lines.count ? _("Help: %s  (%d/%d, PgDn for more)")
                                         : _("Help: %s  (%d/%d)"),
                _(view->label), page > pages ? pages : page, pages);
    grid_text_right(grid, 0, grid->columns - 12, 12, ROLE_HEADER, _("Esc closes"));
    for (int i = 0; i < rows && top + i < lines.count; i++) {
        const struct line *line = &lines.lines[top + i];

        if (line->heading) {
            grid_text(grid, 1 + i, 0, grid->columns, ROLE_TITLE, line->text);
            continue;
        }
        grid_text(grid, 1 + i, 1, KEYS_COLUMNS, ROLE_GOOD, line->keys);
        grid_text(grid, 1 + i, 2 + KEYS_COLUMNS, grid->columns - 2 - KEYS_COLUMNS, ROLE_NORMAL,
                  line->text);
    }
    return lines.count;
}
