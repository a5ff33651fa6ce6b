/* SPDX-License-Identifier: MIT */
/* Figures of a recording that several formats show. */
#include "config.h"

#include "proftop/figures.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "proftop/clock.h"
#include "proftop/profile.h"

enum { STOP_BUCKETS = sizeof(((struct record_tally *)0)->stopped_log2) / sizeof(uint32_t) };

double percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

/* The length below which SHARE of the stops were: bucket k holds [2^k, 2^(k+1)) × 100 ns. */
static double stop_quantile_us(const struct record_tally *tally, double share)
{
    uint64_t wanted = (uint64_t)(share * tally->stops), seen = 0;

    for (int k = 0; k < STOP_BUCKETS; k++) {
        uint64_t count = tally->stopped_log2[k];

        if (count > 0 && seen + count > wanted) {
            double inside = ((double)(wanted - seen) + 0.5) / (double)count;
            double low_us = (double)(UINT64_C(1) << k) / 10;

            return low_us * (1 + inside);
        }
        seen += count;
    }
    return (double)tally->stopped_max_ns / 1000;
}

void figures_of(const struct profile *profile, uint64_t start_ns, uint64_t end_ns,
                struct figures *figures)
{
    const struct record_tally *tally = &figures->tally;
    struct slice_cursor cursor;
    const struct slice *slice;

    memset(figures, 0, sizeof(*figures));
    profile_slices(profile, start_ns, end_ns, UINT64_MAX, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL) {
        if (slice_tally(slice) != NULL)
            tally_add(&figures->tally, slice_tally(slice));
        figures->samples += slice_running(slice);
    }
    figures->achieved_hz = profile_info(profile)->rate_hz;
    if (tally->expected > 0 && tally->received < tally->expected)
        figures->achieved_hz *= (double)tally->received / tally->expected;
    if (tally->stops > 0) {
        figures->stopped_p50_us = stop_quantile_us(tally, 0.5);
        figures->stopped_p99_us = stop_quantile_us(tally, 0.99);
        figures->stopped_max_us = (double)tally->stopped_max_ns / 1000;
    }
}

uint64_t figures_unresolved(const struct fold *fold)
{
    uint64_t samples = 0;

    for (uint32_t i = 0; i < fold->row_count; i++)
        if (function_is_nameless(names_get(fold->names, fold->rows[i].function)))
            samples += fold->rows[i].self_samples;
    return samples;
}

int figures_exit_status(int32_t wait_status)
{
    if (wait_status < 0)
        return -1;
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

const char *figures_date(char buffer[40], const struct profile *profile, uint64_t time_ns)
{
    int64_t date_ns = (int64_t)time_ns + profile_info(profile)->realtime_offset_ns;
    time_t seconds = (time_t)(date_ns / (int64_t)NS_PER_S);
    struct tm tm;
    char date[24];

    if (date_ns < 0 || gmtime_r(&seconds, &tm) == NULL ||
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        return "1970-01-01T00:00:00.000Z";
    snprintf(buffer, 40, "%s.%03dZ", date, (int)(date_ns % (int64_t)NS_PER_S / (int64_t)NS_PER_MS));
    return buffer;
}
