/* SPDX-License-Identifier: MIT */
/*
 * The lines around every view.
 *
 *     proftop busy[8968] 5thr 2cpu  perf 99Hz  rec 1:04  LIVE             missed 0
 *     Range last 10s | Thr all 5 | on-CPU | Filter - | N=1812 ±2.2pt | 1.83 cpu
 *     [1Top] 2Tree 3Callers 4Threads
 *     …
 *     long acme::Table<std::string, long>::sum() const      busy.cc:17     p full name
 *     F1Help  F2Setup F3SearchF4FilterF5Tree  F6SortByF7From  F8To    F9Save  F10Quit
 */
#include "config.h"

#include "chrome.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/metric.h"
#include "proftop/text.h"

enum {
    WIDE = 120,      /* columns from which words are written out */
    KEY_COLUMNS = 8, /* of one key and its word */
    KEYS = 10,
    STATUS_ROWS = 4,     /* at most, of a long sentence */
    COMMAND_MIN = 12,    /* columns below which the command line is left out */
    FEW_FOR_SHARES = 100 /* samples below which a banner warns */
};

/* ---- the title ----------------------------------------------------------------------------------
 */

/* Those that live; where none does, all there were. */
static uint32_t threads_of(const struct profile *profile)
{
    uint32_t count = profile_threads(profile), living = 0;

    for (uint32_t i = 0; i < count; i++)
        living += profile_thread(profile, i)->ended_ns == UINT64_MAX;
    return living > 0 ? living : count;
}

/* What is going on with the target, in capitals where it matters. */
static enum role describe_state(const struct screen_input *input, char *text, size_t size_bytes)
{
    char when[FORMAT_MAX], how[FORMAT_LONG], length[24];
    uint64_t start = profile_start_ns(input->profile), end = profile_end_ns(input->profile);

    if (!input->live) {
        snprintf(text, size_bytes, _("SESSION %s"), format_clock(when, input->profile, start));
        return ROLE_TITLE;
    }
    if (input->ended) {
        snprintf(text, size_bytes, _("%s at %s after %s"),
                 format_exit(how, profile_info(input->profile)->exit_status),
                 format_clock(when, input->profile, end),
                 text_elapsed(length, end > start ? end - start : 0));
        return ROLE_ALARM;
    }
    if (input->frozen) {
        snprintf(text, size_bytes, _("VIEW PAUSED, recording"));
        return ROLE_WARN;
    }
    if (input->stopped) {
        snprintf(text, size_bytes, _("STOPPED, waiting for it to continue"));
        return ROLE_ALARM;
    }
    snprintf(text, size_bytes, _("LIVE"));
    return ROLE_GOOD;
}

static uint64_t missed(const struct fold *fold)
{
    const struct record_tally *tally = &fold->tally;

    return tally->expected > tally->received ? tally->expected - tally->received : 0;
}

static const char *or_dash(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : "-";
}

static const char *sampler_text(const struct screen_input *input)
{
    static const struct record_tally none;

    return or_dash(
        profile_sampler(input->profile, input->fold != NULL ? &input->fold->tally : &none));
}

/* "99", or "24 of 99" while it is lowered. */
static const char *rate_text(char buffer[FORMAT_MAX], const struct screen_input *input)
{
    uint32_t asked = profile_info(input->profile)->rate_hz;
    uint32_t now = input->fold != NULL ? input->fold->tally.rate_hz : 0;

    if (now == 0 || now == asked || input->ended)
        snprintf(buffer, FORMAT_MAX, "%u", asked);
    else
        snprintf(buffer, FORMAT_MAX, _("%u of %u"), now, asked);
    return buffer;
}

/* The part left of the state: which target and, while it runs or where there is room, on what,
 * sampled how, for how long. */
static int title_facts(const struct screen_input *input, struct grid *grid, int row, int width)
{
    const struct profile_info *info = profile_info(input->profile);
    uint32_t threads = threads_of(input->profile);
    uint64_t start = profile_start_ns(input->profile), end = profile_end_ns(input->profile);
    char elapsed[24], text[512], rate[FORMAT_MAX];
    int left, room;

    text_elapsed(elapsed, end > start ? end - start : 0);
    if (grid->columns < WIDE && input->ended)
        return grid_printf(grid, row, 0, width, ROLE_TITLE, "proftop %s  ", input->title);
    if (grid->columns < WIDE) {
        snprintf(text, sizeof(text), _("%uthr %ucpu  %s %sHz  rec %s"), threads, info->cpus,
                 sampler_text(input), rate_text(rate, input), elapsed);
        return grid_printf(grid, row, 0, width, ROLE_TITLE, "proftop %s %s  ", input->title, text);
    }
    snprintf(text, sizeof(text), _("%u threads on %u CPUs   %s %s %s Hz   rec %s   "), threads,
             info->cpus, sampler_text(input), or_dash(info->event), rate_text(rate, input),
             elapsed);
    left = grid_printf(grid, row, 0, width, ROLE_TITLE, "proftop  %s  ", input->title);
    room = width - left - text_width(text) - 2; /* the command gets what is left over */
    if (room > COMMAND_MIN)
        left += grid_text(grid, row, left, room, ROLE_TITLE, or_dash(info->command)) + 2;
    return left + grid_text(grid, row, left, width - left, ROLE_TITLE, text);
}

