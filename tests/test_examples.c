/* SPDX-License-Identifier: MIT */
/*
 * Every command line that README.md and the manual show, run as a reader would run it: in a folder
 * with the files that they name, on a terminal, with a process that has the number they use.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/memory.h"
#include "tests/harness/terminal.h"
#include "tests/harness/testing.h"

enum { LINES_MAX = 100 };

struct example {
    char *line;
    const char *from;
};

struct stage {
    char *folder, *bin; /* where the commands run; where proftop is found */
    pid_t demo;         /* stands for process 1234 */
    struct example examples[LINES_MAX];
    size_t count;
};

/* ---- the lines ------------------------------------------------------------------------------- */

static void add_line(struct stage *stage, const char *text, const char *from)
{
    char *line = xstrdup(text), *comment = strstr(line, "  #");

    if (comment != NULL)
        *comment = '\0';
    for (size_t end = strlen(line); end > 0 && strchr(" \n\t", line[end - 1]) != NULL; end--)
        line[end - 1] = '\0';
    for (size_t i = 0; i < stage->count; i++) {
        if (strcmp(stage->examples[i].line, line) == 0) {
            free(line);
            return;
        }
    }
    assert_true(stage->count < LINES_MAX);
    stage->examples[stage->count++] = (struct example){ line, from };
}

/* Lines of FILE that begin with PROMPT and then "proftop". */
static void collect(struct stage *stage, char *path, const char *prompt)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0, before = stage->count;

    if (file == NULL)
        fail_msg("%s: %s", path, strerror(errno));
    while (getline(&line, &capacity, file) > 0) {
        size_t skip = strlen(prompt);

        if (strncmp(line, prompt, skip) == 0 && strncmp(line + skip, "proftop", 7) == 0 &&
            strchr(" \n", line[skip + 7]) != NULL)
            add_line(stage, line + skip, prompt);
    }
    if (stage->count == before)
        fail_msg("%s shows no command line", path);
    free(line);
    fclose(file);
    free(path);
}

/* The manual without roff's escapes, as a file of plain lines. */
static char *plain_manual(const struct stage *stage)
{
    char *page = testing_built("doc/proftop.1"), *plain = xasprintf("%s/manual", stage->folder);
    FILE *in = fopen(page, "r"), *out = fopen(plain, "w");
    bool example = false;
    char *line = NULL;
    size_t capacity = 0;

    if (in == NULL || out == NULL)
        fail_msg("%s: %s", page, strerror(errno));
    while (getline(&line, &capacity, in) > 0) {
        if (strcmp(line, ".EX\n") == 0 || strcmp(line, ".EE\n") == 0) {
            example = line[2] == 'X';
            continue;
        }
        for (const char *at = line; example && *at != '\0'; at++) {
            if (*at != '\\')
                fputc(*at, out);
        }
    }
    free(line);
    fclose(in);
    fclose(out);
    free(page);
    return plain;
}

/* ---- the folder ------------------------------------------------------------------------------ */

static void write_file(const struct stage *stage, const char *name, mode_t mode, const char *text)
{
    char *path = xasprintf("%s/%s", stage->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    free(path);
}

/* Runs COMMAND with the shell in the folder, on a terminal. */
static struct terminal *start(const struct stage *stage, const char *command)
{
    char *script = xasprintf("cd '%s' && PATH='%s':$PATH && export PATH && %s", stage->folder,
                             stage->bin, command);
    const char *argv[] = { "/bin/sh", "-c", script, NULL };
    struct terminal_config config = { .home = stage->folder, .deadline_s = 60 };
    struct terminal *terminal = terminal_open(argv, &config);

    free(script);
    return terminal;
}

static void run_quietly(const struct stage *stage, const char *command)
{
    struct terminal *terminal = start(stage, command);
    int status = terminal_wait_exit(terminal);

    if (status != 0) {
        char *text = terminal_text(terminal);

        fail_msg("%s: status %#x\n%s", command, status, text);
    }
    terminal_close(terminal);
}

static pid_t start_demo(void)
{
    char *demo = testing_built("demo/demo");
    pid_t child = fork();

    if (child == 0) {
        execl(demo, demo, "--phase", "cpu", "--loop", "--quiet", (char *)NULL);
        _exit(127);
    }
    free(demo);
    assert_true(child > 0);
    return child;
}

static int set_up(void **state)
{
    struct stage *stage = xcalloc(1, sizeof(*stage));
    char *demo = testing_built("demo/demo"), *line;

    *state = stage;
    stage->folder = testing_folder_new();
    stage->bin = testing_built("");
    line = xasprintf("all:\n\t%s --phase cpu --seconds 0.3 --quiet\n", demo);
    write_file(stage, "Makefile", 0644, line);
    free(line);
    line = xasprintf("#!/bin/sh\nexec %s --phase cpu --seconds 0.3 --quiet\n", demo);
    write_file(stage, "program", 0755, line);
    free(line);
    free(demo);
    run_quietly(stage, "proftop record -o old.proftop -- ./program");
    run_quietly(stage, "cp old.proftop new.proftop");
    collect(stage, testing_source("README.md"), "$ ");
    collect(stage, plain_manual(stage), "");
    stage->demo = start_demo();
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;

    kill(stage->demo, SIGKILL);
    waitpid(stage->demo, NULL, 0);
    for (size_t i = 0; i < stage->count; i++)
        free(stage->examples[i].line);
    testing_folder_remove(stage->folder);
    free(stage->bin);
    free(stage);
    return 0;
}

/* ---- running them ---------------------------------------------------------------------------- */

/* LINE with the demo's process for 1234, half a second for half a minute, and a range in that. */
static char *adapted(const struct stage *stage, const char *line)
{
    char *pid = xasprintf("%d", stage->demo), *text = xstrdup("");
    const char *const others[][2] = { { "1234", pid }, { "30", "0.5" }, { "2..5", "0.2..0.5" } };

    while (*line != '\0') {
        size_t length = strcspn(line, " ");
        char *word = xstrndup(line, length), *longer;
        const char *put = word;

        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
            if (strcmp(word, others[i][0]) == 0)
                put = others[i][1];
        longer = xasprintf("%s%s%s", text, text[0] != '\0' ? " " : "", put);
        free(word);
        free(text);
        text = longer;
        line += length;
        line += strspn(line, " ");
    }
    free(pid);
    return text;
}

/* A live screen paints: then ^C, quit at once, ends it.  All else ends by itself. */
static bool works(const struct stage *stage, const char *line)
{
    char *command = adapted(stage, line), *text;
    struct terminal *terminal = start(stage, command);
    bool live = terminal_wait_paint(terminal);
    int status;

    if (live)
        terminal_type(terminal, "\003");
    status = terminal_wait_exit(terminal);
    /* A command that we launched and left early may have been ended by the hang-up. */
    if (live && strstr(line, " -- ") != NULL && WIFEXITED(status))
        status = 0;
    if (status != 0) {
        text = terminal_text(terminal);
        print_error("%s: status %#x\n%s", command, status, text);
        free(text);
    }
    terminal_close(terminal);
    free(command);
    return status == 0;
}

static void every_command_line_works(void **state)
{
    const struct stage *stage = *state;
    unsigned failed = 0;

    for (size_t i = 0; i < stage->count; i++) {
        print_message("%s\n", stage->examples[i].line);
        failed += !works(stage, stage->examples[i].line);
    }
    assert_int_equal(failed, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_line_works),
    };

    return cmocka_run_group_tests_name("examples", tests, set_up, tear_down);
}
