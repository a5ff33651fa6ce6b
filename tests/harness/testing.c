/* SPDX-License-Identifier: MIT */
/* The files of this build, and skipping: see testing.h. */
#include "config.h"

#include "tests/harness/testing.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proftop/memory.h"

void testing_say_skipped(const char *name, const char *reason)
{
    printf("skipped: %s: %s: %s\n", program_invocation_short_name, name, reason);
    fflush(stdout);
}

/* Makefile.am sets both; a test that is started by hand in the build folder does without. */
static char *below(const char *variable, const char *otherwise, const char *path)
{
    const char *root = getenv(variable);

    return xasprintf("%s/%s", root != NULL ? root : otherwise, path);
}

char *testing_built(const char *path)
{
    return below("PROFTOP_BUILT", ".", path);
}

char *testing_source(const char *path)
{
    return below("PROFTOP_SOURCE", "..", path);
}

char *testing_folder_new(void)
{
    const char *root = getenv("TMPDIR");
    char *folder = xasprintf("%s/proftop-test-XXXXXX", root != NULL ? root : "/tmp");

    if (mkdtemp(folder) == NULL)
        die("no folder for a test: %s", folder);
    return folder;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void testing_folder_remove(char *folder)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

void testing_write(const char *folder, const char *path, const char *text)
{
    char *whole = xasprintf("%s/%s", folder, path);
    FILE *file;

    for (char *slash = whole + strlen(folder) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(whole, 0777);
        *slash = '/';
    }
    file = fopen(whole, "we");
    if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
        die("a test cannot write %s", whole);
    free(whole);
}
