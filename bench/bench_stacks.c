/* SPDX-License-Identifier: MIT */
/*
 * One stack of a running thread, again and again: ours beside libunwind's own walk, eu-stack and
 * gdb on the same thread, 60 and 400 calls deep.
 *
 *     target ── looks at the clock every microsecond; the longest time between two looks stands in
 *               a page that it shares with us: its pause
 *     way    ── stops it, reads a stack, lets it go on; held is from the stop to the going on, as
 *               far as we are the ones who hold it
 */
#include "config.h"

#include "bench/bench.h"

#include <libunwind-ptrace.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "src/source/peek.h"
#include "src/source/ptrace_registers.h"
#include "tests/harness/freeze.h"

enum {
    FRAME_BYTES = 128,
    FRAMES_MAX = 2048,
    COPY_MAX_BYTES = 64 << 10,
    SHOTS_MAX = 1000,
    REST_NS = 400000, /* before and after a shot: with the timers' slack a thousand a second */
    BETWEEN_LOOKS = 500,
};

static _Atomic uint64_t *longest_ns; /* shared with the target */
static volatile uint64_t sink;
static volatile bool watching = true; /* until it is killed, which the compiler need not know */

/* Most of the time not in the clock's code, which libunwind's own walk has no rows for (vdso). */
static __attribute__((noinline)) void watch_the_clock(void)
{
    uint64_t last_ns = clock_now_ns(), now_ns;

    while (watching) {
        for (unsigned i = 0; i < BETWEEN_LOOKS; i++)
            sink = sink * 6364136223846793005u + 1442695040888963407u;
        now_ns = clock_now_ns();
        if (now_ns - last_ns > *longest_ns)
            *longest_ns = now_ns - last_ns;
        last_ns = now_ns;
    }
}

static __attribute__((noinline)) void descend(unsigned depth)
{
    volatile char frame[FRAME_BYTES];

    frame[depth % FRAME_BYTES] = 1;
    if (depth > 1)
        descend(depth - 1);
    else
        watch_the_clock();
    sink += (uint64_t)frame[sink % FRAME_BYTES];
}

/* What a way works with. */
struct subject {
    pid_t pid;
    unsigned depth;
    struct modules *modules;
    struct unwinder *unwinder;
    struct freeze freeze; /* for its mappings */
    unw_addr_space_t space;
    void *upt;
    struct frame frames[FRAMES_MAX];
    uint8_t copy[COPY_MAX_BYTES];
};

/* One stack's cost; 0 where a way has no such thing. */
struct shot {
    uint64_t held_ns, unwind_ns;
    unsigned frames;
};

struct way {
    const char *name;
    unsigned shots;
    bool (*take)(struct subject *subject, struct shot *shot);
};

/* A thread that is traced is held from here until let_go(). */
static bool hold(pid_t pid)
{
    return ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 && waitpid(pid, NULL, __WALL) == pid;
}

static void let_go(pid_t pid, struct shot *shot, uint64_t since_ns)
{
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    shot->held_ns = clock_now_ns() - since_ns;
}

static bool take_nothing(struct subject *subject, struct shot *shot)
{
    (void)subject, (void)shot;
    return true;
}

static bool unwind_copy(struct subject *subject, struct shot *shot, struct frozen *frozen,
                        bool (*how)(struct unwinder *, const struct frozen *, struct frame *,
                                    uint64_t *, uint32_t, struct unwound *))
{
    uint64_t start_ns = clock_now_ns();
    struct unwound unwound;

    how(subject->unwinder, frozen, subject->frames, NULL, FRAMES_MAX, &unwound);
    shot->unwind_ns = clock_now_ns() - start_ns;
    shot->frames = unwound.count;
    return unwound.end == STACK_COMPLETE;
}

/* As the ptrace source does: registers and one read, no more than the stack needs. */
static bool copy_stack(struct subject *subject, struct shot *shot, struct frozen *frozen)
{
    size_t bytes = subject->depth < 100 ? COPY_MAX_BYTES / 4 : COPY_MAX_BYTES;
    uint64_t start_ns;
    struct stopped_call call;
    bool good;

    *frozen = (struct frozen){ .pid = subject->pid,
                               .tid = subject->pid,
                               .maps = subject->freeze.maps,
                               .stack = subject->copy };
    if (!hold(subject->pid))
        return false;
    start_ns = clock_now_ns();
    good = ptrace_registers(subject->pid, &frozen->registers, &call);
    frozen->stack_start = frozen->registers.sp;
    frozen->stack_size = peek_memory(subject->pid, frozen->stack_start, subject->copy, bytes);
    let_go(subject->pid, shot, start_ns);
    return good;
}

static bool take_by_rows(struct subject *subject, struct shot *shot)
{
    struct frozen frozen;

    return copy_stack(subject, shot, &frozen) && unwind_copy(subject, shot, &frozen, unwind_frozen);
}

static bool take_by_libunwind(struct subject *subject, struct shot *shot)
{
    struct frozen frozen;

    return copy_stack(subject, shot, &frozen) && unwind_copy(subject, shot, &frozen, unwind_slowly);
}

