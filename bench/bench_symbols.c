/* SPDX-License-Identifier: MIT */
/*
 * Names, lines and inline chains of addresses, beside addr2line, eu-addr2line and perf report.
 *
 * Every program is run anew for each figure, on the same addresses in the same (random) order, and
 * the chains that both print are compared.  A tool that would take minutes for 100,000 addresses
 * gets fewer, and so do we beside it.
 *
 * Neither demangles without -C.  For 100,000 addresses addr2line takes 1.5 s of the C++ program
 * with its four units, 0.3 to 0.7 s of the others; we take 20 to 60 ms.  That is 10 times and more
 * where two CPUs are free and the memory they clear was used not long ago: a guest that has to get
 * its memory from the host first takes 10 ms longer, which makes 12 times 9.  Of
 * tests/fixtures/work.cc, one unit with 39,000 addresses, it is 7 times: half of our 14 ms are the
 * start, and the unit read whole before the first address is named.
 */
#include "config.h"

#include "bench/bench.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/memory.h"
#include "src/symbols/elf_file.h"

enum {
    ADDRESSES = 100000,
    PROBED = 100,
    MORE_PROBED = 500,
    PAIRS_MAX = 15, /* the second CPU is not always to be had: fewer are off by a tenth */
    WORDS_MAX = 12,
    LINE_MAX_BYTES = 1 << 16
};

static const char addresses_path[] = "bench_symbols.addresses";
static const char few_path[] = "bench_symbols.few";
static const char ours_path[] = "bench_symbols.ours";
static const char theirs_path[] = "bench_symbols.theirs";
static const char nowhere[] = "/dev/null"; /* while it is timed: writing is not naming */
static const char pair_most[] = "2";       /* seconds */
static char *our_program;

/* What COMMAND prints first, without its newline; NULL when it fails.  The caller frees it. */
static char *first_line(const char *command)
{
    FILE *out = popen(command, "r");
    char line[4096];
    bool found = out != NULL && fgets(line, sizeof(line), out) != NULL;

    if (out != NULL)
        pclose(out);
    if (!found || line[0] == '\n')
        return NULL;
    line[strcspn(line, "\n")] = '\0';
    return xstrdup(line);
}

