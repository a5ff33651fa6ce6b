/* SPDX-License-Identifier: MIT */
/*
 * The target's lanes: the sums over its processes and, where there are several, the main figures
 * of each.
 *
 *     process 17  cpu 0.8 s  faults 3 ┐
 *     process 18  cpu 0.4 s  faults 0 ┴─► cpu_pct 120, minflt 3      (pid 0: all of them)
 *
 * Growth is added up a process at a time, so that one that ends does not make a sum go back.
 */
#include "config.h"

#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "stats_process.h"

enum {
    PROCESSES_MAX = 1024,   /* followed at once */
    PROCESS_LANES_MAX = 64, /* processes that ever get lanes of their own */
    DETAIL_SHARE = 400,     /* details cost at most a 400th of a core … */
    DETAIL_EVERY_MAX = 64   /* … or are read in every Nth round only */
};

struct target_lane {
    struct lane_kind kind;
    double scale; /* of a figure a second, or of the figure */
    bool each;    /* for every process, too */
};

static const struct target_lane target_lanes[FIGURES] = {
    [FIGURE_CPU_NS] = { { "cpu_pct", N_("target cpu"), LANE_TARGET, UNIT_PERCENT, 0, false },
                        1e-7,
                        true },
    [FIGURE_USER_NS] = { { "user_pct", N_("tgt user"), LANE_TARGET, UNIT_PERCENT, 0, false },
                         1e-7,
                         true },
    [FIGURE_SYS_NS] = { { "sys_pct", N_("tgt system"), LANE_TARGET, UNIT_PERCENT, 0, false },
                        1e-7,
                        true },
    [FIGURE_DELAY_NS] = { { "run_delay_pct", N_("run delay"), LANE_TARGET, UNIT_PERCENT, 0, true },
                          1e-7,
                          false },
    [FIGURE_MINFLT] = { { "minflt", N_("minor flt"), LANE_TARGET, UNIT_PER_SECOND, 0, true },
                        1,
                        true },
    [FIGURE_MAJFLT] = { { "majflt", N_("tgt maj flt"), LANE_TARGET, UNIT_PER_SECOND, 0, true },
                        1,
                        true },
    [FIGURE_VCSW] = { { "vcsw", N_("vol csw"), LANE_TARGET, UNIT_PER_SECOND, 0, false }, 1, false },
    [FIGURE_IVCSW] = { { "ivcsw", N_("invol csw"), LANE_TARGET, UNIT_PER_SECOND, 0, false },
                       1,
                       false },
    [FIGURE_READ_BYTES] = { { "read_bytes", N_("tgt read"), LANE_TARGET, UNIT_BYTES_PER_SECOND, 0,
                              true },
                            1,
                            true },
    [FIGURE_WRITE_BYTES] = { { "write_bytes", N_("tgt write"), LANE_TARGET, UNIT_BYTES_PER_SECOND,
                               0, true },
                             1,
                             true },
    [FIGURE_READ_CHARS] = { { "read_chars", N_("read chars"), LANE_TARGET, UNIT_BYTES_PER_SECOND, 0,
                              false },
                            1,
                            false },
    [FIGURE_WRITE_CHARS] = { { "write_chars", N_("write chars"), LANE_TARGET, UNIT_BYTES_PER_SECOND,
                               0, false },
                             1,
                             false },
    [FIGURE_READ_CALLS] = { { "read_calls", N_("read calls"), LANE_TARGET, UNIT_PER_SECOND, 0,
                              false },
                            1,
                            false },
    [FIGURE_WRITE_CALLS] = { { "write_calls", N_("write calls"), LANE_TARGET, UNIT_PER_SECOND, 0,
                               false },
                             1,
                             false },
    [FIGURE_CHILD_NS] = { { "short_children_pct", N_("short-lived"), LANE_TARGET, UNIT_PERCENT, 0,
                            true },
                          1e-7,
                          false },
    [FIGURE_RSS] = { { "rss_bytes", N_("tgt RSS"), LANE_TARGET, UNIT_BYTES, 0, false }, 1, true },
    [FIGURE_PSS] = { { "pss_bytes", N_("tgt PSS"), LANE_TARGET, UNIT_BYTES, 0, false }, 1, false },
    [FIGURE_ANON] = { { "anon_bytes", N_("tgt anon"), LANE_TARGET, UNIT_BYTES, 0, false },
                      1,
                      false },
    [FIGURE_FILE] = { { "file_bytes", N_("tgt file"), LANE_TARGET, UNIT_BYTES, 0, false },
                      1,
                      false },
    [FIGURE_SHMEM] = { { "shmem_bytes", N_("tgt shmem"), LANE_TARGET, UNIT_BYTES, 0, false },
                       1,
                       false },
    [FIGURE_SWAP] = { { "swap_bytes", N_("tgt swap"), LANE_TARGET, UNIT_BYTES, 0, true },
                      1,
                      false },
    [FIGURE_HUGE] = { { "huge_pages_bytes", N_("tgt huge"), LANE_TARGET, UNIT_BYTES, 0, false },
                      1,
                      false },
    [FIGURE_VSIZE] = { { "vsize_bytes", N_("tgt virtual"), LANE_TARGET, UNIT_BYTES, 0, false },
                       1,
                       false },
    [FIGURE_FDS] = { { "fds", N_("open files"), LANE_TARGET, UNIT_COUNT, 0, false }, 1, false },
    [FIGURE_THREADS] = { { "threads", N_("threads"), LANE_TARGET, UNIT_COUNT, 0, false }, 1, true },
    [FIGURE_STOPPED] = { { "stopped", N_("stopped"), LANE_TARGET, UNIT_COUNT, 0, true }, 1, false },
};