void chrome_title(const struct screen_input *input, struct grid *grid, int row)
{
    char state[FORMAT_LONG * 2], cost[FORMAT_LONG] = "";
    enum role role;
    int left, width;

    grid_fill(grid, row, 0, grid->columns, ROLE_TITLE, " ");
    if (input->profile == NULL) {
        grid_printf(grid, row, 0, grid->columns, ROLE_TITLE, "proftop %s", input->title);
        return;
    }
    role = describe_state(input, state, sizeof(state));
    if (input->fold != NULL)
        snprintf(cost, sizeof(cost), _("missed %llu"), (unsigned long long)missed(input->fold));
    if (input->live && !input->ended && grid->columns >= WIDE) {
        size_t length = strlen(cost);

        snprintf(cost + length, sizeof(cost) - length, _("   overhead %.1f%%"),
                 input->overhead_pct);
    }
    width = text_width(cost);
    left = title_facts(input, grid, row,
                       grid->columns - text_width(state) - (grid->columns >= WIDE ? width + 2 : 1));
    left += grid_text(grid, row, left, grid->columns - left, role, state);
    if (left + 2 + width <= grid->columns)
        grid_text(grid, row, grid->columns - width, width,
                  input->fold != NULL && missed(input->fold) * 20 > input->fold->tally.expected
                      ? ROLE_WARN
                      : ROLE_TITLE,
                  cost);
}

/* ---- the scope ----------------------------------------------------------------------------------
 */

/* Writes one part of the scope line; SET: the person chose it, so that it stands out. */
static int scope_part(struct grid *grid, int row, int left, bool set, const char *text)
{
    int used;

    if (left > 0)
        left += grid_text(grid, row, left, grid->columns - left, ROLE_SCOPE, " | ");
    used = grid_text(grid, row, left, grid->columns - left, ROLE_SCOPE, text);
    if (set)
        grid_style(grid, row, left, used, STYLE_BOLD);
    return left + used;
}

static uint32_t threads_in(const struct screen_input *input, int32_t pid)
{
    uint32_t count = profile_threads(input->profile), found = 0;

    for (uint32_t i = 0; i < count; i++)
        found += pid == 0 || profile_thread(input->profile, i)->pid == pid;
    return found;
}

static void describe_threads(const struct screen_input *input, char *text, size_t size_bytes,
                             bool wide)
{
    const struct scope *scope = input->scope;
    const char *label = wide ? _("Threads") : _("Thr");
    char process[NAME_MAX_BYTES];
    unsigned chosen = 0;

    while (chosen < SCOPE_THREADS_MAX && scope->threads[chosen] != 0)
        chosen++;
    if (chosen == 1)
        snprintf(text, size_bytes, "%s %d", label, scope->threads[0]);
    else if (chosen > 1)
        snprintf(text, size_bytes, _("%s %u chosen"), label, chosen);
    else if (scope->thread_name[0] != '\0')
        snprintf(text, size_bytes, "%s \"%s\"", label, scope->thread_name);
    else
        snprintf(text, size_bytes, _("%s all %u"), label, threads_in(input, scope->processes[0]));
    if (scope->processes[0] != 0) {
        size_t length = strlen(text);

        snprintf(text + length, size_bytes - length, _(" of %.40s"),
                 format_process(process, input->profile, scope->processes[0]));
    }
}

/* What is left out or folded away, in words; "" when nothing is. */
static void describe_hidden(const struct scope *scope, char *text, size_t size_bytes)
{
    int used = 0;

    text[0] = '\0';
    if (scope->hide_kernel)
        used += snprintf(text + used, size_bytes - (size_t)used, _(" -kernel"));
    if (scope->hide_user)
        used += snprintf(text + used, size_bytes - (size_t)used, _(" -user"));
    if (scope->fold_libraries)
        used += snprintf(text + used, size_bytes - (size_t)used, _(" -libs"));
    if (scope->show_internal)
        used += snprintf(text + used, size_bytes - (size_t)used, _(" +internal"));
    if (scope->only_module[0] != '\0')
        snprintf(text + used, size_bytes - (size_t)used, _(" only %.60s"), scope->only_module);
}

