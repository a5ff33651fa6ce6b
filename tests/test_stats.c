/* SPDX-License-Identifier: MIT */
/*
 * The stats source: rounds over a recorded /proc whose files change between them, and over this
 * machine's own.
 */
#include "config.h"

#include "src/source/stats.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/ring.h"
#include "proftop/source.h"
#include "src/source/stats_counters.h"
#include "tests/harness/testing.h"

/* A source over a fixture, and the last value of each lane. */
struct bench {
    char *root, *proc;
    struct target *target;
    struct lanes *lanes;
    struct ring *ring;
    struct source *source;
    uint64_t now_ns;
    double values[4096];
    bool has[4096];
    struct record_others *others;
};

static void write_fixture(const struct bench *bench, const char *path, const char *text)
{
    testing_write(bench->root, path, text);
}

static const char first_stat[] = "cpu  1000 0 500 8000 100 0 0 10 0 0\n"
                                 "cpu0 500 0 250 4000 50 0 0 5 0 0\n"
                                 "cpu1 500 0 250 4000 50 0 0 5 0 0\n"
                                 "intr 1000 0\nctxt 2000\nprocesses 50\nprocs_running 1\n"
                                 "procs_blocked 0\n";

/* The process 42 with one thread; it used UTIME ticks, faulted FAULTS times. */
static void write_process(const struct bench *bench, unsigned utime, unsigned faults,
                          uint64_t cpu_ns)
{
    char text[512];

    snprintf(text, sizeof(text),
             "42 (victim) R 1 42 42 0 -1 0 %u 0 3 0 %u 0 0 0 20 0 1 0 100 1000000 50 0 0 0 0 0 0 0 "
             "0 0 0 0 0 17 0 0 0 0 0 0\n",
             faults, utime);
    write_fixture(bench, "proc/42/stat", text);
    write_fixture(bench, "proc/42/task/42/stat", text);
    snprintf(text, sizeof(text), "%llu 5000 7\n", (unsigned long long)cpu_ns);
    write_fixture(bench, "proc/42/task/42/schedstat", text);
    snprintf(text, sizeof(text),
             "Name:\tvictim\nRssAnon:\t 100 kB\nVmSwap:\t 4 kB\nvoluntary_ctxt_switches:\t%u\n"
             "nonvoluntary_ctxt_switches:\t%u\n",
             utime * 2, utime);
    write_fixture(bench, "proc/42/status", text);
    write_fixture(bench, "proc/42/task/42/status", text);
}

static void bench_open(struct bench *bench)
{
    struct target_options options = { 0 };
    struct error error;
    int32_t pid = 42;

    memset(bench, 0, sizeof(*bench));
    bench->root = testing_folder_new();
    bench->proc = malloc(strlen(bench->root) + 8);
    assert_non_null(bench->proc);
    sprintf(bench->proc, "%s/proc", bench->root);
    write_fixture(bench, "proc/stat", first_stat);
    write_process(bench, 100, 1000, 1000000000);
    options.proc_root = bench->proc;
    bench->target = target_attach(&pid, 1, &options, &error);
    assert_non_null(bench->target);
    bench->lanes = lanes_new();
    bench->ring = ring_new(1 << 20);
    bench->now_ns = 1000 * NS_PER_S;
}

static void bench_start(struct bench *bench)
{
    bench->source = stats_open_at(bench->target, bench->lanes, bench->proc, bench->root, NS_PER_S);
}

static void bench_close(struct bench *bench)
{
    source_stats.close(bench->source);
    target_free(bench->target);
    lanes_free(bench->lanes);
    ring_free(bench->ring);
    testing_folder_remove(bench->root);
    free(bench->proc);
    free(bench->others);
}

static void collect(struct bench *bench)
{
    const struct record *record;

    memset(bench->has, 0, sizeof(bench->has));
    free(bench->others);
    bench->others = NULL;
    while ((record = ring_peek(bench->ring)) != NULL) {
        if (record->type == RECORD_LANES) {
            const struct record_lanes *lanes = (const struct record_lanes *)record;

            for (uint32_t i = 0; i < lanes->count; i++) {
                assert_in_range(lanes->values[i].lane, 0, 4095);
                assert_true(isfinite(lanes->values[i].value));
                bench->values[lanes->values[i].lane] = lanes->values[i].value;
                bench->has[lanes->values[i].lane] = true;
            }
        }
        if (record->type == RECORD_OTHERS) {
            bench->others = malloc(record->size);
            assert_non_null(bench->others);
            memcpy(bench->others, record, record->size);
        }
        ring_pop(bench->ring);
    }
}

