/* SPDX-License-Identifier: MIT */
/*
 * Writes the manual page to standard output, from the tables that also feed the parser and --help.
 * Runs at build time, untranslated.
 *
 *     command_table ─┐
 *     option_table ──┼─► genman ─► doc/proftop.1
 *     action_table ──┤
 *     the texts here ┘
 */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proftop/action.h"
#include "proftop/error.h"
#include "proftop/options.h"

/* TEXT as roff means it: a hyphen that can be copied, no request by accident. */
static void put(const char *text)
{
    bool line_start = true;

    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '^')
            fputs("\\(ha", stdout);
        else if (*text == '~')
            fputs("\\(ti", stdout);
        else
            putchar(*text);
        line_start = *text == '\n';
    }
}

static void put_line(const char *text)
{
    put(text);
    putchar('\n');
}

/* A brief of --help as a sentence; one that begins with a list of values keeps its small letter. */
static void put_sentence(const char *brief)
{
    bool value = brief[strcspn(brief, " ,")] == ',';

    putchar(brief[0] >= 'a' && brief[0] <= 'z' && !value ? brief[0] - 'a' + 'A' : brief[0]);
    put(brief + 1);
    puts(".");
}

static void section(const char *title)
{
    printf(".SH %s\n", title);
}

/* A word in bold, and behind it what a person replaces. */
static void tagged(const char *bold, const char *italic)
{
    fputs(".TP\n\\fB", stdout);
    put(bold);
    fputs("\\fR", stdout);
    if (italic != NULL) {
        fputs(" \\fI", stdout);
        put(italic);
        fputs("\\fR", stdout);
    }
    putchar('\n');
}

static void write_synopsis(void)
{
    section("SYNOPSIS");
    for (int i = 0; i < COMMANDS; i++) {
        for (int j = 0; j < SYNOPSES_MAX && command_table[i].synopses[j] != NULL; j++) {
            fputs(i + j == 0 ? "" : ".br\n", stdout);
            fputs("\\fBproftop\\fR ", stdout);
            put_line(command_table[i].synopses[j]);
        }
    }
}

static void write_commands(void)
{
    section("COMMANDS");
    for (int i = 0; i < COMMANDS; i++) {
        const struct command_info *command = &command_table[i];

        tagged(command->name[0] != '\0' ? command->name : "proftop", NULL);
        put_line(command->text);
    }
}

/* "In live and record." */
static void write_where(unsigned commands)
{
    const char *names[COMMANDS];
    int count = 0;

    if (commands == IN_ALL)
        return;
    for (int i = 0; i < COMMANDS; i++) {
        if ((commands >> i & 1) != 0)
            names[count++] = i == COMMAND_LIVE ? "watching live" : command_table[i].name;
    }
    fputs("(In ", stdout);
    for (int i = 0; i < count; i++)
        printf("%s%s", names[i], i + 2 < count ? ", " : i + 2 == count ? " and " : "");
    puts(".)");
}

static void write_options(void)
{
    section("OPTIONS");
    for (unsigned i = 0; i < option_count; i++) {
        const struct option_info *option = &option_table[i];
        char name[64];

        if (option->letter != '\0')
            snprintf(name, sizeof(name), "-%c, --%s", option->letter, option->name);
        else
            snprintf(name, sizeof(name), "--%s", option->name);
        tagged(name, option->argument);
        /* Neighbours with one brief share a line of --help; here each has its own sentence. */
        if (option->more == NULL || i + 1 == option_count ||
            (strcmp(option->brief, option[1].brief) != 0 &&
             (i == 0 || strcmp(option->brief, option[-1].brief) != 0))) {
            put_sentence(option->brief);
        }
        if (option->more != NULL)
            put_line(option->more);
        write_where(option->commands);
    }
}

struct described {
    const char *name, *text;
};

static void write_list(const char *title, const struct described *list)
{
    section(title);
    for (; list->name != NULL; list++) {
        tagged(list->name, NULL);
        put_line(list->text);
    }
}

static const struct described statuses[] = {
    { "0", "Fine." },
    { "1", "diff: a function grew by more than --fail-above allows." },
    { "2", "The command line makes no sense, or a live screen was asked for without a terminal." },
    { "3", "No such process or file." },
    { "4", "The file is damaged, or of another kind." },
    { "5", "Any other failure, such as a full disk." },
    { "77", "Not permitted; the sentence on standard error names the ways on." },
    { "125, 126, 127",
      "When launching: proftop itself failed, the command is not executable, it was not found. "
      "Otherwise the status is the command's own, 128 + N when signal N killed it." },
    { NULL, NULL },
};

static const struct described environment[] = {
    { "NO_COLOR", "When set and not empty: no colours." },
    { "TERM", "Which terminal it is; the live screen needs one that can move its cursor." },
    { "ESCDELAY", "Milliseconds to wait for the rest of a key after Esc (25)." },
    { "XDG_STATE_HOME",
      "Below it, in proftop/, the last live session is kept (~/.local/state when unset)." },
    { "DEBUGINFOD_URLS", "Where --debuginfod looks." },
    { "LANG, LC_ALL, LANGUAGE", "The language of the screens; files for machines have none." },
    { NULL, NULL },
};

/* Rows without a sentence are told with the one before them. */
static void write_keys(void)
{
    section("KEYS");
    put_line("On the live screen and in proftop open; F1 shows those of the current view first.");
    for (int i = ACTION_NONE + 1; i < ACTIONS; i++) {
        const struct action_info *action = &action_table[i];

        if (action->help == NULL || action->keys == NULL || action->keys[0] == '\0')
            continue;
        tagged(action->keys, NULL);
        put_sentence(action->help);
        if (action->views != NULL) {
            fputs("(In ", stdout);
            put(action->views);
            puts(".)");
        }
    }
}

static void write_examples(void)
{
    section("EXAMPLES");
    for (int i = 0; i < COMMANDS; i++) {
        for (int j = 0; j < EXAMPLES_MAX && command_table[i].examples[j] != NULL; j++) {
            fputs(".PP\n.EX\n", stdout);
            put_line(command_table[i].examples[j]);
            fputs(".EE\n", stdout);
        }
    }
}

int main(void)
{
    puts(".\\\" Written by doc/genman from the tables of options and keys: do not edit.");
    printf(".TH PROFTOP 1 \"\" \"%s\" \"User Commands\"\n", PACKAGE_STRING);
    section("NAME");
    put_line("proftop - what a program spends its time on, second by second, beside what the "
             "machine did");
    write_synopsis();
    section("DESCRIPTION");
    put_line("proftop samples the stacks of running programs, native and Python, and shows where "
             "their time goes while they run: on a CPU or waiting, in which function, on which "
             "thread, in which second. On the same timeline it shows what the machine did, so "
             "that the seconds in which something rose can be chosen, and the functions that ran "
             "then be seen.");
    write_commands();
    write_options();
    write_keys();
    write_list("EXIT STATUS", statuses);
    write_list("ENVIRONMENT", environment);
    write_examples();
    section("SEE ALSO");
    put_line("perf(1), proc(5), perf_event_open(2), ptrace(2)");
    return fflush(stdout) == 0 ? 0 : STATUS_FAILED;
}
