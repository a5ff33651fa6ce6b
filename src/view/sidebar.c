/* SPDX-License-Identifier: MIT */
/*
 *     SYSTEM            now  LAST 20s
 *     cpu usr          90.3  ▇▇▇▇▇▇▇▇▇▇▇▇▃▃▃▃▃▇▇▇
 *         STEAL    !    0.2               ▅▆▇▆▆
 *      cpu0  95 [|||||||||||||||||||||||| ]
 *     run queue           2  ▂▂▂▂▂▂▂▂▂▂▂▂▅▆▆▆▆▂▂▂
 *     TARGET busy[8968]
 *     rss 12.5M  virt 293M  fds 7
 */
#include "config.h"

#include "sidebar.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "axis.h"
#include "format.h"
#include "lane_rows.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/text.h"
#include "proftop/timeline.h"

enum {
    SECONDS = 20,
    LABEL_COLUMNS = 12,
    MARK_COLUMN = 12,
    VALUE_COLUMN = 13,
    VALUE_COLUMNS = 7,
    SPARK_COLUMN = 21,
    CPU_ROWS_MAX = 8,
    TARGET_ROWS = 7
};

/* Rows of the machine's part.  KEY NULL: the CPUs' bars come here. */
static const struct entry {
    const char *label, *key;
} entries[] = {
    { N_("cpu usr"), "us" },
    { N_("    sys"), "sy" },
    { N_("    iowait"), "wa" },
    { N_("    STEAL"), "st" },
    { NULL, NULL },
    { N_("run queue"), "run_queue" },
    { N_("ctx sw"), "context_switches" },
    { N_("irq"), "interrupts" },
    { N_("forks"), "forks" },
    { N_("mem used"), "used_bytes" },
    { N_("flt maj"), "majflt" },
    { N_("flt min"), "minflt" },
    { N_("swap in"), "swap_in" },
    { N_("swap out"), "swap_out" },
    { N_("disk read"), "read_bytes" },
    { N_("disk write"), "write_bytes" },
    { N_("throttled"), "cgroup.throttled" },
    { N_("psi cpu some"), "psi.cpu.some" },
    { N_("    mem some"), "psi.memory.some" },
    { N_("    io some"), "psi.io.some" },
};
enum { ENTRIES = sizeof(entries) / sizeof(entries[0]) };

/* What is being drawn, and the row that comes next. */
struct sidebar {
    const struct screen_input *input;
    struct grid *grid;
    struct axis axis;
    int row, rows;
};

static struct lane_row row_for(const struct sidebar *sidebar, lane_id lane)
{
    struct lane_row row = { .kind = ROW_LANES, .part_count = 1 };

    row.parts[0] = lane;
    row.shape = *lanes_get(timeline_lanes(sidebar->input->timeline), lane);
    return row;
}

static void draw_lane(struct sidebar *sidebar, const char *label, lane_id lane)
{
    struct timeline *timeline = sidebar->input->timeline;
    struct lane_row row = row_for(sidebar, lane);
    int width = sidebar->grid->columns - SPARK_COLUMN;
    double values[SECONDS];
    char text[24];
    bool spike =
        lane_row_spike(&row, timeline, sidebar->axis.start_ns, axis_end_ns(&sidebar->axis)) != NULL;

    if (width > SECONDS)
        width = SECONDS;
    grid_text(sidebar->grid, sidebar->row, 0, LABEL_COLUMNS, spike ? ROLE_ALARM : ROLE_NORMAL,
              label);
    if (spike)
        grid_text(sidebar->grid, sidebar->row, MARK_COLUMN, 1, ROLE_ALARM, "!");
    grid_text_right(sidebar->grid, sidebar->row, VALUE_COLUMN, VALUE_COLUMNS, ROLE_NORMAL,
                    lane_row_text(text, &row, timeline_newest(timeline, lane)));
    lane_row_series(&row, timeline, &sidebar->axis, NULL, values);
    if (width > 0)
        lane_row_spark(&row, sidebar->grid, sidebar->row, SPARK_COLUMN, width, ROLE_BAR,
                       values + SECONDS - width);
    sidebar->row++;
}

/* "cpu0  95 [||||||||| ]": busy, one row a CPU, or two CPUs a row where there are many. */
static void draw_cpus(struct sidebar *sidebar)
{
    struct timeline *timeline = sidebar->input->timeline;
    int width = sidebar->grid->columns, shown = 0;

    for (int cpu = 0; shown < CPU_ROWS_MAX && sidebar->row < sidebar->rows; cpu++) {
        char key[32];
        lane_id idle;
        double busy;

        snprintf(key, sizeof(key), "cpus.cpu%d.id", cpu);
        idle = timeline_find(timeline, LANE_SYSTEM, key, 0, 0);
        if (idle == UINT32_MAX)
            break;
        busy = 100 - timeline_newest(timeline, idle);
        if (isnan(busy))
            continue; /* offline */
        grid_printf(sidebar->grid, sidebar->row, 0, width, ROLE_NORMAL, " cpu%-3d%4.0f [", cpu,
                    busy);
        grid_bar(sidebar->grid, sidebar->row, 13, width - 15, ROLE_BAR, busy / 100);
        grid_text(sidebar->grid, sidebar->row, width - 2, 1, ROLE_NORMAL, "]");
        sidebar->row++;
        shown++;
    }
}

