/* SPDX-License-Identifier: MIT */
/*
 * Whole disks and network devices, each found by its name in every round: they come and go.  A
 * device gets lanes with its first traffic, so that idle loop devices and tunnels take no room.
 */
#include "config.h"

#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/proc_file.h"
#include "proftop/system.h"

enum { DEVICES_MAX = 64 }; /* of each sort */

enum disk_lane {
    DISK_READ_BYTES,
    DISK_WRITE_BYTES,
    DISK_READS,
    DISK_WRITES,
    DISK_AWAIT,
    DISK_READ_AWAIT,
    DISK_WRITE_AWAIT,
    DISK_UTIL,
    DISK_IN_FLIGHT,
    DISK_LANES
};

static const struct lane_kind disk_kinds[DISK_LANES] = {
    [DISK_READ_BYTES] = { "disks.%s.read_bytes", N_("read"), LANE_SYSTEM, UNIT_BYTES_PER_SECOND, 0,
                          false },
    [DISK_WRITE_BYTES] = { "disks.%s.write_bytes", N_("write"), LANE_SYSTEM, UNIT_BYTES_PER_SECOND,
                           0, false },
    [DISK_READS] = { "disks.%s.reads", N_("reads"), LANE_SYSTEM, UNIT_PER_SECOND, 0, false },
    [DISK_WRITES] = { "disks.%s.writes", N_("writes"), LANE_SYSTEM, UNIT_PER_SECOND, 0, false },
    [DISK_AWAIT] = { "disks.%s.await_ms", N_("await"), LANE_SYSTEM, UNIT_MS, 0, true },
    [DISK_READ_AWAIT] = { "disks.%s.r_await_ms", N_("r_await"), LANE_SYSTEM, UNIT_MS, 0, false },
    [DISK_WRITE_AWAIT] = { "disks.%s.w_await_ms", N_("w_await"), LANE_SYSTEM, UNIT_MS, 0, false },
    [DISK_UTIL] = { "disks.%s.util_pct", N_("util"), LANE_SYSTEM, UNIT_PERCENT, 100, true },
    [DISK_IN_FLIGHT] = { "disks.%s.in_flight", N_("in flight"), LANE_SYSTEM, UNIT_COUNT, 0, false },
};

enum net_lane {
    NET_RX_BYTES,
    NET_TX_BYTES,
    NET_RX_PACKETS,
    NET_TX_PACKETS,
    NET_ERRORS,
    NET_DROPS,
    NET_LANES
};

static const struct lane_kind net_kinds[NET_LANES] = {
    [NET_RX_BYTES] = { "net.%s.rx_bytes", N_("rx"), LANE_SYSTEM, UNIT_BYTES_PER_SECOND, 0, true },
    [NET_TX_BYTES] = { "net.%s.tx_bytes", N_("tx"), LANE_SYSTEM, UNIT_BYTES_PER_SECOND, 0, true },
    [NET_RX_PACKETS] = { "net.%s.rx_packets", N_("rx packets"), LANE_SYSTEM, UNIT_PER_SECOND, 0,
                         false },
    [NET_TX_PACKETS] = { "net.%s.tx_packets", N_("tx packets"), LANE_SYSTEM, UNIT_PER_SECOND, 0,
                         false },
    [NET_ERRORS] = { "net.%s.errors", N_("errors"), LANE_SYSTEM, UNIT_PER_SECOND, 0, true },
    [NET_DROPS] = { "net.%s.drops", N_("drops"), LANE_SYSTEM, UNIT_PER_SECOND, 0, true },
};

struct disk {
    char name[SYSTEM_NAME_MAX];
    uint64_t seen; /* number of the last round with it, + 1 */
    bool whole;    /* not a partition */
    struct system_disk last;
    uint64_t last_ns;
    struct gauge gauges[DISK_LANES];
};

struct net {
    char name[SYSTEM_NAME_MAX];
    uint64_t seen;
    struct meter meters[NET_LANES];
};

struct devices_state {
    struct proc_file diskstats, net_dev;
    struct disk disks[DEVICES_MAX];
    struct net nets[DEVICES_MAX];
    size_t disk_count, net_count;
};

static void *devices_open(struct round *round)
{
    struct devices_state *state = xcalloc(1, sizeof(*state));

    proc_file_open(&state->diskstats, round->proc_root, "diskstats");
    proc_file_open(&state->net_dev, round->proc_root, "net/dev");
    return state;
}

/* Whole disks have a folder in /sys/block, where '/' in a name ("cciss/c0d0") is '!'. */
static bool is_whole(const struct round *round, const char *name)
{
    char path[256], plain[SYSTEM_NAME_MAX];

    snprintf(plain, sizeof(plain), "%s", name);
    for (char *at = plain; *at != '\0'; at++)
        if (*at == '/')
            *at = '!';
    snprintf(path, sizeof(path), "%s/sys/block/%s", round->files_root, plain);
    return access(path, F_OK) == 0;
}

