/* SPDX-License-Identifier: MIT */
/*
 * Compares whole stacks: the unwinder's with libunwind's and libdwfl's over the same frozen samples
 * of any program.
 *
 *     unwind_compare [-n SAMPLES] [-u MICROSECONDS] [-v] COMMAND [ARGUMENT…]
 *     unwind_compare [-n SAMPLES] [-u MICROSECONDS] [-v] -p PID [-t TID]
 *
 * One line of figures is written per program:
 *
 *     complete   stacks that reached their thread's outermost frame
 *     same       frame by frame what the other says
 *     ours       the other stopped early, and was the same up to there
 *     neither    we broke off, and the other went on to no code: nobody knows (the C++ runtime
 *                rewrites stacks while it takes an exception to its handler)
 *     guessed    they part behind a frame whose code has no rows, where everybody guesses
 *     theirs     we stopped early, and were the same up to there
 *     other      anything else
 *
 * Ends with 1 when there was any of the last two, fewer than 99.5 % are complete, or the program
 * ended before its samples were taken; -v shows them.
 */
#include "config.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness/freeze.h"
#include "tests/harness/oracle.h"
#include "proftop/clock.h"
#include "proftop/maps.h"
#include "src/unwind/table.h"
#include "src/unwind/unwinder_private.h"

/* Ours leaves out the middle of deeper stacks; the others' are kept whole to compare the ends. */
enum { FRAMES = 2048, FRAMES_WHOLE = 16384, STACK_MAX_BYTES = 8 << 20 };

struct stack {
    struct frame frames[FRAMES_WHOLE];
    uint64_t stacks[FRAMES_WHOLE];
    struct unwound unwound;
};

enum verdict { SAME, OURS, NEITHER, GUESSED, THEIRS, OTHER, VERDICTS };

static const char *const verdict_names[VERDICTS] = { "same",    "ours",   "neither",
                                                     "guessed", "theirs", "other" };

struct figures {
    uint64_t samples, frames, ends[STACK_ENDS], verdicts[2][VERDICTS];
    uint64_t ours_ns, theirs_ns;
};

static uint32_t length_of(const struct stack *stack)
{
    uint32_t count = stack->unwound.count;

    return count > 0 && stack->frames[count - 1].kind == FRAME_MARK ? count - 1 : count;
}

/* Whether the code of FRAME has rows to tell its caller by. */
static bool has_rows(struct unwinder *unwinder, const struct modules *modules,
                     const struct frame *frame)
{
    const struct module *module = modules_get(modules, frame->module);
    const struct table *table;

    if (module->kind != MODULE_FILE && module->kind != MODULE_VDSO)
        return false;
    table = unwinder_table(unwinder, module);
    return table != NULL && table_find(table, frame->address, true)->cfa != RULE_NONE;
}

/* How many frames are the same from those on. */
static uint32_t same_frames(const struct stack *mine, uint32_t from, const struct stack *other,
                            uint32_t other_from)
{
    uint32_t a = length_of(mine) - from, b = length_of(other) - other_from, same = 0;
    const struct frame *left = mine->frames + from, *right = other->frames + other_from;

    while (same < a && same < b && left[same].kind != FRAME_MARK &&
           left[same].module == right[same].module && left[same].address == right[same].address)
        same++;
    return same;
}

static enum verdict judge(struct unwinder *unwinder, const struct modules *modules,
                          const struct stack *mine, const struct stack *other)
{
    uint32_t a = length_of(mine), b = length_of(other), same = same_frames(mine, 0, other, 0);

    if (same < a && mine->frames[same].kind == FRAME_MARK) {
        uint64_t left_out = mine->frames[same].address;
        uint32_t rest = a - same - 1;

        return b == same + left_out + rest && same_frames(mine, same + 1, other, b - rest) == rest
                   ? SAME
                   : OTHER;
    }
    if (same == a && same == b)
        return SAME;
    if (same == b)
        return OURS;
    if (same == a && mine->unwound.end != STACK_COMPLETE &&
        other->frames[same].module == MODULE_NONE)
        return NEITHER;
    if (same > 0 && !has_rows(unwinder, modules, &mine->frames[same - 1]))
        return GUESSED;
    return same == a ? THEIRS : OTHER;
}

static void show(const char *title, const struct stack *stack, const struct modules *modules)
{
    printf("  %s: %u frames, %s at %#llx\n", title, stack->unwound.count,
           stack_end_text(stack->unwound.end), (unsigned long long)stack->unwound.end_address);
    for (uint32_t i = 0; i < stack->unwound.count; i++) {
        const struct frame *frame = &stack->frames[i];

        printf("    %2u %#14llx %#14llx %s\n", i, (unsigned long long)stack->stacks[i],
               (unsigned long long)frame->address,
               frame->kind == FRAME_MARK ? "mark" : modules_get(modules, frame->module)->name);
    }
}

static struct stack ours, theirs[2];

