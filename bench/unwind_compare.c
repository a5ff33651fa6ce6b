/* SPDX-License-Identifier: MIT */
/*
 * Compares whole stacks: the unwinder's with libunwind's and libdwfl's over the same frozen samples
 * of any program.
 *
 *     compare_unwind [-n SAMPLES] [-u MICROSECONDS] [-v] COMMAND [ARGUMENT…]
 *     compare_unwind [-n SAMPLES] [-u MICROSECONDS] [-v] -p PID
 *
 * One line of figures is written per program:
 *
 *     complete   stacks that reached their thread's outermost frame
 *     same       frame by frame what the other says
 *     ours       the other stopped early, and was the same up to there
 *     theirs     we stopped early, likewise
 *     other      different frames: shown with -v
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

enum { FRAMES = 2048, STACK_MAX_BYTES = 8 << 20 };

struct stack {
    struct frame frames[FRAMES];
    uint64_t stacks[FRAMES];
    struct unwound unwound;
};

enum verdict { SAME, OURS, THEIRS, OTHER, VERDICTS };

static const char *const verdict_names[VERDICTS] = { "same", "ours", "theirs", "other" };

struct figures {
    uint64_t samples, frames, ends[STACK_ENDS], verdicts[2][VERDICTS];
    uint64_t ours_ns, theirs_ns;
};

static uint32_t length_of(const struct stack *stack)
{
    uint32_t count = stack->unwound.count;

    return count > 0 && stack->frames[count - 1].kind == FRAME_MARK ? count - 1 : count;
}

static enum verdict judge(const struct stack *ours, const struct stack *theirs)
{
    uint32_t a = length_of(ours), b = length_of(theirs);

    for (uint32_t i = 0; i < a && i < b; i++) {
        if (ours->frames[i].module != theirs->frames[i].module ||
            ours->frames[i].address != theirs->frames[i].address)
            return OTHER;
    }
    return a == b ? SAME : a > b ? OURS : THEIRS;
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
    unwinder_wait(unwinder);
    unwind_frozen(unwinder, &freeze->frozen, ours.frames, ours.stacks, FRAMES, &ours.unwound);
    start_ns = clock_now_ns();
    unwind_frozen(unwinder, &freeze->frozen, ours.frames, ours.stacks, FRAMES, &ours.unwound);
    figures->ours_ns += clock_now_ns() - start_ns;
    start_ns = clock_now_ns();
    unwind_slowly(unwinder, &freeze->frozen, theirs[0].frames, theirs[0].stacks, FRAMES,
                  &theirs[0].unwound);
    figures->theirs_ns += clock_now_ns() - start_ns;
    oracle_dwfl(&freeze->frozen, theirs[1].frames, theirs[1].stacks, NULL, FRAMES,
                &theirs[1].unwound);
    figures->samples++;
    figures->frames += length_of(&ours);
    figures->ends[ours.unwound.end]++;
    if (ours.unwound.end != STACK_COMPLETE && verbose)
        show("incomplete", &ours, modules);
    for (int i = 0; i < 2; i++) {
        enum verdict verdict = judge(&ours, &theirs[i]);

        figures->verdicts[i][verdict]++;
        if ((verdict != SAME) && verbose) {
            show("ours", &ours, modules);
            show(names[i], &theirs[i], modules);
        }
    }
}

static void report(const char *name, const struct figures *figures)
{
    printf("%s: %llu samples, %llu frames, complete %.2f %%, %.1f ns a frame (libunwind %.0f)\n",
           name, (unsigned long long)figures->samples, (unsigned long long)figures->frames,
           100.0 * (double)figures->ends[STACK_COMPLETE] / (double)figures->samples,
           (double)figures->ours_ns / (double)figures->frames,
           (double)figures->theirs_ns / (double)figures->frames);
    for (int i = 0; i < 2; i++) {
        printf("  %s:", i == 0 ? "libunwind" : "libdwfl");
        for (int k = 0; k < VERDICTS; k++)
            printf(" %s %llu", verdict_names[k], (unsigned long long)figures->verdicts[i][k]);
        printf("\n");
    }
    for (int i = 1; i < STACK_ENDS; i++) {
        if (figures->ends[i] != 0)
            printf("  %s: %llu\n", stack_end_text((enum stack_end)i),
                   (unsigned long long)figures->ends[i]);
    }
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
    bool launched;
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
        if (!freeze_take(&freeze, pid, tid, modules, false))
            break;
        if (freeze.maps->count > 0)
            compare(unwinder, &freeze, modules, &figures, verbose);
    }
    report(launched ? argv[optind] : "process", &figures);
    if (launched)
        kill(pid, SIGKILL);
    else
        freeze_detach(tid);
    freeze_fini(&freeze);
    oracle_fini();
    unwinder_free(unwinder);
    modules_free(modules);
    return 0;
}
