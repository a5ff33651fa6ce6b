/* SPDX-License-Identifier: MIT */
/* Time as columns: see axis.h. */
#include "config.h"

#include "axis.h"

#include <stdio.h>
#include <time.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/text.h"

static const struct {
    uint64_t length_ns;
    const char *text;
} zooms[AXIS_ZOOMS] = {
    { NS_PER_S / 10, N_("0.1s") }, { NS_PER_S / 5, N_("0.2s") },  { NS_PER_S / 2, N_("0.5s") },
    { NS_PER_S, N_("1s") },        { 2 * NS_PER_S, N_("2s") },    { 5 * NS_PER_S, N_("5s") },
    { 10 * NS_PER_S, N_("10s") },  { 30 * NS_PER_S, N_("30s") },  { 60 * NS_PER_S, N_("1m") },
    { 300 * NS_PER_S, N_("5m") },  { 600 * NS_PER_S, N_("10m") }, { 1800 * NS_PER_S, N_("30m") },
    { 3600 * NS_PER_S, N_("1h") },
};

uint64_t axis_zoom_ns(int zoom)
{
    return zooms[zoom < 0 ? 0 : zoom >= AXIS_ZOOMS ? AXIS_ZOOMS - 1 : zoom].length_ns;
}

const char *axis_zoom_text(char buffer[16], int zoom)
{
    snprintf(buffer, 16, "%s",
             _(zooms[zoom < 0             ? 0
                     : zoom >= AXIS_ZOOMS ? AXIS_ZOOMS - 1
                                          : zoom]
                   .text));
    return buffer;
}

uint64_t axis_round(const struct profile *profile, uint64_t time_ns, uint64_t bucket_ns)
{
    uint64_t start_ns = profile_start_ns(profile);

    if (time_ns < start_ns)
        return start_ns;
    return start_ns + (time_ns - start_ns) / bucket_ns * bucket_ns;
}

struct axis axis_ending(const struct profile *profile, uint64_t end_ns, int zoom, int count,
                        int jump)
{
    struct axis axis = { .bucket_ns = axis_zoom_ns(zoom), .count = count };
    uint64_t origin_ns = profile_start_ns(profile), step_ns = axis.bucket_ns * (uint64_t)jump;
    uint64_t span_ns = axis.bucket_ns * (uint64_t)count, past_ns;

    past_ns = end_ns > origin_ns ? end_ns - origin_ns : 0;
    past_ns = (past_ns + step_ns - 1) / step_ns * step_ns;
    axis.start_ns = past_ns > span_ns ? origin_ns + past_ns - span_ns : origin_ns;
    return axis;
}

struct axis axis_showing(const struct profile *profile, struct axis axis, uint64_t time_ns)
{
    uint64_t bucket_ns = axis_round(profile, time_ns, axis.bucket_ns);

    if (time_ns < axis.start_ns)
        axis.start_ns = bucket_ns;
    else if (time_ns >= axis_end_ns(&axis))
        axis.start_ns = bucket_ns - axis.bucket_ns * (uint64_t)(axis.count - 1);
    return axis;
}

uint64_t axis_end_ns(const struct axis *axis)
{
    return axis->start_ns + axis->bucket_ns * (uint64_t)axis->count;
}

int axis_column(const struct axis *axis, uint64_t time_ns)
{
    uint64_t column;

    if (time_ns < axis->start_ns)
        return -1;
    column = (time_ns - axis->start_ns) / axis->bucket_ns;
    return column < (uint64_t)axis->count ? (int)column : axis->count;
}

uint64_t axis_time_ns(const struct axis *axis, int column)
{
    return axis->start_ns + axis->bucket_ns * (uint64_t)(column > 0 ? column : 0);
}

const char *axis_text(char buffer[32], const struct profile *profile, uint64_t time_ns,
                      uint64_t bucket_ns, bool clock)
{
    uint64_t start_ns = profile_start_ns(profile);
    unsigned tenth;
    char text[24];

    if (clock) {
        int64_t date_ns = (int64_t)time_ns + profile_info(profile)->realtime_offset_ns;
        time_t seconds = (time_t)(date_ns / (int64_t)NS_PER_S);
        struct tm local;

        tenth = (unsigned)(date_ns % (int64_t)NS_PER_S / (int64_t)(NS_PER_S / 10));
        localtime_r(&seconds, &local);
        strftime(text, sizeof(text), "%H:%M:%S", &local);
    } else {
        uint64_t past_ns = time_ns > start_ns ? time_ns - start_ns : 0;

        tenth = (unsigned)(past_ns % NS_PER_S / (NS_PER_S / 10));
        text_elapsed(text, past_ns);
    }
    snprintf(buffer, 32, bucket_ns < NS_PER_S && tenth != 0 ? "%s.%u" : "%s", text, tenth);
    return buffer;
}
