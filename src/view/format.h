/* SPDX-License-Identifier: MIT */
/*
 * Numbers and names as every view writes them, so that the same figure reads the same everywhere.
 * Each fills a buffer of the caller's and returns it.
 */
#ifndef VIEW_FORMAT_H
#define VIEW_FORMAT_H

#include "proftop/view.h"

enum {
    FEW_SAMPLES = 5, /* below it a share is noise: "<x%" is shown */
    FORMAT_MAX = 32,
    FORMAT_LONG = 128,
    NAME_MAX_BYTES = 1024
};

/*
 * WEIGHT, which SAMPLES gave, as a share of N: "38.6"; "<0.3" where it is under five samples, "-"
 * where it is none.
 */
const char *format_share(char buffer[FORMAT_MAX], const struct fold *fold, uint64_t weight,
                         uint64_t samples);
/* The same in the person's unit: share, cores, samples or seconds. */
const char *format_weight(char buffer[FORMAT_MAX], const struct screen_input *input,
                          const struct fold *fold, uint64_t weight, uint64_t samples);
/* What to put behind a column's title: "%", " c", " n", " s". */
const char *format_unit(const struct screen_input *input);
/* WEIGHT in the metric's own unit: seconds, bytes, a count. */
const char *format_amount(char buffer[FORMAT_MAX], const struct scope *scope, uint64_t weight);
/* Cores that WEIGHT kept busy over the fold's range: "0.71"; of another metric, how much a second.
 */
const char *format_cores(char buffer[FORMAT_MAX], const struct fold *fold, uint64_t weight);
/* The share below which numbers are noise, in percent. */
double format_floor(const struct fold *fold);
/* WEIGHT / N of the fold, 0–1. */
double format_part(const struct fold *fold, uint64_t weight);

/* FUNCTION's name in the person's style, at most COLUMNS wide where that can be done. */
const char *format_name(char buffer[NAME_MAX_BYTES], const struct screen_input *input,
                        const struct function *function, int columns);
/* TEXT from the character that is COLUMNS in; all of it where it is shorter. */
const char *format_scrolled(const char *text, int columns);

/* The names of COUNT functions that stand below each other: no two of them read the same. */
struct name_set;
struct name_set *format_names(const struct screen_input *input, const function_id *functions,
                              int count, int columns);
const char *name_set_get(const struct name_set *names, int index);
void name_set_free(struct name_set *names);

/* "busy[8968]" */
const char *format_process(char buffer[NAME_MAX_BYTES], const struct profile *profile, int32_t pid);

/* The same of the only process in scope, or what the whole target is called. */
const char *format_target(char buffer[NAME_MAX_BYTES], const struct screen_input *input);

/* "busy", "libc", "kernel": without directory, ".so" and version. */
const char *format_module(char buffer[FORMAT_LONG], const struct function *function);
/* Own code, library, kernel, Python…: how it is drawn. */
enum role format_role(const struct screen_input *input, const struct function *function);
/* "busy.cc:17", or "" */
const char *format_place(char buffer[NAME_MAX_BYTES], const struct function *function,
                         uint32_t line);

/* "12:30:21": the date of TIME_NS in the local time zone. */
const char *format_clock(char buffer[FORMAT_MAX], const struct profile *profile, uint64_t time_ns);
/* "last 10s", "12:30:21-12:30:26 (5.0s)", "all 1:04" */
const char *format_range(char buffer[FORMAT_LONG], const struct screen_input *input, bool brief);
/* "on-CPU", "waiting", … */
const char *format_state(enum scope_state state);
/* "exited 0", "killed by SIGSEGV" from a wait status. */
const char *format_exit(char buffer[FORMAT_LONG], int32_t exit_status);

/* TEXT contains the words searched for, in any case. */
bool format_matches(const struct screen_input *input, const char *text);

#endif