static void bench_round(struct bench *bench, double seconds)
{
    bench->now_ns += (uint64_t)(seconds * (double)NS_PER_S);
    stats_round(bench->source, bench->ring, bench->now_ns);
    collect(bench);
}

/* The lane's value in the last round; NAN when it had none. */
static double value_of(const struct bench *bench, enum lane_group group, const char *key,
                       int32_t tid)
{
    for (uint32_t i = 0; i < lanes_count(bench->lanes); i++) {
        const struct lane *lane = lanes_get(bench->lanes, i);

        if (lane->group == group && lane->tid == tid &&
            lane->pid == (tid != 0 ? target_pid(bench->target) : 0) && strcmp(lane->key, key) == 0)
            return bench->has[i] ? bench->values[i] : NAN;
    }
    return NAN;
}

static const char *absent(const struct bench *bench, const char *key)
{
    for (uint32_t i = 0; i < lanes_count(bench->lanes); i++)
        if (strcmp(lanes_get(bench->lanes, i)->key, key) == 0)
            return lanes_get(bench->lanes, i)->absent;
    return NULL;
}

static void assert_value(const struct bench *bench, enum lane_group group, const char *key,
                         double expected)
{
    double value = value_of(bench, group, key, 0);

    if (!(fabs(value - expected) < 1e-6 * (1 + fabs(expected))))
        fail_msg("%s is %g, not %g", key, value, expected);
}

static void shares_of_cpu_time_add_up(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    bench_start(&bench);
    bench_round(&bench, 0);
    assert_true(isnan(value_of(&bench, LANE_SYSTEM, "us", 0)));
    assert_value(&bench, LANE_SYSTEM, "run_queue", 1);
    write_fixture(&bench, "proc/stat",
                  "cpu  1100 0 520 8040 99 0 0 60 0 0\n"
                  "cpu0 600 0 250 4000 50 0 0 5 0 0\n"
                  "intr 3000 0\nctxt 2500\nprocesses 60\nprocs_running 7\nprocs_blocked 2\n");
    bench_round(&bench, 2);
    /* iowait went back by one: it stood still. */
    assert_value(&bench, LANE_SYSTEM, "us", 100 * 100.0 / 210);
    assert_value(&bench, LANE_SYSTEM, "st", 100 * 50.0 / 210);
    assert_value(&bench, LANE_SYSTEM, "wa", 0);
    assert_value(&bench, LANE_SYSTEM, "cpus.cpu0.us", 100);
    assert_value(&bench, LANE_SYSTEM, "run_queue", 7);
    assert_value(&bench, LANE_SYSTEM, "blocked", 2);
    assert_value(&bench, LANE_SYSTEM, "interrupts", 1000);
    assert_value(&bench, LANE_SYSTEM, "context_switches", 250);
    assert_value(&bench, LANE_SYSTEM, "forks", 5);
    /* CPU 1 went offline: no value; back again: none in its first round, its own afterwards. */
    assert_true(isnan(value_of(&bench, LANE_SYSTEM, "cpus.cpu1.us", 0)));
    write_fixture(&bench, "proc/stat",
                  "cpu  1200 0 520 8040 99 0 0 60 0 0\ncpu1 9 0 0 1 0 0 0 0\n");
    bench_round(&bench, 1);
    assert_true(isnan(value_of(&bench, LANE_SYSTEM, "cpus.cpu1.us", 0)));
    write_fixture(&bench, "proc/stat",
                  "cpu  1300 0 520 8040 99 0 0 60 0 0\ncpu1 9 0 0 5 0 0 0 0\n");
    bench_round(&bench, 1);
    assert_value(&bench, LANE_SYSTEM, "cpus.cpu1.id", 100);
    bench_close(&bench);
}

