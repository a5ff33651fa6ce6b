/* SPDX-License-Identifier: MIT */
/*
 * Python: how long a running thread is held for its native and Python frames together, whether one
 * that waits is left alone, and what watching costs a program, beside austin and austinp.
 *
 *     a round:  the script alone │ under proftop 100, 1000 Hz │ under each austin 100, 1000 Hz
 *
 * A watched run is compared with the unwatched one of its own round; the median of the rounds is
 * told.  PROFTOP_PYTHON is the interpreter (/usr/bin/python3), PROFTOP_AUSTINS a list of austins.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/memory.h"

enum { ROUNDS = 5, ARGUMENTS_MAX = 16, WATCHERS_MAX = 12, OUTPUT_MAX = 4096 };

/*
 * Fifty Python frames deep, a hundred steps of the same work, and how long they took: the median,
 * and the quarter that others on the machine disturbed least.  Another thread waits meanwhile where
 * a stop would show: the third figure of its schedstat counts its turns on a CPU.
 */
static const char script[] =
    "import os, select, sys, threading, time\n"
    "told, epoll = [], select.epoll()\n"
    "r, w = os.pipe()\n"
    "epoll.register(r, select.EPOLLIN)\n"
    "def wait():\n"
    "    told.append(threading.get_native_id())\n"
    "    epoll.poll()\n"
    "threading.Thread(target=wait, daemon=True).start()\n"
    "def turns():\n"
    "    return int(open('/proc/self/task/%d/schedstat' % told[0]).read().split()[2])\n"
    "def asleep():\n"
    "    stat = open('/proc/self/task/%d/stat' % told[0]).read()\n"
    "    return stat.rsplit(')', 1)[1].split()[0] == 'S'\n"
    "while not told or not asleep():\n"
    "    time.sleep(0.01)\n"
    "def work():\n"
    "    s = 0\n"
    "    for i in range(400000):\n"
    "        s += i & 7\n"
    "    return s\n"
    "def repeat():\n"
    "    for i in range(100):\n"
    "        t = time.perf_counter()\n"
    "        work()\n"
    "        took.append(time.perf_counter() - t)\n"
    "def deep(n):\n"
    "    return deep(n - 1) if n else repeat()\n"
    "took, began = [], turns()\n"
    "deep(47)\n"
    "took.sort()\n"
    "print('median', took[50], 'calm', took[25], 'turns', turns() - began, flush=True)\n";

struct run {
    double median_s, calm_s, turns;
};

/* Somebody who watches the script, and what came of it. */
struct watcher {
    char *name;
    const char *arguments[ARGUMENTS_MAX];
    char *file;        /* what it writes */
    char *interval_us; /* austin's argument, or NULL */
    bool ours;         /* it is a session of proftop */
    double slowdown[ROUNDS], calm_slowdown[ROUNDS], turns[ROUNDS];
    bool fails;
};

static double figure_behind(const char *output, const char *key)
{
    const char *found = strstr(output, key);

    return found != NULL ? strtod(found + strlen(key), NULL) : 0;
}

/* Runs ARGV, reading what it prints; all 0 when it prints no figures. */
static struct run run_reading(const char *const *argv)
{
    char output[OUTPUT_MAX] = "";
    size_t length = 0;
    int out[2];
    pid_t pid;
    ssize_t got;

    if (pipe(out) != 0)
        return (struct run){ 0 };
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
    return (struct run){ figure_behind(output, "median "), figure_behind(output, "calm "),
                         figure_behind(output, "turns ") };
}

static void watch_once(struct watcher *watcher, const char *const *python, const struct run *alone,
                       unsigned round)
{
    const char *argv[2 * ARGUMENTS_MAX] = { NULL };
    struct run watched;
    size_t count = 0;

    for (size_t i = 0; watcher->arguments[i] != NULL; i++)
        argv[count++] = watcher->arguments[i];
    for (size_t i = 0; python[i] != NULL; i++)
        argv[count++] = python[i];
    watched = run_reading(argv);
    watcher->fails = watched.median_s == 0;
    watcher->slowdown[round] = (watched.median_s / alone->median_s - 1) * 100;
    watcher->calm_slowdown[round] = (watched.calm_s / alone->calm_s - 1) * 100;
    watcher->turns[round] = watched.turns;
}

/* What a report says of a recording: the figure behind KEY. */
static double reported(const char *proftop, const char *file, const char *key)
{
    char *command = xasprintf("'%s' report --json '%s'", proftop, file);
    FILE *report = popen(command, "r");
    char *quoted = xasprintf("\"%s\":", key), line[OUTPUT_MAX];
    double figure = 0;

    while (report != NULL && figure == 0 && fgets(line, sizeof(line), report) != NULL)
        figure = figure_behind(line, quoted);
    if (report != NULL)
        pclose(report);
    free(quoted);
    free(command);
    return figure;
}

