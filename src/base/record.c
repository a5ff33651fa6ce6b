/* SPDX-License-Identifier: MIT */
/* Sums of records. */
#include "config.h"

#include "proftop/record.h"

void tally_add(struct record_tally *sum, const struct record_tally *part)
{
    if (part->head.time_ns >= sum->head.time_ns) {
        sum->head.time_ns = part->head.time_ns;
        sum->rate_hz = part->rate_hz;
    }
    sum->expected += part->expected;
    sum->received += part->received;
    sum->lost += part->lost;
    sum->throttled += part->throttled;
    sum->truncated += part->truncated;
    sum->broken += part->broken;
    sum->deferred += part->deferred;
    sum->unseen += part->unseen;
    sum->stops += part->stops;
    sum->stopped_ns += part->stopped_ns;
    if (sum->stopped_max_ns < part->stopped_max_ns)
        sum->stopped_max_ns = part->stopped_max_ns;
    for (unsigned i = 0; i < sizeof(sum->stopped_log2) / sizeof(sum->stopped_log2[0]); i++)
        sum->stopped_log2[i] += part->stopped_log2[i];
    sum->target_cpu_ns += part->target_cpu_ns;
    sum->source_cpu_ns += part->source_cpu_ns;
    sum->eintr_repaired += part->eintr_repaired;
    sum->behind += part->behind;
}