/*
 * N and its error in COLUMNS: of how many due only where that can be said, for everything that was
 * on a CPU, and where there is room for the error behind it.
 */
static void describe_samples(const struct screen_input *input, char *text, size_t size_bytes,
                             int columns)
{
    const struct fold *fold = input->fold;
    const struct scope *scope = &fold->scope;
    bool whole = scope->threads[0] == 0 && scope->processes[0] == 0 &&
                 scope->thread_name[0] == '\0' && scope->filter[0] == '\0' &&
                 scope->state == SCOPE_ON_CPU && scope->metric == METRIC_TIME;
    char due[FORMAT_LONG] = "", error[FORMAT_MAX] = "";

    if (whole && missed(fold) * 20 > fold->tally.expected)
        snprintf(due, sizeof(due), _(" of %llu due"),
                 (unsigned long long)(fold->samples + missed(fold)));
    if (fold->samples != 0)
        snprintf(error, sizeof(error), " %s%.1fpt", input->ascii ? "+-" : "\u00b1", fold->error_pt);
    snprintf(text, size_bytes, "N=%llu%s%s", (unsigned long long)fold->samples, due, error);
    if (text_width(text) > columns)
        snprintf(text, size_bytes, "N=%llu%s", (unsigned long long)fold->samples, error);
}

void chrome_scope(const struct screen_input *input, struct grid *grid, int row)
{
    const struct scope *scope = input->scope;
    bool wide = grid->columns >= WIDE;
    char text[FORMAT_LONG * 3], range[FORMAT_LONG];
    int left;

    grid_fill(grid, row, 0, grid->columns, ROLE_SCOPE, " ");
    if (input->profile == NULL)
        return;
    snprintf(text, sizeof(text), "%s %s", _("Range"), format_range(range, input, !wide));
    left = scope_part(grid, row, 0, scope->last_ns == 0, text);
    describe_threads(input, text, sizeof(text), wide);
    left = scope_part(
        grid, row, left,
        scope->threads[0] != 0 || scope->thread_name[0] != '\0' || scope->processes[0] != 0, text);
    if (scope->metric == METRIC_TIME)
        snprintf(text, sizeof(text), "%s%s", wide ? _("State ") : "", format_state(scope->state));
    else
        snprintf(text, sizeof(text), "%s", _(metric_of(scope)->label));
    left = scope_part(grid, row, left, scope->state != SCOPE_ON_CPU || scope->metric != METRIC_TIME,
                      text);
    snprintf(text, sizeof(text), _("Filter %s"), scope->filter[0] != '\0' ? scope->filter : "-");
    describe_hidden(scope, text + strlen(text), sizeof(text) - strlen(text));
    left = scope_part(grid, row, left, text[strlen(text) - 1] != '-', text);
    if (input->fold == NULL)
        return;
    describe_samples(input, text, sizeof(text), grid->columns - left - 3);
    left = scope_part(grid, row, left, false, text);
    if (input->fold->cores > 0 && scope->metric == METRIC_TIME && scope->state == SCOPE_ON_CPU) {
        snprintf(text, sizeof(text), wide ? _("%.2f cpu of %u.00") : _("%.2f cpu"),
                 input->fold->cores, profile_info(input->profile)->cpus);
        if (left + 3 + text_width(text) <= grid->columns) /* half a number misleads */
            left = scope_part(grid, row, left, false, text);
    }
    if (input->folding)
        grid_text(grid, row, left, grid->columns - left, ROLE_DIM, _("  updating"));
}

/* ---- tabs ---------------------------------------------------------------------------------------
 */

bool chrome_has_tab(const struct screen_input *input, const struct view_ops *view)
{
    return view->useful == NULL || view->useful(input);
}

const struct view_ops *chrome_view(const struct screen_input *input, unsigned number)
{
    return number >= 1 && number <= view_count && chrome_has_tab(input, view_table[number - 1])
               ? view_table[number - 1]
               : NULL;
}

static int tab_text(const struct screen_input *input, unsigned index, const struct view_ops *shown,
                    char *text, size_t size_bytes)
{
    const struct view_ops *view = view_table[index];
    const char *news = input->alert && strcmp(view->name, "output") == 0 ? "*" : "";

    snprintf(text, size_bytes, view == shown ? "[%u%s%s]" : "%u%s%s", index + 1, _(view->label),
             news);
    return text_width(text);
}

