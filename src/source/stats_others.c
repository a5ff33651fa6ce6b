/* SPDX-License-Identifier: MIT */
/*
 * Who else used the machine: the five busiest processes that are not the target's, by CPU time, by
 * bytes read and written, and by major faults.
 *
 *     /proc ──► pids ──► stat, io of each ──► growth ──► the top of three orders ──► RECORD_OTHERS
 *
 * Listing /proc and opening files there costs more than all the reading: processes are listed anew
 * only when loadavg's newest pid says that some began, and the files stay open.
 *
 * With hidepid or in a container only our own are seen, and only our own tell their io; nobody is
 * counted as zero for that.  A look over many processes that costs too much is taken less often,
 * and the record says over how long.
 */
#include "config.h"

#include "stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/descriptors.h"
#include "proftop/memory.h"
#include "proftop/proc.h"
#include "proftop/proc_file.h"
#include "proftop/system.h"

enum {
    TOP = 5,
    ORDERS = 3,
    OTHERS_MAX = 32768,
    KEPT_MAX = 256,   /* processes whose files stay open */
    KEPT_SHARE = 8,   /* and no more than this part of our descriptors */
    COST_SHARE = 300, /* at most a 300th of a core */
    EVERY_MAX = 64
};

/* Start times are told in ticks of at most this. */
#define TICK_NS (10 * NS_PER_MS)

struct other {
    int32_t pid;
    bool known, target;
    struct proc_file stat; /* open while it is one of the KEPT_MAX first */
    char name[PROC_NAME_MAX];
    uint64_t start_ticks, ticks, majflt, minflt, read_bytes, write_bytes;
    /* Growth since the last look. */
    uint64_t cpu, faults, read, written;
};

struct others_state {
    struct other *list; /* by pid */
    size_t count, capacity;
    struct proc_file loadavg;
    uint64_t newest_pid; /* as loadavg told it when they were listed; 0: not told */
    unsigned every, rounds_to_look;
    uint64_t last_ns;
};

static void *others_open(struct round *round)
{
    struct others_state *state = xcalloc(1, sizeof(*state));

    state->every = 1;
    proc_file_open(&state->loadavg, round->proc_root, "loadavg");
    return state;
}

static int by_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* The list for PIDS (sorted), what was known kept. */
static void merge(struct others_state *state, const struct proc_ids *pids)
{
    size_t count = pids->count < OTHERS_MAX ? pids->count : OTHERS_MAX, at = 0;
    struct other *list = xcalloc(count > 0 ? count : 1, sizeof(*list));

    for (size_t i = 0; i < count; i++) {
        while (at < state->count && state->list[at].pid < pids->ids[i])
            proc_file_close(&state->list[at++].stat);
        if (at < state->count && state->list[at].pid == pids->ids[i])
            list[i] = state->list[at++];
        else
            list[i].pid = pids->ids[i];
    }
    while (at < state->count)
        proc_file_close(&state->list[at++].stat);
    free(state->list);
    state->list = list;
    state->count = count;
}

/* Lists the processes anew where some may have begun. */
static void list_processes(struct others_state *state, const struct round *round)
{
    const char *text = proc_file_read(&state->loadavg);
    struct proc_ids pids = { 0 };
    struct system_load load = { 0 };

    if (text != NULL && system_parse_loadavg(text, &load) && load.newest_pid != 0 &&
        load.newest_pid == state->newest_pid)
        return;
    state->newest_pid = load.newest_pid;
    proc_pids(round->proc_root, &pids);
    qsort(pids.ids, pids.count, sizeof(*pids.ids), by_number);
    merge(state, &pids);
    proc_ids_fini(&pids);
}

/* A file kept open outlives its process: a pid that was given anew is opened anew. */
static bool read_stat(const struct round *round, struct other *other, bool keep,
                      struct proc_stat *stat)
{
    const char *text = proc_file_read(&other->stat);

    if (text == NULL &&
        proc_file_open(&other->stat, round->proc_root, "%" PRId32 "/stat", other->pid))
        text = proc_file_read(&other->stat);
    if (text == NULL || !proc_parse_stat(text, stat)) {
        proc_file_close(&other->stat);
        return false;
    }
    if (!keep)
        proc_file_close(&other->stat);
    return true;
}

static void read_io(const struct round *round, struct other *other)
{
    uint64_t read_bytes, write_bytes;
    char text[512];

    other->read = other->written = 0;
    if (proc_read(round->proc_root, other->pid, 0, "io", text, sizeof(text)) <= 0 ||
        !system_find_pair(text, "read_bytes", &read_bytes) ||
        !system_find_pair(text, "write_bytes", &write_bytes))
        return;
    if (other->known) {
        system_advance(other->read_bytes, read_bytes, &other->read);
        system_advance(other->write_bytes, write_bytes, &other->written);
    }
    other->read_bytes = read_bytes;
    other->write_bytes = write_bytes;
}

