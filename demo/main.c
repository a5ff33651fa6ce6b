/* SPDX-License-Identifier: MIT */
/* The demo's options, and its phases one after the other: see demo.h. */
#include "config.h"

#include "demo/demo.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct phase phases[] = {
    { "cpu", "CPU work over a known call tree, on the thread \"cpu\"",
      "own time: shade_pixels 40 %, blend_layers 20 %, split_words 20 %,\n"
      "look_up_names 10 %, pack_result 10 %; with what they call:\n"
      "draw_frame 60 %, read_input 30 %, cpu_round 100 %",
      4, phase_cpu, "rounds" },
    { "lock", "a lock convoy of the threads \"convoy-1\" to \"convoy-4\"",
      "one core in all, in hold_lock; each thread runs 25 % and waits 75 % for the lock", 3,
      phase_lock, "turns" },
    { "faults", "a burst of page faults, on the thread \"faults\"",
      "nearly all in touch_pages and the kernel below it; one fault a page", 2, phase_faults,
      "faults" },
    { "disk", "a burst of disk writes, on the thread \"disk\"",
      "write_file: system calls write and fdatasync, the bytes that the phase tells", 2, phase_disk,
      "bytes" },
    { "idle", "nothing, on the thread \"idle\"", "no CPU time; waits in poll", 2, phase_idle,
      "waits" },
    { "deep", "a deep recursion, on the thread \"deep\"",
      "own time: deep_bottom 100 %, below --depth frames of deep_step", 2, phase_deep, "rounds" },
};

enum { PHASES = sizeof(phases) / sizeof(*phases), DEPTH = 400, DEPTH_MAX = 20000 };

struct options {
    const struct phase *only;
    double seconds; /* 0: each phase's own */
    unsigned depth;
    bool loop, quiet;
};

struct job {
    const struct phase *phase;
    struct run run;
    uint64_t done;
};

uint64_t demo_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void print_help(void)
{
    puts("Usage: demo [OPTION]...\n"
         "A workload worth looking at with proftop: phases with known shares.\n\n"
         "  --phase NAME     only this phase\n"
         "  --seconds S      how long each phase lasts\n"
         "  --loop           begin again at the end, until killed\n"
         "  --depth N        frames of the recursion (default 400)\n"
         "  --quiet          do not tell which phase begins\n"
         "  --help           this text\n\n"
         "Phases, in this order:");
    for (int i = 0; i < PHASES; i++) {
        printf("\n  %-8s %s (%g s)\n", phases[i].name, phases[i].summary, phases[i].seconds);
        for (const char *line = phases[i].shares; *line != '\0';) {
            size_t length = strcspn(line, "\n");

            printf("           %.*s\n", (int)length, line);
            line += length + (line[length] == '\n');
        }
    }
}

static void *run_job(void *context)
{
    struct job *job = context;

    job->done = job->phase->run(&job->run);
    return NULL;
}

/* A thread a phase, named like it, with a stack for the deepest recursion. */
static int run_phase(const struct phase *phase, const struct options *options)
{
    double seconds = options->seconds > 0 ? options->seconds : phase->seconds;
    const char *folder = getenv("TMPDIR");
    struct job job = { .phase = phase };
    pthread_attr_t attributes;
    pthread_t thread;
    int failed;

    if (!options->quiet) {
        printf("%s begins: %s, %g s\n", phase->name, phase->summary, seconds);
        fflush(stdout);
    }
    job.run.until_ns = demo_now_ns() + (uint64_t)(seconds * 1e9);
    job.run.depth = options->depth;
    job.run.folder = folder != NULL ? folder : "/var/tmp";
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)64 << 20);
    failed = pthread_create(&thread, &attributes, run_job, &job);
    pthread_attr_destroy(&attributes);
    if (failed != 0) {
        fprintf(stderr, "demo: no thread for the phase %s: %s\n", phase->name, strerror(failed));
        return 1;
    }
    pthread_setname_np(thread, phase->name);
    pthread_join(thread, NULL);
    if (!options->quiet)
        printf("%s ends: %" PRIu64 " %s\n", phase->name, job.done, phase->unit);
    return 0;
}

static const struct phase *find_phase(const char *name)
{
    for (int i = 0; i < PHASES; i++) {
        if (strcmp(phases[i].name, name) == 0)
            return &phases[i];
    }
    return NULL;
}

/* TEXT as a number in [LOW, HIGH], or an error. */
static bool read_number(const char *text, double low, double high, double *number)
{
    char *end;

    errno = 0;
    *number = strtod(text, &end);
    return errno == 0 && end != text && *end == '\0' && *number >= low && *number <= high;
}

static bool read_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        { "phase", required_argument, NULL, 'p' },
        { "seconds", required_argument, NULL, 's' },
        { "loop", no_argument, NULL, 'l' },
        { "depth", required_argument, NULL, 'd' },
        { "quiet", no_argument, NULL, 'q' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    double number;
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'p':
            options->only = find_phase(optarg);
            if (options->only == NULL) {
                fprintf(stderr, "demo: no phase %s; --help names them\n", optarg);
                return false;
            }
            break;
        case 's':
            if (!read_number(optarg, 0.01, 86400, &options->seconds)) {
                fprintf(stderr, "demo: --seconds wants a number from 0.01 to 86400\n");
                return false;
            }
            break;
        case 'd':
            if (!read_number(optarg, 0, DEPTH_MAX, &number)) {
                fprintf(stderr, "demo: --depth wants a number up to %d\n", DEPTH_MAX);
                return false;
            }
            options->depth = (unsigned)number;
            break;
        case 'l':
            options->loop = true;
            break;
        case 'q':
            options->quiet = true;
            break;
        case 'h':
            print_help();
            exit(0);
        default:
            return false;
        }
    }
    if (optind < argc)
        fprintf(stderr, "demo: %s? --help names the options\n", argv[optind]);
    return optind == argc;
}

int main(int argc, char **argv)
{
    struct options options = { .depth = DEPTH };
    int status = 0;

    if (!read_options(argc, argv, &options))
        return 2;
    do {
        for (int i = 0; i < PHASES && status == 0; i++) {
            if (options.only == NULL || options.only == &phases[i])
                status = run_phase(&phases[i], &options);
        }
    } while (options.loop && status == 0);
    return status;
}
