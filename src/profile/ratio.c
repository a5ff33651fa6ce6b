/* SPDX-License-Identifier: MIT */
/* The table of ratios. */
#include "config.h"

#include "proftop/ratio.h"

#include "proftop/clock.h"
#include "proftop/gettext.h"

const struct ratio ratio_table[] = {
    { "ipc", N_("IPC"), 2, COUNTED_INSTRUCTIONS, COUNTED_CYCLES, 1 },
    { "cache_misses_per_1000", N_("CMISS/k"), 1, COUNTED_CACHE_MISSES, COUNTED_INSTRUCTIONS, 1000 },
    { "branch_misses_per_1000", N_("BMISS/k"), 1, COUNTED_BRANCH_MISSES, COUNTED_INSTRUCTIONS,
      1000 },
    { "faults_per_s", N_("FAULT/s"), 0, COUNTED_FAULTS, COUNTED, (double)NS_PER_S },
};

const unsigned ratio_count = sizeof(ratio_table) / sizeof(ratio_table[0]);

bool ratio_of(const struct ratio *ratio, const struct fold *fold, function_id function,
              double *value)
{
    const struct fold_counts *all = fold_counts(fold, UINT32_MAX);
    const struct fold_counts *own = fold_counts(fold, function);
    const struct fold_row *row = fold_find(fold, function);
    uint64_t per;

    /* A function may well have none of what others had. */
    if (own == NULL || all->of[ratio->counted] == 0)
        return false;
    if (ratio->per != COUNTED)
        per = own->of[ratio->per];
    else
        per = row != NULL ? row->self : fold->weight;
    if (per == 0)
        return false;
    *value = ratio->scale * (double)own->of[ratio->counted] / (double)per;
    return true;
}
