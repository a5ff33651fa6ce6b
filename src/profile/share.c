/* SPDX-License-Identifier: MIT */
/*
 * Intervals of shares.  Wilson's, because the plain ±1.96·√(p(1−p)/n) is zero wide at 0 and 1 and
 * too narrow for few samples.
 */
#include "config.h"

#include "proftop/share.h"

#include <math.h>

/* Of the normal distribution, 95 % lie within that many standard deviations. */
static const double z = 1.959964;

struct interval share_interval(double share, double samples)
{
    double square = z * z, centre, half;
    struct interval interval = { 0, 1 };

    if (!(samples > 0))
        return interval;
    centre = (share + square / (2 * samples)) / (1 + square / samples);
    half = z / (1 + square / samples) *
           sqrt(share * (1 - share) / samples + square / (4 * samples * samples));
    /* However the arithmetic rounds, the share itself lies inside. */
    interval.low = fmin(share, fmax(0, centre - half));
    interval.high = fmax(share, fmin(1, centre + half));
    return interval;
}

double share_error_pt(double share, double samples)
{
    struct interval interval = share_interval(share, samples);

    /* The interval is not centred on the share: the ± shown reaches its farther end. */
    return 100 * fmax(interval.high - share, share - interval.low);
}

double effective_samples(double weight_sum, double weight_square_sum)
{
    return weight_square_sum > 0 ? weight_sum * weight_sum / weight_square_sum : 0;
}