static void memory_and_paging(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    write_fixture(&bench, "proc/meminfo",
                  "MemTotal: 1000 kB\nMemFree: 400 kB\nMemAvailable: 700 kB\nDirty: 8 kB\n"
                  "SwapTotal: 100 kB\nSwapFree: 60 kB\n");
    write_fixture(&bench, "proc/vmstat",
                  "pgpgin 100\npgpgout 200\npswpin 5\npswpout 7\npgfault 1000\npgmajfault 10\n"
                  "allocstall_normal 1\nallocstall_movable 2\n");
    bench_start(&bench);
    bench_round(&bench, 0);
    write_fixture(&bench, "proc/vmstat",
                  "pgpgin 300\npgpgout 210\npswpin 5\npswpout 9\npgfault 1500\npgmajfault 60\n"
                  "allocstall_normal 2\nallocstall_movable 4\n");
    bench_round(&bench, 1);
    assert_value(&bench, LANE_SYSTEM, "free_bytes", 400 * 1024);
    assert_value(&bench, LANE_SYSTEM, "used_bytes", 300 * 1024);
    assert_value(&bench, LANE_SYSTEM, "dirty_bytes", 8 * 1024);
    assert_value(&bench, LANE_SYSTEM, "swap_used_bytes", 40 * 1024);
    assert_value(&bench, LANE_SYSTEM, "read_bytes", 200 * 1024);
    assert_value(&bench, LANE_SYSTEM, "write_bytes", 10 * 1024);
    assert_value(&bench, LANE_SYSTEM, "swap_in", 0);
    assert_value(&bench, LANE_SYSTEM, "swap_out", 2.0 * (double)sysconf(_SC_PAGESIZE));
    assert_value(&bench, LANE_SYSTEM, "majflt", 50);
    assert_value(&bench, LANE_SYSTEM, "minflt", 450);
    assert_value(&bench, LANE_SYSTEM, "alloc_stalls", 3);
    assert_non_null(absent(&bench, "oom_kills")); /* before Linux 4.13 */
    bench_close(&bench);
}

