/* SPDX-License-Identifier: MIT */
/*
 *     cpu 183% ▁▃▇▇▇▇▇▇▇▆▇▇▇▇▇▇▇▇▇▇▃▃▃▃▃▇▇▇▇▇▇▇▇▇▇▇▇▇▇▆▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇
 *     sys !                       SSSSS                 F          II       [========]
 *
 * One column is one second, the newest on the right.
 */
#include "config.h"

#include "strip.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"

enum { LABEL_COLUMNS = 9 };

/* Lanes whose rise is worth a letter, the gravest first. */
static const struct {
    const char *key;
    enum lane_group group;
    double above;
    char letter;
} troubles[] = {
    { "st", LANE_SYSTEM, 5, 'S' },      { "cgroup.throttled_us", LANE_SYSTEM, 0, 'T' },
    { "swap_in", LANE_SYSTEM, 0, 'W' }, { "wa", LANE_SYSTEM, 10, 'I' },
    { "majflt", LANE_TARGET, 1, 'F' },  { "psi.memory.some", LANE_SYSTEM, 10, 'M' },
};
enum { TROUBLES = sizeof(troubles) / sizeof(troubles[0]) };

struct strip {
    uint64_t start_ns, end_ns;
    int columns;
    double *cpu; /* percent, by column; negative: nothing known */
    char *marks; /* a letter by column, or a space */
    double now;
};

/* The lane of the machine, or of all the target's processes together. */
static lane_id find_lane(const struct lanes *lanes, enum lane_group group, const char *key)
{
    uint32_t count = lanes_count(lanes);

    for (lane_id id = 0; id < count; id++) {
        const struct lane *lane = lanes_get(lanes, id);

        if (lane->group == group && lane->pid == 0 && lane->tid == 0 && strcmp(lane->key, key) == 0)
            return id;
    }
    return UINT32_MAX;
}

static int column_of(const struct strip *strip, uint64_t time_ns)
{
    if (time_ns < strip->start_ns)
        return -1;
    return (int)((time_ns - strip->start_ns) / NS_PER_S);
}

/* The CPU time of SLICE's samples, in percent of one core. */
static double sampled_cpu(const struct slice *slice)
{
    uint64_t weight = 0, span = slice_end_ns(slice) - slice_start_ns(slice);
    struct slice_entry entry;
    struct slice_walk walk;

    slice_entries(slice, &walk);
    while (slice_next_entry(&walk, &entry))
        if (entry.state == STATE_RUNNING && entry.metric == METRIC_TIME)
            weight += entry.weight;
    return span != 0 ? 100 * (double)weight / (double)span : 0;
}

static void read_slices(struct strip *strip, const struct profile *profile)
{
    const struct lanes *lanes = profile_lanes(profile);
    lane_id cpu = find_lane(lanes, LANE_TARGET, "cpu_pct"), lane[TROUBLES];
    int *parts = xcalloc((size_t)strip->columns, sizeof(*parts));
    struct slice_cursor cursor;
    const struct slice *slice;

    for (int i = 0; i < TROUBLES; i++)
        lane[i] = find_lane(lanes, troubles[i].group, troubles[i].key);
    profile_slices(profile, strip->start_ns, strip->end_ns, NS_PER_S, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL) {
        int column = column_of(strip, (slice_start_ns(slice) + slice_end_ns(slice)) / 2);
        double value;

        if (column < 0 || column >= strip->columns)
            continue;
        if (cpu == UINT32_MAX)
            value = sampled_cpu(slice);
        else if (!slice_lane(slice, cpu, &value))
            value = -1;
        if (value >= 0) {
            strip->cpu[column] = (strip->cpu[column] * parts[column] + value) / (parts[column] + 1);
            parts[column]++;
            strip->now = strip->cpu[column];
        }
        for (int i = TROUBLES; i-- > 0;)
            if (lane[i] != UINT32_MAX && slice_lane(slice, lane[i], &value) &&
                value > troubles[i].above)
                strip->marks[column] = troubles[i].letter;
    }
    free(parts);
}

/* The seconds of the scope's range, where they are in sight. */
static void render_range(const struct strip *strip, const struct screen_input *input,
                         struct grid *grid, int row)
{
    uint64_t start, end;
    int first, last;

    if (input->fold == NULL)
        return;
    start = input->fold->start_ns;
    end = input->fold->end_ns;
    if (end <= strip->start_ns || start >= strip->end_ns || end <= start)
        return;
    first = start < strip->start_ns ? 0 : column_of(strip, start);
    last = column_of(strip, end - 1);
    if (last >= strip->columns)
        last = strip->columns - 1;
    for (int column = first; column <= last; column++)
        if (strip->marks[column] == ' ')
            grid_text(grid, row, LABEL_COLUMNS + column, 1, ROLE_RANGE,
                      column == first && start >= strip->start_ns ? "["
                      : column == last                            ? "]"
                                                                  : "=");
}

void strip_render(const struct screen_input *input, struct grid *grid, int row)
{
    struct strip strip = { .columns = grid->columns - LABEL_COLUMNS };
    uint64_t end = profile_end_ns(input->profile);
    double ceiling = 100;
    bool trouble = false;

    if (strip.columns < 1)
        return;
    end = (end + NS_PER_S - 1) / NS_PER_S * NS_PER_S; /* columns stand still within a second */
    strip.end_ns = end;
    strip.start_ns =
        end > (uint64_t)strip.columns * NS_PER_S ? end - (uint64_t)strip.columns * NS_PER_S : 0;
    strip.cpu = xcalloc((size_t)strip.columns, sizeof(*strip.cpu));
    strip.marks = xmalloc((size_t)strip.columns + 1);
    memset(strip.marks, ' ', (size_t)strip.columns);
    strip.marks[strip.columns] = '\0';
    read_slices(&strip, input->profile);
    for (int i = 0; i < strip.columns; i++) {
        if (strip.cpu[i] > ceiling)
            ceiling = strip.cpu[i];
        trouble |= strip.marks[i] != ' ';
    }
    grid_printf(grid, row, 0, LABEL_COLUMNS, ROLE_DIM, _("cpu %.0f%%"), strip.now);
    grid_spark(grid, row, LABEL_COLUMNS, strip.columns, ROLE_BAR, strip.cpu, ceiling);
    grid_text(grid, row + 1, 0, LABEL_COLUMNS, trouble ? ROLE_ALARM : ROLE_DIM,
              trouble ? _("sys !") : _("sys"));
    for (int i = 0; i < strip.columns; i++)
        if (strip.marks[i] != ' ')
            grid_fill(grid, row + 1, LABEL_COLUMNS + i, 1, ROLE_ALARM,
                      (char[]){ strip.marks[i], '\0' });
    render_range(&strip, input, grid, row + 1);
    free(strip.cpu);
    free(strip.marks);
}
