/* SPDX-License-Identifier: MIT */
/*
 * The report as JSON, schema proftop-report/1: fields may be added, never renamed.  Which parts are
 * there is chosen by views; without any, all are.
 */
#include "config.h"

#include <string.h>

#include "formats.h"
#include "proftop/clock.h"
#include "proftop/figures.h"
#include "proftop/gettext.h"
#include "proftop/metric.h"
#include "proftop/profile.h"
#include "proftop/ratio.h"
#include "proftop/syscall.h"
#include "report_json.h"
#include "report_view.h"
#include "stacks.h"
#include "syscalls.h"

/*
 * Levels of the tree that are written: readers refuse deeper nesting (jq 1.6 above 256, two of
 * which are a level here).  What lies deeper is summed as "deeper"; every other format has it all.
 */
enum { TREE_LEVELS_MAX = 120 };

static const char *const state_names[SCOPE_STATES] = {
    [SCOPE_ON_CPU] = "on",
    [SCOPE_WAITING] = "waiting",
    [SCOPE_GIL] = "gil",
    [SCOPE_ALL] = "all",
};

static double seconds(uint64_t time_ns)
{
    return (double)time_ns / (double)NS_PER_S;
}

static double range_seconds(const struct fold *fold)
{
    return seconds(fold->end_ns - fold->start_ns);
}

/* Whether WEIGHT is time. */
static bool timed(const struct fold *fold)
{
    return metric_of(&fold->scope)->unit == METRIC_NANOSECONDS;
}

void json_session(struct json *json, const struct fold *fold)
{
    const struct profile *profile = fold->profile;
    const struct profile_info *info = profile_info(profile);
    uint64_t start_ns = profile_start_ns(profile), end_ns = profile_end_ns(profile);
    struct figures figures;
    char date[40];

    figures_of(profile, start_ns, end_ns, &figures);
    json_object(json, "session");
    json_string(json, "command", info->command);
    json_integer(json, "pid", info->pid);
    json_string(json, "start", figures_date(date, profile, start_ns));
    json_number(json, "duration_s", seconds(end_ns - start_ns));
    json_string(json, "source", info->source);
    json_string(json, "source_reason", info->source_reason);
    json_string(json, "event", info->event);
    json_unsigned(json, "rate_hz", info->rate_hz);
    json_number(json, "achieved_hz", figures.achieved_hz);
    json_unsigned(json, "samples", figures.samples);
    json_unsigned(json, "expected", figures.tally.expected);
    json_unsigned(json, "lost", figures.tally.lost);
    json_unsigned(json, "truncated", figures.tally.truncated);
    json_unsigned(json, "broken", figures.tally.broken);
    json_unsigned(json, "unresolved", figures_unresolved(fold));
    if (info->exit_status >= 0)
        json_integer(json, "exit_status", figures_exit_status(info->exit_status));
    else
        json_null(json, "exit_status");
    json_number(json, "profiler_cpu_s", seconds(figures.tally.source_cpu_ns));
    json_number(json, "target_cpu_s", seconds(figures.tally.target_cpu_ns));
    json_object(json, "stopped_us");
    json_number(json, "p50", figures.stopped_p50_us);
    json_number(json, "p99", figures.stopped_p99_us);
    json_number(json, "max", figures.stopped_max_us);
    json_unsigned(json, "count", figures.tally.stops);
    json_end(json);
    json_unsigned(json, "cpus", info->cpus);
    json_string(json, "host", info->host);
    json_string(json, "version", info->version);
    json_end(json);
}

/* What was counted beside the samples of FUNCTION, of all for UINT32_MAX, and its ratios. */
static void put_counts(struct json *json, const struct fold *fold, function_id function)
{
    const struct fold_counts *counts = fold_counts(fold, function);

    if (counts == NULL)
        return;
    json_object(json, "counted");
    for (unsigned i = 0; i < COUNTED; i++)
        if (counts->of[i] != 0)
            json_unsigned(json, metric_info(counted_metric((enum counted)i))->name, counts->of[i]);
    json_end(json);
    for (unsigned i = 0; i < ratio_count; i++) {
        double value;

        if (ratio_of(&ratio_table[i], fold, function, &value))
            json_number(json, ratio_table[i].key, value);
    }
}

