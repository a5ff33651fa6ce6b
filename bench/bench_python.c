/* SPDX-License-Identifier: MIT */
/*
 * Python: how long a running thread is held for its native and Python frames together, whether one
 * that waits is left alone, and what watching costs a program, beside austin and austinp.
 *
 *     a round:  alone │ proftop at 100 Hz │ alone │ proftop at 1000 Hz │ alone │ austin at 100 Hz …
 *
 * All of it is one process, which is attached to and left again: two processes of the same program
 * differ by some per cent, for they lie elsewhere in memory.  A watched stretch is compared with
 * the unwatched one before it; the median of the rounds is told.  PROFTOP_PYTHON is the interpreter
 * (/usr/bin/python3), PROFTOP_AUSTINS a list of austins.
 */
#include "config.h"

#include "bench/bench.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proftop/memory.h"

enum { ROUNDS = 9, ARGUMENTS_MAX = 16, WATCHERS_MAX = 12, LINE_MAX_BYTES = 4096, ATTACH_MS = 500 };

/*
 * Fifty Python frames deep: for each byte it reads, a hundred steps of the same work, and how long
 * they took: the median, and the quarter that others on the machine disturbed least.  Another
 * thread waits meanwhile where a stop would show: the third figure of its schedstat counts its
 * turns on a CPU.
 */
static const char program[] =
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
    "def stretch():\n"
    "    took, began = [], turns()\n"
    "    for i in range(100):\n"
    "        t = time.perf_counter()\n"
    "        work()\n"
    "        took.append(time.perf_counter() - t)\n"
    "    took.sort()\n"
    "    print('median', took[50], 'calm', took[25], 'turns', turns() - began, flush=True)\n"
    "def repeat():\n"
    "    while os.read(0, 1):\n"
    "        stretch()\n"
    "def deep(n):\n"
    "    return deep(n - 1) if n else repeat()\n"
    "deep(46)\n";

struct stretch {
    double median_s, calm_s, turns;
};

/* The script, running. */
struct script {
    pid_t pid;
    int ask;
    FILE *told;
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

static bool script_start(struct script *script, const char *const *argv)
{
    int in[2], out[2];

    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return false;
    script->pid = fork();
    if (script->pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    script->ask = in[1];
    script->told = fdopen(out[0], "r");
    return script->pid > 0 && script->told != NULL;
}

static void script_end(struct script *script)
{
    close(script->ask);
    fclose(script->told);
    waitpid(script->pid, NULL, 0);
}

/* All 0 when the script tells no figures. */
static struct stretch script_stretch(const struct script *script)
{
    char line[LINE_MAX_BYTES] = "";

    if (write(script->ask, ".", 1) != 1 || fgets(line, sizeof(line), script->told) == NULL)
        return (struct stretch){ 0 };
    return (struct stretch){ figure_behind(line, "median "), figure_behind(line, "calm "),
                             figure_behind(line, "turns ") };
}

static double slower(double watched_s, double alone_s)
{
    return (watched_s / alone_s - 1) * 100;
}

/* Attaches, has the script work, and leaves. */
static void watch_once(struct watcher *watcher, const struct script *script, unsigned round)
{
    const char *argv[ARGUMENTS_MAX] = { NULL };
    const struct timespec attaching = { .tv_nsec = ATTACH_MS * 1000 * 1000 };
    char *pid = xasprintf("%d", (int)script->pid);
    struct stretch alone = script_stretch(script), watched;
    size_t count = 0;
    pid_t started;

    for (; watcher->arguments[count] != NULL; count++)
        argv[count] = watcher->arguments[count];
    argv[count++] = "-p";
    argv[count] = pid;
    started = bench_start(argv);
    nanosleep(&attaching, NULL);
    watched = script_stretch(script);
    watcher->fails = started < 0 || waitpid(started, NULL, WNOHANG) != 0 || watched.median_s == 0;
    if (!watcher->fails) {
        kill(started, SIGINT);
        waitpid(started, NULL, 0);
    }
    watcher->slowdown[round] = slower(watched.median_s, alone.median_s);
    watcher->calm_slowdown[round] = slower(watched.calm_s, alone.calm_s);
    watcher->turns[round] = watched.turns;
    free(pid);
}

/* What a report says of a recording: the figure behind KEY. */
static double reported(const char *proftop, const char *file, const char *key)
{
    char *command = xasprintf("'%s' report --json '%s'", proftop, file);
    FILE *report = popen(command, "r");
    char *quoted = xasprintf("\"%s\":", key), line[LINE_MAX_BYTES];
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
                             watcher->file, NULL },
           10 * sizeof(char *));
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
    const char *const python[] = { named != NULL ? named : "/usr/bin/python3", "-c", program,
                                   NULL };
    struct watcher *watchers = xcalloc(WATCHERS_MAX, sizeof(*watchers));
    unsigned count = 0;
    struct script running;

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
    if (!script_start(&running, python)) {
        printf("python: %s does not start\n", python[0]);
        return 1;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < count; i++) {
            if (!watchers[i].fails)
                watch_once(&watchers[i], &running, round);
        }
    }
    bench_figure("a step alone", script_stretch(&running).median_s * 1000, "ms");
    script_end(&running);
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
