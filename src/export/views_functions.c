/* SPDX-License-Identifier: MIT */
/* Top, tree and callers of a report. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/figures.h"
#include "proftop/metric.h"
#include "proftop/profile.h"
#include "proftop/ratio.h"
#include "proftop/text.h"
#include "report_view.h"
#include "stacks.h"

enum { ROWS_MAX = 60 };

/* In text, a row below this share of the whole is summed up instead of shown. */
static const double LEAST_PCT = 0.05;
/* … and in the tree. */
static const double LEAST_TREE_PCT = 0.5;

static double seconds(uint64_t time_ns)
{
    return (double)time_ns / (double)NS_PER_S;
}

static double cores(const struct fold *fold, uint64_t weight)
{
    uint64_t range_ns = fold->end_ns - fold->start_ns;

    return range_ns > 0 ? (double)weight / (double)range_ns : 0;
}

/* A weight in CSV: seconds where it is time. */
static double scaled(const struct fold *fold, uint64_t weight)
{
    return metric_of(&fold->scope)->unit == METRIC_NANOSECONDS ? seconds(weight) : (double)weight;
}

static void put_place(struct table *table, const struct function *function, uint32_t line)
{
    const char *footnote = function_footnote(function);
    char place[512];

    if (function->file[0] == '\0' && footnote != NULL) {
        table_text(table, footnote);
        return;
    }
    line = line != 0 ? line : function->line;
    snprintf(place, sizeof(place), line != 0 ? "%s:%" PRIu32 : "%s", text_base_name(function->file),
             line);
    table_text(table, place);
}

static void about_shares(const struct fold *fold, const struct export_options *options,
                         FILE *stream)
{
    struct fold_split split;
    char weight[80];

    (void)options;
    fprintf(stream, "SELF%% and TOTAL%% are shares of N: %" PRIu64 " samples, %s.\n", fold->samples,
            weight_text(weight, fold, fold->weight));
    if (metric_of(&fold->scope)->unit == METRIC_NANOSECONDS)
        fprintf(stream, "CPU: 1.00 is one core for the whole range.  THR: threads it ran on.\n");
    for (unsigned i = 0; i < ratio_count; i++) {
        double value;

        if (ratio_of(&ratio_table[i], fold, UINT32_MAX, &value))
            fprintf(stream, "%s of all: %.*f.\n", ratio_table[i].label, ratio_table[i].decimals,
                    value);
    }
    if (fold_split(fold, &split))
        fprintf(stream,
                "Of N, %.1f%% ran Python code itself, %.1f%% native code, %.1f%% the kernel.\n",
                split.python_pct, split.native_pct, split.kernel_pct);
}

/* ---- top ------------------------------------------------------------------------------------- */

static const struct column top_columns[] = {
    { .key = "self_pct", .heading = "SELF%", .decimals = 1 },
    { .key = "total_pct", .heading = "TOTAL%", .decimals = 1 },
    { .key = "self_cores", .heading = "CPU", .decimals = 2 },
    { .key = "self_samples", .heading = "SELF" },
    { .key = "total_samples", .heading = "TOTAL" },
    { .key = "self", .use = COLUMN_CSV },
    { .key = "total", .use = COLUMN_CSV },
    { .key = "threads", .heading = "THR" },
    /* In the order of ratio_table[]. */
    { .key = "ipc", .heading = "IPC", .decimals = 2, .optional = true },
    { .key = "cache_misses_per_1000", .heading = "CMISS/k", .decimals = 1, .optional = true },
    { .key = "branch_misses_per_1000", .heading = "BMISS/k", .decimals = 1, .optional = true },
    { .key = "faults_per_s", .heading = "FAULT/s", .optional = true },
    { .key = "name", .heading = "FUNCTION", .left = true },
    { .key = "module", .heading = "MODULE", .left = true },
    { .heading = "WHERE", .left = true, .use = COLUMN_TEXT },
    { .key = "file", .left = true, .use = COLUMN_CSV },
    { .key = "line", .use = COLUMN_CSV },
    { .key = "kind", .left = true, .use = COLUMN_CSV },
    { .key = "raw_name", .left = true, .use = COLUMN_CSV },
};

