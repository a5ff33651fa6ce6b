/* SPDX-License-Identifier: MIT */
/*
 * Memory, swap, faults, reclaim and block input and output of the machine: two tables, one of
 * /proc/meminfo's lines and one of /proc/vmstat's.
 */
#include "config.h"

#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/proc_file.h"
#include "proftop/system.h"

#define KIB 1024.0

/* A line of meminfo: a value in KiB. */
struct memory_line {
    const char *key;
    struct lane_kind kind;
};

static const struct memory_line memory_lines[] = {
    { "MemFree", { "free_bytes", N_("free"), LANE_SYSTEM, UNIT_BYTES, 0, false } },
    { "MemAvailable", { "available_bytes", N_("available"), LANE_SYSTEM, UNIT_BYTES, 0, false } },
    { "Buffers", { "buffers_bytes", N_("buffers"), LANE_SYSTEM, UNIT_BYTES, 0, false } },
    { "Cached", { "cached_bytes", N_("page cache"), LANE_SYSTEM, UNIT_BYTES, 0, false } },
    { "AnonPages", { "anon_bytes", N_("anonymous"), LANE_SYSTEM, UNIT_BYTES, 0, false } },
    { "Shmem", { "shmem_bytes", N_("shared mem"), LANE_SYSTEM, UNIT_BYTES, 0, false } },
    { "Dirty", { "dirty_bytes", N_("dirty"), LANE_SYSTEM, UNIT_BYTES, 0, true } },
    { "Writeback", { "writeback_bytes", N_("writeback"), LANE_SYSTEM, UNIT_BYTES, 0, true } },
    { "Slab", { "slab_bytes", N_("slab"), LANE_SYSTEM, UNIT_BYTES, 0, false } },
    { "PageTables", { "page_tables_bytes", N_("page tables"), LANE_SYSTEM, UNIT_BYTES, 0, false } },
    { "AnonHugePages",
      { "huge_pages_bytes", N_("huge pages"), LANE_SYSTEM, UNIT_BYTES, 0, false } },
};
enum { MEMORY_LINES = sizeof(memory_lines) / sizeof(memory_lines[0]) };

static const struct lane_kind kind_used = {
    "used_bytes", N_("mem used"), LANE_SYSTEM, UNIT_BYTES, 0, false
};
static const struct lane_kind kind_swap_used = {
    "swap_used_bytes", N_("swap used"), LANE_SYSTEM, UNIT_BYTES, 0, true
};

/* What adds up to one lane: counters of vmstat, in units of SCALE. */
enum vmstat_lane {
    VMSTAT_READ,
    VMSTAT_WRITE,
    VMSTAT_SWAP_IN,
    VMSTAT_SWAP_OUT,
    VMSTAT_FAULTS, /* all of them; the lane shows the minor ones */
    VMSTAT_MAJOR,
    VMSTAT_SCANNED,
    VMSTAT_RECLAIMED,
    VMSTAT_STALLS,
    VMSTAT_COMPACT_STALLS,
    VMSTAT_OOM,
    VMSTAT_LANES
};

static const struct lane_kind vmstat_kinds[VMSTAT_LANES] = {
    [VMSTAT_READ] = { "read_bytes", N_("disk read"), LANE_SYSTEM, UNIT_BYTES_PER_SECOND, 0, true },
    [VMSTAT_WRITE] = { "write_bytes", N_("disk write"), LANE_SYSTEM, UNIT_BYTES_PER_SECOND, 0,
                       true },
    [VMSTAT_SWAP_IN] = { "swap_in", N_("swap in"), LANE_SYSTEM, UNIT_BYTES_PER_SECOND, 0, true },
    [VMSTAT_SWAP_OUT] = { "swap_out", N_("swap out"), LANE_SYSTEM, UNIT_BYTES_PER_SECOND, 0, true },
    [VMSTAT_FAULTS] = { "minflt", N_("all min flt"), LANE_SYSTEM, UNIT_PER_SECOND, 0, false },
    [VMSTAT_MAJOR] = { "majflt", N_("maj faults"), LANE_SYSTEM, UNIT_PER_SECOND, 0, true },
    [VMSTAT_SCANNED] = { "reclaim_scanned", N_("pages scanned"), LANE_SYSTEM, UNIT_PER_SECOND, 0,
                         true },
    [VMSTAT_RECLAIMED] = { "reclaimed", N_("pages reclaimed"), LANE_SYSTEM, UNIT_PER_SECOND, 0,
                           true },
    [VMSTAT_STALLS] = { "alloc_stalls", N_("alloc stalls"), LANE_SYSTEM, UNIT_PER_SECOND, 0, true },
    [VMSTAT_COMPACT_STALLS] = { "compact_stalls", N_("compaction"), LANE_SYSTEM, UNIT_PER_SECOND, 0,
                                true },
    [VMSTAT_OOM] = { "oom_kills", N_("OOM kills"), LANE_SYSTEM, UNIT_PER_SECOND, 0, true },
};

