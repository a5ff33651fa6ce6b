/* SPDX-License-Identifier: MIT */
/* The program: reads the command line, runs a subcommand, and says what went wrong. */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"

/* As env(1): proftop itself failed, which is not the status of the command it launched. */
enum { STATUS_LAUNCHER_FAILED = 125 };

static int (*const run[COMMANDS])(const struct options *options, struct error *error) = {
    [COMMAND_LIVE] = cli_live,     [COMMAND_OPEN] = cli_open, [COMMAND_RECORD] = cli_record,
    [COMMAND_REPORT] = cli_report, [COMMAND_DIFF] = cli_diff, [COMMAND_DUMP] = cli_dump,
    [COMMAND_DOCTOR] = cli_doctor,
};

static int fail(const struct options *options, const struct error *error)
{
    fprintf(stderr, "%s: %s\n", PACKAGE, error->message);
    if (error->hint[0] != '\0')
        fprintf(stderr, "%s\n", error->hint);
    switch (error->code) {
    case STATUS_USAGE: /* nothing was launched */
    case STATUS_NOT_EXECUTABLE:
    case STATUS_NOT_FOUND:
        return (int)error->code;
    default:
        return options->launch != NULL ? STATUS_LAUNCHER_FAILED : (int)error->code;
    }
}

/* A full disk behind a redirected stdout shows only when the last of it is written. */
static int finish_output(int status, struct error *error)
{
    if ((fflush(stdout) == 0 && ferror(stdout) == 0) || status < 0)
        return status;
    error_errno(error, errno, _("cannot write to standard output: %s"), strerror(errno));
    return -1;
}

static int run_command(const struct options *options, struct error *error)
{
    if (options->help) {
        help_print(options->command);
        return STATUS_OK;
    }
    if (options->version) {
        printf("%s\n", PACKAGE_STRING);
        return STATUS_OK;
    }
    return run[options->command](options, error);
}

int main(int argc, char **argv)
{
    struct options options;
    struct error error = { .code = STATUS_FAILED };
    int status = -1;

    memory_begin();
    setlocale(LC_ALL, "");
    bindtextdomain(PACKAGE, LOCALEDIR);
    textdomain(PACKAGE);
    if (options_parse(&options, argc, argv, &error))
        status = finish_output(run_command(&options, &error), &error);
    if (status < 0)
        status = fail(&options, &error);
    options_fini(&options);
    return status;
}
