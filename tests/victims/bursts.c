/* SPDX-License-Identifier: MIT */
/*
 * A quiet program that misbehaves on command, a second-long step at a time:
 *
 *     bursts quiet:5 faults:3 quiet:5 sync:3 forks:3 quiet:5
 *
 * Each step runs in a function of its own (quiet_work, fault_storm, sync_storm, fork_storm), so
 * that the function behind a burst can be looked for.  "stop" holds the program by SIGSTOP until
 * somebody continues it.  When each step began and ended (CLOCK_MONOTONIC) goes to the file that
 * BURSTS_LOG names.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FAULT_BYTES = 4 << 20, PAGE = 4096 };

static volatile unsigned sink;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static __attribute__((noinline)) void spin(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        sink = sink * 1103515245 + 12345;
}

/* Some work, then a rest: about a third of a core. */
static __attribute__((noinline)) void quiet_work(double until)
{
    while (now() < until) {
        spin(1000000);
        usleep(4000);
    }
}

static __attribute__((noinline)) void fault_storm(double until)
{
    while (now() < until) {
        char *memory =
            mmap(NULL, FAULT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED)
            exit(1);
        for (int i = 0; i < FAULT_BYTES; i += PAGE)
            ((volatile char *)memory)[i] = 1;
        munmap(memory, FAULT_BYTES);
    }
}

static __attribute__((noinline)) void sync_storm(double until)
{
    static char block[64 << 10];
    char path[] = "bursts-XXXXXX";
    int fd = mkstemp(path);

    if (fd < 0)
        exit(1);
    unlink(path);
    while (now() < until) {
        spin(20000);
        if (pwrite(fd, block, sizeof(block), 0) < 0 || fsync(fd) != 0)
            exit(1);
    }
    close(fd);
}

static __attribute__((noinline)) void fork_storm(double until)
{
    while (now() < until) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        if (pid > 0)
            waitpid(pid, NULL, 0);
    }
}

static __attribute__((noinline)) void busy_work(double until)
{
    while (now() < until)
        spin(1000000);
}

static const struct {
    const char *name;
    void (*run)(double until);
} steps[] = {
    { "quiet", quiet_work }, { "faults", fault_storm }, { "sync", sync_storm },
    { "forks", fork_storm }, { "busy", busy_work },
};

static void tell(const char *step, double began)
{
    const char *path = getenv("BURSTS_LOG");
    FILE *file = path != NULL ? fopen(path, "ae") : NULL;

    if (file == NULL)
        return;
    fprintf(file, "%s %.3f %.3f\n", step, began, now());
    fclose(file);
}

static int run_step(const char *step)
{
    const char *colon = strchr(step, ':');
    size_t length = colon != NULL ? (size_t)(colon - step) : strlen(step);

    if (strcmp(step, "stop") == 0)
        return raise(SIGSTOP);
    for (size_t i = 0; colon != NULL && i < sizeof(steps) / sizeof(steps[0]); i++)
        if (strlen(steps[i].name) == length && strncmp(steps[i].name, step, length) == 0) {
            steps[i].run(now() + atof(colon + 1));
            return 0;
        }
    fprintf(stderr, "bursts: no step %s\n", step);
    return 2;
}

int main(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++) {
        double began = now();
        int status = run_step(argv[i]);

        if (status != 0)
            return status;
        tell(argv[i], began);
    }
    return 0;
}
