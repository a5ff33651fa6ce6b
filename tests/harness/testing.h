/* SPDX-License-Identifier: MIT */
/*
 * What every test includes: cmocka with the headers that it needs first, the files of this build,
 * and the one way to skip.
 */
#ifndef HARNESS_TESTING_H
#define HARNESS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Leaves the running case, printing "skipped: PROGRAM: CASE: reason".  .ci/run fails on such a line
 * that tests/skips.allowed does not expect.  REASON names what is missing here.
 */
#define skip_because(reason)                                                                       \
    do {                                                                                           \
        testing_say_skipped(__func__, reason);                                                     \
        skip();                                                                                    \
    } while (0)

void testing_say_skipped(const char *name, const char *reason);

/* A path in the build tree ("tests/victims/chain", "proftop") or the source tree, absolute.  The
 * caller frees it. */
char *testing_built(const char *path);
char *testing_source(const char *path);

/* A new empty folder for this case's files, and its removal with all that is in it. */
char *testing_folder_new(void);
void testing_folder_remove(char *folder);

/* Writes FOLDER/PATH, whose folders are made; a file that is there keeps its inode. */
void testing_write(const char *folder, const char *path, const char *text);

#endif
