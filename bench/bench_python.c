/* SPDX-License-Identifier: MIT */
/*
 * Python: how long a running thread is held for its native and Python frames together, and what
 * watching costs a program, beside Debian's austin where that knows the interpreter.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/memory.h"

enum { PAIRS = 5, ARGUMENTS_MAX = 16, OUTPUT_MAX = 4096 };

/* Fifty Python frames deep, a fixed amount of work, and how long it took. */
static const char script[] = "import sys, time\n"
                             "def work():\n"
                             "    s = 0\n"
                             "    for i in range(12000000):\n"
                             "        s += i & 7\n"
                             "    return s\n"
                             "def deep(n):\n"
                             "    return deep(n - 1) if n else work()\n"
                             "t = time.perf_counter()\n"
                             "deep(48)\n"
                             "print('seconds', time.perf_counter() - t, flush=True)\n";

/* Runs ARGV, reading what it prints. */
static double run_reading(const char *const *argv)
{
    char output[OUTPUT_MAX] = "";
    size_t length = 0;
    const char *found;
    int out[2];
    pid_t pid;
    ssize_t got;

    if (pipe(out) != 0)
        return 0;
    pid = fork();
    if (pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(126);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(out[1]);
    while (length < sizeof(output) - 1 &&
           (got = read(out[0], output + length, sizeof(output) - 1 - length)) > 0)
        length += (size_t)got;
    close(out[0]);
    waitpid(pid, NULL, 0);
    output[length] = '\0';
    found = strstr(output, "seconds ");
    return found != NULL ? strtod(found + strlen("seconds "), NULL) : 0;
}

/* The script alone and watched by WATCHER, in turn: the median slowdown. */
static void compare(const char *name, const char *const *watcher, const char *const *python)
{
    const char *argv[ARGUMENTS_MAX] = { NULL };
    double slowdown[PAIRS], seconds[PAIRS];
    size_t count = 0;

    for (size_t i = 0; watcher[i] != NULL; i++)
        argv[count++] = watcher[i];
    for (size_t i = 0; python[i] != NULL; i++)
        argv[count++] = python[i];
    for (int i = 0; i < PAIRS; i++) {
        double alone = run_reading(python), watched = run_reading(argv);

        if (alone == 0 || watched == 0) {
            printf("  %s: does not run here\n", name);
            return;
        }
        seconds[i] = watched;
        slowdown[i] = (watched / alone - 1) * 100;
    }
    bench_figure(name, bench_median(slowdown, PAIRS), "% slower");
    bench_figure("  it took", bench_median(seconds, PAIRS), "s");
}

/* What a report says of a recording: the figure behind KEY. */
static void tell_figure(const char *proftop, const char *file, const char *key, const char *name,
                        const char *unit)
{
    char *command = xasprintf("'%s' report --json '%s'", proftop, file);
    FILE *report = popen(command, "r");
    char *quoted = xasprintf("\"%s\":", key), line[OUTPUT_MAX];

    while (report != NULL && fgets(line, sizeof(line), report) != NULL) {
        const char *found = strstr(line, quoted);

        if (found != NULL) {
            bench_figure(name, strtod(found + strlen(quoted), NULL), unit);
            break;
        }
    }
    if (report != NULL)
        pclose(report);
    free(quoted);
    free(command);
}

static void watch(const char *proftop, const char *file, const char *rate,
                  const char *const *python)
{
    const char *const watcher[] = {
        proftop, "record", "-F", rate, "--force", "-o", file, "--", NULL
    };
    char *name = xasprintf("proftop at %s Hz", rate);

    compare(name, watcher, python);
    tell_figure(proftop, file, "p50", "  a thread was held, p50", "us");
    tell_figure(proftop, file, "p99", "  p99", "us");
    tell_figure(proftop, file, "achieved_hz", "  samples a second of CPU time", "Hz");
    tell_figure(proftop, file, "profiler_cpu_s", "  its own CPU time", "s");
    free(name);
}

int main(void)
{
    const char *built = getenv("PROFTOP_BUILT");
    char *proftop = xasprintf("%s/proftop", built != NULL ? built : ".");
    char file[] = "bench-python.XXXXXX";
    const char *const python[] = { "/usr/bin/python3", "-c", script, NULL };
    const char *const austin_100[] = { "austin", "-i", "10000", "-o", "/dev/null", NULL };
    const char *const austin_1000[] = { "austin", "-i", "1000", "-o", "/dev/null", NULL };
    int fd = mkstemp(file);

    if (fd < 0 || access(python[0], X_OK) != 0) {
        printf("python: no %s here\n", python[0]);
        return 0;
    }
    close(fd);
    bench_title("python, 50 frames deep");
    watch(proftop, file, "100", python);
    watch(proftop, file, "1000", python);
    compare("austin at 100 Hz", austin_100, python);
    compare("austin at 1000 Hz", austin_1000, python);
    unlink(file);
    free(proftop);
    return 0;
}
