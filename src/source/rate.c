/* SPDX-License-Identifier: MIT */
/* Rates that are lowered and raised again: see rate.h. */
#include "config.h"

#include "rate.h"

#include "proftop/clock.h"
#include "proftop/gettext.h"

#define CALM_MIN_NS (4 * NS_PER_S)
#define CALM_MAX_NS (64 * NS_PER_S) /* after failures, each of which doubles it */

static void set(struct rate *rate, struct emit *emit, uint32_t hz)
{
    rate->hz = emit->tally.rate_hz = hz;
}

void rate_init(struct rate *rate, struct emit *emit, uint32_t asked_hz, uint32_t least_hz)
{
    *rate = (struct rate){ .asked_hz = asked_hz, .least_hz = least_hz, .calm_ns = CALM_MIN_NS };
    set(rate, emit, asked_hz);
}

bool rate_lower(struct rate *rate, struct emit *emit, uint64_t now_ns, const char *why)
{
    bool again = rate->strained_ns != 0;

    rate->strained_ns = now_ns;
    if (rate->hz / 2 < rate->least_hz)
        return false;
    if (again && rate->calm_ns < CALM_MAX_NS)
        rate->calm_ns *= 2;
    set(rate, emit, rate->hz / 2);
    emit_note(emit, now_ns, NOTE_WARNING, _("rate lowered to %u Hz: %s"), rate->hz, why);
    return true;
}

void rate_strained(struct rate *rate, uint64_t now_ns)
{
    if (rate->hz < rate->asked_hz)
        rate->strained_ns = now_ns;
}

/* What made it too high may be over: a storm of processes, a machine that was busy. */
bool rate_raise(struct rate *rate, struct emit *emit, uint64_t now_ns)
{
    uint32_t hz = rate->hz * 2;

    if (rate->hz >= rate->asked_hz || now_ns - rate->strained_ns < rate->calm_ns)
        return false;
    if (hz > rate->asked_hz || rate->asked_hz - hz < hz / 8)
        hz = rate->asked_hz;
    rate->strained_ns = now_ns;
    set(rate, emit, hz);
    emit_note(emit, now_ns, NOTE_INFO, _("rate raised to %u Hz again"), hz);
    return true;
}