static void put_ratios(struct table *table, const struct fold *fold, function_id function)
{
    for (unsigned i = 0; i < ratio_count; i++) {
        double value;

        if (ratio_of(&ratio_table[i], fold, function, &value))
            table_number(table, value);
        else
            table_empty(table);
    }
}

static void put_row(struct table *table, const struct fold *fold, const struct fold_row *row)
{
    const struct function *function = names_get(fold->names, row->function);

    table_number(table, percent(row->self, fold->weight));
    table_number(table, percent(row->total, fold->weight));
    if (metric_of(&fold->scope)->unit == METRIC_NANOSECONDS)
        table_number(table, cores(fold, row->self));
    else
        table_empty(table);
    table_number(table, (double)row->self_samples);
    table_number(table, (double)row->total_samples);
    table_number(table, scaled(fold, row->self));
    table_number(table, scaled(fold, row->total));
    table_number(table, row->threads);
    put_ratios(table, fold, row->function);
    table_text(table, function->name);
    table_text(table, function->module);
    put_place(table, function, row->line);
    table_text(table, function->file);
    table_number(table, function->line);
    table_text(table, kind_name(function->kind));
    table_text(table, function->raw_name);
}

/* Rows shown: those asked for; in text else those that are worth a line, on a page or two. */
static uint32_t rows_shown(const struct fold *fold, const struct export_options *options, bool csv)
{
    uint32_t rows = fold->row_count;

    if (options->top > 0)
        return options->top < rows ? options->top : rows;
    if (!csv && rows > ROWS_MAX)
        rows = ROWS_MAX;
    while (!csv && rows > 0 && percent(fold->rows[rows - 1].self, fold->weight) < LEAST_PCT &&
           percent(fold->rows[rows - 1].total, fold->weight) < LEAST_TREE_PCT)
        rows--;
    return rows;
}

static void fill_top(struct table *table, const struct fold *fold,
                     const struct export_options *options, bool csv)
{
    uint32_t rows = rows_shown(fold, options, csv);

    table_init(table, top_columns, sizeof(top_columns) / sizeof(top_columns[0]));
    for (uint32_t i = 0; i < rows; i++)
        put_row(table, fold, &fold->rows[i]);
}

static void about_top(const struct fold *fold, const struct export_options *options, FILE *stream)
{
    uint32_t rows = rows_shown(fold, options, false);
    uint64_t rest = 0;

    about_shares(fold, options, stream);
    for (uint32_t i = rows; i < fold->row_count; i++)
        rest += fold->rows[i].self;
    if (rows < fold->row_count)
        fprintf(stream,
                "%" PRIu32 " more functions are not shown (-n shows more), together %.1f%% self.\n",
                fold->row_count - rows, percent(rest, fold->weight));
}

const struct report_view view_top = { .name = "top", .fill = fill_top, .about = about_top };

/* ---- tree ------------------------------------------------------------------------------------ */

static const struct column tree_columns[] = {
    { .key = "depth", .use = COLUMN_CSV },
    { .key = "total_pct", .heading = "TOTAL%", .decimals = 1 },
    { .key = "self_pct", .heading = "SELF%", .decimals = 1 },
    { .key = "total_samples", .heading = "TOTAL" },
    { .key = "self_samples", .heading = "SELF" },
    { .key = "total", .use = COLUMN_CSV },
    { .key = "self", .use = COLUMN_CSV },
    { .key = "name", .heading = "FUNCTION", .left = true },
    { .key = "module", .left = true, .use = COLUMN_CSV },
    { .key = "file", .left = true, .use = COLUMN_CSV },
    { .key = "line", .use = COLUMN_CSV },
    { .key = "kind", .left = true, .use = COLUMN_CSV },
};

enum { CHAIN_INDENT = 1, BRANCH_INDENT = 2, INDENT_MAX = 100 };

static node_id next_shown(const struct fold *fold, node_id id, double least_pct)
{
    while (id != NODE_END && percent(fold->nodes[id].total, fold->weight) < least_pct)
        id = fold->nodes[id].next;
    return id;
}

