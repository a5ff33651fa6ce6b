/* SPDX-License-Identifier: MIT */
/*
 * Unwinding: what a frame costs from the tables and by libunwind over the same stacks, and what
 * tables cost to build and to keep.
 */
#include "config.h"

#include "bench/bench.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/maps.h"
#include "src/unwind/table.h"
#include "tests/harness/freeze.h"

enum { SAMPLES = 64, LIMIT = 2048, STACK_MAX_BYTES = 256 << 10, PAUSE_NS = 3000000 };

/* Sixty frames deep, through the interpreter and C code. */
static const char script[] = "def f(n):\n"
                             "    if n: return max([n], key=lambda x: f(n - 1))\n"
                             "    s = 0\n"
                             "    while True:\n"
                             "        s = sum(sorted([s, 3, 1]))\n"
                             "f(8)\n";

struct stacks {
    struct modules *modules;
    struct unwinder *unwinder;
    struct freeze freezes[SAMPLES];
    unsigned count;
    struct frame frames[LIMIT];
};

static bool take(struct stacks *stacks, char *const *command)
{
    pid_t pid = fork();
    struct timespec pause = { 0, 100 * PAUSE_NS };
    bool taken;

    if (pid == 0) {
        execvp(command[0], command);
        _exit(127);
    }
    nanosleep(&pause, NULL);
    taken = freeze_attach(pid);
    pause.tv_nsec = PAUSE_NS;
    for (stacks->count = 0; taken && stacks->count < SAMPLES; stacks->count++) {
        struct freeze *freeze = &stacks->freezes[stacks->count];

        nanosleep(&pause, NULL);
        freeze_init(freeze, STACK_MAX_BYTES);
        taken = freeze_take(freeze, pid, pid, stacks->modules, false);
        if (taken) {
            unwinder_prepare(stacks->unwinder, freeze->maps);
            unwinder_wait(stacks->unwinder, UINT64_MAX);
        }
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, __WALL);
    return taken;
}

typedef bool walker(struct unwinder *, const struct frozen *, struct frame *, uint64_t *, uint32_t,
                    struct unwound *);

/* Walks stacks until COUNT frames were passed. */
static void walk(struct stacks *stacks, uint64_t count, walker *how)
{
    uint64_t done = 0;

    for (unsigned i = 0; done < count; i = (i + 1) % stacks->count) {
        struct unwound unwound;

        how(stacks->unwinder, &stacks->freezes[i].frozen, stacks->frames, NULL, LIMIT, &unwound);
        done += unwound.count;
    }
}

static void walk_tables(void *context, uint64_t count)
{
    walk(context, count, unwind_frozen);
}

static void walk_libunwind(void *context, uint64_t count)
{
    walk(context, count, unwind_slowly);
}

static void bench_walk(char *const *command)
{
    struct stacks *stacks = calloc(1, sizeof(*stacks));
    struct bench_way ours = { "row tables", walk_tables, stacks };
    struct bench_way theirs = { "libunwind over the copy", walk_libunwind, stacks };
    uint64_t frames = 0;
    unsigned complete = 0;

    stacks->modules = modules_new();
    stacks->unwinder = unwinder_new();
    if (take(stacks, command)) {
        for (unsigned i = 0; i < stacks->count; i++) {
            struct unwound unwound;

            unwind_frozen(stacks->unwinder, &stacks->freezes[i].frozen, stacks->frames, NULL, LIMIT,
                          &unwound);
            frames += unwound.count;
            complete += unwound.end == STACK_COMPLETE;
        }
        bench_title("unwind: one frame of a stack");
        bench_figure("depth", (double)frames / stacks->count, "frames");
        bench_figure("whole", 100.0 * complete / stacks->count, "%");
        bench_at_most("a frame from the tables", bench_compare(&ours, &theirs, 20000, 15), 16,
                      "ns");
    }
    for (unsigned i = 0; i < stacks->count; i++)
        freeze_fini(&stacks->freezes[i]);
    unwinder_free(stacks->unwinder);
    modules_free(stacks->modules);
    free(stacks);
}

static void bench_build(const char *pattern)
{
    enum { RUNS = 9 };
    glob_t found;
    struct stat status;
    struct module module = { .kind = MODULE_FILE, .fd = -1 };
    double ms[RUNS];
    struct table *table = NULL;

    if (glob(pattern, 0, NULL, &found) == 0)
        module.fd = open(found.gl_pathv[0], O_RDONLY | O_CLOEXEC);
    globfree(&found);
    if (module.fd < 0 || fstat(module.fd, &status) < 0)
        return;
    module.size_bytes = (uint64_t)status.st_size;
    for (unsigned i = 0; i < RUNS; i++) {
        uint64_t start_ns = clock_now_ns();

        table_free(table);
        table = table_build(&module);
        ms[i] = (double)(clock_now_ns() - start_ns) / (double)NS_PER_MS;
    }
    bench_title(pattern);
    bench_figure("file", (double)module.size_bytes / (1 << 20), "MiB");
    bench_at_most("built in", bench_median(ms, RUNS), 100, "ms");
    bench_figure("  99th percentile", bench_percentile(ms, RUNS, 99), "ms");
    bench_figure("rows", table_rows(table), "");
    bench_at_most("a row with all indexes", (double)table_bytes(table) / table_rows(table), 12,
                  "bytes");
    table_free(table);
    close(module.fd);
}

int main(void)
{
    char *const python[] = { "python3", "-c", (char *)(uintptr_t)script, NULL };

    bench_walk(python);
    bench_build("/usr/lib/*/libc.so.6");
    bench_build("/usr/lib/*/libpython3*.so.1.0");
    bench_build("/usr/bin/node");
    bench_build("/usr/lib/*/libLLVM-*.so.1");
    return 0;
}
