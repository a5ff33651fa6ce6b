/* SPDX-License-Identifier: MIT */
/*
 * The lock of Python's interpreters as lanes: which share of the time it was held, and how many
 * threads waited for it, looked at with every tick of the ptrace source.  Private to source/.
 */
#ifndef PROFTOP_SOURCE_GIL_LANES_H
#define PROFTOP_SOURCE_GIL_LANES_H

#include <stdint.h>

#include "emit.h"
#include "proftop/lane.h"
#include "roster.h"

struct gil_lanes {
    struct lanes *lanes;
    uint64_t period_ns, began_ns; /* of the values being gathered; began_ns 0: none yet */
    uint32_t looks, held;
    uint64_t waiting; /* threads, summed over the looks */
};

void gil_lanes_init(struct gil_lanes *gil, const struct source_config *config);
/* Looks once; sends the values of each period that is over. */
void gil_lanes_look(struct gil_lanes *gil, const struct roster *roster, struct emit *emit,
                    uint64_t now_ns);

#endif
