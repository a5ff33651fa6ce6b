/* SPDX-License-Identifier: MIT */
/*
 * The whole program on a terminal, as a person has it: how soon the first rows of functions show,
 * what a steady screen writes and costs, what a command costs that floods its Output.
 *
 *     victim ◄── proftop -p PID ── pty ──► libvterm: what shows, how many bytes
 *                  └─ /proc/PID/task/TID/schedstat: what each thread cost
 */
#include "config.h"

#include "bench/bench.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "tests/harness/terminal.h"

enum {
    FIRST_RUNS = 7,
    FIRST_ROW = 6, /* of the table, at 80x24 */
    SETTLE_S = 12, /* the range is full then */
    STEADY_S = 10,
    COST_THREADS_MAX = 64,
    BUSY_THREADS = 2 /* of a victim's; the others wake up now and then */
};

static const char python_script[] = "import json\n"
                                    "def parse(text): return json.loads(text)\n"
                                    "def build(n): return {str(i): i / 7 for i in range(n)}\n"
                                    "def handle(n): return len(parse(json.dumps(build(n))))\n"
                                    "while True: handle(200)\n";

static const char node_script[] =
    "function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }\n"
    "function render() { return JSON.stringify(Array.from({ length: 500 }, (_, i) => i)) }\n"
    "for (;;) { fib(20); render() }\n";

/* ---- victims ------------------------------------------------------------------------------------
 */

static volatile uint64_t sink;

static __attribute__((noinline)) void compute(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        sink = sink * 6364136223846793005u + 1442695040888963407u;
}

static void *serve(void *busy)
{
    const struct timespec pause = { 0, 250000000 };

    for (;;) {
        compute(100000);
        if (busy == NULL)
            nanosleep(&pause, NULL);
    }
    return NULL;
}

/* A server of THREADS threads, or ARGV; killed at the end, also when we are. */
static pid_t start_victim(unsigned threads, const char *const *argv)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argv != NULL) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_t thread;

        pthread_create(&thread, NULL, serve, i < BUSY_THREADS ? "busy" : NULL);
    }
    for (;;)
        pause();
}

