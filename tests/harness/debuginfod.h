/* SPDX-License-Identifier: MIT */
/* Debug files for tests: Debian's own debuginfod, on the loopback interface. */
#ifndef HARNESS_DEBUGINFOD_H
#define HARNESS_DEBUGINFOD_H

#include <stdbool.h>
#include <sys/types.h>

struct debuginfod {
    pid_t pid;
    char *url;
};

/* Leaves the case as skipped where the server or its client's library is not installed. */
void debuginfod_need(void);

/* Serves the one program in FOLDER, which has debug information, and has read it on return. */
void debuginfod_start(struct debuginfod *server, const char *folder);
void debuginfod_stop(struct debuginfod *server);

/* What clients in this process, and those that it starts, use from now on. */
void debuginfod_use(const char *urls, const char *cache);

/* A listening socket that nobody serves, and its address, which the caller frees. */
int debuginfod_silent(char **url);

#endif