/* Whether NODE is the only shown child: a chain is indented less, so that deep stacks fit. */
static bool only_child(const struct fold *fold, node_id id, double least_pct)
{
    const struct fold_node *parent = &fold->nodes[fold->nodes[id].parent];

    return next_shown(fold, parent->child, least_pct) == id &&
           next_shown(fold, fold->nodes[id].next, least_pct) == NODE_END;
}

/* NODE only goes on with the recursion of its parent: it shares its parent's line. */
static bool goes_on(const struct fold *fold, node_id id, double least_pct)
{
    const struct fold_node *node = &fold->nodes[id], *parent = &fold->nodes[node->parent];

    return node->parent != NODE_ROOT && node->process == 0 && parent->process == 0 &&
           node->function == parent->function && only_child(fold, id, least_pct);
}

/* How much further right than its parent NODE is. */
static int indent_of(const struct fold *fold, node_id id, double least_pct)
{
    if (fold->nodes[id].parent == NODE_ROOT || goes_on(fold, id, least_pct))
        return 0;
    return only_child(fold, id, least_pct) ? CHAIN_INDENT : BRANCH_INDENT;
}

/* A line of the tree in text: one node, or a run of recursion. */
struct tree_line {
    const struct fold_node *first;
    node_id last;
    uint64_t self, self_samples;
    unsigned levels;
};

static struct tree_line line_of(const struct fold *fold, node_id id, double least_pct, bool csv)
{
    const struct fold_node *nodes = fold->nodes;
    struct tree_line line = { &nodes[id], id, nodes[id].self, nodes[id].self_samples, 1 };
    node_id next;

    while (!csv && (next = next_shown(fold, nodes[line.last].child, least_pct)) != NODE_END &&
           goes_on(fold, next, least_pct)) {
        line.last = next;
        line.self += nodes[next].self;
        line.self_samples += nodes[next].self_samples;
        line.levels++;
    }
    return line;
}

/* "  worker  busy  busy.cc:40" */
static void put_tree_name(struct table *table, const struct fold *fold,
                          const struct tree_line *line, int indent)
{
    const struct fold_node *node = line->first;
    char name[512], text[1200];
    const struct function *function = node->process == 0 ? node_function(fold, node) : NULL;
    const char *file = function != NULL ? function->file : "";
    int used = snprintf(text, sizeof(text), "%*s%.900s", indent < INDENT_MAX ? indent : INDENT_MAX,
                        "", node_name(fold, node, name, sizeof(name)));

    if (line->levels > 1 && used < (int)sizeof(text))
        used += snprintf(text + used, sizeof(text) - (size_t)used, " (%u levels)", line->levels);
    if (function != NULL && function->module[0] != '\0' && used < (int)sizeof(text))
        used += snprintf(text + used, sizeof(text) - (size_t)used, "  %s", function->module);
    if (file[0] != '\0' && function->kind != FRAME_PYTHON && used < (int)sizeof(text))
        snprintf(text + used, sizeof(text) - (size_t)used, "  %s:%" PRIu32, text_base_name(file),
                 node->line != 0 ? node->line : function->line);
    table_text(table, text);
}

static void put_node(struct table *table, const struct fold *fold, const struct tree_line *line,
                     int indent, bool csv)
{
    const struct fold_node *node = line->first;
    const struct function *function = node->process == 0 ? node_function(fold, node) : NULL;
    char buffer[512];

    table_number(table, node->depth);
    table_number(table, percent(node->total, fold->weight));
    table_number(table, percent(line->self, fold->weight));
    table_number(table, (double)node->total_samples);
    table_number(table, (double)line->self_samples);
    table_number(table, scaled(fold, node->total));
    table_number(table, scaled(fold, line->self));
    if (csv)
        table_text(table, node_name(fold, node, buffer, sizeof(buffer)));
    else
        put_tree_name(table, fold, line, indent);
    table_text(table, function != NULL ? function->module : "");
    table_text(table, function != NULL ? function->file : "");
    table_number(table, node->line);
    table_text(table, function != NULL ? kind_name(function->kind) : "process");
}

