/* SPDX-License-Identifier: MIT */
/*
 * proftop record beside perf record, on one target in one run: what each costs, and what the target
 * notices.
 *
 *     target ── looks at the clock all the time, 60 calls deep; what passes between two looks
 *               beyond GAP_NS adds up in a page it shares with us
 *     tool   ── nothing, proftop record, perf record by DWARF and by frame pointers, in turn;
 *               measured once it has attached, so that its start does not count
 */
#include "config.h"

#include "bench/bench.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/memory.h"

enum { DEPTH = 60, GAP_NS = 1000, ROUNDS = 8, ATTACH_MS = 2000, MEASURE_MS = 1000, ARGUMENTS = 24 };

/* Student's t for 95 % of ROUNDS pairs. */
static const double student = 2.365;

static _Atomic uint64_t *gaps_ns; /* shared with the target */
static volatile uint64_t sink;
static volatile bool watching = true; /* until it is killed, which the compiler need not know */

static __attribute__((noinline)) void watch_the_clock(void)
{
    uint64_t last_ns = clock_now_ns();

    while (watching) {
        uint64_t now_ns = clock_now_ns();

        if (now_ns - last_ns > GAP_NS)
            atomic_fetch_add_explicit(gaps_ns, now_ns - last_ns, memory_order_relaxed);
        last_ns = now_ns;
    }
}

static __attribute__((noinline)) void descend(unsigned depth)
{
    if (depth > 0)
        descend(depth - 1);
    else
        watch_the_clock();
    sink++; /* keeps the call from becoming a jump */
}

static pid_t start_target(void)
{
    pid_t pid;

    gaps_ns =
        mmap(NULL, sizeof(*gaps_ns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (gaps_ns == MAP_FAILED)
        die("no page to share with the target");
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        descend(DEPTH);
    }
    if (pid < 0)
        die("no target");
    return pid;
}

/* The ways to watch it; %p stands for its pid, %r for the rate, %f for a file to write. */
struct tool {
    const char *name;
    const char *arguments[ARGUMENTS];
};

enum { TOOL_NONE, TOOL_PROFTOP, TOOL_DWARF, TOOL_FRAMES, TOOLS };

static const struct tool tools[TOOLS] = {
    { "nothing", { NULL } },
    { "proftop record", { "./proftop", "record", "-F", "%r", "-p", "%p", "-o", "%f", "--force" } },
    { "perf record --call-graph dwarf,16384",
      { "perf", "record", "-q", "-F", "%r", "--call-graph", "dwarf,16384", "-p", "%p", "-o",
        "%f" } },
    { "perf record --call-graph fp",
      { "perf", "record", "-q", "-F", "%r", "--call-graph", "fp", "-p", "%p", "-o", "%f" } },
};

struct measured {
    double gaps_pct; /* of the time */
    double cpu_pct;  /* of a core, the tool's */
    bool failed;
};

static void rest_ms(long ms)
{
    struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&pause, NULL);
}

static pid_t start_tool(const struct tool *tool, const char *rate, const char *target,
                        const char *file)
{
    const char *argv[ARGUMENTS + 1] = { NULL };

    for (size_t i = 0; i < ARGUMENTS && tool->arguments[i] != NULL; i++) {
        const char *word = tool->arguments[i];

        argv[i] = strcmp(word, "%r") == 0   ? rate
                  : strcmp(word, "%p") == 0 ? target
                  : strcmp(word, "%f") == 0 ? file
                                            : word;
    }
    return bench_start(argv);
}

/* CPU time that another process has used; 0 when it is gone. */
static uint64_t cpu_of(pid_t pid)
{
    struct timespec used = { 0, 0 };
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
}

static struct measured measure(const struct tool *tool, const char *rate, const char *target,
                               const char *file)
{
    struct measured measured = { 0 };
    pid_t pid = tool->arguments[0] != NULL ? start_tool(tool, rate, target, file) : 0;
    uint64_t begin_ns, begin_gaps_ns, begin_cpu_ns, passed_ns;
    int status;

    rest_ms(ATTACH_MS);
    begin_ns = clock_now_ns();
    begin_gaps_ns = *gaps_ns;
    begin_cpu_ns = pid != 0 ? cpu_of(pid) : 0;
    rest_ms(MEASURE_MS);
    passed_ns = clock_now_ns() - begin_ns;
    measured.gaps_pct = (double)(*gaps_ns - begin_gaps_ns) * 100 / (double)passed_ns;
    if (pid == 0)
        return measured;
    measured.cpu_pct = (double)(cpu_of(pid) - begin_cpu_ns) * 100 / (double)passed_ns;
    measured.failed = waitpid(pid, &status, WNOHANG) == pid; /* it should be at work still */
    if (!measured.failed) {
        kill(pid, SIGINT);
        waitpid(pid, &status, 0);
    }
    return measured;
}

