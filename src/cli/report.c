/* SPDX-License-Identifier: MIT */
/* proftop report: text, JSON or an export from recordings. */
#include "config.h"

#include "cli.h"

int cli_report(const struct options *options, struct error *error)
{
    const struct export_ops *ops = load_format(options->format ? options->format : "text", error);
    struct profile *profile = NULL;
    struct fold *fold = NULL;
    struct scope scope;
    bool done = false;

    if (ops != NULL)
        profile = load_profile((const char *const *)options->files, options->file_count, error);
    if (profile == NULL || !load_scope(options, profile, &scope, error))
        goto done;
    load_names(options, profile);
    fold = load_fold(profile, &scope, error);
    done = fold != NULL && load_write(options, ops, fold, options->output, error);
done:
    fold_free(fold);
    profile_unref(profile);
    return done ? STATUS_OK : -1;
}
