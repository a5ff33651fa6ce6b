/* SPDX-License-Identifier: MIT */
/*
 * For how long the ptrace source holds a running thread, seen from both sides:
 *
 *     held     from the report of the stop to the resume, by the clock of the one who holds
 *     pause    the gap that the thread itself finds in its time around that
 *
 * at two depths, beside the least that ptrace permits (the bare calls and nothing else) and
 * libunwind's own walk of the stopped thread, in one run; and what it costs to sample crowds.
 */
#include "config.h"

#include "bench/bench.h"

#include <elf.h>
#include <libunwind-ptrace.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/source_run.h"
#include "proftop/clock.h"
#include "proftop/memory.h"
#include "src/source/ptrace_private.h"

enum {
    RUN_MS = 3000,
    HOLDS_MAX = 8192,
    GAPS_MAX = 1 << 15,
    GAP_MIN_NS = 1500,
    FRAMES_MAX = 1024,
    COPY_MIN = 16 << 10,
    BUSY = 8,
    BLOCKED = 56,
    OFTEN_ASLEEP = 8,
};

/* What the target finds missing of its time; shared with it. */
struct gaps {
    volatile uint64_t count;
    struct gap {
        uint64_t from_ns, to_ns;
    } gaps[GAPS_MAX];
};

struct deep {
    unsigned depth;
    int cpu;           /* bound to it; -1: not bound */
    struct gaps *gaps; /* NULL: it only burns; libunwind is lost in the vdso's clock */
};

struct holds {
    double held_us[HOLDS_MAX];
    uint64_t at_ns[HOLDS_MAX]; /* a moment of each */
    size_t count, moments;
    uint32_t stops; /* of which the tallies told so far */
    uint64_t stopped_ns;
    uint64_t frames;
};

static volatile uint64_t sink;
static volatile bool over; /* never: it is killed */

static __attribute__((noinline)) void burn(struct gaps *gaps)
{
    uint64_t last_ns = clock_now_ns();

    while (gaps == NULL && !over)
        sink++;
    while (!over) {
        uint64_t now_ns = clock_now_ns();

        if (now_ns - last_ns > GAP_MIN_NS) {
            gaps->gaps[gaps->count % GAPS_MAX] = (struct gap){ last_ns, now_ns };
            gaps->count++;
        }
        last_ns = now_ns;
    }
}

/* Frames of a usual size, between 80 and 100 bytes. */
static __attribute__((noinline)) void descend(struct gaps *gaps, unsigned depth)
{
    volatile uint64_t locals[8];

    locals[0] = depth;
    if (depth == 0)
        burn(gaps);
    else
        descend(gaps, depth - 1);
    sink += locals[0];
}

static void run_deep(void *context)
{
    struct deep *deep = context;

    if (deep->cpu >= 0)
        bench_bind(deep->cpu);
    descend(deep->gaps, deep->depth);
}

/* ---- figures --------------------------------------------------------------------------------- */

static void print_pauses(const struct holds *holds, const struct gaps *gaps)
{
    double *pauses_us = xcalloc(HOLDS_MAX, sizeof(*pauses_us));
    size_t known = gaps->count < GAPS_MAX ? (size_t)gaps->count : GAPS_MAX, at = 0, count = 0;

    for (size_t i = 0; i < holds->moments; i++) {
        while (at < known && gaps->gaps[at].to_ns < holds->at_ns[i])
            at++;
        if (at < known && gaps->gaps[at].from_ns <= holds->at_ns[i])
            pauses_us[count++] = (double)(gaps->gaps[at].to_ns - gaps->gaps[at].from_ns) / 1e3;
    }
    if (count > 0) {
        bench_figure("pause that it finds, median", bench_median(pauses_us, count), "us");
        bench_figure("pause that it finds, 99 %", bench_percentile(pauses_us, count, 99), "us");
    }
    free(pauses_us);
}

static void print_holds(struct holds *holds, const struct gaps *gaps)
{
    if (holds->count == 0) {
        printf("  not possible here\n");
        return;
    }
    bench_figure("held, median", bench_median(holds->held_us, holds->count), "us");
    bench_figure("held, 99 %", bench_percentile(holds->held_us, holds->count, 99), "us");
    if (gaps != NULL)
        print_pauses(holds, gaps);
    if (holds->frames > 0)
        bench_figure("frames of a stack", (double)holds->frames / (double)holds->moments, "");
}

/* ---- the source ------------------------------------------------------------------------------ */

/* The one thread is stopped once a step at most: what a step added to the tally is that hold. */
static void note_hold(void *context, const struct source_run *run, struct source *source)
{
    const struct record_tally *open = &((const struct tracer *)source)->emit.tally;
    struct holds *holds = context;
    uint32_t stops = run->total.stops + open->stops;
    uint64_t stopped_ns = run->total.stopped_ns + open->stopped_ns;

    if (stops == holds->stops + 1 && holds->count < HOLDS_MAX)
        holds->held_us[holds->count++] = (double)(stopped_ns - holds->stopped_ns) / 1e3;
    holds->stops = stops;
    holds->stopped_ns = stopped_ns;
}

