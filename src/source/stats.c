/* SPDX-License-Identifier: MIT */
/*
 * The counters of the machine and of the target as a source: every period a round of all readers.
 *
 *     period   |────────|────────|────────|
 *     rounds   0        1        2        3      a round's values are about the period before it
 *
 * Rounds keep their distance from the first one, not from the last, so that a late round does not
 * shift the rest.
 */
#include "config.h"

#include "stats.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/proc.h"
#include "proftop/ring.h"
#include "proftop/source.h"
#include "proftop/system.h"
#include "proftop/target.h"

enum {
    READERS = 8,
    VALUES_IN_RECORD = 256,
    STEP_MS = 100,
    PERIOD_MIN_NS = 10000000,
    PERIOD_DEFAULT_NS = 1000000000,
    LANES_MAX = 16384 /* a storm of threads must not fill the table of lanes */
};

static const struct stats_reader *const readers[READERS] = {
    &stats_cpu,    &stats_memory, &stats_devices,  &stats_pressure,
    &stats_cgroup, &stats_target, &stats_counters, &stats_others,
};

struct source {
    struct round round;
    void *states[READERS];
    uint64_t period_ns, first_ns;
    int wake_fd;
    bool told_lost;
};

/* A dot in a device's name ("eth0.100") would nest in the key. */
static void make_key(char *key, size_t size, const char *pattern, const char *name)
{
    const char *place = strstr(pattern, "%s");
    int start = snprintf(key, size, "%.*s", (int)(place - pattern), pattern);
    int end = start + snprintf(key + start, size - (size_t)start, "%s", name);

    for (char *at = key + start; at < key + end; at++)
        if (*at == '.')
            *at = '_';
    snprintf(key + end, size - (size_t)end, "%s", place + 2);
}

static bool describe(struct round *round, const struct lane_kind *kind, const char *name,
                     int32_t pid, int32_t tid, const char *absent, uint32_t *lane)
{
    char key[128], label[128];

    if (lanes_count(round->lanes) >= LANES_MAX)
        return false;
    if (name != NULL) {
        make_key(key, sizeof(key), kind->key, name);
        snprintf(label, sizeof(label), "%s %s", name, _(kind->label));
    } else {
        snprintf(key, sizeof(key), "%s", kind->key);
        /* A thread's own name is nobody's to translate. */
        snprintf(label, sizeof(label), "%s",
                 kind->group == LANE_THREAD ? kind->label : _(kind->label));
    }
    *lane = lanes_add(round->lanes, &(struct lane){ .group = kind->group,
                                                    .unit = kind->unit,
                                                    .key = key,
                                                    .label = label,
                                                    .pid = pid,
                                                    .tid = tid,
                                                    .ceiling = kind->ceiling,
                                                    .alarming = kind->alarming,
                                                    .absent = absent });
    return true;
}

uint32_t round_lane(struct round *round, const struct lane_kind *kind, const char *name,
                    int32_t pid, int32_t tid)
{
    uint32_t lane;

    return describe(round, kind, name, pid, tid, NULL, &lane) ? lane : UINT32_MAX;
}

void lane_absent(struct round *round, const struct lane_kind *kind, const char *reason)
{
    uint32_t lane;

    describe(round, kind, NULL, 0, 0, reason, &lane);
}

void round_put(struct round *round, uint32_t lane, double value)
{
    if (lane == UINT32_MAX)
        return;
    round->values =
        array_reserve(round->values, &round->capacity, round->count + 1, sizeof(*round->values));
    round->values[round->count++] = (struct lane_value){ .lane = lane, .value = value };
}

void gauge_put(struct round *round, struct gauge *gauge, const struct lane_kind *kind,
               const char *name, double value)
{
    if (gauge->lane_plus_1 == 0)
        gauge->lane_plus_1 = round_lane(round, kind, name, 0, 0) + 1;
    round_put(round, gauge->lane_plus_1 - 1, value);
}

bool meter_advance(struct round *round, struct meter *meter, uint64_t counter, uint64_t *advance)
{
    bool had = meter->has_last && meter->last_ns < round->now_ns;
    uint64_t last = meter->last;

    meter->last = counter;
    meter->last_ns = round->now_ns;
    meter->has_last = true;
    *advance = 0;
    return had && system_advance(last, counter, advance);
}

void meter_put(struct round *round, struct meter *meter, const struct lane_kind *kind,
               const char *name, uint64_t counter, double scale)
{
    uint64_t since_ns = round->now_ns - meter->last_ns, advance;

    if (meter_advance(round, meter, counter, &advance))
        gauge_put(round, &meter->gauge, kind, name,
                  (double)advance * scale * (double)NS_PER_S / (double)since_ns);
}

/* Once: the ring keeps room for it. */
static void tell_lost(struct source *source, struct ring *ring)
{
    const char *text = _("counters were lost: nobody read them in time");
    size_t size = sizeof(struct record_note) + strlen(text) + 1;
    struct record_note *note;

    if (source->told_lost)
        return;
    note = (struct record_note *)ring_reserve(ring, size, true);
    if (note == NULL)
        return;
    note->head.type = RECORD_NOTE;
    note->head.time_ns = source->round.now_ns;
    note->level = NOTE_WARNING;
    note->pad = 0;
    memcpy(note->text, text, strlen(text) + 1);
    ring_commit(ring, &note->head);
    source->told_lost = true;
}

