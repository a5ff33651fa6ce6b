/* SPDX-License-Identifier: MIT */
/*
 * Which lanes are shown, in which order, and their values.
 *
 * A lane that is not among the usual ones is shown while it has a spike in sight: a trouble that
 * nobody thought of looking for must not hide behind the chooser.
 */
#include "config.h"

#include "lane_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/gettext.h"
#include "proftop/hash.h"
#include "proftop/memory.h"

enum { SPIKING_MAX = 4, THREAD_ROWS_MAX = 64 };

/* The usual rows.  A key that the recording does not have is left out. */
static const struct usual {
    const char *label;
    enum lane_row_kind kind;
    enum lane_group group;
    const char *keys[LANE_PARTS_MAX];
    bool rare; /* left out where it never moved */
} usuals[] = {
    { N_("target cpu"), ROW_LANES, LANE_TARGET, { "cpu_pct" }, false },
    { N_("this fn"), ROW_FUNCTION, LANE_TARGET, { NULL }, false },
    { N_("samples/due"), ROW_SAMPLES, LANE_TARGET, { NULL }, false },
    { N_("system"), ROW_DIVIDER, LANE_SYSTEM, { NULL }, false },
    { N_("usr+sys"), ROW_LANES, LANE_SYSTEM, { "us", "ni", "sy", "hi", "si" }, false },
    { N_("STEAL"), ROW_LANES, LANE_SYSTEM, { "st" }, false },
    { N_("iowait"), ROW_LANES, LANE_SYSTEM, { "wa" }, false },
    { N_("run queue"), ROW_LANES, LANE_SYSTEM, { "run_queue" }, false },
    { N_("maj faults"), ROW_LANES, LANE_SYSTEM, { "majflt" }, false },
    { N_("disk"), ROW_LANES, LANE_SYSTEM, { "read_bytes", "write_bytes" }, false },
    { N_("throttled"), ROW_LANES, LANE_SYSTEM, { "cgroup.throttled" }, true },
    { N_("minor flt"), ROW_LANES, LANE_TARGET, { "minflt" }, false },
    { N_("ctx sw"), ROW_LANES, LANE_SYSTEM, { "context_switches" }, false },
    { N_("PSI cpu"), ROW_LANES, LANE_SYSTEM, { "psi.cpu.some" }, false },
    { N_("PSI io"), ROW_LANES, LANE_SYSTEM, { "psi.io.some" }, false },
    { N_("tgt RSS"), ROW_LANES, LANE_TARGET, { "rss_bytes" }, false },
    { N_("run delay"), ROW_LANES, LANE_TARGET, { "run_delay_pct" }, false },
    { N_("GIL held"), ROW_LANES, LANE_TARGET, { "gil_held_pct" }, true },
    { N_("GIL waiters"), ROW_LANES, LANE_TARGET, { "gil_waiting" }, true },
    { N_("tgt read"), ROW_LANES, LANE_TARGET, { "read_bytes" }, true },
    { N_("tgt write"), ROW_LANES, LANE_TARGET, { "write_bytes" }, true },
};
enum { USUALS = sizeof(usuals) / sizeof(usuals[0]) };

static uint64_t identity(const struct lane_row *row)
{
    uint64_t hash;

    if (row->kind != ROW_LANES)
        return hash_bytes(row->kind, row->label, strlen(row->label));
    hash = hash_bytes(row->shape.group, row->shape.key, strlen(row->shape.key));
    return hash_pair(hash, hash_pair((uint32_t)row->shape.pid, (uint32_t)row->shape.tid));
}

static bool contains(const uint64_t *list, int count, uint64_t wanted)
{
    for (int i = 0; i < count; i++)
        if (list[i] == wanted)
            return true;
    return false;
}

bool lane_rows_shows(const struct lane_rows *rows, const struct lane_row *row)
{
    uint64_t wanted = identity(row);

    for (int i = 0; i < rows->count; i++)
        if (rows->rows[i].kind != ROW_DIVIDER && identity(&rows->rows[i]) == wanted)
            return true;
    return false;
}

static void forget(uint64_t *list, int *count, uint64_t unwanted)
{
    int kept = 0;

    for (int i = 0; i < *count; i++)
        if (list[i] != unwanted)
            list[kept++] = list[i];
    *count = kept;
}

