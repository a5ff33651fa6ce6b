/* SPDX-License-Identifier: MIT */
/* The tables of a report. */
#include "config.h"

#include "report_view.h"

#include <inttypes.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/metric.h"

static const struct report_view *const report_views[] = {
    &view_top, &view_tree, &view_callers, &view_threads, &view_time, &view_waits, &view_syscalls,
};

const struct report_view *report_view_find(const char *name)
{
    for (size_t i = 0; i < sizeof(report_views) / sizeof(report_views[0]); i++)
        if (strcmp(report_views[i]->name, name) == 0)
            return report_views[i];
    return NULL;
}

const char *weight_text(char buffer[80], const struct fold *fold, uint64_t weight)
{
    const struct metric_info *metric = metric_of(&fold->scope);

    if (metric->unit == METRIC_NANOSECONDS)
        snprintf(buffer, 80, "%.2f s of %s", (double)weight / (double)NS_PER_S,
                 fold->scope.state == SCOPE_ALL ? "all time" : metric->label);
    else
        snprintf(buffer, 80, "%" PRIu64 " %s", weight, metric->label);
    return buffer;
}

const struct fold_row *options_row(const struct fold *fold, const struct export_options *options)
{
    if (options->function != UINT32_MAX)
        return fold_find(fold, options->function);
    return fold->row_count > 0 ? &fold->rows[0] : NULL;
}