void json_scope(struct json *json, const struct fold *fold)
{
    const struct scope *scope = &fold->scope;
    const struct metric_info *metric = metric_of(scope);
    uint64_t start_ns = profile_start_ns(fold->profile);
    struct fold_split split;

    json_object(json, "scope");
    json_array(json, "range_s");
    json_number(json, NULL, seconds(fold->start_ns - start_ns));
    json_number(json, NULL, seconds(fold->end_ns - start_ns));
    json_end(json);
    json_array(json, "threads");
    for (int i = 0; i < SCOPE_THREADS_MAX && scope->threads[i] != 0; i++)
        json_integer(json, NULL, scope->threads[i]);
    json_end(json);
    json_string(json, "thread_name", scope->thread_name);
    json_array(json, "processes");
    for (int i = 0; i < SCOPE_THREADS_MAX && scope->processes[i] != 0; i++)
        json_integer(json, NULL, scope->processes[i]);
    json_end(json);
    json_string(json, "state", state_names[scope->state]);
    json_string(json, "metric", metric->name);
    json_string(json, "unit", weight_of(fold).unit);
    json_string(json, "filter", scope->filter);
    json_unsigned(json, "samples", fold->samples);
    json_unsigned(json, "weight", fold->weight);
    json_number(json, "error_pt", fold->error_pt);
    put_counts(json, fold, UINT32_MAX);
    if (fold_split(fold, &split)) {
        json_number(json, "python_pct", split.python_pct);
        json_number(json, "native_pct", split.native_pct);
        json_number(json, "kernel_pct", split.kernel_pct);
    }
    json_end(json);
}

void json_function(struct json *json, const struct function *function)
{
    json_string(json, "name", function->name);
    json_string(json, "module", function->module);
    json_string(json, "kind", kind_name(function->kind));
}

/* Samples, seconds and shares of one thing. */
static void put_weights(struct json *json, const struct fold *fold, uint64_t self, uint64_t total,
                        uint64_t self_samples, uint64_t total_samples)
{
    json_unsigned(json, "self", self_samples);
    json_unsigned(json, "total", total_samples);
    if (timed(fold)) {
        json_number(json, "self_s", seconds(self));
        json_number(json, "total_s", seconds(total));
    } else {
        json_unsigned(json, "self_weight", self);
        json_unsigned(json, "total_weight", total);
    }
    json_number(json, "self_pct", percent(self, fold->weight));
    json_number(json, "total_pct", percent(total, fold->weight));
}

static void put_functions(struct json *json, const struct fold *fold,
                          const struct export_options *options)
{
    uint32_t rows =
        options->top > 0 && options->top < fold->row_count ? options->top : fold->row_count;

    json_array(json, "functions");
    for (uint32_t i = 0; i < rows; i++) {
        const struct fold_row *row = &fold->rows[i];
        const struct function *function = names_get(fold->names, row->function);

        json_object(json, NULL);
        json_function(json, function);
        json_string(json, "raw_name", function->raw_name);
        json_string(json, "file", function->file);
        json_unsigned(json, "line", function->line);
        json_unsigned(json, "hottest_line", row->line);
        put_weights(json, fold, row->self, row->total, row->self_samples, row->total_samples);
        json_number(
            json, "cpu_cores",
            timed(fold) && range_seconds(fold) > 0 ? seconds(row->self) / range_seconds(fold) : 0);
        json_unsigned(json, "threads", row->threads);
        put_counts(json, fold, row->function);
        if (function->kind == FRAME_PYTHON)
            json_number(json, "python_self_pct", percent(row->python_self, row->self));
        json_end(json);
    }
    json_end(json);
}

static void open_node(struct json *json, const struct fold *fold, node_id id)
{
    const struct fold_node *node = &fold->nodes[id];
    char buffer[512];

    json_object(json, id == NODE_ROOT ? "tree" : NULL);
    if (id == NODE_ROOT) {
        json_string(json, "name", "all");
    } else if (node->process != 0) {
        json_string(json, "name", node_name(fold, node, buffer, sizeof(buffer)));
        json_string(json, "kind", "process");
    } else {
        json_function(json, node_function(fold, node));
        json_unsigned(json, "line", node->line);
    }
    put_weights(json, fold, node->self, node->total, node->self_samples, node->total_samples);
    if (node->depth >= TREE_LEVELS_MAX && node->child != NODE_END)
        json_unsigned(json, "deeper", node->total_samples - node->self_samples);
    json_array(json, "children");
}

static void close_node(struct json *json)
{
    json_end(json);
    json_end(json);
}

static void put_tree(struct json *json, const struct fold *fold)
{
    const struct fold_node *nodes = fold->nodes;
    node_id id = NODE_ROOT;

    open_node(json, fold, id);
    for (;;) {
        if (nodes[id].child != NODE_END && nodes[id].depth < TREE_LEVELS_MAX) {
            id = nodes[id].child;
        } else {
            close_node(json);
            while (id != NODE_ROOT && nodes[id].next == NODE_END) {
                id = nodes[id].parent;
                close_node(json);
            }
            if (id == NODE_ROOT)
                return;
            id = nodes[id].next;
        }
        open_node(json, fold, id);
    }
}

static void put_stack(struct json *json, const struct fold *fold, stack_id stack)
{
    json_array(json, "stack");
    for (; stack != STACK_ROOT; stack = names_parent(fold->names, stack)) {
        const struct naming *naming = names_of(fold->names, names_location(fold->names, stack));

        for (unsigned i = 0; i < naming->count; i++)
            json_string(json, NULL, names_get(fold->names, naming->frames[i].function)->name);
    }
    json_end(json);
}

