/* SPDX-License-Identifier: MIT */
/*
 * The whole program on terminals of several kinds: what it writes to each, as libvterm shows it, is
 * what the grid holds; its attributes are golden files.
 *
 *     open FILE --script ─► grid ──────────────────────────► text, cell by cell   the same
 *     open FILE on a pty ─► grid ─► curses ─► libvterm ────► text, cell by cell
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "tests/harness/golden.h"
#include "tests/harness/terminal.h"
#include "tests/harness/testing.h"

enum { SCREEN_MAX = 1 << 16 };

static const char *const terms[] = { "xterm-256color", "tmux-256color", "linux", "vt100" };
static const char *const locales[] = { "LC_ALL=C.UTF-8", "LC_ALL=C" };

/* Folder and recording that all cases share. */
struct place {
    char *folder, *session, *proftop;
};

static int make(void **state)
{
    struct place *place = xcalloc(1, sizeof(*place));
    char *maker = testing_built("tests/make_session"), *command;

    place->folder = testing_folder_new();
    place->session = xasprintf("%s/made.proftop", place->folder);
    place->proftop = testing_built("proftop");
    command = xasprintf("'%s' plain '%s'", maker, place->session);
    if (system(command) != 0)
        return -1;
    free(command);
    free(maker);
    *state = place;
    return 0;
}

static int unmake(void **state)
{
    struct place *place = *state;

    testing_folder_remove(place->folder);
    free(place->session);
    free(place->proftop);
    free(place);
    return 0;
}

/* What a script's screen after KEYS says: no terminal takes part. */
static char *expected(const struct place *place, const char *keys, int columns, int rows,
                      bool ascii)
{
    char *command =
        xasprintf("printf '%s\\nscreen\\n' | LC_ALL=%s TZ=UTC '%s' open '%s' --script - "
                  "--size %dx%d%s",
                  keys, ascii ? "C" : "C.UTF-8", place->proftop, place->session, columns, rows,
                  ascii ? " --ascii" : "");
    char *text = xcalloc(1, SCREEN_MAX), *begin;
    FILE *pipe = popen(command, "r");
    size_t length;

    assert_non_null(pipe);
    length = fread(text, 1, SCREEN_MAX - 1, pipe);
    assert_int_equal(pclose(pipe), 0);
    begin = strchr(text, '\n'); /* the line that names the screen */
    assert_non_null(begin);
    memmove(text, begin + 1, length - (size_t)(begin - text));
    free(command);
    return text;
}

/* Waits until the terminal shows TEXT whole; says what differs when it never does. */
static void check_shows(struct terminal *terminal, const char *text)
{
    char *shown = terminal_text(terminal);

    while (strcmp(shown, text) != 0 && terminal_wait_paint(terminal)) {
        free(shown);
        shown = terminal_text(terminal);
    }
    assert_string_equal(shown, text);
    free(shown);
}

static struct terminal *open_on(const struct place *place, const char *term, const char *locale,
                                bool color, int columns, int rows)
{
    const char *argv[] = { place->proftop, "open", place->session, NULL };
    const char *environment[] = { locale, color ? "COLOR=1" : "NO_COLOR=1", NULL };
    struct terminal_config config = {
        .columns = columns, .rows = rows, .term = term, .environment = environment, .deadline_s = 10
    };

    return terminal_open(argv, &config);
}

/* Terminals × locales × NO_COLOR: the same text, and attributes fit for each. */
static void top_on_every_terminal(void **state)
{
    const struct place *place = *state;

    for (size_t t = 0; t < sizeof(terms) / sizeof(terms[0]); t++)
        for (size_t l = 0; l < 2; l++)
            for (int color = 0; color < 2; color++) {
                bool ascii = l == 1 || strcmp(terms[t], "linux") == 0;
                struct terminal *terminal =
                    open_on(place, terms[t], locales[l], color != 0, 80, 24);
                char *text = expected(place, "", 80, 24, ascii), *attributes, *name;

                check_shows(terminal, text);
                attributes = terminal_attributes(terminal);
                name = xasprintf("matrix-%s%s%s", terms[t], l == 1 ? "-C" : "",
                                 color != 0 ? "" : "-no-color");
                golden_check(name, attributes);
                terminal_close(terminal);
                free(attributes);
                free(name);
                free(text);
            }
}

static void top_at_every_size(void **state)
{
    static const int sizes[][2] = { { 1, 1 },   { 20, 5 },   { 40, 12 },
                                    { 79, 23 }, { 140, 40 }, { 200, 60 } };
    const struct place *place = *state;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct terminal *terminal =
            open_on(place, terms[i % 2], locales[0], true, sizes[i][0], sizes[i][1]);
        char *text = expected(place, "", sizes[i][0], sizes[i][1], false);

        check_shows(terminal, text);
        terminal_close(terminal);
        free(text);
    }
}

/* One after the other, so that each is written over the one before. */
static void every_view_over_the_one_before(void **state)
{
    static const char keys[] = "2345678?";
    const struct place *place = *state;
    struct terminal *terminal = open_on(place, "xterm-256color", locales[0], true, 140, 40);
    char script[4 + 2 * sizeof(keys)] = "key";

    for (const char *key = keys; *key != '\0'; key++) {
        char typed[] = { *key, '\0' }, *text;

        snprintf(script + strlen(script), sizeof(script) - strlen(script), " %c", *key);
        text = expected(place, script, 140, 40, false);
        terminal_type(terminal, typed);
        check_shows(terminal, text);
        free(text);
    }
    terminal_close(terminal);
}

/* Terminals that cannot be drawn on are refused in words, before anything is changed. */
static void what_cannot_be_drawn_on_is_refused(void **state)
{
    static const char *const bad[] = { "dumb", "", "no-such-terminal" };
    const struct place *place = *state;

    /* newterm() leaks what it prepared for a terminal that it does not know. */
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct terminal *terminal = open_on(place, bad[i], locales[0], true, 80, 24);
        char *text;

        assert_int_equal(terminal_wait_exit(terminal), 2 << 8);
        text = terminal_text(terminal);
        assert_non_null(strstr(text, "TERM"));
        assert_false(terminal_is_alternate(terminal));
        free(text);
        terminal_close(terminal);
    }
    unsetenv("ASAN_OPTIONS");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(top_on_every_terminal),
        cmocka_unit_test(top_at_every_size),
        cmocka_unit_test(every_view_over_the_one_before),
        cmocka_unit_test(what_cannot_be_drawn_on_is_refused),
    };

    return cmocka_run_group_tests_name("matrix", tests, make, unmake);
}