void lane_choices_toggle(struct lane_choices *choices, const struct lane_row *row, bool shown)
{
    uint64_t *list = shown ? choices->shown : choices->hidden;
    int *count = shown ? &choices->shown_count : &choices->hidden_count;
    uint64_t wanted = identity(row);

    forget(choices->shown, &choices->shown_count, wanted);
    forget(choices->hidden, &choices->hidden_count, wanted);
    if (*count < LANE_CHOICES_MAX)
        list[(*count)++] = wanted;
}

static struct lane_row *add_row(struct lane_rows *rows, enum lane_row_kind kind, const char *label)
{
    struct lane_row *row;

    if (rows->count == LANE_ROWS_MAX)
        return NULL;
    row = &rows->rows[rows->count++];
    *row = (struct lane_row){ .kind = kind, .shape = { .key = "", .label = "" } };
    snprintf(row->label, sizeof(row->label), "%s", label);
    return row;
}

static struct lane_row row_of(const struct lane *lane)
{
    struct lane_row row = { .kind = ROW_LANES, .shape = *lane, .part_count = 1 };

    row.parts[0] = lane->id;
    snprintf(row.label, sizeof(row.label), "%s", lane->label);
    return row;
}

static void add_usual(struct lane_rows *rows, const struct timeline *timeline,
                      const struct lane_choices *choices, const struct usual *usual)
{
    struct lane_row *row = add_row(rows, usual->kind, _(usual->label));
    const struct lanes *lanes = timeline_lanes(timeline);

    if (row == NULL)
        return;
    for (int i = 0; i < LANE_PARTS_MAX && usual->keys[i] != NULL; i++) {
        lane_id lane = timeline_find(timeline, usual->group, usual->keys[i], 0, 0);

        if (lane == UINT32_MAX || !timeline_has(timeline, lane))
            continue;
        if (row->part_count == 0)
            row->shape = *lanes_get(lanes, lane);
        row->parts[row->part_count++] = lane;
    }
    if (row->kind == ROW_SAMPLES)
        row->shape = (struct lane){ .unit = UNIT_PERCENT, .ceiling = 100, .key = "", .label = "" };
    if (row->kind == ROW_FUNCTION)
        row->shape = (struct lane){ .unit = UNIT_RATIO, .key = "", .label = "" };
    if ((row->kind == ROW_LANES && row->part_count == 0) ||
        (usual->rare && !(lane_row_mean(row, timeline, 0, UINT64_MAX) > 0)) ||
        contains(choices->hidden, choices->hidden_count, identity(row)))
        rows->count--;
}

/* LANE is a part of one of the usual rows, which shows its spikes. */
static bool is_usual(const struct lane *lane)
{
    for (int i = 0; i < USUALS; i++)
        for (int k = 0; k < LANE_PARTS_MAX && usuals[i].keys[k] != NULL; k++)
            if (usuals[i].group == lane->group && strcmp(usuals[i].keys[k], lane->key) == 0)
                return true;
    return false;
}

/* A lane that is not shown yet. */
static void add_lane(struct lane_rows *rows, const struct lane *lane)
{
    struct lane_row row = row_of(lane);

    if (rows->count < LANE_ROWS_MAX && !lane_rows_shows(rows, &row))
        rows->rows[rows->count++] = row;
}

static void add_chosen(struct lane_rows *rows, const struct timeline *timeline,
                       const struct lane_choices *choices)
{
    const struct lanes *lanes = timeline_lanes(timeline);

    for (lane_id id = 0; choices->shown_count > 0 && id < lanes_count(lanes); id++) {
        const struct lane *lane = lanes_get(lanes, id);
        struct lane_row row = row_of(lane);

        if (contains(choices->shown, choices->shown_count, identity(&row)))
            add_lane(rows, lane);
    }
}

static void add_spiking(struct lane_rows *rows, struct timeline *timeline,
                        const struct lane_choices *choices, const struct axis *axis)
{
    const struct lanes *lanes = timeline_lanes(timeline);
    uint32_t count;
    const struct timeline_spike *spikes = timeline_spikes(timeline, &count);
    int before = rows->count;

    for (uint32_t i = 0; i < count && rows->count - before < SPIKING_MAX; i++) {
        const struct lane *lane =
            spikes[i].lane != TIMELINE_SAMPLES ? lanes_get(lanes, spikes[i].lane) : NULL;
        struct lane_row row;

        if (lane == NULL || spikes[i].end_ns <= axis->start_ns ||
            spikes[i].start_ns >= axis_end_ns(axis) || is_usual(lane))
            continue;
        row = row_of(lane);
        if (!contains(choices->hidden, choices->hidden_count, identity(&row)))
            add_lane(rows, lane);
    }
}

