/* SPDX-License-Identifier: MIT */
/*
 * Events that are counted, not timed: page faults, context switches.  How often they come is not
 * known in advance and changes a thousandfold between the phases of a program.  A software event's
 * period that the kernel adjusts runs away, because it takes two overflows at one moment for a rate
 * of billions (page faults, 99 Hz: ten samples, one of 9.9 million faults, then none).  So the
 * period is set here:
 *
 *     step    |───────|───────|───────|
 *     counted   40      38000   41000       perf_events_total(), exact
 *     samples   40      lost…   ~10         too many: the period becomes counted / wanted
 *     weight    1       950     4100        of each, so that they add up to what was counted
 *
 * Events that nobody sampled yet are owed to the next samples.  While the period is sought, more
 * samples come than were asked for: those that are lost then are not missed.  Hardware events have
 * the kernel's own period, which is good for them, and the same weights.
 */
#include "config.h"

#include "perf_private.h"

#include "proftop/clock.h"

enum { CHANGE_MIN = 4 /* times off, before the events are opened anew */ };

#define RAISE_AFTER_NS (20 * NS_PER_MS)
#define LOWER_AFTER_NS NS_PER_S

/* Takes what was counted since the last look; events that were opened anew begin at 0. */
static void look(struct perf *perf)
{
    struct perf_counted *counted = &perf->counted;
    uint64_t total = perf_events_total(&perf->events);
    uint64_t growth = total >= counted->total ? total - counted->total : total;

    counted->total = total;
    counted->owed += growth;
    counted->fast += growth;
    counted->slow += growth;
}

/* What the samples in RING up to NOW_NS say they stand for; they stay there. */
static uint64_t periods_in(const struct perf *perf, struct perf_ring *ring, uint64_t now_ns)
{
    const struct perf_event_header *header;
    uint64_t tail = ring->tail, sum = 0;

    while ((header = perf_ring_next(ring)) != NULL && perf_record_time(header) <= now_ns) {
        struct perf_sample sample;

        if (header->type == PERF_RECORD_SAMPLE &&
            perf_parse_sample(header, perf_wish_layout(&perf->events.wish), &sample))
            sum += sample.period;
        perf_ring_pop(ring, header);
    }
    ring->tail = tail;
    return sum;
}

void perf_counted_begin(struct perf *perf, uint64_t now_ns)
{
    struct perf_counted *counted = &perf->counted;
    uint64_t sum = 0;

    look(perf);
    for (size_t i = 0; i < perf->events.ring_count; i++)
        sum += periods_in(perf, &perf->events.rings[i], now_ns);
    counted->scale = sum > 0 && counted->owed > 0 ? (double)counted->owed / (double)sum : 1;
    if (sum > 0)
        counted->owed = 0;
}

uint64_t perf_counted_weight(struct perf *perf, const struct perf_sample *sample)
{
    struct perf_counted *counted = &perf->counted;
    double exact = (double)sample->period * counted->scale + counted->carry;
    uint64_t weight = exact > 1 ? (uint64_t)exact : 1;

    counted->carry = exact - (double)weight;
    return weight;
}

/* The period at which GROWTH events in LENGTH_NS give the wanted samples. */
static uint64_t fitting(const struct perf *perf, uint64_t growth, uint64_t length_ns)
{
    double a_second = (double)growth * (double)NS_PER_S / (double)length_ns;
    double period = a_second / perf->events.wish.rate_hz;

    return period > 1 ? (uint64_t)period : 1;
}

static void tell_lost(struct perf *perf)
{
    perf->emit.tally.lost += (uint32_t)perf->counted.lost;
    perf->watch.lost += perf->counted.lost;
    perf->counted.lost = 0;
}

/* The period that is to be, or 0 when the present one will do. */
static uint64_t another(struct perf *perf, uint64_t now_ns)
{
    struct perf_counted *counted = &perf->counted;
    uint64_t period = perf->events.wish.period, wanted;

    if (now_ns - counted->fast_ns >= RAISE_AFTER_NS) {
        wanted = fitting(perf, counted->fast, now_ns - counted->fast_ns);
        counted->fast = 0;
        counted->fast_ns = now_ns;
        if (wanted > period * CHANGE_MIN)
            return wanted;
        tell_lost(perf);
    }
    if (now_ns - counted->slow_ns >= LOWER_AFTER_NS) {
        wanted = fitting(perf, counted->slow, now_ns - counted->slow_ns);
        counted->slow = 0;
        counted->slow_ns = now_ns;
        if (wanted * CHANGE_MIN < period)
            return wanted;
    }
    return 0;
}

void perf_counted_end(struct perf *perf, uint64_t now_ns)
{
    struct perf_counted *counted = &perf->counted;
    uint64_t period;

    if (perf->events.wish.period == 0) {
        tell_lost(perf);
        return;
    }
    period = another(perf, now_ns);
    if (period == 0)
        return;
    counted->lost = 0; /* they were more than was asked for */
    look(perf);
    perf->events.wish.period = period;
    perf_watch_reopen(perf);
    counted->total = 0;
    counted->slow = counted->fast = 0;
    counted->slow_ns = counted->fast_ns = now_ns;
}