static bool has(const char *program)
{
    char *command = xasprintf("command -v %s 2>/dev/null", program), *path = first_line(command);
    bool found = path != NULL;

    free(command);
    free(path);
    return found;
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* Distinct ones all over the code of the file at PATH; how many. */
static uint64_t write_addresses(const char *path)
{
    FILE *file = fopen(addresses_path, "w");
    uint64_t state = 1, count = 0;
    struct elf_file elf;
    GElf_Shdr text = { 0 };
    uint8_t *taken;

    if (file == NULL || elf_file_open_path(&elf, path) != TROUBLE_NONE)
        die("cannot read %s", path);
    if (elf_file_section(&elf, ".text", &text) == NULL || text.sh_size > (UINT64_C(1) << 32))
        text.sh_size = 0;
    elf_file_close(&elf);
    taken = xcalloc(text.sh_size + 1, 1);
    while (count < ADDRESSES && count < text.sh_size / 2) {
        uint64_t at;

        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        at = (state >> 31) % text.sh_size;
        if (taken[at]++ != 0)
            continue;
        fprintf(file, "0x%" PRIx64 "\n", text.sh_addr + at);
        count++;
    }
    free(taken);
    fclose(file);
    return count;
}

/* ---- one program after the other ------------------------------------------------------------- */

struct command {
    const char *argv[WORDS_MAX + 1]; /* those not used are NULL */
    const char *input, *output;
    int tolerated; /* status: addr2line's is 1 when an address has no name */
};

/* Wall time; below 0 when it failed.  CPU_S may be NULL. */
static double run_s(const struct command *command, double *cpu_s)
{
    struct bench_cost cost = bench_filter(command->argv, command->input, command->output);

    if (cpu_s != NULL)
        *cpu_s = cost.cpu_s;
    return WIFEXITED(cost.status) && WEXITSTATUS(cost.status) <= command->tolerated ? cost.wall_s
                                                                                    : -1;
}

static double shell_s(const char *text)
{
    const struct command command = { { "/bin/sh", "-c", text }, nowhere, nowhere, 0 };

    return run_s(&command, NULL);
}

static void add_word(struct command *command, const char *word)
{
    unsigned count = 0;

    while (command->argv[count] != NULL)
        count++;
    if (count < WORDS_MAX && word[0] != '\0')
        command->argv[count] = word;
}

/* OPTION: "-C" to demangle, or "". */
static struct command our_command(const char *option, const char *path, const char *addresses,
                                  const char *out)
{
    struct command command = { { our_program }, addresses, out, 0 };

    add_word(&command, option);
    add_word(&command, path);
    return command;
}

static struct command their_command(const char *tool, const char *option, const char *path,
                                    const char *addresses, const char *out)
{
    struct command command = { { tool, "-a", "-i", "-f", "-e", path }, addresses, out, 1 };

    add_word(&command, option);
    return command;
}

/* COMMAND, which is ended after SECONDS. */
static struct command limited(const struct command *command, const char *seconds)
{
    struct command result = {
        { "timeout", seconds }, command->input, command->output, command->tolerated
    };

    for (const char *const *word = command->argv; *word != NULL; word++)
        add_word(&result, *word);
    return result;
}

static void take_few(uint64_t count)
{
    char *command = xasprintf("head -n %" PRIu64 " %s > %s", count, addresses_path, few_path);

    if (system(command) != 0)
        die("cannot write %s", few_path);
    free(command);
}

/* As many addresses as TOOL does in a few seconds, at most COUNT: all, or a guess from a few. */
static uint64_t affordable(const char *tool, const char *option, const char *path, uint64_t count)
{
    struct command command = their_command(tool, option, path, few_path, nowhere);
    struct command whole = limited(&command, pair_most);
    double few_s, more_s, each_s, most_s = strtod(pair_most, NULL);

    take_few(count);
    if (run_s(&whole, NULL) >= 0)
        return count;
    take_few(PROBED);
    few_s = run_s(&command, NULL);
    take_few(MORE_PROBED);
    more_s = run_s(&command, NULL);
    if (few_s < 0 || more_s < 0)
        return 0;
    each_s = (more_s - few_s) / (MORE_PROBED - PROBED);
    if (few_s >= most_s)
        count = 0;
    else if (few_s + each_s * (double)count > most_s)
        count = (uint64_t)((most_s - few_s) / each_s);
    return count > MORE_PROBED ? count : MORE_PROBED;
}

/* eu-addr2line says FILE:LINE:COLUMN. */
static void cut_column(char *line)
{
    char *last = strrchr(line, ':'), *before;

    if (last == NULL || last[1 + strspn(last + 1, "0123456789")] != '\0')
        return;
    for (before = last; before > line && before[-1] >= '0' && before[-1] <= '9';)
        before--;
    if (before < last && before > line && before[-1] == ':')
        *last = '\0';
}

/* The next line, without what only one of the tools says: of inlined calls, by whom. */
static bool next_line(FILE *file, char *line)
{
    if (fgets(line, LINE_MAX_BYTES, file) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    if (strstr(line, " (discriminator") != NULL)
        *strstr(line, " (discriminator") = '\0';
    if (strstr(line, " inlined at ") != NULL)
        *strstr(line, " inlined at ") = '\0';
    if (strcmp(line, "??:?") == 0)
        strcpy(line, "??:0");
    cut_column(line);
    return true;
}

/* Which part of the lines that both tools printed are the same. */
static void print_agreement(void)
{
    FILE *ours = fopen(ours_path, "r"), *theirs = fopen(theirs_path, "r");
    char *left = xmalloc(LINE_MAX_BYTES), *right = xmalloc(LINE_MAX_BYTES);
    uint64_t same = 0, all = 0, chain_same = 1;

    while (ours != NULL && theirs != NULL && next_line(ours, left) && next_line(theirs, right)) {
        bool address = strncmp(left, "0x", 2) == 0;

        /* A chain that is longer on one side: go on where the next address is. */
        while (address != (strncmp(right, "0x", 2) == 0)) {
            chain_same = 0;
            if (!next_line(address ? theirs : ours, address ? right : left))
                break;
            address = strncmp(left, "0x", 2) == 0;
        }
        if (address) {
            same += all > 0 && chain_same != 0;
            all++;
            chain_same = 1;
        }
        chain_same &= strcmp(left, right) == 0;
    }
    same += all > 0 && chain_same != 0;
    bench_figure("  chains that are the same", 100 * (double)same / (double)(all > 0 ? all : 1),
                 "%");
    if (ours != NULL)
        fclose(ours);
    if (theirs != NULL)
        fclose(theirs);
    free(left);
    free(right);
}

/* With TOOL and OPTION, as above, by as many PAIRS of runs. */
static void compare(const char *tool, const char *option, const char *path, uint64_t all,
                    unsigned pairs)
{
    double ours[PAIRS_MAX], theirs[PAIRS_MAX], ratios[PAIRS_MAX], cpu_ratios[PAIRS_MAX];
    uint64_t count = affordable(tool, option, path, all);
    struct command our = our_command(option, path, few_path, nowhere);
    struct command their = their_command(tool, option, path, few_path, nowhere);
    char *title, *name;

    if (count == 0) {
        printf("  (%s %s fails here)\n", tool, option);
        return;
    }
    take_few(count);
    for (unsigned i = 0; i < pairs; i++) {
        double our_cpu_s, their_cpu_s;

        ours[i] = run_s(&our, &our_cpu_s);
        theirs[i] = run_s(&their, &their_cpu_s);
        ratios[i] = theirs[i] / ours[i];
        cpu_ratios[i] = their_cpu_s / our_cpu_s;
        if (ours[i] < 0 || theirs[i] < 0)
            die("%s or bench/symbols failed on %s", tool, path);
    }
    title = xasprintf("ours, %" PRIu64 " addresses", count);
    name = xasprintf("%s -i -f %s", tool, option);
    bench_figure(title, bench_median(ours, pairs) * 1e3, "ms");
    bench_figure("  slowest", bench_percentile(ours, pairs, 99) * 1e3, "ms");
    bench_figure(name, bench_median(theirs, pairs) * 1e3, "ms");
    bench_figure("  that many times ours", bench_median(ratios, pairs), "times");
    bench_figure("  in CPU time", bench_median(cpu_ratios, pairs), "times");
    our.output = ours_path;
    their.output = theirs_path;
    if (option[0] != '\0' && run_s(&our, NULL) >= 0 && run_s(&their, NULL) >= 0)
        print_agreement();
    free(title);
    free(name);
}

static void measure(const char *path)
{
    char *title = xasprintf("Names and chains: %s", path);
    uint64_t count;

    bench_title(title);
    free(title);
    count = write_addresses(path);
    if (count < MORE_PROBED) {
        printf("  (too little code to tell)\n");
        return;
    }
    if (has("addr2line"))
        compare("addr2line", "", path, count, PAIRS_MAX);
    if (has("addr2line"))
        compare("addr2line", "-C", path, count, PAIRS_MAX);
    if (has("eu-addr2line"))
        compare("eu-addr2line", "-C", path, count, 1);
}

/* ---- a large one ----------------------------------------------------------------------------- */

static void measure_large(const char *path)
{
    struct stat status = { 0 };
    char *title, *command;

    stat(path, &status);
    title = xasprintf("Names of a large program: %s, %.0f MB", path, (double)status.st_size / 1e6);
    bench_title(title);
    write_addresses(path);
    command =
        xasprintf("exec \"$PROFTOP_BUILT/bench/symbols\" --time '%s' < %s", path, addresses_path);
    fflush(stdout);
    if (system(command) != 0)
        printf("  (failed)\n");
    free(command);
    free(title);
}

/* ---- perf report ----------------------------------------------------------------------------- */

/* The same addresses: those that perf sampled in the interpreter, named by both. */
static void compare_with_perf(void)
{
    static const char record[] =
        "perf record -q -F 10000 -o bench_symbols.data -- python3 -c 'import json, time\n"
        "end = time.time() + 3\n"
        "while time.time() < end: json.loads(json.dumps([{str(i): i} for i in range(999)]))'";
    static const char report[] = "perf report --stdio --no-children -s srcline,sym "
                                 "-i bench_symbols.data";
    struct command ours;
    char *path, *command;
    double perf_s, our_s;

    bench_title("Names and lines of what perf sampled in python3");
    if (shell_s(record) < 0) {
        printf("  (perf records nothing here)\n");
        return;
    }
    path = first_line("python3 \"$PROFTOP_SOURCE/bench/perf_addresses.py\" bench_symbols.data "
                      "> bench_symbols.few && head -n 1 bench_symbols.few");
    if (path == NULL) {
        printf("  (perf script does not say where they are)\n");
        return;
    }
    command = xasprintf("tail -n +2 %s > %s", few_path, addresses_path);
    if (system(command) != 0)
        die("cannot write %s", addresses_path);
    free(command);
    ours = our_command("", path, addresses_path, nowhere);
    our_s = run_s(&ours, NULL);
    perf_s = shell_s(report);
    command = first_line("wc -l < bench_symbols.addresses");
    printf("  %s addresses in %s\n", command, path);
    bench_figure("ours", our_s * 1e3, "ms");
    bench_figure("perf report --stdio -s srcline,sym", perf_s * 1e3, "ms");
    bench_figure("  that many times ours", perf_s / our_s, "times");
    free(command);
    free(path);
    unlink("bench_symbols.data");
}

int main(int argc, char **argv)
{
    static const char *const programs[] = {
        "python3 -c 'import os, sysconfig as s; print(os.path.join(s.get_config_var(\"LIBDIR\"), "
        "s.get_config_var(\"INSTSONAME\")))' 2>/dev/null | xargs -r readlink -e",
        "readlink -e \"$(cc -print-file-name=libc.so.6)\"",
        "readlink -e \"$PROFTOP_BUILT/proftop\"",
        "many=\"$PROFTOP_SOURCE/bench/many.cc\"; for unit in 1 2 3 4; do "
        "c++ -std=c++17 -g -O2 -DUNIT=$unit -c -o bench_symbols.$unit.o \"$many\" 2>/dev/null "
        "|| exit; done; "
        "c++ -std=c++17 -g -O2 -o bench_symbols.c++ \"$many\" bench_symbols.?.o 2>/dev/null "
        "&& echo bench_symbols.c++; rm -f bench_symbols.?.o",
        "rustc -g -O -o bench_symbols.rust \"$PROFTOP_SOURCE/tests/fixtures/work.rs\" 2>/dev/null "
        "&& echo bench_symbols.rust",
    };
    static const char *const made[] = { addresses_path,      few_path,
                                        ours_path,           theirs_path,
                                        "bench_symbols.c++", "bench_symbols.rust" };
    const char *built = getenv("PROFTOP_BUILT");
    char *large = first_line("readlink -e \"$(command -v node)\" /usr/lib/chromium/chromium "
                             "/usr/lib/*/libLLVM*.so* 2>/dev/null | head -n 1");

    if (built == NULL)
        die("PROFTOP_BUILT is not set: make bench does that");
    our_program = xasprintf("%s/bench/symbols", built);
    for (int i = 1; i < argc; i++)
        measure(argv[i]);
    if (large != NULL && argc == 1) {
        measure_large(large);
        measure(large);
    }
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]) && argc == 1; i++) {
        char *path = first_line(programs[i]);

        if (path != NULL)
            measure(path);
        free(path);
    }
    if (argc == 1 && has("perf") && has("python3"))
        compare_with_perf();
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
        unlink(made[i]);
    free(large);
    free(our_program);
    return 0;
}