/* What the CPU's counters say of the thread whose CPU lane is OF, where they may be used. */
static void add_counters(struct lane_rows *rows, const struct timeline *timeline,
                         const struct lane *of)
{
    static const struct {
        const char *key, *label;
    } counters[] = {
        { "ipc", N_("IPC") },
        { "cache_misses", N_("cache misses") },
        { "branch_misses", N_("branch misses") },
    };

    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        lane_id id = timeline_find(timeline, LANE_THREAD, counters[i].key, of->pid, of->tid);
        struct lane_row *row;

        if (id == UINT32_MAX || !timeline_has(timeline, id))
            continue;
        row = add_row(rows, ROW_LANES, "");
        if (row == NULL)
            return;
        *row = row_of(lanes_get(timeline_lanes(timeline), id));
        snprintf(row->label, sizeof(row->label), "%d %s", (int)of->tid, _(counters[i].label));
    }
}

/* Threads that ran in AXIS, in the order they came: they keep their places. */
static void add_threads(struct lane_rows *rows, const struct timeline *timeline,
                        const struct axis *axis)
{
    const struct lanes *lanes = timeline_lanes(timeline);
    int added = 0;

    for (lane_id id = 0; id < lanes_count(lanes) && added < THREAD_ROWS_MAX; id++) {
        const struct lane *lane = lanes_get(lanes, id);
        struct lane_row *row;

        if (lane->group != LANE_THREAD || strcmp(lane->key, "cpu_pct") != 0 ||
            !(timeline_mean(timeline, id, axis->start_ns, axis_end_ns(axis)) > 0))
            continue;
        if (added++ == 0)
            add_row(rows, ROW_DIVIDER, _("threads"));
        row = add_row(rows, ROW_LANES, "");
        if (row == NULL)
            return;
        *row = row_of(lane);
        snprintf(row->label, sizeof(row->label), "%d %.32s", (int)lane->tid, lane->label);
        add_counters(rows, timeline, lane);
    }
}

void lane_rows_make(struct lane_rows *rows, struct timeline *timeline,
                    const struct lane_choices *choices, const struct axis *axis)
{
    rows->count = 0;
    if (timeline_lanes(timeline) == NULL)
        return;
    for (int i = 0; i < USUALS; i++) {
        add_usual(rows, timeline, choices, &usuals[i]);
        if (usuals[i].kind == ROW_DIVIDER) {
            add_spiking(rows, timeline, choices, axis);
            add_chosen(rows, timeline, choices);
        }
    }
    add_threads(rows, timeline, axis);
}

void lane_rows_all(struct lane_rows *rows, const struct timeline *timeline)
{
    const struct lanes *lanes = timeline_lanes(timeline);

    rows->count = 0;
    if (lanes == NULL)
        return;
    for (int i = 0; i < USUALS; i++)
        if (usuals[i].kind == ROW_FUNCTION || usuals[i].kind == ROW_SAMPLES)
            add_usual(rows, timeline, &(struct lane_choices){ .shown_count = 0 }, &usuals[i]);
    for (enum lane_group group = LANE_GROUPS; group-- > LANE_SYSTEM;)
        for (lane_id id = 0; id < lanes_count(lanes); id++) {
            const struct lane *lane = lanes_get(lanes, id);

            if (lane->group == group && lane->group != LANE_THREAD && lane->pid == 0)
                add_lane(rows, lane);
        }
}

/* ---- values ---------------------------------------------------------------------------------- */

static double share_received(const struct timeline_tally *tally)
{
    return tally->expected > 0 ? 100 * tally->received / tally->expected : NAN;
}