static void compare(struct unwinder *unwinder, const struct freeze *freeze,
                    const struct modules *modules, struct figures *figures, int verbose)
{
    static const char *const names[2] = { "libunwind", "libdwfl" };
    uint64_t start_ns;

    unwinder_prepare(unwinder, freeze->maps);
    unwinder_wait(unwinder, UINT64_MAX);
    unwind_frozen(unwinder, &freeze->frozen, ours.frames, ours.stacks, FRAMES, &ours.unwound);
    start_ns = clock_now_ns();
    unwind_frozen(unwinder, &freeze->frozen, ours.frames, ours.stacks, FRAMES, &ours.unwound);
    figures->ours_ns += clock_now_ns() - start_ns;
    start_ns = clock_now_ns();
    unwind_slowly(unwinder, &freeze->frozen, theirs[0].frames, theirs[0].stacks, FRAMES_WHOLE,
                  &theirs[0].unwound);
    figures->theirs_ns += clock_now_ns() - start_ns;
    oracle_dwfl(&freeze->frozen, theirs[1].frames, theirs[1].stacks, NULL, FRAMES_WHOLE,
                &theirs[1].unwound);
    figures->samples++;
    figures->frames += length_of(&ours);
    figures->ends[ours.unwound.end]++;
    if (ours.unwound.end != STACK_COMPLETE && verbose)
        show("incomplete", &ours, modules);
    for (int i = 0; i < 2; i++) {
        enum verdict verdict = judge(unwinder, modules, &ours, &theirs[i]);

        figures->verdicts[i][verdict]++;
        if ((verdict != SAME) && verbose) {
            show("ours", &ours, modules);
            show(names[i], &theirs[i], modules);
        }
    }
}

/* What is wrong is not explained by anything above. */
static bool report(const char *name, const struct figures *figures)
{
    bool wrong = figures->ends[STACK_COMPLETE] * 1000 < figures->samples * 995;

    printf("%s: %llu samples, %llu frames, complete %.2f %%, %.1f ns a frame (libunwind %.0f)\n",
           name, (unsigned long long)figures->samples, (unsigned long long)figures->frames,
           100.0 * (double)figures->ends[STACK_COMPLETE] / (double)figures->samples,
           (double)figures->ours_ns / (double)figures->frames,
           (double)figures->theirs_ns / (double)figures->frames);
    for (int i = 0; i < 2; i++) {
        printf("  %s:", i == 0 ? "libunwind" : "libdwfl");
        for (int k = 0; k < VERDICTS; k++)
            printf(" %s %llu", verdict_names[k], (unsigned long long)figures->verdicts[i][k]);
        wrong = wrong || figures->verdicts[i][THEIRS] + figures->verdicts[i][OTHER] > 0;
        printf("\n");
    }
    for (int i = 1; i < STACK_ENDS; i++) {
        if (figures->ends[i] != 0)
            printf("  %s: %llu\n", stack_end_text((enum stack_end)i),
                   (unsigned long long)figures->ends[i]);
    }
    return !wrong;
}

static pid_t launch(char **command)
{
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execvp(command[0], command);
        _exit(127);
    }
    return pid;
}

int main(int argc, char **argv)
{
    unsigned samples = 1000, pause_us = 1000;
    int option, verbose = 0;
    pid_t pid = 0, tid = 0;
    bool launched, fine;
    struct modules *modules = modules_new();
    struct unwinder *unwinder = unwinder_new();
    struct figures figures = { 0 };
    struct freeze freeze;

    while ((option = getopt(argc, argv, "+n:u:p:t:v")) != -1) {
        if (option == 'n')
            samples = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'u')
            pause_us = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 't')
            tid = (pid_t)strtol(optarg, NULL, 10);
        else if (option == 'p')
            pid = (pid_t)strtol(optarg, NULL, 10);
        else
            verbose = 1;
    }
    launched = pid == 0;
    if (launched && optind == argc)
        return 2;
    if (launched)
        pid = launch(argv + optind);
    freeze_init(&freeze, STACK_MAX_BYTES);
    if (tid == 0)
        tid = pid;
    if (!freeze_attach(tid)) {
        perror("attach");
        return 1;
    }
    while (figures.samples < samples) {
        struct timespec pause = { 0, (long)pause_us * 1000 };

        nanosleep(&pause, NULL);
        if (!freeze_take(&freeze, pid, tid, modules, true))
            break;
        freeze.frozen.peek = freeze_peek;
        freeze.frozen.peek_context = &freeze;
        if (freeze.maps->count > 0)
            compare(unwinder, &freeze, modules, &figures, verbose);
        freeze_continue(tid);
    }
    fine = report(launched ? argv[optind] : "process", &figures);
    if (figures.samples < samples) {
        printf("  ended before %u samples\n", samples);
        fine = false;
    }
    if (launched)
        kill(pid, SIGKILL);
    else
        freeze_detach(tid);
    freeze_fini(&freeze);
    oracle_fini();
    unwinder_free(unwinder);
    modules_free(modules);
    return fine ? 0 : 1;
}
