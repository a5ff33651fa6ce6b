/* SPDX-License-Identifier: MIT */
/* The control group of the target's first process: what it may use, uses, and was refused. */
#include "config.h"

#include "stats.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include "proftop/cgroup.h"
#include "proftop/gettext.h"
#include "proftop/hash.h"
#include "proftop/memory.h"
#include "proftop/proc_file.h"

/* Figures that are shown as they are, and figures whose growth is. */
static const struct figure {
    struct lane_kind kind;
    size_t offset; /* of an int64_t in struct cgroup_figures */
    double scale;
    bool counter;
} figures[] = {
    { { "cgroup.cpu_pct", N_("cgroup cpu"), LANE_SYSTEM, UNIT_PERCENT, 0, false },
      offsetof(struct cgroup_figures, usage_us),
      1e-4,
      true },
    { { "cgroup.periods", N_("cg periods"), LANE_SYSTEM, UNIT_PER_SECOND, 0, false },
      offsetof(struct cgroup_figures, periods),
      1,
      true },
    { { "cgroup.throttled", N_("throttled"), LANE_SYSTEM, UNIT_PER_SECOND, 0, true },
      offsetof(struct cgroup_figures, throttled_periods),
      1,
      true },
    { { "cgroup.throttled_us", N_("throttled us"), LANE_SYSTEM, UNIT_PER_SECOND, 0, true },
      offsetof(struct cgroup_figures, throttled_us),
      1,
      true },
    { { "cgroup.memory_bytes", N_("cgroup mem"), LANE_SYSTEM, UNIT_BYTES, 0, false },
      offsetof(struct cgroup_figures, memory_bytes),
      1,
      false },
    { { "cgroup.memory_limit_bytes", N_("cg mem limit"), LANE_SYSTEM, UNIT_BYTES, 0, false },
      offsetof(struct cgroup_figures, memory_limit_bytes),
      1,
      false },
    { { "cgroup.swap_bytes", N_("cgroup swap"), LANE_SYSTEM, UNIT_BYTES, 0, true },
      offsetof(struct cgroup_figures, swap_bytes),
      1,
      false },
    { { "cgroup.memory_high", N_("cg mem high"), LANE_SYSTEM, UNIT_PER_SECOND, 0, true },
      offsetof(struct cgroup_figures, memory_high),
      1,
      true },
    { { "cgroup.memory_max", N_("cg mem max"), LANE_SYSTEM, UNIT_PER_SECOND, 0, true },
      offsetof(struct cgroup_figures, memory_max),
      1,
      true },
    { { "cgroup.oom", N_("cg oom"), LANE_SYSTEM, UNIT_PER_SECOND, 0, true },
      offsetof(struct cgroup_figures, oom),
      1,
      true },
    { { "cgroup.oom_kills", N_("cg oom kills"), LANE_SYSTEM, UNIT_PER_SECOND, 0, true },
      offsetof(struct cgroup_figures, oom_kills),
      1,
      true },
    { { "cgroup.psi.cpu.some", N_("cg PSI cpu"), LANE_SYSTEM, UNIT_PERCENT, 100, true },
      offsetof(struct cgroup_figures, cpu_some_us),
      1e-4,
      true },
    { { "cgroup.psi.memory.full", N_("cg PSI mem"), LANE_SYSTEM, UNIT_PERCENT, 100, true },
      offsetof(struct cgroup_figures, memory_full_us),
      1e-4,
      true },
    { { "cgroup.psi.io.full", N_("cg PSI io"), LANE_SYSTEM, UNIT_PERCENT, 100, true },
      offsetof(struct cgroup_figures, io_full_us),
      1e-4,
      true },
};
enum { FIGURES = sizeof(figures) / sizeof(figures[0]) };

static const struct lane_kind kind_quota = {
    "cgroup.quota_pct", N_("cpu quota"), LANE_SYSTEM, UNIT_PERCENT, 0, false
};

struct cgroup_state {
    struct cgroup cgroup;
    struct proc_file groups; /* PID/cgroup */
    uint64_t groups_hash;
    bool found, told[FIGURES], told_quota;
    struct meter meters[FIGURES];
    struct gauge quota;
    int32_t pid;
};

/* Finds the groups anew when the process was moved to others. */
static void find_groups(struct cgroup_state *state, struct round *round)
{
    const char *text = proc_file_read(&state->groups);
    uint64_t hash = text != NULL ? hash_bytes(1, text, state->groups.length) : 0;

    if (text == NULL || hash == state->groups_hash)
        return;
    state->groups_hash = hash;
    state->found = cgroup_find(round->proc_root, round->files_root, state->pid, &state->cgroup);
    for (size_t i = 0; i < FIGURES; i++)
        state->meters[i].has_last = false;
}

static void *cgroup_open(struct round *round)
{
    struct cgroup_state *state = xcalloc(1, sizeof(*state));

    state->pid = target_pid(round->target);
    proc_file_open(&state->groups, round->proc_root, "%" PRId32 "/cgroup", state->pid);
    find_groups(state, round);
    if (!state->found) {
        const char *reason = _("its control groups cannot be seen from here");

        lane_absent(round, &kind_quota, reason);
        for (size_t i = 0; i < FIGURES; i++)
            lane_absent(round, &figures[i].kind, reason);
    }
    return state;
}

static void put_figure(struct cgroup_state *state, struct round *round, size_t i,
                       const struct cgroup_figures *now)
{
    int64_t value = *(const int64_t *)(const void *)((const char *)now + figures[i].offset);

    if (value < 0) {
        if (!state->told[i])
            lane_absent(round, &figures[i].kind,
                        _("its control group has no such figure or limit"));
        state->told[i] = true;
    } else if (figures[i].counter) {
        meter_put(round, &state->meters[i], &figures[i].kind, NULL, (uint64_t)value,
                  figures[i].scale);
    } else {
        gauge_put(round, &state->meters[i].gauge, &figures[i].kind, NULL,
                  (double)value * figures[i].scale);
    }
}

static void cgroup_read_round(void *opaque, struct round *round)
{
    struct cgroup_state *state = opaque;
    struct cgroup_figures now;

    find_groups(state, round);
    if (!state->found)
        return;
    cgroup_read(&state->cgroup, &now);
    if (now.quota_cpus > 0)
        gauge_put(round, &state->quota, &kind_quota, NULL, 100 * now.quota_cpus);
    else if (!state->told_quota)
        lane_absent(round, &kind_quota, _("its control group sets no CPU quota"));
    state->told_quota = true;
    for (size_t i = 0; i < FIGURES; i++)
        put_figure(state, round, i, &now);
}

static void cgroup_close(void *opaque)
{
    struct cgroup_state *state = opaque;

    proc_file_close(&state->groups);
    free(state);
}

const struct stats_reader stats_cgroup = { cgroup_open, cgroup_read_round, cgroup_close };