static void devices_come_and_go(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    write_fixture(&bench, "sys/block/vda/size", "1\n");
    write_fixture(&bench, "sys/block/vdb/size", "1\n");
    write_fixture(&bench, "proc/diskstats",
                  "254 0 vda 10 0 80 4294967290 20 0 160 5 0 1000 9\n"
                  "254 1 vda1 10 0 80 5 20 0 160 5 0 1000 9\n"
                  "7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n");
    write_fixture(&bench, "proc/net/dev",
                  "eth0.7: 1000 10 0 0 0 0 0 0 500 5 0 0 0 0 0 0\n"
                  "tun0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
    bench_start(&bench);
    bench_round(&bench, 0);
    /* vda's read time wraps at 32 bits; vdb appears. */
    write_fixture(&bench, "proc/diskstats",
                  "254 0 vda 14 0 88 6 26 0 184 35 2 1500 9\n"
                  "254 16 vdb 1000 0 8000 5 20 0 160 5 0 1000 9\n");
    write_fixture(&bench, "proc/net/dev", "eth0.7: 3000 12 1 0 0 0 0 0 600 6 0 2 0 0 0 0\n");
    bench_round(&bench, 1);
    assert_value(&bench, LANE_SYSTEM, "disks.vda.reads", 4);
    assert_value(&bench, LANE_SYSTEM, "disks.vda.read_bytes", 8 * 512);
    assert_value(&bench, LANE_SYSTEM, "disks.vda.r_await_ms", 3);
    assert_value(&bench, LANE_SYSTEM, "disks.vda.w_await_ms", 5);
    assert_value(&bench, LANE_SYSTEM, "disks.vda.await_ms", 4.2);
    assert_value(&bench, LANE_SYSTEM, "disks.vda.util_pct", 50);
    assert_value(&bench, LANE_SYSTEM, "disks.vda.in_flight", 2);
    assert_true(isnan(value_of(&bench, LANE_SYSTEM, "disks.vdb.reads", 0)));
    assert_true(isnan(value_of(&bench, LANE_SYSTEM, "disks.vda1.reads", 0)));
    assert_value(&bench, LANE_SYSTEM, "net.eth0_7.rx_bytes", 2000);
    assert_value(&bench, LANE_SYSTEM, "net.eth0_7.tx_packets", 1);
    assert_value(&bench, LANE_SYSTEM, "net.eth0_7.errors", 1);
    assert_value(&bench, LANE_SYSTEM, "net.eth0_7.drops", 2);
    /* vda is replaced by another of its name, vdb goes, eth0.7 is gone for a round. */
    write_fixture(&bench, "proc/diskstats", "254 0 vda 1 0 8 6 1 0 8 1 0 1 1\n");
    write_fixture(&bench, "proc/net/dev", "");
    bench_round(&bench, 1);
    assert_true(isnan(value_of(&bench, LANE_SYSTEM, "disks.vda.reads", 0)));
    write_fixture(&bench, "proc/diskstats", "254 0 vda 3 0 8 6 1 0 8 1 0 1 1\n");
    write_fixture(&bench, "proc/net/dev", "eth0.7: 9000 99 0 0 0 0 0 0 500 5 0 0 0 0 0 0\n");
    bench_round(&bench, 1);
    assert_value(&bench, LANE_SYSTEM, "disks.vda.reads", 2);
    assert_true(isnan(value_of(&bench, LANE_SYSTEM, "net.eth0_7.rx_bytes", 0)));
    bench_close(&bench);
}

static void pressure_and_groups(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    write_fixture(&bench, "proc/pressure/cpu", "some avg10=0 avg60=0 avg300=0 total=1000000\n");
    write_fixture(&bench, "proc/42/cgroup", "0::/a\n");
    write_fixture(&bench, "proc/self/mountinfo",
                  "35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    write_fixture(&bench, "sys/fs/cgroup/a/cpu.stat",
                  "usage_usec 1000000\nnr_periods 10\nnr_throttled 1\nthrottled_usec 100\n");
    write_fixture(&bench, "sys/fs/cgroup/a/cpu.max", "50000 100000\n");
    write_fixture(&bench, "sys/fs/cgroup/b/cpu.stat",
                  "usage_usec 5\nnr_periods 90000\nnr_throttled 5\nthrottled_usec 5\n");
    bench_start(&bench);
    bench_round(&bench, 0);
    write_fixture(&bench, "proc/pressure/cpu", "some avg10=0 avg60=0 avg300=0 total=1250000\n");
    write_fixture(&bench, "sys/fs/cgroup/a/cpu.stat",
                  "usage_usec 1500000\nnr_periods 20\nnr_throttled 9\nthrottled_usec 400100\n");
    bench_round(&bench, 1);
    assert_value(&bench, LANE_SYSTEM, "psi.cpu.some", 25);
    assert_non_null(absent(&bench, "psi.io.some"));
    assert_null(absent(&bench, "psi.cpu.some"));
    assert_value(&bench, LANE_SYSTEM, "cgroup.quota_pct", 50);
    assert_value(&bench, LANE_SYSTEM, "cgroup.cpu_pct", 50);
    assert_value(&bench, LANE_SYSTEM, "cgroup.periods", 10);
    assert_value(&bench, LANE_SYSTEM, "cgroup.throttled", 8);
    assert_value(&bench, LANE_SYSTEM, "cgroup.throttled_us", 400000);
    assert_non_null(absent(&bench, "cgroup.memory_bytes"));
    /* Moved to another group: its counters are not a growth of the first one's. */
    write_fixture(&bench, "proc/42/cgroup", "0::/b\n");
    bench_round(&bench, 1);
    assert_true(isnan(value_of(&bench, LANE_SYSTEM, "cgroup.periods", 0)));
    assert_true(isnan(value_of(&bench, LANE_SYSTEM, "cgroup.quota_pct", 0)));
    bench_close(&bench);
}

static void the_target_and_its_threads(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    write_fixture(&bench, "proc/42/io",
                  "rchar: 100\nwchar: 0\nsyscr: 5\nsyscw: 0\nread_bytes: 4096\nwrite_bytes: 0\n");
    write_fixture(&bench, "proc/42/smaps_rollup", "Rss: 9 kB\nPss:  7 kB\nAnonHugePages: 2 kB\n");
    bench_start(&bench);
    bench_round(&bench, 0);
    assert_value(&bench, LANE_TARGET, "rss_bytes", 50.0 * (double)sysconf(_SC_PAGESIZE));
    assert_value(&bench, LANE_TARGET, "anon_bytes", 100 * 1024);
    assert_value(&bench, LANE_TARGET, "swap_bytes", 4 * 1024);
    assert_value(&bench, LANE_TARGET, "pss_bytes", 7 * 1024);
    assert_true(isnan(value_of(&bench, LANE_TARGET, "cpu_pct", 0)));
    write_process(&bench, 150, 1500, 1400000000);
    write_fixture(&bench, "proc/42/io",
                  "rchar: 300\nwchar: 0\nsyscr: 25\nsyscw: 0\nread_bytes: 8192\nwrite_bytes: 0\n");
    bench_round(&bench, 1);
    assert_value(&bench, LANE_TARGET, "cpu_pct", 50);
    assert_value(&bench, LANE_TARGET, "user_pct", 50);
    assert_value(&bench, LANE_TARGET, "minflt", 500);
    assert_value(&bench, LANE_TARGET, "vcsw", 100);
    assert_value(&bench, LANE_TARGET, "ivcsw", 50);
    assert_value(&bench, LANE_TARGET, "read_bytes", 4096);
    assert_value(&bench, LANE_TARGET, "read_calls", 20);
    assert_value(&bench, LANE_TARGET, "threads", 1);
    assert_value(&bench, LANE_TARGET, "processes", 1);
    assert_value(&bench, LANE_TARGET, "stopped", 0);
    assert_true(fabs(value_of(&bench, LANE_THREAD, "cpu_pct", 42) - 40) < 1e-6);
    assert_true(fabs(value_of(&bench, LANE_THREAD, "vcsw", 42) - 100) < 1e-6);
    /* It stands still: nothing is said of the thread, the process has zeros. */
    bench_round(&bench, 1);
    assert_value(&bench, LANE_TARGET, "cpu_pct", 0);
    assert_true(isnan(value_of(&bench, LANE_THREAD, "cpu_pct", 42)));
    bench_close(&bench);
}

/* Its leader has ended: the kernel shows none of the memory that its other thread has. */
static void a_process_outlives_its_leader(void **state)
{
    static const char stat[] = "42 (victim) Z 1 42 42 0 -1 0 0 0 3 0 %u 0 0 0 20 0 2 0 100 0 0 0 0 "
                               "0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n";
    struct bench bench;
    char text[256];

    (void)state;
    bench_open(&bench);
    snprintf(text, sizeof(text), stat, 100);
    write_fixture(&bench, "proc/42/stat", text);
    bench_start(&bench);
    bench_round(&bench, 0);
    snprintf(text, sizeof(text), stat, 150);
    write_fixture(&bench, "proc/42/stat", text);
    bench_round(&bench, 1);
    assert_value(&bench, LANE_TARGET, "user_pct", 50);
    assert_value(&bench, LANE_TARGET, "threads", 2);
    assert_value(&bench, LANE_TARGET, "processes", 1);
    assert_true(isnan(value_of(&bench, LANE_TARGET, "rss_bytes", 0)));
    bench_close(&bench);
}

static void files_of_another_user_are_told(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    /* Nothing but the files that everybody may read, and nonsense in one of them. */
    write_fixture(&bench, "proc/vmstat", "pgfault\npgmajfault x\n\n\n");
    write_fixture(&bench, "proc/meminfo", "");
    write_fixture(&bench, "proc/loadavg", "x");
    bench_start(&bench);
    bench_round(&bench, 0);
    bench_round(&bench, 1);
    assert_non_null(absent(&bench, "minflt"));
    assert_non_null(absent(&bench, "psi.cpu.some"));
    assert_non_null(absent(&bench, "cgroup.cpu_pct"));
    assert_true(isnan(value_of(&bench, LANE_TARGET, "read_bytes", 0)));
    bench_close(&bench);
}

static void write_other(const struct bench *bench, int pid, const char *name, unsigned ticks,
                        unsigned majflt, unsigned bytes)
{
    char path[64], text[512];

    snprintf(path, sizeof(path), "proc/%d/stat", pid);
    snprintf(text, sizeof(text), "%d (%s) S 1 1 1 0 -1 0 9 0 %u 0 %u 0 0 0 20 0 1 0 7 1 1\n", pid,
             name, majflt, ticks);
    write_fixture(bench, path, text);
    if (bytes == 0)
        return; /* another user's: io is not for us */
    snprintf(path, sizeof(path), "proc/%d/io", pid);
    snprintf(text, sizeof(text), "read_bytes: %u\nwrite_bytes: 0\n", bytes);
    write_fixture(bench, path, text);
}

static const struct other_process *find_other(const struct bench *bench, int pid)
{
    for (uint32_t i = 0; bench->others != NULL && i < bench->others->count; i++)
        if (bench->others->others[i].pid == pid)
            return &bench->others->others[i];
    return NULL;
}

static void the_busiest_others_are_named(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    for (int pid = 100; pid < 112; pid++)
        write_other(&bench, pid, "idle", 5, 0, 0);
    write_other(&bench, 200, "hog", 10, 0, 0);
    write_other(&bench, 201, "disk (hog)", 10, 0, 4096);
    write_other(&bench, 202, "faulter", 10, 5, 0);
    bench_start(&bench);
    bench_round(&bench, 0);
    assert_null(bench.others); /* nothing to compare with yet */
    for (int pid = 100; pid < 112; pid++)
        write_other(&bench, pid, "idle", 6, 0, 0);
    write_other(&bench, 200, "hog", 90, 0, 0);
    write_other(&bench, 201, "disk (hog)", 11, 0, 1052672);
    write_other(&bench, 202, "faulter", 10, 25, 0);
    write_process(&bench, 190, 1000, 1900000000); /* the target is none of the others */
    bench_round(&bench, 1);
    assert_non_null(bench.others);
    assert_in_range(bench.others->count, 5, 15);
    assert_int_equal(bench.others->others[0].pid, 200);
    assert_string_equal(bench.others->others[0].name, "hog");
    assert_true(fabs(bench.others->others[0].cpu_pct - 80) < 1e-6);
    assert_int_equal(find_other(&bench, 201)->read_bytes, 1048576);
    assert_string_equal(find_other(&bench, 201)->name, "disk (hog)");
    assert_int_equal(find_other(&bench, 202)->majflt, 20);
    assert_null(find_other(&bench, 42));

    /* Processes are looked for where one began: loadavg's last figure says so. */
    write_fixture(&bench, "proc/loadavg", "0.1 0.2 0.3 1/99 202\n");
    bench_round(&bench, 1);
    write_other(&bench, 203, "new", 10, 0, 0);
    bench_round(&bench, 1);
    write_fixture(&bench, "proc/loadavg", "0.1 0.2 0.3 1/99 203\n");
    bench_round(&bench, 1);
    write_other(&bench, 203, "new", 60, 0, 0);
    bench_round(&bench, 1);
    assert_true(fabs(find_other(&bench, 203)->cpu_pct - 50) < 1e-6);
    bench_close(&bench);
}

static void counters_that_took_turns_are_scaled(void **state)
{
    /* Recorded where four events shared two counters: half of the time each. */
    struct counter_reading before = { 1000000, 500000000, 250000000 };
    struct counter_reading now = { 3000000, 1500000000, 750000000 };
    double growth;

    (void)state;
    assert_true(counter_growth(&before, &now, &growth));
    assert_true(fabs(growth - 4000000) < 1);
    now.running_ns = before.running_ns; /* never had its turn */
    assert_false(counter_growth(&before, &now, &growth));
    assert_true(counter_starved(&before, &now));
    now.enabled_ns = before.enabled_ns; /* nor was it wanted: the thread slept */
    assert_false(counter_starved(&before, &now));
    now = (struct counter_reading){ 10, 20, 20 }; /* a new event under an old descriptor */
    assert_false(counter_growth(&before, &now, &growth));
    before = (struct counter_reading){ 0, 0, 0 };
    now = (struct counter_reading){ 7, 100, 100 };
    assert_true(counter_growth(&before, &now, &growth));
    assert_true(fabs(growth - 7) < 1e-9);
}

/* A child that faults in memory all the time, until it is killed. */
static pid_t start_faulter(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            size_t size = 1 << 20;
            char *memory =
                mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

            if (memory == MAP_FAILED)
                _exit(1);
            for (size_t i = 0; i < size; i += 4096)
                ((volatile char *)memory)[i] = 1;
            munmap(memory, size);
        }
    }
    return pid;
}

