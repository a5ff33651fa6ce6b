/* SPDX-License-Identifier: MIT */
/*
 * CPU time of the machine and of each CPU as shares of the time passed, the run queue, load,
 * interrupts, context switches and forks: /proc/stat and /proc/loadavg.
 *
 * Shares are of the ticks that all columns advanced by, as vmstat and mpstat have it: a CPU that
 * was away (steal) still adds up to 100.  Guest time is part of user time.
 */
#include "config.h"

#include "stats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/proc_file.h"
#include "proftop/system.h"

enum { SHARES = CPU_STEAL + 1 };

static const struct lane_kind share_kinds[SHARES] = {
    [CPU_USER] = { "us", N_("usr"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_NICE] = { "ni", N_("nice"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_SYSTEM] = { "sy", N_("sys"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_IDLE] = { "id", N_("idle"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_IOWAIT] = { "wa", N_("iowait"), LANE_SYSTEM, UNIT_PERCENT, 100, true },
    [CPU_IRQ] = { "hi", N_("hard irq"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_SOFTIRQ] = { "si", N_("soft irq"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_STEAL] = { "st", N_("STEAL"), LANE_SYSTEM, UNIT_PERCENT, 100, true },
};

static const struct lane_kind cpu_kinds[SHARES] = {
    [CPU_USER] = { "cpus.%s.us", N_("usr"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_NICE] = { "cpus.%s.ni", N_("nice"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_SYSTEM] = { "cpus.%s.sy", N_("sys"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_IDLE] = { "cpus.%s.id", N_("idle"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_IOWAIT] = { "cpus.%s.wa", N_("iowait"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_IRQ] = { "cpus.%s.hi", N_("hard irq"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_SOFTIRQ] = { "cpus.%s.si", N_("soft irq"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
    [CPU_STEAL] = { "cpus.%s.st", N_("STEAL"), LANE_SYSTEM, UNIT_PERCENT, 100, false },
};

enum { GAUGE_RUN_QUEUE, GAUGE_BLOCKED, GAUGE_LOAD_1, GAUGE_LOAD_5, GAUGE_LOAD_15, GAUGE_TASKS };
static const struct lane_kind gauge_kinds[] = {
    [GAUGE_RUN_QUEUE] = { "run_queue", N_("run queue"), LANE_SYSTEM, UNIT_COUNT, 0, true },
    [GAUGE_BLOCKED] = { "blocked", N_("blocked"), LANE_SYSTEM, UNIT_COUNT, 0, true },
    [GAUGE_LOAD_1] = { "load1", N_("load 1m"), LANE_SYSTEM, UNIT_COUNT, 0, false },
    [GAUGE_LOAD_5] = { "load5", N_("load 5m"), LANE_SYSTEM, UNIT_COUNT, 0, false },
    [GAUGE_LOAD_15] = { "load15", N_("load 15m"), LANE_SYSTEM, UNIT_COUNT, 0, false },
    [GAUGE_TASKS] = { "tasks", N_("tasks"), LANE_SYSTEM, UNIT_COUNT, 0, false },
};
enum { GAUGES = sizeof(gauge_kinds) / sizeof(gauge_kinds[0]) };

enum { METER_INTERRUPTS, METER_SOFTIRQS, METER_SWITCHES, METER_FORKS };
static const struct lane_kind meter_kinds[] = {
    [METER_INTERRUPTS] = { "interrupts", N_("irq"), LANE_SYSTEM, UNIT_PER_SECOND, 0, false },
    [METER_SOFTIRQS] = { "softirqs", N_("softirqs"), LANE_SYSTEM, UNIT_PER_SECOND, 0, false },
    [METER_SWITCHES] = { "context_switches", N_("ctx sw"), LANE_SYSTEM, UNIT_PER_SECOND, 0, false },
    [METER_FORKS] = { "forks", N_("forks"), LANE_SYSTEM, UNIT_PER_SECOND, 0, true },
};
enum { METERS = sizeof(meter_kinds) / sizeof(meter_kinds[0]) };

/* One CPU, or all of them. */
struct cpu {
    struct meter ticks[SHARES];
    struct gauge shares[SHARES];
    bool present;
};

struct cpu_state {
    struct proc_file stat, loadavg;
    struct system_stat parsed;
    struct cpu all;
    struct cpu *cpus; /* by number */
    size_t count, capacity;
    struct gauge gauges[GAUGES];
    struct meter meters[METERS];
};

static void *cpu_open(struct round *round)
{
    struct cpu_state *state = xcalloc(1, sizeof(*state));

    if (!proc_file_open(&state->stat, round->proc_root, "stat")) {
        const char *reason = strerror(errno);

        for (size_t i = 0; i < SHARES; i++)
            lane_absent(round, &share_kinds[i], reason);
    }
    proc_file_open(&state->loadavg, round->proc_root, "loadavg");
    return state;
}

static void put_shares(struct round *round, struct cpu *cpu, const struct lane_kind *kinds,
                       const char *name, const struct system_cpu *now)
{
    uint64_t advance[SHARES], all = 0;
    bool first = !cpu->ticks[0].has_last;

    /* idle and iowait may go back: that column stood still then. */
    for (size_t i = 0; i < SHARES; i++) {
        meter_advance(round, &cpu->ticks[i], now->ticks[i], &advance[i]);
        all += advance[i];
    }
    if (first || all == 0)
        return; /* just come online, or a period shorter than a tick */
    for (size_t i = 0; i < SHARES; i++)
        gauge_put(round, &cpu->shares[i], &kinds[i], name, 100 * (double)advance[i] / (double)all);
}

static struct cpu *cpu_numbered(struct cpu_state *state, size_t id)
{
    if (id >= state->count) {
        state->cpus = array_reserve(state->cpus, &state->capacity, id + 1, sizeof(*state->cpus));
        memset(state->cpus + state->count, 0, (id + 1 - state->count) * sizeof(*state->cpus));
        state->count = id + 1;
    }
    return &state->cpus[id];
}

static void put_cpus(struct round *round, struct cpu_state *state)
{
    put_shares(round, &state->all, share_kinds, NULL, &state->parsed.all);
    for (size_t i = 0; i < state->count; i++)
        state->cpus[i].present = false;
    for (size_t i = 0; i < state->parsed.cpu_count; i++) {
        const struct system_cpu *now = &state->parsed.cpus[i];
        struct cpu *cpu = cpu_numbered(state, (size_t)now->id);
        char name[16];

        snprintf(name, sizeof(name), "cpu%d", (int)now->id);
        put_shares(round, cpu, cpu_kinds, name, now);
        cpu->present = true;
    }
    /* One that went offline starts anew when it is back. */
    for (size_t i = 0; i < state->count; i++)
        if (!state->cpus[i].present)
            for (size_t k = 0; k < SHARES; k++)
                state->cpus[i].ticks[k].has_last = false;
}

static void put_gauge(struct round *round, struct cpu_state *state, int which, double value)
{
    gauge_put(round, &state->gauges[which], &gauge_kinds[which], NULL, value);
}

static void put_meter(struct round *round, struct cpu_state *state, int which, uint64_t counter)
{
    meter_put(round, &state->meters[which], &meter_kinds[which], NULL, counter, 1);
}

static void cpu_read(void *opaque, struct round *round)
{
    struct cpu_state *state = opaque;
    const char *text = proc_file_read(&state->stat);
    struct system_load load;

    if (text != NULL && system_parse_stat(text, &state->parsed)) {
        put_cpus(round, state);
        put_gauge(round, state, GAUGE_RUN_QUEUE, (double)state->parsed.running);
        put_gauge(round, state, GAUGE_BLOCKED, (double)state->parsed.blocked);
        put_meter(round, state, METER_INTERRUPTS, state->parsed.interrupts);
        put_meter(round, state, METER_SOFTIRQS, state->parsed.softirqs);
        put_meter(round, state, METER_SWITCHES, state->parsed.context_switches);
        put_meter(round, state, METER_FORKS, state->parsed.forks);
    }
    text = proc_file_read(&state->loadavg);
    if (text != NULL && system_parse_loadavg(text, &load)) {
        put_gauge(round, state, GAUGE_LOAD_1, load.load_1);
        put_gauge(round, state, GAUGE_LOAD_5, load.load_5);
        put_gauge(round, state, GAUGE_LOAD_15, load.load_15);
        put_gauge(round, state, GAUGE_TASKS, (double)load.tasks);
    }
}

static void cpu_close(void *opaque)
{
    struct cpu_state *state = opaque;

    proc_file_close(&state->stat);
    proc_file_close(&state->loadavg);
    system_stat_fini(&state->parsed);
    free(state->cpus);
    free(state);
}

const struct stats_reader stats_cpu = { cpu_open, cpu_read, cpu_close };