static struct disk *find_disk(struct devices_state *state, const struct round *round,
                              const char *name)
{
    struct disk *disk;

    for (size_t i = 0; i < state->disk_count; i++)
        if (strcmp(state->disks[i].name, name) == 0)
            return &state->disks[i];
    if (state->disk_count == DEVICES_MAX)
        return NULL;
    disk = &state->disks[state->disk_count++];
    snprintf(disk->name, sizeof(disk->name), "%s", name);
    disk->whole = is_whole(round, name);
    return disk;
}

static uint64_t advance(uint64_t before, uint64_t now)
{
    uint64_t distance;

    system_advance(before, now, &distance);
    return distance;
}

static void put_disk(struct round *round, struct disk *disk, enum disk_lane lane, double value)
{
    gauge_put(round, &disk->gauges[lane], &disk_kinds[lane], disk->name, value);
}

/* As iostat: waiting times are a mean over the requests that ended in the period. */
static void compare_disk(struct round *round, struct disk *disk, const struct system_disk *now)
{
    const struct system_disk *before = &disk->last;
    double seconds = (double)(round->now_ns - disk->last_ns) / (double)NS_PER_S;
    double reads = (double)advance(before->reads, now->reads);
    double writes = (double)advance(before->writes, now->writes);
    double read_ms = (double)advance(before->read_ms, now->read_ms);
    double write_ms = (double)advance(before->write_ms, now->write_ms);
    double other =
        (double)(advance(before->discards, now->discards) + advance(before->flushes, now->flushes));
    double other_ms = (double)(advance(before->discard_ms, now->discard_ms) +
                               advance(before->flush_ms, now->flush_ms));
    double all = reads + writes + other;
    double util = (double)advance(before->busy_ms, now->busy_ms) / seconds / 10;

    put_disk(round, disk, DISK_READ_BYTES,
             (double)advance(before->read_bytes, now->read_bytes) / seconds);
    put_disk(round, disk, DISK_WRITE_BYTES,
             (double)advance(before->write_bytes, now->write_bytes) / seconds);
    put_disk(round, disk, DISK_READS, reads / seconds);
    put_disk(round, disk, DISK_WRITES, writes / seconds);
    put_disk(round, disk, DISK_AWAIT, all > 0 ? (read_ms + write_ms + other_ms) / all : 0);
    put_disk(round, disk, DISK_READ_AWAIT, reads > 0 ? read_ms / reads : 0);
    put_disk(round, disk, DISK_WRITE_AWAIT, writes > 0 ? write_ms / writes : 0);
    put_disk(round, disk, DISK_UTIL, util < 100 ? util : 100);
    put_disk(round, disk, DISK_IN_FLIGHT, (double)now->in_flight);
}

static void read_disks(struct devices_state *state, struct round *round)
{
    const char *text = proc_file_read(&state->diskstats);
    struct system_disk now;

    while (text != NULL && (text = system_next_disk(text, &now)) != NULL) {
        struct disk *disk = find_disk(state, round, now.name);

        if (disk == NULL || !disk->whole)
            continue;
        /* Gone for a round, or counted down: another device under the same name. */
        if (disk->seen == round->number && now.reads >= disk->last.reads &&
            now.writes >= disk->last.writes && round->now_ns > disk->last_ns &&
            (now.reads > 0 || now.writes > 0))
            compare_disk(round, disk, &now);
        disk->last = now;
        disk->last_ns = round->now_ns;
        disk->seen = round->number + 1;
    }
}

static struct net *find_net(struct devices_state *state, const char *name)
{
    for (size_t i = 0; i < state->net_count; i++)
        if (strcmp(state->nets[i].name, name) == 0)
            return &state->nets[i];
    if (state->net_count == DEVICES_MAX)
        return NULL;
    snprintf(state->nets[state->net_count].name, SYSTEM_NAME_MAX, "%s", name);
    return &state->nets[state->net_count++];
}

static void read_nets(struct devices_state *state, struct round *round)
{
    const char *text = proc_file_read(&state->net_dev);
    struct system_net now;

    while (text != NULL && (text = system_next_net(text, &now)) != NULL) {
        struct net *net = find_net(state, now.name);
        const uint64_t counters[NET_LANES] = {
            [NET_RX_BYTES] = now.rx_bytes,
            [NET_TX_BYTES] = now.tx_bytes,
            [NET_RX_PACKETS] = now.rx_packets,
            [NET_TX_PACKETS] = now.tx_packets,
            [NET_ERRORS] = now.rx_errors + now.tx_errors,
            [NET_DROPS] = now.rx_drops + now.tx_drops,
        };

        if (net == NULL || (now.rx_packets == 0 && now.tx_packets == 0))
            continue;
        for (size_t i = 0; i < NET_LANES; i++) {
            if (net->seen != round->number)
                net->meters[i].has_last = false;
            meter_put(round, &net->meters[i], &net_kinds[i], net->name, counters[i], 1);
        }
        net->seen = round->number + 1;
    }
}

static void devices_read(void *opaque, struct round *round)
{
    read_disks(opaque, round);
    read_nets(opaque, round);
}

static void devices_close(void *opaque)
{
    struct devices_state *state = opaque;

    proc_file_close(&state->diskstats);
    proc_file_close(&state->net_dev);
    free(state);
}

const struct stats_reader stats_devices = { devices_open, devices_read, devices_close };
