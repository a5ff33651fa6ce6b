/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says about the whole machine: parsers of the text of /proc/stat, loadavg,
 * vmstat, meminfo, diskstats, net/dev and pressure.  Counters grow since boot; times are in the
 * unit their names say.  They take text, so that recorded files test them; any thread.
 */
#ifndef PROFTOP_SYSTEM_H
#define PROFTOP_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SYSTEM_CPUS_MAX = 1024, SYSTEM_NAME_MAX = 32, SYSTEM_KEY_MAX = 64 };

/* Columns of a cpu line of /proc/stat, in its order.  Guest time is in user time as well. */
enum cpu_column {
    CPU_USER,
    CPU_NICE,
    CPU_SYSTEM,
    CPU_IDLE,
    CPU_IOWAIT,
    CPU_IRQ,
    CPU_SOFTIRQ,
    CPU_STEAL,
    CPU_GUEST,
    CPU_GUEST_NICE,
    CPU_COLUMNS
};

struct system_cpu {
    int32_t id; /* -1: all of them */
    uint64_t ticks[CPU_COLUMNS];
};

struct system_stat {
    struct system_cpu all;
    struct system_cpu
        *cpus; /* those that are online; kept between calls, system_stat_fini() frees */
    size_t cpu_count, cpu_capacity;
    uint64_t interrupts, softirqs, context_switches, forks;
    uint64_t running, blocked;
};

bool system_parse_stat(const char *text, struct system_stat *stat);
void system_stat_fini(struct system_stat *stat);

struct system_load {
    double load_1, load_5, load_15;
    uint64_t running, tasks;
    uint64_t
        newest_pid; /* given last in our PID namespace, to a thread or a process; 0: not told */
};

bool system_parse_loadavg(const char *text, struct system_load *load);

/*
 * A "key value" line, with or without a colon and a unit: vmstat, meminfo, status, io, cgroup
 * files.  Returns where the next one begins, or NULL when there is none.
 */
const char *system_next_pair(const char *text, char key[SYSTEM_KEY_MAX], uint64_t *value);
/* The value of KEY in such a text. */
bool system_find_pair(const char *text, const char *key, uint64_t *value);

struct system_disk {
    char name[SYSTEM_NAME_MAX];
    uint64_t reads, read_bytes, read_ms;
    uint64_t writes, write_bytes, write_ms;
    uint64_t discards, discard_ms, flushes, flush_ms;
    uint64_t in_flight, busy_ms;
};

/* One line each of /proc/diskstats and /proc/net/dev; as system_next_pair(). */
const char *system_next_disk(const char *text, struct system_disk *disk);

struct system_net {
    char name[SYSTEM_NAME_MAX];
    uint64_t rx_bytes, rx_packets, rx_errors, rx_drops;
    uint64_t tx_bytes, tx_packets, tx_errors, tx_drops;
};

const char *system_next_net(const char *text, struct system_net *net);

/* A pressure file: time in which some or all wanted it and waited. */
struct system_pressure {
    bool has_some, has_full;
    uint64_t some_us, full_us;
};

bool system_parse_pressure(const char *text, struct system_pressure *pressure);

/*
 * How far a counter went from BEFORE to NOW.  One that wrapped at 32 bits is followed; false for
 * one that went back (a device that was replaced, a kernel that corrected itself).
 */
bool system_advance(uint64_t before, uint64_t now, uint64_t *advance);

#endif
