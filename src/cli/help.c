/* SPDX-License-Identifier: MIT */
/*
 * --help: at most a screen of 80x24 for each subcommand, from the tables.
 *
 *       -p, --pid PID[,PID]       attach to these processes
 *           --theme NAME --ascii  looks                      (neighbours with one brief)
 */
#include "config.h"

#include "proftop/options.h"

#include <stdio.h>
#include <string.h>

#include "proftop/gettext.h"
#include "proftop/text.h"

enum { BRIEF_COLUMN = 28, LINE_COLUMNS = 80, LEFT_MAX = 256 };

/* Appends how OPTION is written. */
static void describe(char *left, const struct option_info *option)
{
    size_t used = strlen(left);
    const char *space = used > 0 ? " " : "  ";

    if (option->letter != 0)
        snprintf(left + used, LEFT_MAX - used, "%s-%c, --%s", space, option->letter, option->name);
    else
        snprintf(left + used, LEFT_MAX - used, "%s--%s", used > 0 ? " " : "      ", option->name);
    used = strlen(left);
    if (option->argument != NULL)
        snprintf(left + used, LEFT_MAX - used, " %s", _(option->argument));
}

/* Prints TEXT from COLUMN, broken at blanks, its later lines starting at BRIEF_COLUMN. */
static void print_wrapped(int column, const char *text)
{
    const char *at = text;

    while (*at != '\0') {
        int length = (int)strcspn(at, " ");

        if (column > BRIEF_COLUMN && column + 1 + length > LINE_COLUMNS) {
            printf("\n%*s", BRIEF_COLUMN, "");
            column = BRIEF_COLUMN;
        } else if (at != text) {
            putchar(' ');
            column++;
        }
        printf("%.*s", length, at);
        column += length;
        at += length;
        at += strspn(at, " ");
    }
    putchar('\n');
}

static void print_line(const char *left, const char *brief)
{
    int width = text_width(left);
    int brief_width = text_width(brief);

    if (width + 2 <= BRIEF_COLUMN)
        printf("%s%*s", left, BRIEF_COLUMN - width, "");
    else if (width + 2 + brief_width <= LINE_COLUMNS)
        printf("%s  ", left);
    else
        printf("%s\n%*s", left, BRIEF_COLUMN, "");
    if (width + 2 > BRIEF_COLUMN && width + 2 + brief_width <= LINE_COLUMNS)
        puts(brief);
    else
        print_wrapped(BRIEF_COLUMN, brief);
}

static void print_options(enum command command)
{
    char left[LEFT_MAX] = "";
    const char *brief = NULL;

    for (unsigned i = 0; i < option_count; i++) {
        const struct option_info *option = &option_table[i];

        if ((option->commands & 1u << command) == 0 || option->id == OPTION_CHILDREN)
            continue;
        if (brief != NULL && strcmp(brief, option->brief) != 0) {
            print_line(left, _(brief));
            left[0] = '\0';
        }
        describe(left, option);
        brief = option->brief;
    }
    print_line(left, _(brief));
}

static void print_commands(void)
{
    printf("\n%s\n", _("Subcommands (each has its --help):"));
    for (enum command i = COMMAND_LIVE + 1; i < COMMANDS; i++)
        printf("  %-8s %s\n", command_table[i].name, _(command_table[i].brief));
}

void help_print(enum command command)
{
    const struct command_info *info = &command_table[command];

    for (int i = 0; i < SYNOPSES_MAX && info->synopses[i] != NULL; i++)
        printf("%s " PACKAGE " %s\n", i == 0 ? _("Usage:") : "      ", info->synopses[i]);
    printf("%s: %s\n\n", command_title(command), _(info->brief));
    print_options(command);
    if (command == COMMAND_LIVE)
        print_commands();
}