static double lines_of(const char *path)
{
    FILE *file = fopen(path, "r");
    double lines = 0;
    int character;

    while (file != NULL && (character = getc(file)) != EOF)
        lines += character == '\n';
    if (file != NULL)
        fclose(file);
    return lines;
}

static void tell(const char *proftop, struct watcher *watcher)
{
    double cpu_s, duration_s;

    if (watcher->fails) {
        printf("  %s: does not run with this Python\n", watcher->name);
        return;
    }
    bench_figure(watcher->name, bench_median(watcher->slowdown, ROUNDS), "% slower");
    bench_figure("  by the calmest quarter of its steps",
                 bench_median(watcher->calm_slowdown, ROUNDS), "% slower");
    bench_figure("  the waiting thread was woken, p50", bench_median(watcher->turns, ROUNDS),
                 "times");
    if (!watcher->ours) {
        bench_figure("  stacks it took in its last run", lines_of(watcher->file), "lines");
        return;
    }
    bench_figure("  a thread was held, p50", reported(proftop, watcher->file, "p50"), "us");
    bench_figure("  p99", reported(proftop, watcher->file, "p99"), "us");
    bench_figure("  samples a second of CPU time", reported(proftop, watcher->file, "achieved_hz"),
                 "Hz");
    cpu_s = reported(proftop, watcher->file, "profiler_cpu_s");
    duration_s = reported(proftop, watcher->file, "duration_s");
    bench_figure("  its own CPU time, start-up included", cpu_s / duration_s * 100, "% of a core");
}

static void add_proftop(struct watcher *watcher, const char *proftop, const char *rate)
{
    watcher->name = xasprintf("proftop at %s Hz", rate);
    watcher->file = xasprintf("bench-python-%s.proftop", rate);
    watcher->ours = true;
    memcpy(watcher->arguments,
           (const char *[]){ proftop, "record", "-F", rate, "--source", "ptrace", "--force", "-o",
                             watcher->file, "--", NULL },
           11 * sizeof(char *));
}

static void add_austin(struct watcher *watcher, const char *austin, unsigned number,
                       unsigned rate_hz)
{
    watcher->interval_us = xasprintf("%u", 1000000 / rate_hz);
    watcher->name = xasprintf("%s at %u Hz", austin, rate_hz);
    watcher->file = xasprintf("bench-austin-%u.txt", number);
    memcpy(watcher->arguments,
           (const char *[]){ austin, "-i", watcher->interval_us, "-o", watcher->file, NULL },
           6 * sizeof(char *));
}

int main(void)
{
    const char *built = getenv("PROFTOP_BUILT"), *named = getenv("PROFTOP_PYTHON");
    const char *listed = getenv("PROFTOP_AUSTINS");
    char *proftop = xasprintf("%s/proftop", built != NULL ? built : ".");
    char *austins = xstrdup(listed != NULL ? listed : "austin:austinp"), *rest = austins, *austin;
    const char *const python[] = { named != NULL ? named : "/usr/bin/python3", "-c", script, NULL };
    struct watcher *watchers = xcalloc(WATCHERS_MAX, sizeof(*watchers));
    unsigned count = 0;
    double steps[ROUNDS];

    if (access(python[0], X_OK) != 0) {
        printf("python: no %s here\n", python[0]);
        return 0;
    }
    bench_title("python, 50 frames deep");
    add_proftop(&watchers[count++], proftop, "100");
    add_proftop(&watchers[count++], proftop, "1000");
    while ((austin = strsep(&rest, ":")) != NULL && count + 2 <= WATCHERS_MAX) {
        add_austin(&watchers[count], austin, count, 100);
        count++;
        add_austin(&watchers[count], austin, count, 1000);
        count++;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct run alone = run_reading(python);

        steps[round] = alone.median_s * 1000;
        for (unsigned i = 0; i < count; i++) {
            if (!watchers[i].fails)
                watch_once(&watchers[i], python, &alone, round);
        }
    }
    bench_figure("a step alone", bench_median(steps, ROUNDS), "ms");
    for (unsigned i = 0; i < count; i++) {
        tell(proftop, &watchers[i]);
        free(watchers[i].name);
        unlink(watchers[i].file);
        free(watchers[i].file);
        free(watchers[i].interval_us);
    }
    free(watchers);
    free(austins);
    free(proftop);
    return 0;
}