static bool take_classic(struct subject *subject, struct shot *shot)
{
    uint64_t start_ns;
    unw_cursor_t cursor;

    if (!hold(subject->pid))
        return false;
    start_ns = clock_now_ns();
    if (unw_init_remote(&cursor, subject->space, subject->upt) == 0) {
        do
            shot->frames++;
        while (unw_step(&cursor) > 0);
    }
    let_go(subject->pid, shot, start_ns);
    return shot->frames >= subject->depth;
}

/* Others attach themselves: it must not be ours meanwhile. */
static bool take_by_program(const char *const *argv)
{
    return bench_program(argv).status == 0;
}

static bool take_by_eu_stack(struct subject *subject, struct shot *shot)
{
    char pid[16];
    const char *const argv[] = { "eu-stack", "-n", "0", "-p", pid, NULL };

    (void)shot;
    snprintf(pid, sizeof(pid), "%d", (int)subject->pid);
    return take_by_program(argv);
}

static bool take_by_gdb(struct subject *subject, struct shot *shot)
{
    char pid[16];
    const char *const argv[] = { "gdb", "-nx", "-batch", "-ex", "bt", "-p", pid, NULL };

    (void)shot;
    snprintf(pid, sizeof(pid), "%d", (int)subject->pid);
    return take_by_program(argv);
}

static const struct way traced[] = {
    { "nothing", SHOTS_MAX, take_nothing },
    { "registers and a copy, rows afterwards", SHOTS_MAX, take_by_rows },
    { "the same copy, libunwind afterwards", SHOTS_MAX, take_by_libunwind },
    { "libunwind's ptrace walk, cached", SHOTS_MAX, take_classic },
};

static const struct way foreign[] = {
    { "eu-stack", 20, take_by_eu_stack },
    { "gdb, in batch mode", 5, take_by_gdb },
};

static void tell(const char *name, double *us, unsigned shots)
{
    double median = bench_median(us, shots), p99 = bench_percentile(us, shots, 99);

    if (p99 <= 0)
        return;
    printf("  %-44s %12.4g us, p99 %.4g\n", name, median, p99);
    fflush(stdout);
}

static void measure(struct subject *subject, const struct way *way)
{
    static const struct timespec rest = { 0, REST_NS };
    double held_us[SHOTS_MAX], unwind_us[SHOTS_MAX], pause_us[SHOTS_MAX];
    struct shot shot = { 0 };
    unsigned taken = 0, frames = 0;
    char title[96];

    snprintf(title, sizeof(title), "%s, %u calls deep", way->name, subject->depth);
    bench_title(title);
    for (unsigned i = 0; i < way->shots; i++) {
        shot = (struct shot){ 0 };
        nanosleep(&rest, NULL);
        *longest_ns = 0;
        if (!way->take(subject, &shot))
            continue;
        nanosleep(&rest, NULL); /* it notes the pause when that is over */
        pause_us[taken] = (double)*longest_ns / 1e3;
        held_us[taken] = (double)shot.held_ns / 1e3;
        unwind_us[taken++] = (double)shot.unwind_ns / 1e3;
        frames = shot.frames;
    }
    if (taken < way->shots / 2) {
        printf("  not possible here\n");
        return;
    }
    tell("the target's longest pause", pause_us, taken);
    tell("held", held_us, taken);
    tell("unwound afterwards in", unwind_us, taken);
    if (frames > 0)
        bench_figure("frames", frames, "");
}

static pid_t start_target(unsigned depth)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        descend(depth);
    }
    if (pid < 0)
        die("no target");
    return pid;
}

static void measure_traced(struct subject *subject)
{
    if (!freeze_attach(subject->pid) ||
        !freeze_take(&subject->freeze, subject->pid, subject->pid, subject->modules, false)) {
        printf("  it cannot be traced here\n");
        return;
    }
    unwinder_prepare(subject->unwinder, subject->freeze.maps);
    unwinder_wait(subject->unwinder, UINT64_MAX);
    for (size_t i = 0; i < sizeof(traced) / sizeof(traced[0]); i++)
        measure(subject, &traced[i]);
    freeze_detach(subject->pid);
}

static void measure_depth(unsigned depth)
{
    struct subject *subject = xcalloc(1, sizeof(*subject));

    subject->depth = depth;
    subject->pid = start_target(depth);
    subject->modules = modules_new();
    subject->unwinder = unwinder_new();
    subject->space = unw_create_addr_space(&_UPT_accessors, 0);
    unw_set_caching_policy(subject->space, UNW_CACHE_GLOBAL);
    subject->upt = _UPT_create(subject->pid);
    freeze_init(&subject->freeze, COPY_MAX_BYTES);
    measure_traced(subject);
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        measure(subject, &foreign[i]);
    kill(subject->pid, SIGKILL);
    waitpid(subject->pid, NULL, __WALL);
    freeze_fini(&subject->freeze);
    _UPT_destroy(subject->upt);
    unw_destroy_addr_space(subject->space);
    unwinder_free(subject->unwinder);
    modules_free(subject->modules);
    free(subject);
}

int main(void)
{
    longest_ns =
        mmap(NULL, sizeof(*longest_ns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (longest_ns == MAP_FAILED)
        die("no page to share with the target");
    measure_depth(60);
    measure_depth(400);
    return 0;
}