/* The value of LANE in ROUND, NAN without one. */
static double put_value(const struct round *round, enum lane_group group, const char *key,
                        int32_t tid)
{
    double value = NAN;

    for (size_t i = 0; i < round->count; i++) {
        const struct lane *lane = lanes_get(round->lanes, round->values[i].lane);

        if (lane->group == group && lane->tid == tid && strcmp(lane->key, key) == 0)
            value = round->values[i].value;
    }
    return value;
}

/* Two reads of a leader, recorded where another group had the counters half of the time. */
static void groups_of_counters_give_true_ratios(void **state)
{
    static const uint64_t before[] = { 4, 2000000000, 1000000000, 5000000, 4000000, 900, 80 };
    static const uint64_t after[] = { 4, 3000000000, 1500000000, 8000000, 6000000, 1900, 180 };
    struct counter_reading last[COUNTERS], now[COUNTERS];
    struct counter_growths growths = { 0 };
    struct gauge gauges[COUNTERS + 1] = { 0 }, sums[COUNTERS + 1] = { 0 };
    struct round round = { .lanes = lanes_new(), .seconds = 2, .number = 1 };

    (void)state;
    assert_true(counter_group_parse(before, sizeof(before), COUNTERS, last));
    assert_true(counter_group_parse(after, sizeof(after), COUNTERS, now));
    assert_false(counter_group_parse(after, sizeof(after), 2, now));
    assert_false(counter_group_parse(after, sizeof(after) - 8, COUNTERS, now));
    assert_false(counter_group_parse(after, 0, COUNTERS, now));
    for (int i = 0; i < COUNTERS; i++)
        growths.known[i] = counter_growth(&last[i], &now[i], &growths.values[i]);
    counter_growths_put(&round, gauges, "worker", 42, 43, &growths);
    assert_true(put_value(&round, LANE_THREAD, "instructions", 43) == 3000000);
    assert_true(put_value(&round, LANE_THREAD, "cycles", 43) == 2000000);
    assert_true(put_value(&round, LANE_THREAD, "ipc", 43) == 1.5);
    assert_true(put_value(&round, LANE_THREAD, "cache_misses", 43) == 1000);
    assert_true(put_value(&round, LANE_THREAD, "branch_misses", 43) == 100);
    assert_true(isnan(put_value(&round, LANE_TARGET, "ipc", 0)));
    assert_string_equal(lanes_get(round.lanes, 0)->label, "worker");

    /* A counter that never got its turn has no value, and no ratio. */
    growths.known[COUNTER_CYCLES] = false;
    growths.values[COUNTER_CYCLES] = 0;
    counter_growths_put(&round, sums, NULL, 0, 0, &growths);
    assert_true(put_value(&round, LANE_TARGET, "instructions", 0) == 3000000);
    assert_true(isnan(put_value(&round, LANE_TARGET, "cycles", 0)));
    assert_true(isnan(put_value(&round, LANE_TARGET, "ipc", 0)));
    free(round.values);
    lanes_free(round.lanes);
}

