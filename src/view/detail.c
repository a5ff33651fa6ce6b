/* SPDX-License-Identifier: MIT */
/*
 *     ─ selected ─────────────────────────────────────────────────────────────
 *      long acme::Table<std::string, long>::sum() const   busy.cc:17   total 46.7  self 38.6
 *      callers                              callees
 *       98.2  831  worker                    82.6  699  (self)
 *      hottest lines   19 ▇▇▇▇▇▇▇ 69.7%  s += v;   18 ▇▇▇ 30.3%  for (auto &p : t)
 */
#include "config.h"

#include "detail.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "proftop/gettext.h"
#include "proftop/ratio.h"
#include "proftop/source_text.h"
#include "proftop/text.h"

enum {
    NEIGHBOURS = 3,
    LINES_ROW = 6,
    LINES = 3,
    LINES_WITH_TEXT = 2,
    LINE_BAR = 8,
    LINE_COLUMNS = 26
};

static void render_neighbours(const struct screen_input *input, struct grid *grid, int column,
                              int width, const char *title, const struct fold_neighbour *rows,
                              uint32_t count, uint64_t whole)
{
    grid_text(grid, 2, column, width, ROLE_TITLE, title);
    for (int i = 0; i < NEIGHBOURS && (uint32_t)i < count && whole != 0; i++) {
        const struct function *function = names_get(input->fold->names, rows[i].function);
        bool self = rows[i].function == input->chosen;
        char name[NAME_MAX_BYTES];

        grid_printf(grid, 3 + i, column, 14, ROLE_NORMAL, "%5.1f %6llu",
                    100 * (double)rows[i].weight / (double)whole,
                    (unsigned long long)rows[i].samples);
        grid_text(grid, 3 + i, column + 14, width - 15,
                  self ? ROLE_DIM : format_role(input, function),
                  self ? _("(self)") : format_name(name, input, function, width - 15));
    }
}

/* "19 ▇▇▇▇▇▇▇ 69.7%": what one line has of the function's own time. */
static void render_line(const struct fold_line *line, struct grid *grid, int column, double share)
{
    char number[FORMAT_MAX];

    if (line->line == 0)
        snprintf(number, sizeof(number), "?");
    else
        snprintf(number, sizeof(number), "%u", line->line);
    grid_text_right(grid, LINES_ROW, column, 6, ROLE_NORMAL, number);
    grid_bar(grid, LINES_ROW, column + 7, LINE_BAR, ROLE_BAR, share);
    grid_printf(grid, LINES_ROW, column + 8 + LINE_BAR, 7, ROLE_NORMAL, "%.1f%%", 100 * share);
}

/* The hottest lines; two of them with their text where the file can be read. */
static void render_lines(const struct view_extra *extra, struct grid *grid, uint64_t self)
{
    int column = 1 + grid_text(grid, LINES_ROW, 1, 20, ROLE_TITLE, _("hottest lines")) + 2;
    uint32_t count = extra->line_count < LINES ? extra->line_count : LINES;
    int each = LINE_COLUMNS;

    if (count == 0 || self == 0)
        return;
    if (extra->source != NULL) {
        count = count < LINES_WITH_TEXT ? count : LINES_WITH_TEXT;
        each = (grid->columns - column) / (int)count;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct fold_line *line = &extra->lines[i];

        render_line(line, grid, column, (double)line->self / (double)self);
        if (extra->source != NULL && line->line != 0 && line->line <= extra->source->count) {
            const char *text = extra->source->lines[line->line - 1];

            grid_text(grid, LINES_ROW, column + LINE_COLUMNS, each - LINE_COLUMNS - 1, ROLE_DIM,
                      text + strspn(text, " \t"));
        }
        column += each;
    }
}

/* "IPC 1.32  CMISS/k 4.1", on the right of the first line. */
static void render_ratios(const struct screen_input *input, struct grid *grid)
{
    char text[FORMAT_LONG] = "";
    size_t used = 0;

    for (unsigned i = 0; i < ratio_count; i++) {
        const struct ratio *ratio = &ratio_table[i];
        double value;

        if (used < sizeof(text) && ratio_of(ratio, input->fold, input->chosen, &value))
            used += (size_t)snprintf(text + used, sizeof(text) - used, " %s %.*f ", _(ratio->label),
                                     ratio->decimals, value);
    }
    if (used > 0)
        grid_text_right(grid, 0, grid->columns - 2 - text_width(text), text_width(text),
                        ROLE_NORMAL, text);
}

void detail_render(const struct screen_input *input, struct grid *grid)
{
    const struct view_extra *extra = input->extra;
    const struct function *function;
    const struct fold_row *row;
    char place[NAME_MAX_BYTES], total[FORMAT_MAX], self[FORMAT_MAX], facts[FORMAT_LONG];
    int used, width, half = grid->columns / 2;

    grid_fill(grid, 0, 0, grid->columns, ROLE_DIM, "\u2500");
    grid_text(grid, 0, 1, grid->columns, ROLE_DIM, _(" selected "));
    if (input->chosen == FUNCTION_NONE)
        return;
    function = names_get(input->fold->names, input->chosen);
    row = fold_find(input->fold, input->chosen);
    if (row == NULL)
        return;
    snprintf(facts, sizeof(facts), _("  %.60s   total %s  self %s"),
             format_place(place, function, row->line),
             format_weight(total, input, input->fold, row->total, row->total_samples),
             format_weight(self, input, input->fold, row->self, row->self_samples));
    if (function->kind == FRAME_PYTHON && row->self != 0) {
        size_t length = strlen(facts);

        /* The rest of its own time went into the interpreter's C code. */
        snprintf(facts + length, sizeof(facts) - length, _("  in Python %.0f%%"),
                 100.0 * (double)row->python_self / (double)row->self);
    }
    render_ratios(input, grid);
    width = text_width(facts);
    used = grid_text(grid, 1, 1, grid->columns - 2 - width, format_role(input, function),
                     input->names == NAME_RAW ? function->raw_name : function->name);
    grid_text(grid, 1, 1 + used, grid->columns - 1 - used, ROLE_DIM, facts);
    if (extra == NULL || extra->wants.function != input->chosen || extra->callers == NULL)
        return;
    render_neighbours(input, grid, 1, half - 2, _("callers"), extra->callers->callers,
                      extra->callers->caller_count, row->total);
    render_neighbours(input, grid, half, grid->columns - half, _("callees"),
                      extra->callers->callees, extra->callers->callee_count, row->total);
    if (extra->line_count > 1 || (extra->line_count == 1 && extra->lines[0].line != 0))
        render_lines(extra, grid, row->self);
}
