/* SPDX-License-Identifier: MIT */
/* One view of the report as CSV (RFC 4180): the first that is asked for, else the top functions. */
#include "config.h"

#include "formats.h"
#include "proftop/gettext.h"
#include "report_view.h"

static bool write_csv(const struct fold *fold, const struct export_options *options, FILE *stream,
                      struct error *error)
{
    const char *name =
        options->views != NULL && options->views[0] != NULL ? options->views[0] : "top";
    struct table table;

    (void)error;
    report_view_find(name)->fill(&table, fold, options, true);
    table_print_csv(&table, stream);
    table_fini(&table);
    return true;
}

const struct export_ops export_csv = {
    .name = "csv",
    .extension = ".csv",
    .label = N_("CSV"),
    .write = write_csv,
};
