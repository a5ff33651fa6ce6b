/* SPDX-License-Identifier: MIT */
/* Recordings from files, through a scope, into a format: what report, diff and record share. */
#include "config.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/late_names.h"
#include "proftop/metric.h"
#include "proftop/session.h"

/* Whoever waits for a report waits so long for debug files; the manual says so. */
#define NAMES_WAIT_NS (60 * NS_PER_S)

struct profile *load_profile(const char *const *paths, unsigned count, struct error *error)
{
    unsigned sessions = 0;

    for (unsigned i = 0; i < count; i++) {
        if (strcmp(paths[i], "-") != 0 && access(paths[i], F_OK) != 0) {
            error_errno(error, errno, _("cannot open %s: %s"), paths[i], strerror(errno));
            return NULL;
        }
        sessions += import_is_session(paths[i]);
    }
    if (sessions == 0)
        return import_files(paths, count, error);
    if (sessions == count)
        return session_open_all(paths, count, error);
    error_set(error, STATUS_USAGE, _("sessions and imported files cannot be merged"));
    return NULL;
}

void load_names(const struct options *options, struct profile *profile)
{
    struct late_names *late;
    char missing[1024];

    if (!options->debuginfod)
        return;
    late = late_names_start(profile);
    late_names_wait(late, clock_now_ns() + NAMES_WAIT_NS);
    if (late_names_missing(late, missing, sizeof(missing)))
        fprintf(stderr, "%s: %s\n", PACKAGE, missing);
    late_names_end(late);
}

static enum metric main_metric(const struct profile *profile)
{
    uint64_t samples[METRICS] = { 0 };
    struct slice_cursor cursor;
    const struct slice *slice;

    profile_slices(profile, 0, UINT64_MAX, UINT64_MAX, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL)
        slice_count(slice, samples);
    return driving_metric(samples);
}

static bool copy_text(char *to, const char *from, const char *option, struct error *error)
{
    if (from == NULL)
        return true;
    if (strlen(from) >= SCOPE_TEXT_MAX)
        return error_set(error, STATUS_USAGE, _("--%s takes at most %d bytes"), option,
                         SCOPE_TEXT_MAX - 1);
    strcpy(to, from);
    return true;
}

bool load_range(const char *text, const struct profile *profile, struct scope *scope,
                struct error *error)
{
    uint64_t start_ns = profile_start_ns(profile), end_ns = profile_end_ns(profile);

    if (!scope_parse_range(scope, text, start_ns, profile_info(profile)->realtime_offset_ns, error))
        return false;
    if (scope->start_ns > end_ns || scope->end_ns <= start_ns)
        return error_set(error, STATUS_USAGE,
                         _("there is nothing in the range “%s”: the recording is %.1f s long"),
                         text, (double)(end_ns - start_ns) / NS_PER_S);
    return true;
}

bool load_scope(const struct options *options, const struct profile *profile, struct scope *scope,
                struct error *error)
{
    scope_init(scope);
    if (options->metric == NULL)
        scope->metric = main_metric(profile);
    else if (!metric_choose(scope, options->metric, error))
        return false;
    if (options->state_given)
        scope->state = options->state;
    memcpy(scope->threads, options->threads, sizeof(options->threads));
    memcpy(scope->processes, options->processes, sizeof(options->processes));
    return copy_text(scope->thread_name, options->thread_name, "thread", error) &&
           copy_text(scope->filter, options->filter, "filter", error) &&
           (options->range == NULL || load_range(options->range, profile, scope, error));
}

struct fold *load_fold(struct profile *profile, const struct scope *scope, struct error *error)
{
    struct folder *folder = folder_new();
    struct fold *fold = fold_update(folder, profile, scope, error);

    folder_free(folder);
    return fold;
}

const struct export_ops *load_format(const char *name, struct error *error)
{
    const struct export_ops *ops = export_find(name);
    char names[256] = "";

    if (ops != NULL)
        return ops;
    for (unsigned i = 0; i < export_count; i++)
        snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i > 0 ? ", " : "",
                 export_table[i]->name);
    error_set(error, STATUS_USAGE, _("there is no format called \"%s\""), name);
    error_hint(error, _("the formats are %s"), names);
    return NULL;
}

bool load_text_or_json(const struct options *options, bool *json, struct error *error)
{
    *json = options->format != NULL && strcmp(options->format, "json") == 0;
    if (*json || options->format == NULL || strcmp(options->format, "text") == 0)
        return true;
    return error_set(error, STATUS_USAGE, _("the formats of \"%s\" are text and json"),
                     command_title(options->command));
}

/* The busiest function that --function matches. */
static bool find_function(const char *pattern, const struct fold *fold, function_id *function,
                          struct error *error)
{
    regex_t regex;

    *function = UINT32_MAX;
    if (pattern == NULL)
        return true;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return error_set(error, STATUS_USAGE, _("\"%s\" is no regular expression"), pattern);
    for (uint32_t i = 0; i < fold->row_count && *function == UINT32_MAX; i++)
        if (regexec(&regex, names_get(fold->names, fold->rows[i].function)->name, 0, NULL, 0) == 0)
            *function = fold->rows[i].function;
    regfree(&regex);
    if (*function == UINT32_MAX)
        return error_set(error, STATUS_FAILED, _("no sampled function matches \"%s\""), pattern);
    return true;
}

bool load_write(const struct options *options, const struct export_ops *ops,
                const struct fold *fold, const char *path, struct error *error)
{
    struct export_options wanted = {
        .views = options->view_count > 0 ? options->views : NULL,
        .top = options->top,
    };

    if (!find_function(options->function, fold, &wanted.function, error))
        return false;
    if (path != NULL && strcmp(path, "-") != 0)
        return export_file(ops, fold, &wanted, path, options->force, error);
    if (ops->binary && isatty(STDOUT_FILENO)) {
        error_set(error, STATUS_USAGE, _("%s is not for a terminal"), ops->name);
        error_hint(error, _("-o FILE writes it to a file"));
        return false;
    }
    return export_stream(ops, fold, &wanted, stdout, error);
}