/* The true source, on a living process. */
static void bench_live(struct bench *bench, int32_t pid)
{
    struct target_options options = { .children = true };
    struct source_config config = { .period_ns = 100 * NS_PER_MS, .wake_fd = -1 };
    struct error error;

    memset(bench, 0, sizeof(*bench));
    bench->target = target_attach(&pid, 1, &options, &error);
    assert_non_null(bench->target);
    config.lanes = bench->lanes = lanes_new();
    bench->ring = ring_new(1 << 20);
    bench->source = source_stats.open(bench->target, &config, &error);
    assert_non_null(bench->source);
}

static void bench_live_close(struct bench *bench, pid_t pid)
{
    source_stats.close(bench->source);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    target_free(bench->target);
    lanes_free(bench->lanes);
    ring_free(bench->ring);
    free(bench->others);
}

static void bench_step(struct bench *bench)
{
    assert_int_equal(source_stats.step(bench->source, bench->ring), 0);
    collect(bench);
}

static void this_machine_gives_every_lane_or_a_reason(void **state)
{
    struct bench bench;
    pid_t pid = start_faulter();
    double faults = 0;

    (void)state;
    bench_live(&bench, pid);
    for (int rounds = 0; rounds < 400 && !(faults > 1000); rounds++) {
        bench_step(&bench);
        faults = value_of(&bench, LANE_TARGET, "minflt", 0);
    }
    assert_true(faults > 1000);
    assert_true(value_of(&bench, LANE_TARGET, "rss_bytes", 0) > 4096);
    assert_true(value_of(&bench, LANE_TARGET, "cpu_pct", 0) > 0);
    assert_true(value_of(&bench, LANE_SYSTEM, "free_bytes", 0) > 0);
    bench_live_close(&bench, pid);
}