void chrome_tabs(const struct screen_input *input, struct grid *grid, int row,
                 const struct view_ops *shown)
{
    int left = 0;

    grid_fill(grid, row, 0, grid->columns, ROLE_TAB, " ");
    for (unsigned i = 0; i < view_count; i++) {
        char text[FORMAT_LONG];
        int width;

        if (!chrome_has_tab(input, view_table[i]))
            continue;
        width = tab_text(input, i, shown, text, sizeof(text));
        grid_text(grid, row, left, width, view_table[i] == shown ? ROLE_TAB_CHOSEN : ROLE_TAB,
                  text);
        left += width + 1;
    }
    if (input->fold != NULL && input->fold->samples != 0 && input->fold->samples < FEW_FOR_SHARES) {
        char text[FORMAT_LONG];

        snprintf(text, sizeof(text), _("! only %llu samples: shares are rough"),
                 (unsigned long long)input->fold->samples);
        if (left + 1 + text_width(text) <= grid->columns)
            grid_text_right(grid, row, left + 1, grid->columns - left - 1, ROLE_WARN, text);
    }
}

const struct view_ops *chrome_tab_at(const struct screen_input *input, int columns, int column,
                                     const struct view_ops *shown)
{
    int left = 0;

    for (unsigned i = 0; i < view_count && left < columns; i++) {
        char text[FORMAT_LONG];
        int width;

        if (!chrome_has_tab(input, view_table[i]))
            continue;
        width = tab_text(input, i, shown, text, sizeof(text));
        if (column >= left && column < left + width)
            return view_table[i];
        left += width + 1;
    }
    return NULL;
}

/* ---- status and keys ----------------------------------------------------------------------------
 */

/* A sentence that is longer than the line rises over the rows above it, to be read whole. */
static void say(struct grid *grid, int row, const char *text)
{
    int lines = grid_lines_taken(text, grid->columns);

    if (lines > STATUS_ROWS)
        lines = STATUS_ROWS;
    if (lines < 1 || lines > row + 1)
        lines = 1;
    for (int i = 0; i < lines; i++)
        grid_fill(grid, row - i, 0, grid->columns, ROLE_TITLE, " ");
    grid_lines(grid, row - lines + 1, 0, grid->columns, lines, ROLE_TITLE, text);
}

void chrome_status(const struct screen_input *input, struct grid *grid, int row)
{
    const struct function *function;
    const struct fold_row *found;
    const char *name;
    char place[NAME_MAX_BYTES];
    int width, room;

    if (input->status != NULL) {
        say(grid, row, input->status);
        return;
    }
    if (input->fold == NULL || input->chosen == FUNCTION_NONE)
        return;
    function = names_get(input->fold->names, input->chosen);
    found = fold_find(input->fold, input->chosen);
    if (function_footnote(function) != NULL)
        snprintf(place, sizeof(place), "%s", function_footnote(function));
    else
        format_place(place, function, found != NULL && function->line == 0 ? found->line : 0);
    name = input->names == NAME_RAW ? function->raw_name : function->name;
    room = grid->columns - text_width(name) - 2;
    if (room < grid->columns / 2)
        room = grid->columns / 2;
    width = text_width(place);
    if (width > room)
        width = room;
    grid_text(grid, row, 0, grid->columns - width - 2, ROLE_DIM, name);
    grid_text_right(grid, row, grid->columns - width, width, ROLE_DIM, place);
}

static enum action key_action(unsigned number)
{
    char key[8];

    snprintf(key, sizeof(key), "F%u", number);
    for (unsigned i = 0; i < ACTIONS; i++) {
        const char *found = action_table[i].keys != NULL ? strstr(action_table[i].keys, key) : NULL;

        if (found != NULL && action_table[i].bar != NULL && found[strlen(key)] != '0')
            return (enum action)i;
    }
    return ACTION_NONE;
}

static int key_columns(int columns)
{
    int each = columns / KEYS;

    return each < 4 ? 4 : each > KEY_COLUMNS ? KEY_COLUMNS : each;
}

void chrome_keys(struct grid *grid, int row, const char *view)
{
    int each = key_columns(grid->columns), left = 0;

    for (unsigned i = 1; i <= KEYS; i++, left += each) {
        enum action action = key_action(i);
        int used = grid_printf(grid, row, left, each, ROLE_KEY, "F%u", i);

        grid_fill(grid, row, left + used, each - used, ROLE_KEY_TEXT, " ");
        grid_text(grid, row, left + used, each - used, ROLE_KEY_TEXT,
                  action != ACTION_NONE ? _(action_table[action].bar) : "");
    }
    if (grid->columns >= WIDE)
        grid_text(grid, row, left + 2, grid->columns - left - 2, ROLE_DIM,
                  strcmp(view, "top") == 0
                      ? _("Space freeze  { } spike  Enter callers  t tree  o waiting")
                      : _("Space freeze  { } spike  Enter drill  Esc back  o waiting"));
}

enum action chrome_key_at(int columns, int column)
{
    int number = column / key_columns(columns) + 1;

    return number <= KEYS ? key_action((unsigned)number) : ACTION_NONE;
}