static void fill_tree(struct table *table, const struct fold *fold,
                      const struct export_options *options, bool csv)
{
    const struct fold_node *nodes = fold->nodes;
    double least_pct = csv ? 0 : LEAST_TREE_PCT;
    node_id id = next_shown(fold, nodes[NODE_ROOT].child, least_pct);
    unsigned shown = 0;
    int indent = 0;

    table_init(table, tree_columns, sizeof(tree_columns) / sizeof(tree_columns[0]));
    while (id != NODE_END && id != NODE_ROOT) {
        struct tree_line line = line_of(fold, id, least_pct, csv);
        node_id next;

        if (options->top > 0 && shown++ >= options->top)
            return;
        put_node(table, fold, &line, indent, csv);
        id = line.last;
        next = next_shown(fold, nodes[id].child, least_pct);
        if (next == NODE_END) {
            while (id != NODE_ROOT &&
                   (next = next_shown(fold, nodes[id].next, least_pct)) == NODE_END) {
                indent -= indent_of(fold, id, least_pct);
                id = nodes[id].parent;
            }
            if (id == NODE_ROOT)
                return;
            indent -= indent_of(fold, id, least_pct);
        }
        id = next;
        indent += indent_of(fold, id, least_pct);
    }
}

static void about_tree(const struct fold *fold, const struct export_options *options, FILE *stream)
{
    char weight[80];

    (void)options;
    fprintf(stream,
            "TOTAL%% and SELF%% are shares of N: %" PRIu64 " samples, %s.\n"
            "Branches below %.1f%% are not shown.\n",
            fold->samples, weight_text(weight, fold, fold->weight), LEAST_TREE_PCT);
}

const struct report_view view_tree = { .name = "tree", .fill = fill_tree, .about = about_tree };

/* ---- callers --------------------------------------------------------------------------------- */

static const struct column callers_columns[] = {
    { .key = "relation", .heading = "RELATION", .left = true },
    { .key = "pct", .heading = "%", .decimals = 1 },
    { .key = "samples", .heading = "SAMPLES" },
    { .key = "weight", .use = COLUMN_CSV },
    { .key = "name", .heading = "FUNCTION", .left = true },
    { .key = "module", .heading = "MODULE", .left = true },
};

static void put_neighbours(struct table *table, const struct fold *fold, const char *relation,
                           const struct fold_neighbour *neighbours, uint32_t count,
                           const struct fold_row *centre)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct function *function = names_get(fold->names, neighbours[i].function);
        bool self = neighbours[i].function == centre->function && strcmp(relation, "callee") == 0;

        table_text(table, self ? "self" : relation);
        table_number(table, percent(neighbours[i].weight, centre->total));
        table_number(table, (double)neighbours[i].samples);
        table_number(table, scaled(fold, neighbours[i].weight));
        table_text(table, function->name);
        table_text(table, function->module);
    }
}

static void fill_callers(struct table *table, const struct fold *fold,
                         const struct export_options *options, bool csv)
{
    const struct fold_row *row = options_row(fold, options);
    struct fold_callers *callers;

    (void)csv;
    table_init(table, callers_columns, sizeof(callers_columns) / sizeof(callers_columns[0]));
    if (row == NULL)
        return;
    callers = fold_callers(fold, row->function);
    put_neighbours(table, fold, "caller", callers->callers, callers->caller_count, row);
    put_neighbours(table, fold, "callee", callers->callees, callers->callee_count, row);
    fold_callers_free(callers);
}

static void about_callers(const struct fold *fold, const struct export_options *options,
                          FILE *stream)
{
    const struct fold_row *row = options_row(fold, options);
    char weight[80];

    if (row == NULL) {
        fprintf(stream, "No function was sampled.\n");
        return;
    }
    fprintf(stream, "%s: total %.1f%%, self %.1f%% of N.\n",
            names_get(fold->names, row->function)->name, percent(row->total, fold->weight),
            percent(row->self, fold->weight));
    fprintf(stream, "%% is a share of its total: %" PRIu64 " samples, %s.\n", row->total_samples,
            weight_text(weight, fold, row->total));
}

const struct report_view view_callers = {
    .name = "callers",
    .fill = fill_callers,
    .about = about_callers,
};
