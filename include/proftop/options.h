/* SPDX-License-Identifier: MIT */
/*
 * The command line: one table of subcommands, one of options.  Both feed the parser, --help and the
 * manual page (doc/genman.c), so that none of them can say what the others don't.
 *
 *     command_table ─┐
 *                    ├─► options_parse() ─► const struct options ─► a subcommand
 *     option_table ──┤
 *                    ├─► help_print()
 *                    └─► genman ─► proftop.1
 */
#ifndef PROFTOP_OPTIONS_H
#define PROFTOP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/scope.h"

enum command {
    COMMAND_LIVE, /* no word: watch */
    COMMAND_OPEN,
    COMMAND_RECORD,
    COMMAND_REPORT,
    COMMAND_DIFF,
    COMMAND_DUMP,
    COMMAND_DOCTOR,
    COMMANDS
};

/* Where an option may be given: a set of commands. */
#define IN(command) (1u << COMMAND_##command)
#define IN_ALL ((1u << COMMANDS) - 1)

enum { SYNOPSES_MAX = 2, EXAMPLES_MAX = 4 };

struct command_info {
    const char *name;                   /* "" for COMMAND_LIVE */
    const char *brief;                  /* N_(): what it does, one line */
    const char *synopses[SYNOPSES_MAX]; /* what follows "proftop" */
    const char *text;                   /* N_(): a paragraph for the manual */
    const char *examples[EXAMPLES_MAX]; /* whole command lines */
};

extern const struct command_info command_table[COMMANDS];

enum option_id {
    OPTION_PID = 1,
    OPTION_RATE,
    OPTION_EVENT,
    OPTION_SOURCE,
    OPTION_NO_KERNEL,
    OPTION_NO_PYTHON,
    OPTION_NO_CHILDREN,
    OPTION_NO_INLINE,
    OPTION_NO_WAITING,
    OPTION_CHILDREN,
    OPTION_DURATION,
    OPTION_LANES_PERIOD,
    OPTION_OUTPUT,
    OPTION_FORMAT,
    OPTION_JSON,
    OPTION_VIEW,
    OPTION_METRIC,
    OPTION_MAX_SIZE,
    OPTION_FORCE,
    OPTION_RANGE,
    OPTION_AGAINST,
    OPTION_THREAD,
    OPTION_PROCESS,
    OPTION_FILTER,
    OPTION_STATE,
    OPTION_TOP,
    OPTION_FAIL_ABOVE,
    OPTION_FUNCTION,
    OPTION_PER_SECOND,
    OPTION_DEBUGINFOD,
    OPTION_THEME,
    OPTION_ASCII,
    OPTION_NO_COLOR,
    OPTION_NO_MOUSE,
    OPTION_SCRIPT,
    OPTION_SIZE,
    OPTION_VERSION,
    OPTION_HELP,
};

struct option_info {
    enum option_id id;
    char letter;          /* 0: none */
    const char *name;     /* without the dashes */
    const char *argument; /* as shown, N_(); NULL: takes none */
    const char *choices;  /* "auto|perf|ptrace": nothing else is accepted; NULL: anything */
    const char *brief;    /* N_(): of --help; neighbours with the same one share a line */
    const char *more;     /* N_(): what the manual adds; or NULL */
    unsigned commands;    /* IN() bits */
};

extern const struct option_info option_table[];
extern const unsigned option_count;

enum { OPTION_VIEWS_MAX = 8, OPTION_PIDS_MAX = SCOPE_THREADS_MAX };

/* A parsed command line.  Texts point into argv. */
struct options {
    enum command command;
    bool help, version;

    int32_t pids[OPTION_PIDS_MAX]; /* of them PID_COUNT */
    unsigned pid_count;
    char **launch; /* the command after "--", NULL-terminated; or NULL */
    char **files;  /* operands, NULL-terminated; freed by options_fini() */
    unsigned file_count;

    uint32_t rate_hz;
    bool rate_given;    /* asked for with -F */
    const char *event;  /* NULL: CPU time */
    const char *source; /* "auto", "perf", "ptrace" */
    bool kernel, python, children, inlines, waiting;
    double duration_s;     /* 0: until it ends */
    double lanes_period_s; /* between two readings of the counters */
    uint64_t max_bytes;

    const char *output; /* NULL: the default; "-": stdout */
    const char *format; /* NULL: the default */
    const char *views[OPTION_VIEWS_MAX + 1];
    unsigned view_count;
    bool force;
    unsigned top; /* 0: not said */

    const char *range, *against, *metric, *filter;
    const char *thread_name; /* NULL: not by name */
    int32_t threads[SCOPE_THREADS_MAX], processes[SCOPE_THREADS_MAX];
    unsigned thread_count, process_count;
    enum scope_state state;
    bool state_given;

    double fail_above; /* < 0: not asked */
    const char *function;
    bool per_second;

    bool debuginfod, ascii, color, mouse;
    const char *theme, *script;
    int columns, rows; /* of --size; 0: the terminal's */
};

/*
 * Reads ARGV (its words may be kept, never changed).  False with a STATUS_USAGE error and a hint
 * when it makes no sense.  End with options_fini() either way.
 */
bool options_parse(struct options *options, int argc, char **argv, struct error *error);
void options_fini(struct options *options);

/* The name as typed: "proftop", "proftop record". */
const char *command_title(enum command command);

/* --help of one subcommand, at most a screen. */
void help_print(enum command command);

#endif
