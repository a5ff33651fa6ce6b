/* SPDX-License-Identifier: MIT */
/* proftop report: text, JSON or an export from recordings. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "proftop/gettext.h"
#include "proftop/text.h"

enum { NAMES_SHOWN = 8 };

static bool is_first_of_name(const struct profile *profile, uint32_t index)
{
    const char *name = profile_thread(profile, index)->name;

    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(profile_thread(profile, i)->name, name) == 0)
            return false;
    }
    return true;
}

static void list_threads(const struct profile *profile)
{
    unsigned shown = 0;

    fprintf(stderr, _("%s: the threads of the recording are"), PACKAGE);
    for (uint32_t i = 0; i < profile_threads(profile); i++) {
        char name[64];

        if (!is_first_of_name(profile, i))
            continue;
        if (++shown > NAMES_SHOWN) {
            fputs(" …", stderr);
            break;
        }
        text_fit(name, sizeof(name), profile_thread(profile, i)->name, sizeof(name), false);
        fprintf(stderr, " %s", name);
    }
    fputc('\n', stderr);
}

/* A table without rows does not say that a name was mistyped. */
static void explain_nothing(const struct fold *fold)
{
    const struct scope *scope = &fold->scope;
    bool by_thread = scope->thread_name[0] != '\0' || scope->threads[0] != 0;

    if (fold->samples != 0 || (!by_thread && scope->processes[0] == 0 && scope->filter[0] == '\0'))
        return;
    fprintf(stderr, _("%s: no sample is of what was asked for\n"), PACKAGE);
    if (by_thread)
        list_threads(fold->profile);
}

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
    if (done)
        explain_nothing(fold);
done:
    fold_free(fold);
    profile_unref(profile);
    return done ? STATUS_OK : -1;
}
