/* SPDX-License-Identifier: MIT */
/* The command line: what each subcommand accepts, and what it answers to mistakes. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "harness/testing.h"
#include "proftop/options.h"

enum { WORDS_MAX = 24 };

/* Parses LINE, whose words are separated by one space. */
static bool parse(struct options *options, const char *line, struct error *error)
{
    static char text[512], *words[WORDS_MAX];
    int count = 0;
    char *at, *save = NULL;

    snprintf(text, sizeof(text), "%s", line);
    for (at = strtok_r(text, " ", &save); at != NULL; at = strtok_r(NULL, " ", &save))
        words[count++] = at;
    words[count] = NULL;
    return options_parse(options, count, words, error);
}

static void refuses(const char *line, const char *message, const char *hint)
{
    struct options options;
    struct error error = { 0 };

    assert_false(parse(&options, line, &error));
    options_fini(&options);
    assert_int_equal(error.code, STATUS_USAGE);
    if (strstr(error.message, message) == NULL)
        fail_msg("\"%s\" says \"%s\", not \"%s\"", line, error.message, message);
    if (strstr(error.hint, hint) == NULL)
        fail_msg("\"%s\" hints \"%s\", not \"%s\"", line, error.hint, hint);
}

static void accepts_live(void **state)
{
    struct options options;

    (void)state;
    assert_true(parse(&options, "proftop", NULL));
    assert_int_equal(options.command, COMMAND_LIVE);
    assert_int_equal(options.rate_hz, 99);
    assert_true(options.kernel && options.python && options.children && options.waiting);
    options_fini(&options);

    assert_true(parse(&options, "proftop -p 12,34 -F999 --no-kernel --source=perf", NULL));
    assert_int_equal(options.pid_count, 2);
    assert_int_equal(options.pids[1], 34);
    assert_int_equal(options.rate_hz, 999);
    assert_false(options.kernel);
    assert_string_equal(options.source, "perf");
    options_fini(&options);
}

static void keeps_the_command_whole(void **state)
{
    struct options options;

    (void)state;
    assert_true(parse(&options, "proftop record -o -- -- prog -p 1 -- x", NULL));
    assert_string_equal(options.output, "--");
    assert_string_equal(options.launch[0], "prog");
    assert_string_equal(options.launch[1], "-p");
    assert_string_equal(options.launch[4], "x");
    assert_null(options.launch[5]);
    assert_int_equal(options.pid_count, 0);
    options_fini(&options);
}

static void takes_operands_anywhere(void **state)
{
    struct options options;

    (void)state;
    assert_true(
        parse(&options, "proftop report a --view top b --view=time --json -n 5 -- -c", NULL));
    assert_int_equal(options.file_count, 3);
    assert_string_equal(options.files[1], "b");
    assert_string_equal(options.files[2], "-c");
    assert_null(options.files[3]);
    assert_int_equal(options.view_count, 2);
    assert_null(options.views[2]);
    assert_string_equal(options.format, "json");
    assert_int_equal(options.top, 5);
    options_fini(&options);
}

static void takes_threads_by_id_and_name(void **state)
{
    struct options options;

    (void)state;
    assert_true(
        parse(&options, "proftop report f --thread 7,8 --thread worker-* --state gil", NULL));
    assert_int_equal(options.thread_count, 2);
    assert_int_equal(options.threads[1], 8);
    assert_string_equal(options.thread_name, "worker-*");
    assert_int_equal(options.state, SCOPE_GIL);
    options_fini(&options);
}

static void help_needs_no_operands(void **state)
{
    struct options options;

    (void)state;
    assert_true(parse(&options, "proftop diff --help", NULL));
    assert_true(options.help);
    options_fini(&options);
}

static void refuses_mistakes(void **state)
{
    (void)state;
    refuses("proftop sleep", "neither an option nor a subcommand", "proftop -- sleep");
    refuses("proftop 1234", "neither", "proftop -p 1234");
    refuses("proftop record sleep", "neither", "proftop record -- sleep");
    refuses("proftop --nosuch", "--nosuch", "proftop --help");
    refuses("proftop report -z f", "-z", "proftop report --help");
    refuses("proftop report --rate 9 f", "--rate is no option of", "proftop report --help");
    refuses("proftop report -F 9 f", "--rate is no option of", "");
    refuses("proftop -F", "wants an argument", "");
    refuses("proftop --no-kernel=1", "no argument", "");
    refuses("proftop -F 0", "between 1 and 10000", "");
    refuses("proftop --lanes-period 0.01", "between 0.1 and 60", "");
    refuses("proftop -F 1e9", "between", "");
    refuses("proftop -d 0", "between 0.01 and 10000000", "");
    refuses("proftop -F nan", "number", "");
    refuses("proftop -F 9x", "number", "");
    refuses("proftop -p x", "process ids", "");
    refuses("proftop -p 0", "process ids", "");
    refuses("proftop -p 1,", "process ids", "");
    refuses("proftop -p 99999999999999999999", "process ids", "");
    refuses("proftop --source gdb", "auto|perf|ptrace", "");
    refuses("proftop --source perf|ptrace", "one of", "");
    refuses("proftop -p 1 -- sleep 1", "not both", "");
    refuses("proftop record", "what is to be recorded", "");
    refuses("proftop record --", "no command", "");
    refuses("proftop report", "which file", "");
    refuses("proftop report f --view flat", "top|tree", "");
    refuses("proftop open", "which file", "");
    refuses("proftop open a b", "which file", "");
    refuses("proftop diff a", "two files", "");
    refuses("proftop diff a b --range 1..2", "two files", "");
    refuses("proftop diff a b --against 1..2", "--against needs --range", "");
    refuses("proftop dump", "-p PID", "");
    refuses("proftop doctor x", "no operand", "");
    refuses("proftop open f --size 80", "80x24", "");
}

/* The tables themselves: what the parser, --help and the manual rely on. */
static void tables_are_whole(void **state)
{
    (void)state;
    for (unsigned i = 0; i < option_count; i++) {
        assert_non_null(option_table[i].name);
        assert_non_null(option_table[i].brief);
        assert_int_not_equal(option_table[i].commands, 0);
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(option_table[i].name, option_table[j].name);
            assert_int_not_equal(option_table[i].id, option_table[j].id);
            if (option_table[i].letter != 0)
                assert_int_not_equal(option_table[i].letter, option_table[j].letter);
        }
    }
    for (unsigned i = 0; i < COMMANDS; i++) {
        assert_non_null(command_table[i].name);
        assert_non_null(command_table[i].brief);
        assert_non_null(command_table[i].synopses[0]);
        assert_non_null(command_title(i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_live),
        cmocka_unit_test(keeps_the_command_whole),
        cmocka_unit_test(takes_operands_anywhere),
        cmocka_unit_test(takes_threads_by_id_and_name),
        cmocka_unit_test(help_needs_no_operands),
        cmocka_unit_test(refuses_mistakes),
        cmocka_unit_test(tables_are_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
