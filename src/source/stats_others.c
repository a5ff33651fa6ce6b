/* SPDX-License-Identifier: MIT */
/*
 * Who else used the machine: the five busiest processes that are not the target's, by CPU time, by
 * bytes read and written, and by major faults.
 *
 *     /proc ──► pids ──► stat, io of each ──► growth ──► the top of three orders ──► RECORD_OTHERS
 *
 * With hidepid or in a container only our own are seen, and only our own tell their io; nobody is
 * counted as zero for that.  A look over many processes that costs too much is taken less often,
 * and the record says over how long.
 */
#include "config.h"

#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "proftop/proc.h"
#include "proftop/system.h"

enum {
    TOP = 5,
    ORDERS = 3,
    OTHERS_MAX = 32768,
    IO_OF_ALL_MAX = 256, /* processes; with more, only those that ran tell their io */
    COST_SHARE = 500,    /* at most a 500th of a core */
    EVERY_MAX = 64
};

/* Start times are told in ticks of at most this. */
#define TICK_NS (10 * NS_PER_MS)

struct other {
    int32_t pid;
    bool known, target;
    char name[PROC_NAME_MAX];
    uint64_t start_ticks, ticks, majflt, minflt, read_bytes, write_bytes;
    /* Growth since the last look. */
    uint64_t cpu, faults, read, written;
};

struct others_state {
    struct other *list; /* by pid */
    size_t count, capacity;
    unsigned every, rounds_to_look;
    uint64_t last_ns;
};

static void *others_open(struct round *round)
{
    struct others_state *state = xcalloc(1, sizeof(*state));

    (void)round;
    state->every = 1;
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
            at++;
        if (at < state->count && state->list[at].pid == pids->ids[i])
            list[i] = state->list[at];
        else
            list[i].pid = pids->ids[i];
    }
    free(state->list);
    state->list = list;
    state->count = count;
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
static void look_at(const struct round *round, struct other *other, uint64_t last_ns,
                    bool io_of_all)
{
    struct proc_stat stat;
    uint64_t ticks, minor = 0;

    other->cpu = other->faults = other->read = other->written = 0;
    if (!proc_stat(round->proc_root, other->pid, 0, &stat))
        return;
    if (!other->known || other->start_ticks != stat.start_ticks) {
        *other = (struct other){ .pid = other->pid, .start_ticks = stat.start_ticks };
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
    if (!other->target && (io_of_all || !other->known || other->cpu + minor + other->faults > 0))
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
    struct proc_ids pids = { 0 };

    if (state->rounds_to_look > 0) {
        state->rounds_to_look--;
        return;
    }
    proc_pids(round->proc_root, &pids);
    qsort(pids.ids, pids.count, sizeof(*pids.ids), by_number);
    merge(state, &pids);
    for (size_t i = 0; i < state->count; i++)
        look_at(round, &state->list[i], state->last_ns, state->count <= IO_OF_ALL_MAX);
    if (state->last_ns != 0)
        tell(state, round);
    state->last_ns = round->now_ns;
    adapt(state, round, clock_thread_cpu_ns() - before_ns);
    state->rounds_to_look = state->every - 1;
    proc_ids_fini(&pids);
}

static void others_close(void *opaque)
{
    struct others_state *state = opaque;

    free(state->list);
    free(state);
}

const struct stats_reader stats_others = { others_open, others_read, others_close };