/* What the round found, in records that are small beside any ring. */
static void send(struct source *source, struct ring *ring)
{
    struct round *round = &source->round;

    for (size_t from = 0; from < round->count; from += VALUES_IN_RECORD) {
        size_t count =
            round->count - from < VALUES_IN_RECORD ? round->count - from : VALUES_IN_RECORD;
        size_t bytes = count * sizeof(round->values[0]);
        struct record_lanes *record =
            (struct record_lanes *)ring_reserve(ring, sizeof(*record) + bytes, false);

        if (record == NULL) {
            tell_lost(source, ring);
            break;
        }
        record->head.type = RECORD_LANES;
        record->head.time_ns = round->now_ns;
        record->period_ns = (uint64_t)(round->seconds * (double)NS_PER_S);
        record->count = (uint32_t)count;
        record->pad = 0;
        memcpy(record->values, round->values + from, bytes);
        ring_commit(ring, &record->head);
    }
    if (round->others != NULL && !ring_push(ring, &round->others->head, false))
        tell_lost(source, ring);
}

void stats_round(struct source *source, struct ring *ring, uint64_t now_ns)
{
    struct round *round = &source->round;

    round->seconds = round->number > 0 ? (double)(now_ns - round->now_ns) / (double)NS_PER_S : 0;
    round->now_ns = now_ns;
    round->count = 0;
    for (size_t i = 0; i < READERS; i++)
        readers[i]->read(source->states[i], round);
    send(source, ring);
    free(round->others);
    round->others = NULL;
    round->number++;
}

struct source *stats_open_at(struct target *target, struct lanes *lanes, const char *proc_root,
                             const char *files_root, uint64_t period_ns)
{
    struct source *source = xcalloc(1, sizeof(*source));

    source->period_ns = period_ns == 0              ? PERIOD_DEFAULT_NS
                        : period_ns < PERIOD_MIN_NS ? PERIOD_MIN_NS
                                                    : period_ns;
    source->wake_fd = -1;
    source->round = (struct round){ .target = target,
                                    .lanes = lanes,
                                    .proc_root = proc_root,
                                    .files_root = files_root,
                                    .live = strcmp(proc_root, "/proc") == 0 };
    for (size_t i = 0; i < READERS; i++)
        source->states[i] = readers[i]->open(&source->round);
    return source;
}

static bool stats_probe(const struct target *target, const struct source_config *config,
                        struct error *error)
{
    (void)target;
    (void)config;
    (void)error;
    return true; /* every reader says for itself what it lacks */
}

static struct source *stats_open(struct target *target, const struct source_config *config,
                                 struct error *error)
{
    struct source *source =
        stats_open_at(target, config->lanes, target_proc_root(target), "", config->period_ns);

    (void)error;
    source->wake_fd = config->wake_fd;
    return source;
}

/*
 * Sleeps until the next round or until we are woken, STEP_MS at most where nobody can; true when it
 * is due.
 */
static bool wait_for_round(const struct source *source, uint64_t *now_ns)
{
    uint64_t due_ns = source->first_ns + source->round.number * source->period_ns;
    struct pollfd wake = { .fd = source->wake_fd, .events = POLLIN };
    uint64_t before_ns = clock_now_ns();

    if (source->round.number > 0 && before_ns < due_ns) {
        uint64_t wait_ns = due_ns - before_ns;
        struct timespec timeout;

        if (source->wake_fd < 0 && wait_ns > STEP_MS * NS_PER_MS)
            wait_ns = STEP_MS * NS_PER_MS;
        timeout = (struct timespec){ (time_t)(wait_ns / NS_PER_S), (long)(wait_ns % NS_PER_S) };
        ppoll(&wake, source->wake_fd >= 0, &timeout, NULL);
    }
    *now_ns = clock_now_ns();
    return source->round.number == 0 || *now_ns >= due_ns;
}

static int stats_step(struct source *source, struct ring *ring)
{
    struct record *mark;
    uint64_t now_ns;

    if (wait_for_round(source, &now_ns)) {
        uint64_t behind;

        if (source->round.number == 0)
            source->first_ns = now_ns;
        stats_round(source, ring, now_ns);
        /* After a suspend or a long stop the missed rounds are left out, not caught up with. */
        behind = (now_ns - source->first_ns) / source->period_ns;
        if (behind >= source->round.number)
            source->first_ns += (behind - source->round.number + 1) * source->period_ns;
    }
    mark = ring_reserve(ring, sizeof(*mark), true);
    if (mark != NULL) {
        mark->type = RECORD_WATERMARK;
        mark->time_ns = now_ns;
        ring_commit(ring, mark);
    }
    return 0;
}

static void stats_stop(struct source *source)
{
    (void)source;
}

static void stats_close(struct source *source)
{
    for (size_t i = 0; i < READERS; i++)
        readers[i]->close(source->states[i]);
    free(source->round.values);
    free(source);
}

const struct source_ops source_stats = {
    .name = "stats",
    .probe = stats_probe,
    .open = stats_open,
    .step = stats_step,
    .stop = stats_stop,
    .close = stats_close,
};

/* Nothing is sampled, so that nobody else tells that the process is gone. */
static int system_step(struct source *source, struct ring *ring)
{
    struct target *target = source->round.target;
    struct proc_stat stat;
    int result = stats_step(source, ring);

    if (!proc_stat(target_proc_root(target), target_pid(target), 0, &stat) ||
        proc_stat_ended(&stat))
        result = -ESRCH;
    return result;
}

const struct source_ops source_system = {
    .name = "counters",
    .probe = stats_probe,
    .open = stats_open,
    .step = system_step,
    .stop = stats_stop,
    .close = stats_close,
};
