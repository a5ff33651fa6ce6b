/* SPDX-License-Identifier: MIT */
/*
 * proftop diff: what changed between two recordings, or between two ranges of one, and whether it
 * is more than sampling noise.
 *
 *     BASE  NEW              every function's share (or cost a second) in each, NEW less BASE
 *     FILE  --range A..B     the range is NEW; --against C..D, else the rest of FILE, is BASE
 */
#include "config.h"

#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "proftop/clock.h"
#include "proftop/compare.h"
#include "proftop/contrast.h"
#include "proftop/gettext.h"
#include "proftop/json_writer.h"
#include "proftop/memory.h"
#include "proftop/table.h"

enum { ROWS_DEFAULT = 40 };

/* One side: a recording and a part of it. */
struct side {
    const char *file;
    struct profile *profile;
    struct contrast *contrast;
    uint64_t start_ns, end_ns;
    bool rest; /* everything but the other side */
    uint64_t samples;
    double seconds;
};

struct diff {
    const struct options *options;
    struct side base, new;
    struct comparison *comparison;
    struct compare_row **rows; /* those that --function matches */
    uint32_t count;
    uint32_t regressions; /* rows that grew more than --fail-above allows */
};

/* ---- what is compared ------------------------------------------------------------------------ */

static bool open_side(struct diff *diff, struct side *side, const char *file, struct error *error)
{
    struct options whole = *diff->options;
    struct scope scope;

    whole.range = NULL;
    side->file = file;
    side->end_ns = UINT64_MAX;
    side->profile = load_profile(&file, 1, error);
    if (side->profile == NULL || !load_scope(&whole, side->profile, &scope, error))
        return false;
    side->contrast = contrast_new();
    return contrast_update(side->contrast, side->profile, &scope, error);
}

static bool set_range(struct side *side, const char *range, struct error *error)
{
    struct scope scope;

    scope_init(&scope);
    if (!load_range(range, side->profile, &scope, error))
        return false;
    side->start_ns = scope.start_ns;
    side->end_ns = scope.end_ns;
    return true;
}

static bool open_sides(struct diff *diff, struct error *error)
{
    const struct options *options = diff->options;

    if (options->range == NULL)
        return open_side(diff, &diff->base, options->files[0], error) &&
               open_side(diff, &diff->new, options->files[1], error);
    if (!open_side(diff, &diff->new, options->files[0], error) ||
        !set_range(&diff->new, options->range, error))
        return false;
    diff->base = diff->new;
    profile_ref(diff->base.profile);
    diff->base.contrast = NULL;
    diff->base.rest = options->against == NULL;
    return options->against == NULL || set_range(&diff->base, options->against, error);
}

static void run_comparison(struct diff *diff)
{
    struct compare_options options = {
        .what = diff->options->per_second ? COMPARE_RATE : COMPARE_SHARE,
    };
    struct contrast *of_base =
        diff->base.contrast != NULL ? diff->base.contrast : diff->new.contrast;
    struct contrast_range new = { diff->new.contrast, diff->new.start_ns, diff->new.end_ns };
    struct contrast_range base = { of_base, diff->base.start_ns, diff->base.end_ns };

    diff->comparison = diff->base.rest
                           ? contrast_rest(new.contrast, new.start_ns, new.end_ns, &options)
                           : contrast_ranges(&new, &base, &options);
    diff->new.samples = diff->comparison->a_samples;
    diff->new.seconds = diff->comparison->a_seconds;
    diff->base.samples = diff->comparison->b_samples;
    diff->base.seconds = diff->comparison->b_seconds;
}

static const struct function *function_of(const struct diff *diff, const struct compare_row *row)
{
    return names_get(profile_names(diff->new.profile), row->function);
}

/* The rows asked for, and how many of them are regressions. */
static bool choose_rows(struct diff *diff, struct error *error)
{
    const struct options *options = diff->options;
    const char *pattern = options->function != NULL ? options->function : "";
    struct comparison *comparison = diff->comparison;
    regex_t regex;

    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return error_set(error, STATUS_USAGE, _("\"%s\" is no regular expression"), pattern);
    diff->rows = xcalloc(comparison->count + 1, sizeof(struct compare_row *));
    for (uint32_t i = 0; i < comparison->count; i++) {
        struct compare_row *row = &comparison->rows[i];

        if (regexec(&regex, function_of(diff, row)->name, 0, NULL, 0) != 0)
            continue;
        diff->rows[diff->count++] = row;
        diff->regressions +=
            options->fail_above >= 0 && row->significant && row->delta_pt > options->fail_above;
    }
    regfree(&regex);
    return true;
}

/* ---- for a person ---------------------------------------------------------------------------- */

static void print_side(const char *label, const struct side *side)
{
    uint64_t start_ns = profile_start_ns(side->profile), end_ns = profile_end_ns(side->profile);
    uint64_t from_ns = side->start_ns > start_ns ? side->start_ns : start_ns;
    uint64_t to_ns = side->end_ns < end_ns ? side->end_ns : end_ns;

    printf("%-4s  %s", label, side->file);
    if (side->rest)
        fputs(_(", the rest of it"), stdout);
    else
        printf("  %.1f..%.1f s", (double)(from_ns - start_ns) / (double)NS_PER_S,
               (double)(to_ns - start_ns) / (double)NS_PER_S);
    printf(_(": %" PRIu64 " samples, %.1f s\n"), side->samples, side->seconds);
}