/* Keys end in '*' where a kernel has one a zone. */
static const struct vmstat_line {
    const char *key;
    enum vmstat_lane lane;
} vmstat_lines[] = {
    { "pgpgin", VMSTAT_READ },
    { "pgpgout", VMSTAT_WRITE },
    { "pswpin", VMSTAT_SWAP_IN },
    { "pswpout", VMSTAT_SWAP_OUT },
    { "pgfault", VMSTAT_FAULTS },
    { "pgmajfault", VMSTAT_MAJOR },
    { "pgscan_kswapd*", VMSTAT_SCANNED },
    { "pgscan_direct", VMSTAT_SCANNED },
    { "pgsteal_kswapd*", VMSTAT_RECLAIMED },
    { "pgsteal_direct", VMSTAT_RECLAIMED },
    { "allocstall*", VMSTAT_STALLS },
    { "compact_stall", VMSTAT_COMPACT_STALLS },
    { "oom_kill", VMSTAT_OOM },
};

struct memory_state {
    struct proc_file meminfo, vmstat;
    struct gauge memory[MEMORY_LINES], used, swap_used;
    struct meter vmstat_meters[VMSTAT_LANES];
    double page_bytes;
};

static void *memory_open(struct round *round)
{
    struct memory_state *state = xcalloc(1, sizeof(*state));

    state->page_bytes = (double)sysconf(_SC_PAGESIZE);
    if (!proc_file_open(&state->meminfo, round->proc_root, "meminfo")) {
        const char *reason = strerror(errno);

        for (size_t i = 0; i < MEMORY_LINES; i++)
            lane_absent(round, &memory_lines[i].kind, reason);
    }
    if (!proc_file_open(&state->vmstat, round->proc_root, "vmstat")) {
        const char *reason = strerror(errno);

        for (size_t i = 0; i < VMSTAT_LANES; i++)
            lane_absent(round, &vmstat_kinds[i], reason);
    }
    return state;
}

static void read_meminfo(struct memory_state *state, struct round *round)
{
    const char *text = proc_file_read(&state->meminfo);
    uint64_t value, total = 0, available = 0, swap_total = 0, swap_free = 0;
    char key[SYSTEM_KEY_MAX];

    while (text != NULL && (text = system_next_pair(text, key, &value)) != NULL) {
        for (size_t i = 0; i < MEMORY_LINES; i++)
            if (strcmp(key, memory_lines[i].key) == 0)
                gauge_put(round, &state->memory[i], &memory_lines[i].kind, NULL,
                          (double)value * KIB);
        if (strcmp(key, "MemTotal") == 0)
            total = value;
        else if (strcmp(key, "MemAvailable") == 0)
            available = value;
        else if (strcmp(key, "SwapTotal") == 0)
            swap_total = value;
        else if (strcmp(key, "SwapFree") == 0)
            swap_free = value;
    }
    if (total > 0 && available <= total) {
        struct lane_kind kind = kind_used;

        kind.ceiling = (double)total * KIB;
        gauge_put(round, &state->used, &kind, NULL, (double)(total - available) * KIB);
    }
    if (swap_total > 0 && swap_free <= swap_total)
        gauge_put(round, &state->swap_used, &kind_swap_used, NULL,
                  (double)(swap_total - swap_free) * KIB);
    else if (round->number == 0)
        lane_absent(round, &kind_swap_used, _("this machine has no swap"));
}

static bool key_matches(const char *key, const char *pattern)
{
    size_t length = strlen(pattern);

    if (pattern[length - 1] == '*')
        return strncmp(key, pattern, length - 1) == 0;
    return strcmp(key, pattern) == 0;
}

static void read_vmstat(struct memory_state *state, struct round *round)
{
    const char *text = proc_file_read(&state->vmstat);
    uint64_t sums[VMSTAT_LANES] = { 0 }, value;
    bool found[VMSTAT_LANES] = { false };
    char key[SYSTEM_KEY_MAX];

    while (text != NULL && (text = system_next_pair(text, key, &value)) != NULL)
        for (size_t i = 0; i < sizeof(vmstat_lines) / sizeof(vmstat_lines[0]); i++)
            if (key_matches(key, vmstat_lines[i].key)) {
                sums[vmstat_lines[i].lane] += value;
                found[vmstat_lines[i].lane] = true;
            }
    if (found[VMSTAT_FAULTS] && found[VMSTAT_MAJOR])
        sums[VMSTAT_FAULTS] -= sums[VMSTAT_MAJOR];
    for (size_t i = 0; i < VMSTAT_LANES; i++) {
        double scale = i == VMSTAT_READ || i == VMSTAT_WRITE         ? KIB
                       : i == VMSTAT_SWAP_IN || i == VMSTAT_SWAP_OUT ? state->page_bytes
                                                                     : 1;

        if (found[i])
            meter_put(round, &state->vmstat_meters[i], &vmstat_kinds[i], NULL, sums[i], scale);
        else if (round->number == 0)
            lane_absent(round, &vmstat_kinds[i], _("this kernel does not count it"));
    }
}

static void memory_read(void *opaque, struct round *round)
{
    read_meminfo(opaque, round);
    read_vmstat(opaque, round);
}

static void memory_close(void *opaque)
{
    struct memory_state *state = opaque;

    proc_file_close(&state->meminfo);
    proc_file_close(&state->vmstat);
    free(state);
}

const struct stats_reader stats_memory = { memory_open, memory_read, memory_close };