/* LAST_NS: when they were looked at before; 0 at the first look. */
static void look_at(const struct round *round, struct other *other, uint64_t last_ns, bool keep)
{
    struct proc_stat stat;
    uint64_t ticks, minor = 0;

    other->cpu = other->faults = other->read = other->written = 0;
    if (!read_stat(round, other, keep, &stat))
        return;
    if (!other->known || other->start_ticks != stat.start_ticks) {
        *other = (struct other){ .pid = other->pid,
                                 .stat = other->stat,
                                 .start_ticks = stat.start_ticks };
        other->target = target_holds(round->target, other->pid);
        /* One that began since the last look did all of it since. */
        other->known =
            round->live && last_ns != 0 && proc_start_ns(stat.start_ticks) + TICK_NS > last_ns;
    }
    snprintf(other->name, sizeof(other->name), "%s", stat.name);
    ticks = stat.utime_ticks + stat.stime_ticks;
    if (other->known) {
        system_advance(other->ticks, ticks, &other->cpu);
        system_advance(other->majflt, stat.majflt, &other->faults);
        system_advance(other->minflt, stat.minflt, &minor);
    }
    other->ticks = ticks;
    other->majflt = stat.majflt;
    other->minflt = stat.minflt;
    /* Who did not run read and wrote nothing; what too short a run moved is told with the next. */
    if (!other->target && (!other->known || other->cpu + minor + other->faults > 0))
        read_io(round, other);
    other->known = true;
}

/* What the processes are ordered by. */
static uint64_t measure(const struct other *other, int order)
{
    switch (order) {
    case 0:
        return other->cpu;
    case 1:
        return other->read + other->written;
    default:
        return other->faults;
    }
}

static bool holds(const struct other *const *chosen, size_t count, const struct other *other)
{
    for (size_t i = 0; i < count; i++)
        if (chosen[i] == other)
            return true;
    return false;
}

/* The TOP of each order, none twice. */
static size_t choose(const struct others_state *state, const struct other **chosen)
{
    size_t count = 0;

    for (int order = 0; order < ORDERS; order++) {
        for (int place = 0; place < TOP; place++) {
            const struct other *best = NULL;

            for (size_t i = 0; i < state->count; i++) {
                const struct other *other = &state->list[i];

                if (!other->target && measure(other, order) > 0 &&
                    (best == NULL || measure(other, order) > measure(best, order)) &&
                    !holds(chosen, count, other))
                    best = other;
            }
            if (best == NULL)
                break;
            chosen[count++] = best;
        }
    }
    return count;
}

static void tell(const struct others_state *state, struct round *round)
{
    const struct other *chosen[TOP * ORDERS];
    size_t count = choose(state, chosen);
    size_t size = sizeof(struct record_others) + count * sizeof(struct other_process);
    double seconds = (double)(round->now_ns - state->last_ns) / (double)NS_PER_S;
    double tick_pct = 100.0 / (double)sysconf(_SC_CLK_TCK) / seconds;
    struct record_others *record = xcalloc(1, record_round(size));

    record->head = (struct record){ .size = record_round(size),
                                    .type = RECORD_OTHERS,
                                    .time_ns = round->now_ns };
    record->period_ns = round->now_ns - state->last_ns;
    record->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        struct other_process *to = &record->others[i];

        to->pid = chosen[i]->pid;
        to->majflt = (uint32_t)chosen[i]->faults;
        to->cpu_pct = (double)chosen[i]->cpu * tick_pct;
        to->read_bytes = chosen[i]->read;
        to->write_bytes = chosen[i]->written;
        snprintf(to->name, sizeof(to->name), "%.*s", (int)sizeof(to->name) - 1, chosen[i]->name);
    }
    round->others = record;
}

static void adapt(struct others_state *state, const struct round *round, uint64_t cost_ns)
{
    double allowed = round->seconds * (double)NS_PER_S * state->every / COST_SHARE;

    if (round->seconds <= 0)
        return;
    if ((double)cost_ns > allowed && state->every < EVERY_MAX)
        state->every *= 2;
    else if ((double)cost_ns < allowed / 4 && state->every > 1)
        state->every /= 2;
}

static void others_read(void *opaque, struct round *round)
{
    struct others_state *state = opaque;
    uint64_t before_ns = clock_thread_cpu_ns();
    size_t kept = descriptors_share(KEPT_MAX, KEPT_SHARE);

    if (state->rounds_to_look > 0) {
        state->rounds_to_look--;
        return;
    }
    list_processes(state, round);
    for (size_t i = 0; i < state->count; i++)
        look_at(round, &state->list[i], state->last_ns, i < kept);
    if (state->last_ns != 0)
        tell(state, round);
    state->last_ns = round->now_ns;
    adapt(state, round, clock_thread_cpu_ns() - before_ns);
    state->rounds_to_look = state->every - 1;
}

static void others_close(void *opaque)
{
    struct others_state *state = opaque;

    for (size_t i = 0; i < state->count; i++)
        proc_file_close(&state->list[i].stat);
    free(state->list);
    proc_file_close(&state->loadavg);
    free(state);
}

const struct stats_reader stats_others = { others_open, others_read, others_close };
