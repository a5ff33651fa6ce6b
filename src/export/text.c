/* SPDX-License-Identifier: MIT */
/* The report for a person: what was recorded, then each view asked for. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "formats.h"
#include "proftop/clock.h"
#include "proftop/figures.h"
#include "proftop/gettext.h"
#include "proftop/metric.h"
#include "proftop/profile.h"
#include "proftop/text.h"
#include "report_view.h"
#include "stacks.h"

static void put_session(const struct fold *fold, FILE *stream)
{
    const struct profile *profile = fold->profile;
    const struct profile_info *info = profile_info(profile);
    char date[40], command[512];
    struct figures figures;

    figures_of(profile, fold->start_ns, fold->end_ns, &figures);
    text_fit(command, sizeof(command), info->command != NULL ? info->command : "", 200, false);
    fprintf(stream, "%s%s", command[0] != '\0' ? command : "an imported profile",
            info->pid > 0 ? "" : "\n");
    if (info->pid > 0)
        fprintf(stream, "  pid %d, %s, %.1f s, %s %s at %" PRIu32 " Hz\n", (int)info->pid,
                figures_date(date, profile, profile_start_ns(profile)),
                (double)(profile_end_ns(profile) - profile_start_ns(profile)) / (double)NS_PER_S,
                profile_sampler(profile, &figures.tally), info->event != NULL ? info->event : "",
                info->rate_hz);
    if (figures.tally.expected > 0)
        fprintf(stream,
                "%" PRIu32 " samples were due in the range, %" PRIu32 " came, %" PRIu32
                " were lost, %" PRIu32 " stacks were truncated, %" PRIu32 " broken\n",
                figures.tally.expected, figures.tally.received, figures.tally.lost,
                figures.tally.truncated, figures.tally.broken);
}

static void put_list(FILE *stream, const char *label, const int32_t *ids)
{
    for (int i = 0; i < SCOPE_THREADS_MAX && ids[i] != 0; i++)
        fprintf(stream, i == 0 ? " | %s %d" : ",%.0s%d", label, (int)ids[i]);
}

/* The scope line, as the screens have it. */
static void put_scope(const struct fold *fold, FILE *stream)
{
    static const char *const states[SCOPE_STATES] = { "on-CPU", "waiting", "holding the GIL",
                                                      "all states" };
    const struct scope *scope = &fold->scope;
    uint64_t start_ns = profile_start_ns(fold->profile);

    fprintf(stream, "Range %.1f..%.1f s | %s",
            (double)(fold->start_ns - start_ns) / (double)NS_PER_S,
            (double)(fold->end_ns - start_ns) / (double)NS_PER_S, states[scope->state]);
    if (scope->metric != METRIC_TIME)
        fprintf(stream, " | %s", metric_of(scope)->label);
    put_list(stream, "process", scope->processes);
    put_list(stream, "thread", scope->threads);
    if (scope->thread_name[0] != '\0')
        fprintf(stream, " | thread %s", scope->thread_name);
    if (scope->filter[0] != '\0')
        fprintf(stream, " | filter %s", scope->filter);
    fprintf(stream, " | N=%" PRIu64 " ±%.1f points\n", fold->samples, fold->error_pt);
}

static void put_view(const struct report_view *view, const struct fold *fold,
                     const struct export_options *options, FILE *stream)
{
    struct table table;

    putc('\n', stream);
    view->about(fold, options, stream);
    view->fill(&table, fold, options, false);
    table_print_text(&table, stream);
    table_fini(&table);
}

static bool write_text(const struct fold *fold, const struct export_options *options, FILE *stream,
                       struct error *error)
{
    static const char *const usual[] = { "top", NULL };
    const char *const *views =
        options->views != NULL && options->views[0] != NULL ? options->views : usual;

    (void)error;
    put_session(fold, stream);
    put_scope(fold, stream);
    for (; *views != NULL; views++)
        put_view(report_view_find(*views), fold, options, stream);
    return true;
}

const struct export_ops export_text = {
    .name = "text",
    .extension = ".txt",
    .label = N_("a text report"),
    .write = write_text,
};