static void note_moment(void *context, const struct record_sample *sample)
{
    struct holds *holds = context;

    holds->frames += sample->count;
    if (holds->moments < HOLDS_MAX)
        holds->at_ns[holds->moments++] = sample->head.time_ns;
}

static void measure_source(const struct deep *deep, pid_t pid, uint32_t rate_hz)
{
    struct holds *holds = xcalloc(1, sizeof(*holds));
    struct source_run run = { .ops = &source_ptrace,
                              .rate_hz = rate_hz,
                              .run_ms = RUN_MS,
                              .pid = pid,
                              .cpu = deep->cpu,
                              .on_sample = note_moment,
                              .on_step = note_hold,
                              .context = holds };
    char title[80];

    snprintf(title, sizeof(title), "ptrace source, %u deep, %u Hz%s", deep->depth, rate_hz,
             deep->cpu < 0 ? "" : ", on the target's own CPU");
    bench_title(title);
    deep->gaps->count = 0;
    source_run(&run);
    print_holds(holds, deep->gaps);
    source_run_print(&run);
    free(holds);
}

/* ---- others ---------------------------------------------------------------------------------- */

/* What is done to a stopped thread. */
struct reader {
    const char *name;
    void (*read)(struct reader *reader, pid_t pid);
    uint8_t *copy; /* the bare calls: of the stack */
    size_t copy_bytes;
    unw_addr_space_t space; /* libunwind */
    void *accessor;
    const struct deep *deep;
    pid_t pid;
    uint32_t rate_hz;
    struct holds *holds;
};

static void read_bare(struct reader *reader, pid_t pid)
{
    struct user_regs_struct user;
    struct iovec area = { &user, sizeof(user) };
    struct iovec ours = { reader->copy, reader->copy_bytes }, theirs = { 0 };

    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &area) != 0)
        return;
#ifdef __x86_64__
    theirs = (struct iovec){ (void *)(uintptr_t)user.rsp, reader->copy_bytes };
#else
    theirs = (struct iovec){ (void *)(uintptr_t)user.sp, reader->copy_bytes };
#endif
    process_vm_readv(pid, &ours, 1, &theirs, 1, 0);
}

static void read_by_libunwind(struct reader *reader, pid_t pid)
{
    unw_cursor_t cursor;
    unw_word_t ip;
    unsigned frames = 0;

    (void)pid;
    if (unw_init_remote(&cursor, reader->space, reader->accessor) != 0)
        return;
    do
        unw_get_reg(&cursor, UNW_REG_IP, &ip);
    while (++frames < FRAMES_MAX && unw_step(&cursor) > 0);
    sink += ip;
    reader->holds->frames += frames;
}

static void hold_once(struct reader *reader)
{
    struct holds *holds = reader->holds;
    uint64_t start_ns;
    int status;

    ptrace(PTRACE_INTERRUPT, reader->pid, NULL, NULL);
    if (waitpid(reader->pid, &status, __WALL) != reader->pid || !WIFSTOPPED(status))
        return;
    start_ns = clock_now_ns();
    reader->read(reader, reader->pid);
    ptrace(PTRACE_CONT, reader->pid, NULL, NULL);
    holds->at_ns[holds->moments++] = start_ns;
    holds->held_us[holds->count++] = (double)(clock_now_ns() - start_ns) / 1e3;
}

static void *hold_for_a_while(void *context)
{
    struct reader *reader = context;
    uint64_t period_ns = NS_PER_S / reader->rate_hz;
    uint64_t next_ns = clock_now_ns() + period_ns, cpu_ns;
    uint64_t end_ns = next_ns + RUN_MS * NS_PER_MS;

    if (reader->deep->cpu >= 0)
        bench_bind(reader->deep->cpu);
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), -10);
    if (ptrace(PTRACE_SEIZE, reader->pid, NULL, NULL) != 0)
        return NULL;
    cpu_ns = clock_thread_cpu_ns();
    while (next_ns < end_ns && reader->holds->count < HOLDS_MAX) {
        struct timespec next = { (time_t)(next_ns / NS_PER_S), (long)(next_ns % NS_PER_S) };

        next_ns += period_ns;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        hold_once(reader);
    }
    print_holds(reader->holds, reader->deep->gaps);
    if (reader->holds->count > 0)
        bench_figure("CPU a sample",
                     (double)(clock_thread_cpu_ns() - cpu_ns) / 1e3 / (double)reader->holds->count,
                     "us");
    return NULL;
}