/* Disks that moved something: bytes and how long a request took. */
static void draw_disks(struct sidebar *sidebar)
{
    struct timeline *timeline = sidebar->input->timeline;
    const struct lanes *lanes = timeline_lanes(timeline);

    for (lane_id id = 0; id < lanes_count(lanes) && sidebar->row < sidebar->rows; id++) {
        const struct lane *lane = lanes_get(lanes, id);
        size_t length = strlen(lane->key);

        if (lane->group == LANE_SYSTEM && strncmp(lane->key, "disks.", 6) == 0 && length > 9 &&
            strcmp(lane->key + length - 9, ".await_ms") == 0 && timeline_has(timeline, id))
            draw_lane(sidebar, lane->label, id);
    }
}

static void draw_system(struct sidebar *sidebar)
{
    struct timeline *timeline = sidebar->input->timeline;

    grid_fill(sidebar->grid, sidebar->row, 0, sidebar->grid->columns, ROLE_HEADER, " ");
    grid_text(sidebar->grid, sidebar->row, 0, LABEL_COLUMNS, ROLE_HEADER, _("SYSTEM"));
    grid_text_right(sidebar->grid, sidebar->row, VALUE_COLUMN, VALUE_COLUMNS, ROLE_HEADER,
                    _("now"));
    grid_text(sidebar->grid, sidebar->row++, SPARK_COLUMN, SECONDS, ROLE_HEADER, _("LAST 20s"));
    for (int i = 0; i < ENTRIES && sidebar->row < sidebar->rows; i++) {
        lane_id lane;

        if (entries[i].key == NULL) {
            draw_cpus(sidebar);
            continue;
        }
        lane = timeline_find(timeline, LANE_SYSTEM, entries[i].key, 0, 0);
        if (lane != UINT32_MAX && timeline_has(timeline, lane))
            draw_lane(sidebar, _(entries[i].label), lane);
    }
    draw_disks(sidebar);
}

/* "rss 12.5M": the newest value of a target's lane behind a word; the columns used. */
static int draw_pair(struct sidebar *sidebar, int column, const char *word, const char *key)
{
    struct timeline *timeline = sidebar->input->timeline;
    lane_id lane = timeline_find(timeline, LANE_TARGET, key, 0, 0);
    char text[24];

    if (lane == UINT32_MAX || !timeline_has(timeline, lane))
        return column;
    timeline_text(text, lanes_get(timeline_lanes(timeline), lane), timeline_newest(timeline, lane));
    return column +
           grid_printf(sidebar->grid, sidebar->row, column, sidebar->grid->columns - column,
                       ROLE_NORMAL, "%s %s", word, text) +
           2;
}

static void draw_target(struct sidebar *sidebar)
{
    static const struct {
        const char *word, *key;
        bool last; /* of its row */
    } pairs[] = {
        { N_("rss"), "rss_bytes", false },
        { N_("virt"), "vsize_bytes", false },
        { N_("fds"), "fds", true },
        { N_("rd"), "read_bytes", false },
        { N_("wr"), "write_bytes", false },
        { N_("thr"), "threads", true },
        { N_("csw vol"), "vcsw", false },
        { N_("inv"), "ivcsw", true },
        { N_("flt maj"), "majflt", false },
        { N_("min"), "minflt", true },
        { N_("run delay"), "run_delay_pct", false },
        { N_("IPC"), "ipc", true },
    };
    int column = 0;

    grid_fill(sidebar->grid, sidebar->row, 0, sidebar->grid->columns, ROLE_HEADER, " ");
    grid_printf(sidebar->grid, sidebar->row++, 0, sidebar->grid->columns, ROLE_HEADER,
                _("TARGET %s"), sidebar->input->title);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        column = draw_pair(sidebar, column, _(pairs[i].word), pairs[i].key);
        if (pairs[i].last) {
            sidebar->row += column > 0;
            column = 0;
        }
    }
}

/* How much of what was due is known, and how well. */
static void draw_quality(struct sidebar *sidebar)
{
    const struct fold *fold = sidebar->input->fold;
    const struct record_tally *tally;
    double received;

    if (fold == NULL || fold->tally.received == 0)
        return;
    tally = &fold->tally;
    received = tally->received;
    grid_printf(sidebar->grid, sidebar->row++, 0, sidebar->grid->columns, ROLE_NORMAL,
                _("unwound %.1f%%  truncated %.1f%%"),
                100 * (1 - (tally->broken + tally->truncated) / received),
                100 * tally->truncated / received);
    grid_printf(sidebar->grid, sidebar->row++, 0, sidebar->grid->columns, ROLE_NORMAL,
                _("missed %u  lost %u"),
                tally->expected > tally->received ? tally->expected - tally->received : 0,
                tally->lost);
}

void sidebar_render(const struct screen_input *input, struct grid *grid)
{
    struct sidebar sidebar = { .input = input, .grid = grid };

    if (input->timeline == NULL || timeline_lanes(input->timeline) == NULL || grid->columns < 24)
        return;
    sidebar.axis =
        axis_ending(input->profile, timeline_end_ns(input->timeline), AXIS_ZOOM_SECOND, SECONDS, 1);
    sidebar.rows = grid->rows - TARGET_ROWS;
    draw_system(&sidebar);
    sidebar.rows = grid->rows;
    draw_target(&sidebar);
    draw_quality(&sidebar);
}