/* Of a process that used no CPU time no thread is asked. */
static void a_thread_that_stood_still_is_met_again(void **state)
{
    struct bench bench;
    pid_t pid = start_faulter();
    double cpu_pct = NAN;
    int status, still = 0;

    (void)state;
    kill(pid, SIGSTOP);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    bench_live(&bench, pid);
    for (int steps = 0; steps < 400 && still < 3; steps++) {
        bench_step(&bench);
        still += value_of(&bench, LANE_TARGET, "cpu_pct", 0) == 0;
        assert_true(isnan(value_of(&bench, LANE_THREAD, "cpu_pct", pid)));
    }
    assert_int_equal(still, 3);
    kill(pid, SIGCONT);
    for (int steps = 0; steps < 400 && !(cpu_pct > 0); steps++) {
        bench_step(&bench);
        cpu_pct = value_of(&bench, LANE_THREAD, "cpu_pct", pid);
    }
    assert_true(cpu_pct > 0);
    assert_true(cpu_pct < 110); /* of the last round, not of all since the start */
    bench_live_close(&bench, pid);
}

/* "disks.vda.reads" as the page has it: "disks.DISK" and "reads" somewhere behind it. */
static void assert_documented(const char *page, const struct lane *lane)
{
    static const struct {
        const char *start, *place;
    } families[] = { { "disks.", "disks.DISK." },
                     { "net.", "net.DEVICE." },
                     { "cpus.", "cpus.CPU." } };
    const char *key = lane->key, *found = page;
    char word[128];

    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (strncmp(key, families[i].start, strlen(families[i].start)) != 0)
            continue;
        found = strstr(page, families[i].place);
        key = strchr(strchr(key, '.') + 1, '.') + 1;
        if (families[i].start[0] == 'c')
            return; /* "cpus.CPU.us … cpus.CPU.st" */
    }
    snprintf(word, sizeof(word), "%s", key);
    for (; found != NULL && (found = strstr(found, word)) != NULL; found++) {
        char before = found[-1], after = found[strlen(word)];

        if ((before == ' ' || before == '.') && (after == ' ' || after == '\n'))
            return;
    }
    fail_msg("doc/lanes.md lacks %s", lane->key);
}

