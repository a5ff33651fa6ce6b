/* SPDX-License-Identifier: MIT */
/*
 * The subcommands.  Each gives the exit status, or -1 with ERROR filled; main() prints the error
 * and turns its code into the exit status, so that both happen in one place.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "proftop/error.h"
#include "proftop/export.h"
#include "proftop/options.h"
#include "proftop/profile.h"

int cli_diff(const struct options *options, struct error *error);
int cli_live(const struct options *options, struct error *error);
int cli_open(const struct options *options, struct error *error);
int cli_doctor(const struct options *options, struct error *error);
int cli_dump(const struct options *options, struct error *error);
int cli_record(const struct options *options, struct error *error);
int cli_report(const struct options *options, struct error *error);

/* ---- load.c: what several of them do with recordings ----------------------------------------- */

/* The recordings at PATHS as one: sessions, or imported formats. */
struct profile *load_profile(const char *const *paths, unsigned count, struct error *error);
/*
 * With --debuginfod: names that PROFILE lacks, from debug files, as far as they come in time; what
 * is missing is said on stderr.
 */
void load_names(const struct options *options, struct profile *profile);
/* The range that TEXT is, into SCOPE; false for one that PROFILE has nothing of. */
bool load_range(const char *text, const struct profile *profile, struct scope *scope,
                struct error *error);
/* The scope that OPTIONS ask for; without --metric the one that the recording is about. */
bool load_scope(const struct options *options, const struct profile *profile, struct scope *scope,
                struct error *error);
/* A fold of its own; the caller frees it. */
struct fold *load_fold(struct profile *profile, const struct scope *scope, struct error *error);
/* The format called NAME. */
const struct export_ops *load_format(const char *name, struct error *error);
/* For the commands that print text or JSON and nothing else. */
bool load_text_or_json(const struct options *options, bool *json, struct error *error);
/* Writes FOLD as OPTIONS ask: where, with which views, how many rows. */
bool load_write(const struct options *options, const struct export_ops *ops,
                const struct fold *fold, const char *path, struct error *error);

#endif