void lane_row_series(const struct lane_row *row, const struct timeline *timeline,
                     const struct axis *axis, const double *cores, double *values)
{
    uint32_t count = (uint32_t)axis->count;
    struct timeline_tally *tallies;
    double *part;

    for (uint32_t i = 0; i < count; i++)
        values[i] = row->kind == ROW_FUNCTION && cores != NULL ? cores[i] : NAN;
    if (row->kind == ROW_SAMPLES) {
        tallies = xcalloc(count, sizeof(*tallies));
        timeline_tallies(timeline, axis->start_ns, axis->bucket_ns, count, tallies);
        for (uint32_t i = 0; i < count; i++)
            values[i] = share_received(&tallies[i]);
        free(tallies);
    }
    part = xcalloc(count, sizeof(*part));
    for (int k = 0; k < row->part_count; k++) {
        timeline_series(timeline, row->parts[k], axis->start_ns, axis->bucket_ns, count, part);
        for (uint32_t i = 0; i < count; i++)
            if (!isnan(part[i]))
                values[i] = (isnan(values[i]) ? 0 : values[i]) + part[i];
    }
    free(part);
}

double lane_row_mean(const struct lane_row *row, const struct timeline *timeline, uint64_t start_ns,
                     uint64_t end_ns)
{
    double sum = NAN;

    if (end_ns <= start_ns)
        return NAN;
    if (row->kind == ROW_SAMPLES) {
        struct timeline_tally tally;

        timeline_tallies(timeline, start_ns, end_ns - start_ns, 1, &tally);
        return share_received(&tally);
    }
    for (int i = 0; i < row->part_count; i++) {
        double mean = timeline_mean(timeline, row->parts[i], start_ns, end_ns);

        if (!isnan(mean))
            sum = (isnan(sum) ? 0 : sum) + mean;
    }
    return sum;
}

double lane_row_newest(const struct lane_row *row, const struct timeline *timeline)
{
    double sum = NAN;

    for (int i = 0; i < row->part_count; i++) {
        double value = timeline_newest(timeline, row->parts[i]);

        if (!isnan(value))
            sum = (isnan(sum) ? 0 : sum) + value;
    }
    return sum;
}

const char *lane_row_text(char buffer[24], const struct lane_row *row, double value)
{
    return timeline_text(buffer, &row->shape, value);
}

bool lane_row_has(const struct lane_row *row, const struct timeline_spike *spike)
{
    if (row->kind == ROW_SAMPLES)
        return spike->lane == TIMELINE_SAMPLES;
    for (int i = 0; i < row->part_count; i++)
        if (spike->lane == row->parts[i])
            return true;
    return false;
}

const struct timeline_spike *lane_row_spike(const struct lane_row *row, struct timeline *timeline,
                                            uint64_t start_ns, uint64_t end_ns)
{
    uint32_t count;
    const struct timeline_spike *spikes = timeline_spikes(timeline, &count);

    for (uint32_t i = 0; i < count; i++)
        if (spikes[i].end_ns > start_ns && spikes[i].start_ns < end_ns &&
            lane_row_has(row, &spikes[i]))
            return &spikes[i];
    return NULL;
}

/*
 * What a full cell stands for: the unit's own most, a core where shares or cores of one are shown,
 * else the highest in sight; what hardly moves is drawn low, not as a wall.
 */
static double scale_of(const struct lane_row *row, double lowest, double highest)
{
    const double steady = 0.95, low = 3;

    if (row->shape.ceiling > 0)
        return row->shape.ceiling;
    if (row->shape.unit == UNIT_PERCENT)
        return fmax(highest, 100);
    if (row->kind == ROW_FUNCTION && row->shape.unit == UNIT_RATIO)
        return fmax(highest, 1);
    return lowest > highest * steady ? highest * low : highest;
}

void lane_row_spark(const struct lane_row *row, struct grid *grid, int at, int column, int width,
                    enum role role, const double *values)
{
    double *drawn = xcalloc((size_t)width + 1, sizeof(*drawn));
    double lowest = INFINITY, highest = 0;

    for (int i = 0; i < width; i++) {
        drawn[i] = isnan(values[i]) || values[i] < 0 ? 0 : values[i];
        highest = fmax(highest, drawn[i]);
        if (!isnan(values[i]))
            lowest = fmin(lowest, drawn[i]);
    }
    highest = scale_of(row, lowest, highest);
    if (highest > 0)
        grid_spark(grid, at, column, width, role, drawn, highest);
    free(drawn);
}