static void every_lane_is_documented(void **state)
{
    struct bench bench = { 0 };
    struct target_options options = { .children = true };
    struct error error;
    pid_t pid = start_faulter();
    int32_t pids[] = { pid };
    char *path = testing_source("doc/lanes.md"), page[16384] = "";
    FILE *file = fopen(path, "re");

    (void)state;
    assert_non_null(file);
    assert_true(fread(page, 1, sizeof(page) - 1, file) > 0);
    fclose(file);
    bench.target = target_attach(pids, 1, &options, &error);
    assert_non_null(bench.target);
    bench.lanes = lanes_new();
    bench.ring = ring_new(1 << 20);
    bench.source = stats_open_at(bench.target, bench.lanes, "/proc", "", NS_PER_S);
    for (int round = 0; round < 3; round++) {
        stats_round(bench.source, bench.ring, clock_now_ns());
        collect(&bench);
    }
    assert_true(lanes_count(bench.lanes) > 80);
    for (uint32_t i = 0; i < lanes_count(bench.lanes); i++)
        assert_documented(page, lanes_get(bench.lanes, i));
    source_stats.close(bench.source);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    target_free(bench.target);
    lanes_free(bench.lanes);
    ring_free(bench.ring);
    free(bench.others);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_of_cpu_time_add_up),
        cmocka_unit_test(memory_and_paging),
        cmocka_unit_test(devices_come_and_go),
        cmocka_unit_test(pressure_and_groups),
        cmocka_unit_test(the_target_and_its_threads),
        cmocka_unit_test(a_process_outlives_its_leader),
        cmocka_unit_test(files_of_another_user_are_told),
        cmocka_unit_test(the_busiest_others_are_named),
        cmocka_unit_test(counters_that_took_turns_are_scaled),
        cmocka_unit_test(groups_of_counters_give_true_ratios),
        cmocka_unit_test(this_machine_gives_every_lane_or_a_reason),
        cmocka_unit_test(a_thread_that_stood_still_is_met_again),
        cmocka_unit_test(every_lane_is_documented),
    };

    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
