/* SPDX-License-Identifier: MIT */
/*
 * The control groups a process is in, version 1 or 2 or both at once, and what they grant and
 * count.  A limit is often set on a group further up (a pod, a slice), so the nearest group above
 * that has one counts.
 */
#ifndef PROFTOP_CGROUP_H
#define PROFTOP_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum cgroup_version { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };

/* Where the files of one controller are. */
struct cgroup_place {
    enum cgroup_version version;
    char folder[PATH_MAX]; /* of the process's own group */
    char mount[PATH_MAX];  /* no group is above this one */
};

struct cgroup {
    struct cgroup_place cpu, cpuacct, memory; /* v2: all the same */
};

/*
 * FILES_ROOT is "" or where a fixture keeps its /sys.  False when PID is in no group that can be
 * seen from here.
 */
bool cgroup_find(const char *proc_root, const char *files_root, int32_t pid, struct cgroup *cgroup);

/* -1 where there is no such figure; counters since the group was made. */
struct cgroup_figures {
    double quota_cpus; /* CPUs' worth it may use */
    int64_t usage_us;
    int64_t periods, throttled_periods, throttled_us;
    int64_t memory_bytes, memory_limit_bytes, swap_bytes;
    int64_t memory_high, memory_max, oom, oom_kills; /* how often: v1's failcnt is memory_max */
    int64_t cpu_some_us, cpu_full_us, memory_full_us, io_full_us; /* pressure, v2 only */
};

void cgroup_read(const struct cgroup *cgroup, struct cgroup_figures *figures);

#endif