static const struct lane_kind kind_processes = { "processes", N_("processes"),
                                                 LANE_TARGET, UNIT_COUNT,
                                                 0,           false };

struct target_state {
    struct process *processes;
    size_t count, capacity;
    unsigned process_lanes; /* processes with lanes of their own so far */
    struct gauge gauges[FIGURES], process_count;
    unsigned detail_every, rounds_to_detail;
    uint64_t detail_ns; /* the round before that last had details; 0: none */
    bool several, told_denied;
};

static void *target_state_open(struct round *round)
{
    struct target_state *state = xcalloc(1, sizeof(*state));

    (void)round;
    state->detail_every = 1;
    return state;
}

static struct process *find_process(struct target_state *state, const struct round *round,
                                    const struct target_process *what)
{
    for (size_t i = 0; i < state->count; i++)
        if (state->processes[i].pid == what->pid &&
            state->processes[i].start_ticks == what->start_ticks)
            return &state->processes[i];
    if (state->count == PROCESSES_MAX)
        return NULL;
    state->processes = array_reserve(state->processes, &state->capacity, state->count + 1,
                                     sizeof(*state->processes));
    process_init(&state->processes[state->count], round, what);
    return &state->processes[state->count++];
}

/* Marks the processes there are now; the rest ended. */
static size_t refresh(struct target_state *state, struct round *round)
{
    static const size_t room = PROCESSES_MAX;
    struct target_process *found = xcalloc(room, sizeof(*found));
    size_t count;

    if (round->live)
        target_refresh(round->target);
    count = target_processes(round->target, found, room, false);
    for (size_t i = 0; i < count && i < room; i++) {
        struct process *process = find_process(state, round, &found[i]);

        if (process != NULL)
            process->seen = round->number + 1;
    }
    free(found);
    return count;
}

/* CPU ticks of the followed children of PID that ended since the last round. */
static uint64_t reaped_ticks(const struct target_state *state, int32_t pid, uint64_t seen)
{
    uint64_t ticks = 0;

    for (size_t i = 0; i < state->count; i++)
        if (state->processes[i].ppid == pid && state->processes[i].seen != seen)
            ticks += state->processes[i].ticks;
    return ticks;
}

static void forget_ended(struct target_state *state, uint64_t seen)
{
    size_t kept = 0;

    for (size_t i = 0; i < state->count; i++) {
        if (state->processes[i].seen != seen)
            process_fini(&state->processes[i]);
        else
            state->processes[kept++] = state->processes[i];
    }
    state->count = kept;
}

/* How much time the growth of FIGURE took: details are not read in every round. */
static double seconds_of(const struct target_state *state, const struct round *round,
                         enum figure figure)
{
    if (figure >= FIGURE_READ_BYTES && figure <= FIGURE_WRITE_CALLS)
        return (double)(round->now_ns - state->detail_ns) / (double)NS_PER_S;
    return round->seconds;
}