static const struct column diff_columns[] = {
    { .key = "delta", .heading = "DELTA", .left = false },
    { .key = "mark", .heading = "", .left = true },
    { .key = "ci95", .heading = "95% INTERVAL" },
    { .key = "base", .heading = "BASE%", .decimals = 1 },
    { .key = "new", .heading = "NEW%", .decimals = 1 },
    { .key = "name", .heading = "FUNCTION", .left = true },
    { .key = "module", .heading = "MODULE", .left = true },
};

static void print_text(const struct diff *diff)
{
    uint32_t rows = diff->options->top > 0 ? diff->options->top : ROWS_DEFAULT;
    struct table table;

    print_side("BASE", &diff->base);
    print_side("NEW", &diff->new);
    puts(diff->options->per_second
             ? _("Self time of a function per second, in % of one core; DELTA is NEW less BASE.")
             : _("Self time of a function in % of its side's samples; DELTA is NEW less BASE."));
    puts(_("! marks differences beyond sampling noise, judged for all functions together."));
    if (!diff->comparison->enough)
        puts(_("There are too few samples to judge anything."));
    table_init(&table, diff_columns, sizeof(diff_columns) / sizeof(diff_columns[0]));
    for (uint32_t i = 0; i < diff->count && i < rows; i++) {
        const struct compare_row *row = diff->rows[i];
        const struct function *function = function_of(diff, row);
        char text[48];

        snprintf(text, sizeof(text), "%+.1f", row->delta_pt);
        table_text(&table, text);
        table_text(&table, row->significant ? "!" : "");
        snprintf(text, sizeof(text), "%+.1f..%+.1f", row->lo, row->hi);
        table_text(&table, text);
        table_number(&table, row->b_pct);
        table_number(&table, row->a_pct);
        table_text(&table, function->name);
        table_text(&table, function->module);
    }
    putchar('\n');
    table_print_text(&table, stdout);
    table_fini(&table);
    if (diff->options->fail_above >= 0)
        printf(ngettext("%u function grew by more than %g points\n",
                        "%u functions grew by more than %g points\n", diff->regressions),
               diff->regressions, diff->options->fail_above);
}

/* ---- for a program --------------------------------------------------------------------------- */

static void put_side(struct json *json, const char *key, const struct side *side)
{
    uint64_t start_ns = profile_start_ns(side->profile);

    json_object(json, key);
    json_string(json, "file", side->file);
    json_string(json, "command", profile_info(side->profile)->command);
    json_bool(json, "rest", side->rest);
    json_array(json, "range_s");
    json_number(json, NULL,
                side->start_ns > start_ns ? (double)(side->start_ns - start_ns) / (double)NS_PER_S
                                          : 0);
    if (side->end_ns == UINT64_MAX)
        json_null(json, NULL);
    else
        json_number(json, NULL, (double)(side->end_ns - start_ns) / (double)NS_PER_S);
    json_end(json);
    json_unsigned(json, "samples", side->samples);
    json_number(json, "seconds", side->seconds);
    json_end(json);
}

static void print_json(const struct diff *diff)
{
    uint32_t rows = diff->options->top > 0 && diff->options->top < diff->count ? diff->options->top
                                                                               : diff->count;
    struct json json;

    json_begin(&json, stdout);
    json_object(&json, NULL);
    json_string(&json, "schema", "proftop-diff/1");
    put_side(&json, "base", &diff->base);
    put_side(&json, "new", &diff->new);
    json_string(&json, "unit", diff->options->per_second ? "percent of one core" : "percent");
    json_bool(&json, "enough", diff->comparison->enough);
    json_array(&json, "functions");
    for (uint32_t i = 0; i < rows; i++) {
        const struct compare_row *row = diff->rows[i];
        const struct function *function = function_of(diff, row);

        json_object(&json, NULL);
        json_string(&json, "name", function->name);
        json_string(&json, "module", function->module);
        json_number(&json, "base", row->b_pct);
        json_number(&json, "new", row->a_pct);
        json_number(&json, "delta", row->delta_pt);
        json_array(&json, "ci95");
        json_number(&json, NULL, row->lo);
        json_number(&json, NULL, row->hi);
        json_end(&json);
        json_bool(&json, "significant", row->significant);
        json_unsigned(&json, "base_samples", row->b_samples);
        json_unsigned(&json, "new_samples", row->a_samples);
        json_end(&json);
    }
    json_end(&json);
    json_unsigned(&json, "regressions", diff->regressions);
    json_end(&json);
}

static void side_fini(struct side *side)
{
    contrast_free(side->contrast);
    profile_unref(side->profile);
}

int cli_diff(const struct options *options, struct error *error)
{
    struct diff diff = { .options = options };
    bool json;
    int status = -1;

    if (!load_text_or_json(options, &json, error) || !open_sides(&diff, error))
        goto done;
    run_comparison(&diff);
    if (!choose_rows(&diff, error))
        goto done;
    if (json)
        print_json(&diff);
    else
        print_text(&diff);
    status = diff.regressions > 0 ? STATUS_REGRESSION : STATUS_OK;
done:
    free(diff.rows);
    comparison_free(diff.comparison);
    side_fini(&diff.base);
    side_fini(&diff.new);
    return status;
}