static void stop_victim(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* ---- proftop ------------------------------------------------------------------------------------
 */

static struct terminal *watch(const char *const *arguments, int columns, int rows)
{
    const char *built = getenv("PROFTOP_BUILT");
    char *proftop = xasprintf("%s/proftop", built != NULL ? built : ".");
    const char *argv[8] = { proftop };
    struct terminal_config config = { .columns = columns, .rows = rows };
    struct terminal *terminal;

    for (int i = 0; i < 6 && arguments[i] != NULL; i++)
        argv[i + 1] = arguments[i];
    terminal = terminal_open(argv, &config);
    free(proftop);
    return terminal;
}

static struct terminal *watch_pid(pid_t pid, int columns, int rows)
{
    char text[16];
    const char *arguments[] = { "-p", text, NULL };

    snprintf(text, sizeof(text), "%d", (int)pid);
    return watch(arguments, columns, rows);
}

static void leave(struct terminal *terminal)
{
    terminal_type(terminal, "Q");
    terminal_wait_exit(terminal);
    terminal_close(terminal);
}

/* Reads along for so long; the paints. */
static unsigned follow(struct terminal *terminal, double seconds)
{
    uint64_t until = clock_now_ns() + (uint64_t)(seconds * 1e9);
    unsigned paints = 0;

    while (clock_now_ns() < until && terminal_wait_paint(terminal))
        paints++;
    return paints;
}

/* ---- what it costs ------------------------------------------------------------------------------
 */

struct cost {
    unsigned count;
    struct {
        int tid;
        char name[32];
        uint64_t cpu_ns;
    } threads[COST_THREADS_MAX];
};

static void read_cost(pid_t pid, struct cost *cost)
{
    char *path = xasprintf("/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    const struct dirent *entry;

    cost->count = 0;
    while (folder != NULL && (entry = readdir(folder)) != NULL && cost->count < COST_THREADS_MAX) {
        char file[320], *name = cost->threads[cost->count].name;
        unsigned long long ns = 0;
        FILE *from;

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        cost->threads[cost->count].tid = atoi(entry->d_name);
        snprintf(file, sizeof(file), "%s/%s/comm", path, entry->d_name);
        from = fopen(file, "re");
        if (from == NULL || fgets(name, 32, from) == NULL)
            snprintf(name, 32, "?");
        name[strcspn(name, "\n")] = '\0';
        if (from != NULL)
            fclose(from);
        snprintf(file, sizeof(file), "%s/%s/schedstat", path, entry->d_name);
        from = fopen(file, "re");
        if (from != NULL && fscanf(from, "%llu", &ns) == 1)
            cost->threads[cost->count++].cpu_ns = ns;
        if (from != NULL)
            fclose(from);
    }
    if (folder != NULL)
        closedir(folder);
    free(path);
}

static uint64_t cost_of(const struct cost *cost, int tid)
{
    for (unsigned i = 0; i < cost->count; i++)
        if (cost->threads[i].tid == tid)
            return cost->threads[i].cpu_ns;
    return 0;
}

static void tell_cost(const struct cost *before, const struct cost *after, double seconds)
{
    double total = 0;

    for (unsigned i = 0; i < after->count; i++) {
        double share = (double)(after->threads[i].cpu_ns - cost_of(before, after->threads[i].tid)) /
                       (seconds * 1e7);
        char *name = xasprintf("  its thread \"%s\"", after->threads[i].name);

        total += share;
        if (share >= 0.05)
            bench_figure(name, share, "% of a core");
        free(name);
    }
    bench_figure("  all of it", total, "% of a core");
}

/* ---- measurements -------------------------------------------------------------------------------
 */

static bool has_rows(const struct terminal *terminal)
{
    char *row = terminal_row(terminal, FIRST_ROW);
    bool has = row[0] != '\0' && strpbrk(row, "0123456789") != NULL;

    free(row);
    return has;
}

/* From the start of the program to the first paint with functions in it. */
static void measure_first(const char *name, const char *const *argv)
{
    double times[FIRST_RUNS];
    pid_t victim = start_victim(0, argv);
    struct timespec second = { 1, 0 };

    nanosleep(&second, NULL); /* it is to be busy, not starting */
    if (waitpid(victim, NULL, WNOHANG) != 0) {
        printf("  %s: does not run here\n", name);
        return;
    }
    for (int i = 0; i < FIRST_RUNS; i++) {
        uint64_t before = clock_now_ns();
        struct terminal *terminal = watch_pid(victim, 80, 24);

        while (!has_rows(terminal) && terminal_wait_paint(terminal))
            continue;
        times[i] = (double)(clock_now_ns() - before) / 1e6;
        leave(terminal);
    }
    stop_victim(victim);
    printf("  %s\n", name);
    bench_figure("  first rows, median", bench_median(times, FIRST_RUNS), "ms");
    bench_figure("  slowest", bench_percentile(times, FIRST_RUNS, 100), "ms");
}

static void measure_steady(const char *name, unsigned threads, const char *const *argv)
{
    pid_t victim = start_victim(threads, argv);
    struct terminal *terminal = watch_pid(victim, 140, 40);
    struct cost before, after;
    size_t bytes;
    unsigned paints;
    uint64_t start;
    double seconds;

    follow(terminal, SETTLE_S);
    read_cost(terminal_pid(terminal), &before);
    bytes = terminal_bytes(terminal, &(const char *){ NULL });
    start = clock_now_ns();
    paints = follow(terminal, STEADY_S);
    seconds = (double)(clock_now_ns() - start) / 1e9;
    read_cost(terminal_pid(terminal), &after);
    printf("  %s\n", name);
    bench_figure("  written",
                 (double)(terminal_bytes(terminal, &(const char *){ NULL }) - bytes) / seconds,
                 "bytes/s");
    bench_figure("  paints", (double)paints / seconds, "/s");
    tell_cost(&before, &after, seconds);
    leave(terminal);
    stop_victim(victim);
}

static void measure_flood(void)
{
    const char *const arguments[] = { "--", "/usr/bin/yes", NULL };
    struct terminal *terminal = watch(arguments, 80, 24);
    struct cost before, after;
    uint64_t start;

    terminal_wait_text(terminal, "Output");
    terminal_type(terminal, "9");
    terminal_wait_text(terminal, "[9Output]");
    follow(terminal, 2);
    read_cost(terminal_pid(terminal), &before);
    start = clock_now_ns();
    follow(terminal, STEADY_S / 2);
    read_cost(terminal_pid(terminal), &after);
    printf("  yes, in Output\n");
    tell_cost(&before, &after, (double)(clock_now_ns() - start) / 1e9);
    terminal_type(terminal, "q2"); /* Q would leave the command running */
    terminal_wait_exit(terminal);
    terminal_close(terminal);
}

int main(void)
{
    const char *const python[] = { "/usr/bin/python3", "-c", python_script, NULL };
    const char *const node[] = { "node", "-e", node_script, NULL };

    bench_title("terminal: first rows on a busy process, 80x24");
    measure_first("python", python);
    measure_first("node", node);
    bench_title("terminal: Top at 140x40, 99 Hz, a refresh a second");
    measure_steady("8 threads", 8, NULL);
    measure_steady("64 threads", 64, NULL);
    measure_steady("python", 0, python);
    bench_title("terminal: a command that floods");
    measure_flood();
    return 0;
}
