/* SPDX-License-Identifier: MIT */
/* The session's facts and the tool's own cost: what "i" shows. */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app_private.h"
#include "box.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/text.h"
#include "src/view/format.h"

enum { INFO_COLUMNS = 100, LABEL_COLUMNS = 14, INFO_ROWS = 20, NOTES = 4 };

struct page {
    struct grid *grid;
    struct box box;
    int row;
};

static void __attribute__((format(printf, 3, 4)))
fact(struct page *page, const char *label, const char *format, ...)
{
    char text[512];
    va_list arguments;

    if (page->row >= page->box.rows)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    grid_text(page->grid, page->box.row + page->row, page->box.column, LABEL_COLUMNS - 1, ROLE_DIM,
              label);
    page->row += grid_lines(page->grid, page->box.row + page->row, page->box.column + LABEL_COLUMNS,
                            page->box.columns - LABEL_COLUMNS, page->box.rows - page->row,
                            ROLE_NORMAL, text);
}

static const char *or_dash(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : "-";
}

/* Why that source was chosen is told while it is the only one. */
static void about_source(struct page *page, const struct profile *profile,
                         const struct record_tally *tally)
{
    const struct profile_info *info = profile_info(profile);
    const char *sampler = profile_sampler(profile, tally);

    fact(page, _("sampling"), _("%s, %s at %u Hz of CPU time"), or_dash(sampler),
         or_dash(info->event), info->rate_hz);
    if (sampler == info->source && info->source_reason != NULL && info->source_reason[0] != '\0')
        fact(page, "", "%s", info->source_reason);
}

static void about_recording(struct page *page, struct profile *profile)
{
    const struct profile_info *info = profile_info(profile);
    uint64_t start = profile_start_ns(profile), end = profile_end_ns(profile);
    char clock[FORMAT_MAX], elapsed[24];

    fact(page, _("command"), "%s", or_dash(info->command));
    fact(page, _("process"), _("%d on %s, %u CPUs"), info->pid, or_dash(info->host), info->cpus);
    fact(page, _("recorded"), _("from %s for %s"), format_clock(clock, profile, start),
         text_elapsed(elapsed, end > start ? end - start : 0));
}

/* How much of what was due has come, and how whole the stacks are. */
static void about_samples(struct page *page, const struct fold *fold)
{
    const struct record_tally *tally = &fold->tally;
    double due = tally->expected != 0 ? tally->expected : 1;
    struct fold_split split;

    fact(page, _("in range"), _("%llu samples, %u functions, %u threads"),
         (unsigned long long)fold->samples, fold->row_count, fold->thread_count);
    fact(page, _("due"), _("%u expected, %u received (%.1f%%), %u lost, %u throttled"),
         tally->expected, tally->received, 100 * (double)tally->received / due, tally->lost,
         tally->throttled);
    fact(page, _("stacks"), _("%u broken, %u deeper than the copy, %u unwound later"),
         tally->broken, tally->truncated, tally->deferred);
    if (fold_split(fold, &split))
        fact(page, _("ran"), _("Python %.1f%%, native code %.1f%%, the kernel %.1f%%"),
             split.python_pct, split.native_pct, split.kernel_pct);
}

static void about_cost(struct page *page, const struct app *app, const struct fold *fold)
{
    const struct record_tally *tally = &fold->tally;
    char mean[24], longest[24], folding[24], size[16];

    if (app->config.live && app->result->cost_ns != 0)
        fact(page, _("own cost"), _("%.1f%% of one core; %s of samples; last fold %s"),
             app->overhead_pct, text_bytes(size, (double)profile_bytes(app->result->profile)),
             text_duration(folding, app->result->cost_ns));
    if (tally->stops != 0)
        fact(page, _("target held"), _("%u times for %s on average, %s at most"), tally->stops,
             text_duration(mean, tally->stopped_ns / tally->stops),
             text_duration(longest, tally->stopped_max_ns));
    if (tally->target_cpu_ns != 0)
        fact(page, "", _("sampling took %.2f%% of the target's own CPU time"),
             100 * (double)tally->source_cpu_ns / (double)tally->target_cpu_ns);
}

static void notes(struct page *page, struct profile *profile)
{
    uint32_t count = profile_notes(profile), first = count > NOTES ? count - NOTES : 0;
    char clock[FORMAT_MAX];

    for (uint32_t i = first; i < count; i++) {
        const struct profile_note *note = profile_note(profile, i);

        fact(page, format_clock(clock, profile, note->time_ns), "%s", note->text);
    }
}

static void info_draw(struct app *app, struct grid *grid)
{
    struct profile *profile = app_visible(app);
    struct page page = { .grid = grid };

    page.box = box_draw(grid, INFO_COLUMNS, INFO_ROWS, _("This session"));
    if (profile == NULL)
        return;
    about_recording(&page, profile);
    about_source(&page, profile,
                 app->result != NULL ? &app->result->fold->tally : &(struct record_tally){ 0 });
    page.row++;
    if (app->result != NULL) {
        about_samples(&page, app->result->fold);
        about_cost(&page, app, app->result->fold);
    }
    page.row++;
    notes(&page, profile);
}

static void info_key(struct app *app, const struct key_event *event)
{
    if (keys_action(event->code, app_shown(app)->name) == ACTION_INFO)
        overlay_close(app);
    else
        overlay_closes(app, event);
}

const struct overlay overlay_info = { .name = "info", .render = info_draw, .key = info_key };