static double lane_value(const struct target_state *state, const struct round *round,
                         enum figure figure, double value)
{
    value *= target_lanes[figure].scale;
    return figure < FIGURE_RATES ? value / seconds_of(state, round, figure) : value;
}

static void put_process(struct target_state *state, struct round *round, struct process *process)
{
    bool fresh = process->gauges[FIGURE_RSS].lane_plus_1 == 0;

    if (fresh && state->process_lanes == PROCESS_LANES_MAX)
        return;
    state->process_lanes += fresh;
    for (size_t i = 0; i < FIGURES; i++) {
        struct gauge *gauge = &process->gauges[i];

        if (!target_lanes[i].each || !process->has[i])
            continue;
        if (gauge->lane_plus_1 == 0)
            gauge->lane_plus_1 =
                round_lane(round, &target_lanes[i].kind, NULL, process->pid, 0) + 1;
        round_put(round, gauge->lane_plus_1 - 1, lane_value(state, round, i, process->figures[i]));
    }
}

static void put_sums(struct target_state *state, struct round *round, uint64_t seen)
{
    for (size_t i = 0; i < FIGURES; i++) {
        double sum = 0;
        bool any = false;

        for (size_t k = 0; k < state->count; k++) {
            const struct process *process = &state->processes[k];

            if (process->seen == seen && process->has[i]) {
                sum += process->figures[i];
                any = true;
            }
        }
        if (any)
            gauge_put(round, &state->gauges[i], &target_lanes[i].kind, NULL,
                      lane_value(state, round, i, sum));
    }
    gauge_put(round, &state->process_count, &kind_processes, NULL, (double)state->count);
}

/* Lanes that stay empty because the files behind them are not for us. */
static void tell_denied(struct target_state *state, struct round *round)
{
    const char *reason = _("not permitted: the process belongs to another user");

    if (state->told_denied || state->count == 0)
        return;
    state->told_denied = true;
    if (state->processes[0].io_denied)
        for (enum figure i = FIGURE_READ_BYTES; i <= FIGURE_WRITE_CALLS; i++)
            lane_absent(round, &target_lanes[i].kind, reason);
    if (state->processes[0].fds_denied)
        lane_absent(round, &target_lanes[FIGURE_FDS].kind, reason);
    if (state->processes[0].pss_denied)
        lane_absent(round, &target_lanes[FIGURE_PSS].kind, reason);
}

/* Reads details less often when they cost too much, more often when they cost little. */
static void adapt(struct target_state *state, const struct round *round, uint64_t cost_ns)
{
    double allowed = round->seconds * (double)NS_PER_S * state->detail_every / DETAIL_SHARE;

    if (round->seconds <= 0)
        return;
    if ((double)cost_ns > allowed && state->detail_every < DETAIL_EVERY_MAX)
        state->detail_every *= 2;
    else if ((double)cost_ns < allowed / 4 && state->detail_every > 1)
        state->detail_every /= 2;
}

static void target_read(void *opaque, struct round *round)
{
    struct target_state *state = opaque;
    uint64_t before_ns = clock_thread_cpu_ns(), seen = round->number + 1;
    bool details = state->rounds_to_detail == 0;
    size_t count = refresh(state, round);

    state->several |= count > 1;
    for (size_t i = 0; i < state->count; i++) {
        struct process *process = &state->processes[i];

        if (process->seen == seen &&
            !process_read(process, round, details, reaped_ticks(state, process->pid, seen)))
            process->seen = 0;
        else if (process->seen == seen && state->several)
            put_process(state, round, process);
    }
    forget_ended(state, seen);
    if (state->count > 0)
        put_sums(state, round, seen);
    if (details) {
        tell_denied(state, round);
        adapt(state, round, clock_thread_cpu_ns() - before_ns);
        state->detail_ns = round->now_ns;
        state->rounds_to_detail = state->detail_every;
    }
    state->rounds_to_detail--;
}

static void target_state_close(void *opaque)
{
    struct target_state *state = opaque;

    for (size_t i = 0; i < state->count; i++)
        process_fini(&state->processes[i]);
    free(state->processes);
    free(state);
}

const struct stats_reader stats_target = { target_state_open, target_read, target_state_close };