/* On a thread of its own, for the same reason as the source. */
static void measure_reader(struct reader *reader, const struct deep *deep, pid_t pid,
                           uint32_t rate_hz)
{
    pthread_t thread;
    char title[80];

    snprintf(title, sizeof(title), "%s, %u deep, %u Hz%s", reader->name, deep->depth, rate_hz,
             deep->cpu < 0 ? "" : ", on the target's own CPU");
    bench_title(title);
    reader->deep = deep;
    reader->pid = pid;
    reader->rate_hz = rate_hz;
    reader->holds = xcalloc(1, sizeof(*reader->holds));
    if (deep->gaps != NULL)
        deep->gaps->count = 0;
    if (pthread_create(&thread, NULL, hold_for_a_while, reader) == 0)
        pthread_join(thread, NULL);
    free(reader->holds);
}

static void measure_bare(const struct deep *deep, pid_t pid, uint32_t rate_hz)
{
    struct reader reader = { .name = "the bare calls", .read = read_bare };

    /* About what the frames of this target take. */
    reader.copy_bytes = COPY_MIN + deep->depth * 64;
    reader.copy = xcalloc(1, reader.copy_bytes);
    measure_reader(&reader, deep, pid, rate_hz);
    free(reader.copy);
}

static void measure_libunwind(const struct deep *deep, pid_t pid, uint32_t rate_hz)
{
    struct reader reader = { .name = "libunwind's walk by ptrace, cached",
                             .read = read_by_libunwind };

    reader.space = unw_create_addr_space(&_UPT_accessors, 0);
    reader.accessor = _UPT_create(pid);
    if (reader.space == NULL || reader.accessor == NULL)
        return;
    unw_set_caching_policy(reader.space, UNW_CACHE_GLOBAL);
    measure_reader(&reader, deep, pid, rate_hz);
    _UPT_destroy(reader.accessor);
    unw_destroy_addr_space(reader.space);
}

static void measure_depth(struct gaps *gaps, unsigned depth, int cpu)
{
    static const uint32_t rates[] = { 99, 999 };
    struct deep deep = { .depth = depth, .cpu = cpu, .gaps = gaps };
    pid_t pid = bench_target(NULL, run_deep, &deep);

    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        measure_source(&deep, pid, rates[i]);
        measure_bare(&deep, pid, rates[i]);
    }
    bench_target_end(pid);
}

static void measure_walk(unsigned depth)
{
    struct deep deep = { .depth = depth, .cpu = -1 };
    pid_t pid = bench_target(NULL, run_deep, &deep);

    measure_libunwind(&deep, pid, 99);
    bench_target_end(pid);
}

/* ---- crowds ---------------------------------------------------------------------------------- */

static void *work_for_ever(void *unused)
{
    (void)unused;
    for (;;)
        sink++;
    return NULL;
}

static void *block_for_ever(void *unused)
{
    pause();
    return unused;
}

/* About a tenth of a core each, a hundred sleeps a second. */
static void *sleep_often(void *unused)
{
    const struct timespec pause = { 0, 9000000 };

    for (;;) {
        uint64_t end_ns;

        nanosleep(&pause, NULL);
        end_ns = clock_now_ns() + NS_PER_MS;
        while (clock_now_ns() < end_ns)
            ;
    }
    return unused;
}

static void start_threads(unsigned count, void *(*run)(void *))
{
    pthread_t thread;

    for (unsigned i = 0; i < count; i++)
        pthread_create(&thread, NULL, run, NULL);
}

static void prepare_busy_and_blocked(void *unused)
{
    (void)unused;
    start_threads(BUSY, work_for_ever);
    start_threads(BLOCKED, block_for_ever);
}

static void prepare_often_asleep(void *unused)
{
    (void)unused;
    start_threads(OFTEN_ASLEEP, sleep_often);
}

static void wait_for_the_end(void *unused)
{
    block_for_ever(unused);
}

static void measure_crowd(const char *title, void (*prepare)(void *unused))
{
    struct source_run run = { .ops = &source_ptrace, .rate_hz = 99, .run_ms = RUN_MS, .cpu = -1 };

    bench_title(title);
    run.pid = bench_target(prepare, wait_for_the_end, NULL);
    source_run(&run);
    bench_target_end(run.pid);
    source_run_print(&run);
    if (run.failed || run.total.target_cpu_ns == 0)
        return;
    bench_figure("samples a second of CPU time",
                 (double)run.total.received * 1e9 / (double)run.total.target_cpu_ns, "/s");
    bench_figure("weighed, of the time used",
                 (double)run.weight_ns * 100 / (double)run.total.target_cpu_ns, "%");
}

int main(void)
{
    struct gaps *gaps = mmap(NULL, sizeof(*gaps), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (gaps == MAP_FAILED)
        return 1;
    measure_depth(gaps, 60, -1);
    measure_depth(gaps, 400, -1);
    measure_depth(gaps, 60, 0);
    measure_walk(60);
    measure_walk(400);
    measure_crowd("ptrace source, 8 busy and 56 blocked threads, 99 Hz", prepare_busy_and_blocked);
    measure_crowd("ptrace source, 8 threads that sleep often, 99 Hz", prepare_often_asleep);
    return 0;
}
