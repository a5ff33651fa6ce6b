/* SPDX-License-Identifier: MIT */
/* Golden files: see golden.h. */
#include "config.h"

#include "tests/harness/golden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proftop/memory.h"
#include "tests/harness/terminal.h"
#include "tests/harness/testing.h"

enum { SHOWN = 6 };

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t capacity = 0;

    if (file == NULL)
        return NULL;
    if (getdelim(&text, &capacity, '\0', file) < 0) {
        free(text);
        text = xstrdup("");
    }
    fclose(file);
    return text;
}

static void write_whole(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        fail_msg("%s: %s", path, strerror(errno));
}

static void keep_found(const char *name, const char *text)
{
    char *folder = testing_built("tests/golden-found"), *path = xasprintf("%s/%s", folder, name);

    mkdir(folder, 0777);
    write_whole(path, text);
    print_error("what was found is in %s\n", path);
    free(path);
    free(folder);
}

/* The first lines that differ, one under the other. */
static void show_difference(const char *expected, const char *found)
{
    int line = 1, shown = 0;

    while ((*expected != '\0' || *found != '\0') && shown < SHOWN) {
        size_t wanted = strcspn(expected, "\n"), got = strcspn(found, "\n");

        if (wanted != got || memcmp(expected, found, got) != 0) {
            print_error("line %d\n  expected |%.*s|\n  found    |%.*s|\n", line, (int)wanted,
                        expected, (int)got, found);
            shown++;
        }
        expected += wanted + (expected[wanted] == '\n');
        found += got + (found[got] == '\n');
        line++;
    }
}

void golden_check(const char *name, const char *text)
{
    char *below = xasprintf("tests/golden/%s", name), *path = testing_source(below);
    const char *mode = getenv("PROFTOP_GOLDEN");
    char *expected;
    bool equal;

    if (mode != NULL && strcmp(mode, "write") == 0)
        write_whole(path, text);
    expected = read_whole(path);
    equal = expected != NULL && strcmp(expected, text) == 0;
    if (!equal) {
        show_difference(expected != NULL ? expected : "", text);
        keep_found(name, text);
    }
    free(expected);
    free(path);
    free(below);
    if (!equal)
        fail_msg("tests/golden/%s differs", name);
}

void golden_check_terminal(const char *name, const struct terminal *terminal)
{
    char *text = terminal_text(terminal), *attributes = terminal_attributes(terminal);
    char *both = xasprintf("%s---- attributes: row columns what\n%s", text, attributes);

    golden_check(name, both);
    free(both);
    free(attributes);
    free(text);
}
