/* SPDX-License-Identifier: MIT */
/*
 * Ratios of what is counted beside the samples, for each function: of its own time, that is of the
 * stretches between two samples of a thread of which the second met the function.
 */
#ifndef PROFTOP_RATIO_H
#define PROFTOP_RATIO_H

#include <stdbool.h>

#include "proftop/fold.h"

struct ratio {
    const char *key;   /* in files */
    const char *label; /* N_("…") for the screen */
    int decimals;
    enum counted counted, per; /* COUNTED: CPU time */
    double scale;
};

extern const struct ratio ratio_table[];
extern const unsigned ratio_count;

/*
 * RATIO of FUNCTION in FOLD, of everything for UINT32_MAX; false where it was not counted, or the
 * function has no time of its own.
 */
bool ratio_of(const struct ratio *ratio, const struct fold *fold, function_id function,
              double *value);

#endif