static void put_waits(struct json *json, const struct fold *fold, const struct fold_thread *thread)
{
    json_array(json, "waits");
    for (uint32_t i = 0; i < thread->wait_count; i++) {
        const struct fold_wait *wait = &thread->waits[i];

        json_object(json, NULL);
        json_string(json, "reason", wait_reason_name(wait->reason));
        json_string(json, "syscall", syscall_name(wait->syscall));
        json_unsigned(json, "count", wait->count);
        json_number(json, "seconds", seconds(wait->time_ns));
        put_stack(json, fold, wait->stack);
        json_end(json);
    }
    json_end(json);
}

static void put_threads(struct json *json, const struct fold *fold)
{
    json_array(json, "threads");
    for (uint32_t i = 0; i < fold->thread_count; i++) {
        const struct fold_thread *thread = &fold->threads[i];
        const struct profile_thread *who = profile_thread(fold->profile, thread->thread);

        json_object(json, NULL);
        json_integer(json, "tid", who->tid);
        json_integer(json, "pid", who->pid);
        json_string(json, "name", who->name);
        json_number(json, "cpu_s", seconds(thread->running_ns));
        json_unsigned(json, "samples", thread->samples);
        json_number(json, "running_s", seconds(thread->running_ns));
        json_number(json, "runnable_s", seconds(thread->runnable_ns));
        json_number(json, "waiting_s", seconds(thread->waiting_ns));
        json_number(json, "gil_held_s", seconds(thread->gil_held_ns));
        json_number(json, "gil_wanted_s", seconds(thread->gil_wanted_ns));
        json_bool(json, "ended", who->ended_ns != UINT64_MAX);
        json_string(json, "top",
                    thread->top_weight > 0 ? names_get(fold->names, thread->top)->name : NULL);
        put_waits(json, fold, thread);
        json_end(json);
    }
    json_end(json);
}

static void put_neighbours(struct json *json, const struct fold *fold, const char *key,
                           const struct fold_neighbour *neighbours, uint32_t count, uint64_t whole)
{
    json_array(json, key);
    for (uint32_t i = 0; i < count; i++) {
        json_object(json, NULL);
        json_function(json, names_get(fold->names, neighbours[i].function));
        json_unsigned(json, "samples", neighbours[i].samples);
        json_number(json, "pct", percent(neighbours[i].weight, whole));
        json_end(json);
    }
    json_end(json);
}

static void put_callers(struct json *json, const struct fold *fold,
                        const struct export_options *options)
{
    const struct fold_row *row = options_row(fold, options);
    struct fold_callers *callers;

    if (row == NULL) {
        json_null(json, "callers");
        return;
    }
    callers = fold_callers(fold, row->function);
    json_object(json, "callers");
    json_string(json, "function", names_get(fold->names, row->function)->name);
    put_weights(json, fold, row->self, row->total, row->self_samples, row->total_samples);
    put_neighbours(json, fold, "callers", callers->callers, callers->caller_count, row->total);
    put_neighbours(json, fold, "callees", callers->callees, callers->callee_count, row->total);
    json_end(json);
    fold_callers_free(callers);
}

static void put_syscalls(struct json *json, const struct fold *fold)
{
    struct syscall_rows rows;

    syscall_rows_of(fold, &rows);
    json_array(json, "syscalls");
    for (size_t i = 0; i < rows.count; i++) {
        const struct syscall_row *row = &rows.rows[i];

        json_object(json, NULL);
        json_string(json, "name", row->name);
        json_string(json, "thread", row->thread_name);
        json_string(json, "function", row->function);
        json_unsigned(json, "count", row->count);
        json_unsigned(json, "errors", row->errors);
        json_number(json, "total_s", seconds(row->total_ns));
        json_number(json, "p99_us", (double)row->p99_ns / 1000);
        json_bool(json, "exact", row->exact);
        json_end(json);
    }
    json_end(json);
    syscall_rows_fini(&rows);
}

static bool wanted(const struct export_options *options, const char *view)
{
    if (options->views == NULL || options->views[0] == NULL)
        return true;
    for (const char *const *at = options->views; *at != NULL; at++)
        if (strcmp(*at, view) == 0)
            return true;
    return false;
}

static bool write_json(const struct fold *fold, const struct export_options *options, FILE *stream,
                       struct error *error)
{
    struct json json;

    (void)error;
    json_begin(&json, stream);
    json_object(&json, NULL);
    json_string(&json, "schema", "proftop-report/1");
    json_session(&json, fold);
    json_scope(&json, fold);
    if (wanted(options, "top"))
        put_functions(&json, fold, options);
    if (wanted(options, "tree"))
        put_tree(&json, fold);
    if (wanted(options, "threads") || wanted(options, "waits"))
        put_threads(&json, fold);
    if (wanted(options, "callers"))
        put_callers(&json, fold, options);
    if (wanted(options, "syscalls"))
        put_syscalls(&json, fold);
    if (wanted(options, "time"))
        json_timeline(&json, fold);
    json_end(&json);
    return true;
}

const struct export_ops export_json = {
    .name = "json",
    .extension = ".json",
    .label = N_("JSON"),
    .write = write_json,
};
