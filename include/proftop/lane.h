/* SPDX-License-Identifier: MIT */
/*
 * Lanes: the named counters that share the profile's timeline.  A lane is described once; its
 * values come in RECORD_LANES.  Append-only; any thread adds (a lock inside) and reads.
 *
 *     group   keys
 *     SYSTEM  us sy ni id wa hi si st run_queue blocked interrupts context_switches forks …
 *             free_bytes cached_bytes … read_bytes write_bytes swap_in swap_out minflt majflt …
 *             cpus.cpu0.us  disks.vda.read_bytes  net.eth0.rx_bytes  psi.io.some
 *             cgroup.throttled_us
 *     TARGET  cpu_pct rss_bytes minflt majflt read_bytes vcsw threads fds …  pid 0: all processes
 *     THREAD  cpu_pct run_delay_pct …  of pid and tid; no value in a round means 0
 *
 * A key that says bytes or a number of events is per second where its unit is; a percentage of CPU
 * time is of one core for the target (200 = two cores) and of the machine for the system.
 */
#ifndef PROFTOP_LANE_H
#define PROFTOP_LANE_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t lane_id;

enum lane_group { LANE_SYSTEM, LANE_TARGET, LANE_THREAD, LANE_GROUPS };

enum lane_unit {
    UNIT_PERCENT,
    UNIT_COUNT,
    UNIT_PER_SECOND,
    UNIT_BYTES,
    UNIT_BYTES_PER_SECOND,
    UNIT_MS,
    UNIT_RATIO
};

struct lane {
    lane_id id;
    enum lane_group group;
    enum lane_unit unit;
    const char *key;    /* stable, for JSON and CSV: dots nest */
    const char *label;  /* short, translated, for the screen */
    int32_t pid, tid;   /* TARGET, THREAD: whose; 0 = all */
    double ceiling;     /* a natural full scale (100 for a share), or 0: scale to what is shown */
    bool alarming;      /* a rise is bad news: a spike in it is worth a mark */
    const char *absent; /* why it has no values here, translated; or NULL */
};

struct lanes;

struct lanes *lanes_new(void);
void lanes_free(struct lanes *lanes);
/* The lane with WANTED's group, key, pid and tid, new or known.  Copies the texts. */
lane_id lanes_add(struct lanes *lanes, const struct lane *wanted);
const struct lane *lanes_get(const struct lanes *lanes, lane_id id);
uint32_t lanes_count(const struct lanes *lanes);

#endif
