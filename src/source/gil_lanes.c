/* SPDX-License-Identifier: MIT */
/* The interpreter lock, looked at with every tick and told once a period. */
#include "config.h"

#include "gil_lanes.h"

#include <string.h>

#include "proftop/gettext.h"
#include "proftop/python.h"
#include "proftop/source.h"

enum { GIL_LANES = 2 };

void gil_lanes_init(struct gil_lanes *gil, const struct source_config *config)
{
    *gil = (struct gil_lanes){ .lanes = config->lanes, .period_ns = config->period_ns };
}

static void send(struct gil_lanes *gil, struct emit *emit, uint64_t now_ns)
{
    static const struct lane shapes[GIL_LANES] = {
        { .group = LANE_TARGET,
          .unit = UNIT_PERCENT,
          .key = "gil_held_pct",
          .label = N_("GIL held"),
          .ceiling = 100 },
        { .group = LANE_TARGET,
          .unit = UNIT_COUNT,
          .key = "gil_waiting",
          .label = N_("GIL waiters"),
          .alarming = true },
    };
    const double values[GIL_LANES] = { 100.0 * gil->held / gil->looks,
                                       (double)gil->waiting / gil->looks };
    struct {
        struct record_lanes lanes;
        struct lane_value values[GIL_LANES];
    } record = { .lanes = { .head = { sizeof(record), RECORD_LANES, now_ns },
                            .period_ns = now_ns - gil->began_ns,
                            .count = GIL_LANES } };

    for (int i = 0; i < GIL_LANES; i++) {
        struct lane lane = shapes[i];

        lane.label = _(shapes[i].label);
        record.values[i] =
            (struct lane_value){ .lane = lanes_add(gil->lanes, &lane), .value = values[i] };
    }
    ring_push(emit->ring, &record.lanes.head, false);
}

void gil_lanes_look(struct gil_lanes *gil, const struct roster *roster, struct emit *emit,
                    uint64_t now_ns)
{
    bool python = false, held = false;

    if (gil->lanes == NULL)
        return;
    for (const struct tracked *process = roster->processes; process != NULL;
         process = process->next) {
        if (process->python == NULL)
            continue;
        python = true;
        held = held || python_gil_holder(process->python) != 0;
    }
    if (!python)
        return;
    if (gil->began_ns == 0)
        gil->began_ns = now_ns;
    gil->looks++;
    gil->held += held;
    for (size_t i = 0; i < roster->count; i++)
        gil->waiting +=
            roster->threads[i]->stack.asleep && roster->threads[i]->stack.reason == WAIT_GIL;
    if (now_ns - gil->began_ns < gil->period_ns)
        return;
    send(gil, emit, now_ns);
    gil->looks = gil->held = 0;
    gil->waiting = 0;
    gil->began_ns = now_ns;
}
