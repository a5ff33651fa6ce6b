/* SPDX-License-Identifier: MIT */
/*
 * A program whose code does not stay where it was.  In the folder that its argument names:
 *
 *     its own file is replaced by another, then it computes in replaced_binary()
 *     plugin.so is loaded, runs, is unloaded; second.so takes its name and is loaded in its place
 *     memory.so runs from a memfd
 *     next is executed
 *
 * It prints "again" when both plugins lay at the same address.
 */
#define _GNU_SOURCE /* memfd_create() */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the libraries that it loads are made of, too. */
#define FUNCTION replaced_binary
#include "tests/fixtures/spin.c"

static void check(int good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

/* Runs what PATH holds; where its code was. */
static uintptr_t run_library(const char *path)
{
    void *library = dlopen(path, RTLD_NOW);
    void (*run)(void);
    void *found;

    check(library != NULL, path);
    found = dlsym(library, "entry");
    check(found != NULL, "entry");
    memcpy(&run, &found, sizeof(run));
    run();
    dlclose(library);
    return (uintptr_t)found;
}

static void run_from_memory(const char *path)
{
    int from = open(path, O_RDONLY | O_CLOEXEC), to = memfd_create("packed", MFD_CLOEXEC);
    struct stat status;
    char name[64];

    check(from >= 0 && to >= 0 && fstat(from, &status) == 0, path);
    check(sendfile(to, from, NULL, (size_t)status.st_size) == status.st_size, "sendfile");
    snprintf(name, sizeof(name), "/proc/self/fd/%d", to);
    run_library(name);
    close(from);
    close(to);
}

int main(int argc, char **argv)
{
    uintptr_t first;

    check(argc == 2 && chdir(argv[1]) == 0, "folder");
    check(rename("other", "shifter") == 0, "other");
    replaced_binary();
    first = run_library("./plugin.so");
    check(rename("second.so", "plugin.so") == 0, "second.so");
    if (run_library("./plugin.so") == first)
        puts("again");
    fflush(stdout);
    run_from_memory("memory.so");
    execl("./next", "next", (char *)NULL);
    check(0, "next");
    return 1;
}