/* The tools in turn, ROUNDS times, each round another one first. */
static void measure_all(const char *rate, const char *target, const char *file,
                        struct measured all[TOOLS][ROUNDS])
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < TOOLS; i++) {
            unsigned tool = (i + round) % TOOLS;

            all[tool][round] = measure(&tools[tool], rate, target, file);
        }
    }
}

static bool all_worked(const struct measured *each)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (each[i].failed)
            return false;
    }
    return true;
}

static void tell_tool(const struct measured *each, const struct measured *baseline)
{
    double above[ROUNDS], cpu[ROUNDS];

    if (!all_worked(each)) {
        printf("  not possible here\n");
        return;
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        above[i] = each[i].gaps_pct - baseline[i].gaps_pct;
        cpu[i] = each[i].cpu_pct;
    }
    bench_figure("the target's gaps above its baseline", bench_median(above, ROUNDS), "% of time");
    bench_figure("the tool's CPU, once attached", bench_median(cpu, ROUNDS), "% of a core");
    bench_figure("the tool's CPU, 99th percentile of the runs", bench_percentile(cpu, ROUNDS, 99),
                 "% of a core");
}

/* The mean of the pairs' differences and how far it is certain. */
static void tell_pairs(const struct measured *ours, const struct measured *theirs)
{
    double mean = 0, squares = 0;

    if (!all_worked(ours) || !all_worked(theirs))
        return;
    for (unsigned i = 0; i < ROUNDS; i++)
        mean += (ours[i].gaps_pct - theirs[i].gaps_pct) / ROUNDS;
    for (unsigned i = 0; i < ROUNDS; i++) {
        double off = ours[i].gaps_pct - theirs[i].gaps_pct - mean;

        squares += off * off;
    }
    bench_figure("gaps, proftop's less perf's by DWARF, mean", mean, "% of time");
    bench_figure("  95 % sure within this much of it",
                 student * sqrt(squares / (ROUNDS - 1) / ROUNDS), "% of time");
}

static void compare(const char *rate, const char *target, const char *file)
{
    struct measured all[TOOLS][ROUNDS];

    measure_all(rate, target, file, all);
    for (unsigned tool = TOOL_PROFTOP; tool < TOOLS; tool++) {
        char title[96];

        snprintf(title, sizeof(title), "%s, one busy thread %d deep, %s Hz", tools[tool].name,
                 DEPTH, rate);
        bench_title(title);
        tell_tool(all[tool], all[TOOL_NONE]);
        if (tool == TOOL_PROFTOP)
            tell_pairs(all[TOOL_PROFTOP], all[TOOL_DWARF]);
    }
}

/* What perf leaves for later: unwinding the copies and finding names. */
static void measure_script(const char *target, const char *file)
{
    enum { RATE_HZ = 999 };
    const char *const argv[] = { "perf", "script", "-F", "ip,sym", "-i", file, NULL };
    const double samples = (double)RATE_HZ * (ATTACH_MS + MEASURE_MS) / 1000;
    struct bench_cost cost;

    if (measure(&tools[TOOL_DWARF], "999", target, file).failed)
        return;
    cost = bench_program(argv);
    bench_title("perf script, the stacks that perf record by DWARF copied at 999 Hz");
    if (cost.status != 0) {
        printf("  not possible here\n");
        return;
    }
    bench_figure("CPU a sample, about, its start included", cost.cpu_s * 1e6 / samples, "us");
}

int main(void)
{
    char file[] = "/tmp/bench-perf-XXXXXX", number[16];
    pid_t target = start_target();
    int fd = mkstemp(file);

    if (fd < 0)
        die("no file for the recordings");
    close(fd);
    snprintf(number, sizeof(number), "%d", (int)target);
    compare("99", number, file);
    compare("999", number, file);
    measure_script(number, file);
    kill(target, SIGKILL);
    waitpid(target, NULL, 0);
    unlink(file);
    return 0;
}
